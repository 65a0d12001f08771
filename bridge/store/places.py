"""Which workspace or portal an address means, when all that is known is what stands in the address.

Workspaces and portals are rows of the directory; these statements only find their keys, where no cache helps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portals.ids import PortalId, TeamId

if TYPE_CHECKING:
    from bridge.store.database import Database
    from portals.ids import ChannelId

WORKSPACE_AT = "SELECT team FROM workspaces WHERE url = $1"
TEAMS_WITH_CHANNEL = """
SELECT team FROM portals WHERE channel = $1 AND team IN (SELECT team FROM workspaces) ORDER BY id
"""
PORTAL_OF_TARGET = "SELECT id FROM portals WHERE target = $1 AND room IS NOT NULL"


class Places:
    """Finds the keys of workspaces and portals by parts of addresses."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def team_at(self, address: str) -> TeamId | None:
        """Return the workspace that has this address, as `auth.test` stated it."""
        rows = await self._database.fetch(WORKSPACE_AT, address)
        return TeamId(rows[0][0]) if rows else None

    async def teams_with(self, channel: ChannelId) -> list[TeamId]:
        """Return the workspaces in which this channel has a portal: several where they share the channel."""
        return [TeamId(row[0]) for row in await self._database.fetch(TEAMS_WITH_CHANNEL, channel)]

    async def portal_of_target(self, target: str) -> PortalId | None:
        """Return the portal that was mapped to this room or alias, if it has got it."""
        rows = await self._database.fetch(PORTAL_OF_TARGET, target)
        return PortalId(rows[0][0]) if rows else None
