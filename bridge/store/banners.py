"""Which notice tells a room where its messages go, and what it says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.store.database import Statement
from portals.ids import EventId, PortalId, RoomId

if TYPE_CHECKING:
    from bridge.store.database import Database

BANNER = "SELECT room, event_id, digest, changes FROM banners WHERE portal = $1"
SHOW_BANNER = """
INSERT INTO banners (portal, room, event_id, digest, changes) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (portal) DO UPDATE SET room = excluded.room, event_id = excluded.event_id, digest = excluded.digest,
  changes = excluded.changes
"""
END_BANNER = "DELETE FROM banners WHERE portal = $1"


@dataclass(frozen=True, slots=True)
class Banner:
    """A notice; `changes` counts what it said so far."""

    room: RoomId
    event_id: EventId
    digest: str
    changes: int


class Banners:
    """The notices of all rooms."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, portal: PortalId) -> Banner | None:
        """Return the notice of a portal's room; None where there is none."""
        rows = await self._database.fetch(BANNER, portal)
        return Banner(RoomId(rows[0][0]), EventId(rows[0][1]), str(rows[0][2]), int(rows[0][3])) if rows else None

    async def shown(self, portal: PortalId, banner: Banner) -> None:
        """Remember what a room is told."""
        values = (portal, banner.room, banner.event_id, banner.digest, banner.changes)
        await self._database.commit(Statement(SHOW_BANNER, values))

    async def ended(self, portal: PortalId) -> None:
        """Forget the notice of a portal's room."""
        await self._database.commit(Statement(END_BANNER, (portal,)))
