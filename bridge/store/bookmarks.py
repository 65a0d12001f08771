"""Which notice shows a channel's bookmarks, and when they were read last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.store.database import Statement
from portals.facts import BookmarkNotice
from portals.ids import EventId, PortalId

if TYPE_CHECKING:
    from bridge.store.database import Database
    from portals.actions import RecordBookmarks
    from portals.ids import TeamId

BOOKMARKS_DUE = """
SELECT portals.id FROM portals LEFT JOIN bookmarks ON bookmarks.portal = portals.id
WHERE portals.team = $1 AND portals.state = 'live' AND portals.direction <> 'to_slack' AND portals.archived = 0
  AND portals.kind = '' AND COALESCE(bookmarks.read_at, 0) <= $2
ORDER BY COALESCE(bookmarks.read_at, 0), portals.id LIMIT $3
"""
BOOKMARKS_READ = """
INSERT INTO bookmarks (portal, read_at) VALUES ($1, $2)
ON CONFLICT (portal) DO UPDATE SET read_at = excluded.read_at
"""
SHOW_BOOKMARKS = """
INSERT INTO bookmarks (portal, event_id, digest, pinned) VALUES ($1, $2, $3, $4)
ON CONFLICT (portal) DO UPDATE SET event_id = excluded.event_id, digest = excluded.digest, pinned = excluded.pinned
"""


class BookmarkNotices:
    """The notices of all portals."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def due(self, team: TeamId, before: int, limit: int) -> list[PortalId]:
        """Return portals whose bookmarks were not read since a time (milliseconds), the longest unread first."""
        rows = await self._database.fetch(BOOKMARKS_DUE, team, before, limit)
        return [PortalId(row[0]) for row in rows]

    async def of(self, portal: PortalId) -> BookmarkNotice | None:
        """Return the notice of a portal; None where it has none."""
        rows = await self._database.fetch(
            "SELECT event_id, digest, pinned FROM bookmarks WHERE portal = $1 AND digest <> ''", portal
        )
        return BookmarkNotice(EventId(rows[0][0]), rows[0][1], bool(rows[0][2])) if rows else None

    async def set_read(self, portal: PortalId, at: int) -> None:
        """Remember when a portal's bookmarks were read."""
        await self._database.commit(Statement(BOOKMARKS_READ, (portal, at)))


def shown(portal: PortalId, what: RecordBookmarks, result: str) -> Statement:
    """Return what remembers the notice that an action left; `result` is the event that it made."""
    event_id = (what.event_id or result) if what.digest else ""
    return Statement(SHOW_BOOKMARKS, (portal, event_id, what.digest, int(what.pinned)))
