"""How the running bridge does beside its store: which workspaces are connected, and whether it can do its work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.errors import BridgeError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bridge.slack.installation import Installation
    from bridge.slack.socket import SocketMode
    from bridge.store.database import Database
    from config.settings import Settings
    from portals.ids import TeamId


@dataclass(frozen=True, slots=True)
class WorkspaceHealth:
    """One workspace of the configuration: its id once Slack told it, and how many of its wanted sockets are open.

    `last_event` is Unix time, `trouble` what an admin must mend.
    """

    name: str
    team: str | None
    connected: int
    wanted: int
    last_event: float | None = None
    trouble: str = ""

    @property
    def is_up(self) -> bool:
        """Whether Slack can reach us."""
        return self.team is not None and (self.connected > 0 or self.wanted == 0)


class Health:
    """Looks at the bridge's parts when it is asked; `sockets` are by the workspaces' names in the configuration."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        sockets: Mapping[str, SocketMode],
        installations: Mapping[TeamId, Installation],
        walking: Callable[[], int],
    ) -> None:
        self._database = database
        self._names = [workspace.name for workspace in settings.slack.workspaces]
        self._sockets = sockets
        self._installations = installations
        self._walking = walking

    @property
    def walking(self) -> int:
        """How many queues are worked on."""
        return self._walking()

    def workspaces(self) -> list[WorkspaceHealth]:
        """Return how each workspace of the configuration does."""
        teams = {installation.name: team for team, installation in self._installations.items()}
        found = []
        for name in self._names:
            if (socket := self._sockets.get(name)) is not None:
                now = socket.health
                found.append(
                    WorkspaceHealth(name, teams.get(name), now.connected, now.wanted, now.last_event, now.trouble)
                )
            else:
                found.append(WorkspaceHealth(name, teams.get(name), 0, 0))
        return found

    async def problems(self) -> list[str]:
        """Return why the bridge is not ready to relay, in words for an admin; nothing when it is."""
        found = []
        try:
            await self._database.fetch("SELECT 1")
        except BridgeError as error:
            found.append(f"the store does not answer: {error}")
        for one in self.workspaces():
            if one.team is None:
                found.append(f"the workspace {one.name} is not connected yet")
            elif not one.is_up:
                why = f": {one.trouble}" if one.trouble else ""
                found.append(f"no socket to the workspace {one.name} is open{why}")
        return found
