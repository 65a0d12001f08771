"""Up to when everything that the homeserver had to tell has come; what reading back rests on over restarts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.store.database import Statement

if TYPE_CHECKING:
    from bridge.store.database import Database

_AN_IMPORT = 24 * 3600 * 1000
"""For how long an import may go on that says nothing of itself."""
HEARD_UNTIL = "SELECT at FROM heard WHERE homeserver = $1"
IMPORTED_SINCE = "SELECT 1 FROM imports WHERE COALESCE(finished_at, updated_at) >= $1 LIMIT 1"
NOTE_HEARD = """
INSERT INTO heard (homeserver, at) VALUES ($1, $2)
ON CONFLICT (homeserver) DO UPDATE SET at = excluded.at
"""


class Heard:
    """What is remembered of one homeserver, by its domain."""

    def __init__(self, database: Database, homeserver: str) -> None:
        self._database = database
        self._homeserver = homeserver

    async def until(self) -> int:
        """Return up to when everything has come, in milliseconds; 0 where nothing is known."""
        rows = await self._database.fetch(HEARD_UNTIL, self._homeserver)
        return int(rows[0][0]) if rows else 0

    async def history_came_since(self, at: int) -> bool:
        """Tell whether a history was being brought over then or later: what it sends bears old times."""
        return bool(await self._database.fetch(IMPORTED_SINCE, at - _AN_IMPORT))

    async def note(self, at: int) -> None:
        """Remember that everything has come up to a time."""
        await self._database.commit(Statement(NOTE_HEARD, (self._homeserver, at)))
