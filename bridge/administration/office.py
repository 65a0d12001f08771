"""What admins reach in the running bridge: its store, how it does, and its connections to Slack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.configured import rights_from
from bridge.errors import Declined
from portals.commands.levels import Level
from portals.ids import MatrixUserId

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.administration.moving import Moving
    from bridge.administration.store import Store
    from bridge.observability.health import Health
    from bridge.slack.client import SlackClient
    from bridge.slack.installation import Installation
    from config.settings import Settings
    from portals.ids import TeamId


def is_admin(settings: Settings, user: str) -> bool:
    """Tell whether a Matrix user may change things, by the configuration."""
    return rights_from(settings).level(MatrixUserId(user)) is Level.ADMIN


@dataclass(frozen=True, slots=True)
class Office:
    """Everything that console, HTTP API and bot commands act through."""

    store: Store
    health: Health
    installations: Mapping[TeamId, Installation]
    settings: Settings
    moving: Moving

    def is_admin(self, user: str) -> bool:
        """Tell whether a Matrix user may change things."""
        return is_admin(self.settings, user)

    def workspace(self, wanted: str | None) -> tuple[TeamId, SlackClient]:
        """Return a connected workspace by its id or its name in the configuration, or the only one; raises Declined."""
        found = {team: one for team, one in self.installations.items() if wanted is None or wanted in (team, one.name)}
        if len(found) == 1:
            ((team, installation),) = found.items()
            return team, installation.client
        choices = " or ".join(f"{one.name} ({team})" for team, one in self.installations.items())
        if found:
            raise Declined("ambiguous", f"there are several workspaces: name one of {choices}")
        known = f"those that are: {choices}" if choices else "none is"
        which = "no workspace is" if wanted is None else f"the workspace {wanted} is not"
        raise Declined("not_connected", f"{which} connected; {known}")
