"""What workspaces are called in the configuration, by their ids; where there are several, Slack tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.cli.channels import connected
from portals.ids import TeamId

if TYPE_CHECKING:
    from config.settings import Settings


async def names_of(settings: Settings) -> dict[TeamId, str]:
    """Return the names of several workspaces; nothing where there is only one, which needs no name."""
    found: dict[TeamId, str] = {}
    if len(settings.slack.workspaces) > 1:
        for workspace in settings.slack.workspaces:
            async with connected(settings, workspace) as client:
                found[TeamId((await client.auth()).team_id)] = workspace.name
    return found
