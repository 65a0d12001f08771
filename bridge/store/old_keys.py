"""Keys of sessions in which nothing was read for long are given up: what they open can then be read by nobody here.

The session itself stays known as one that is over, without its key: so nobody can give the bridge the same key once
more and have it take an old message for a new one, although where each place was read is forgotten with the key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.store.database import Statement

if TYPE_CHECKING:
    from bridge.store.database import Database

BATCH = 200

COUNT_FROM_NOW = "UPDATE inbound_sessions SET used_at = $1 WHERE used_at = 0"
OVER = """
SELECT inbound_sessions.room, session_id, sender FROM inbound_sessions
LEFT JOIN encrypted_rooms ON encrypted_rooms.room = inbound_sessions.room
WHERE session <> '' AND used_at < $1 AND used_at < $2 - 2 * COALESCE(period_ms, 0)
  AND NOT EXISTS (
    SELECT 1 FROM outbound_sessions
    WHERE outbound_sessions.room = inbound_sessions.room AND outbound_sessions.session_id = inbound_sessions.session_id
  )
  AND NOT EXISTS (
    SELECT 1 FROM awaited_keys
    WHERE awaited_keys.room = inbound_sessions.room AND awaited_keys.session_id = inbound_sessions.session_id
  )
ORDER BY used_at LIMIT $3
"""
"""Not before a room's sessions have certainly ended, nor one in which we still speak or for which a row waits."""
GIVE_UP = """
UPDATE inbound_sessions SET session = '', first_index = 0 WHERE room = $1 AND session_id = $2 AND sender = $3
"""
FORGET_READ = "DELETE FROM read_indices WHERE room = $1 AND session_id = $2"


class OldKeys:
    """Gives up keys, a bounded number at once."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def give_up(self, now_ms: int, keep_ms: int) -> int:
        """Give up the keys in whose sessions nothing was read for so long; returns how many, at most BATCH.

        Those of before anybody noted when they were used count from the first call on.
        """
        await self._database.commit(Statement(COUNT_FROM_NOW, (now_ms,)))
        rows = await self._database.fetch(OVER, now_ms - keep_ms, now_ms, BATCH)
        if rows:
            await self._database.commit(
                *(Statement(GIVE_UP, (str(room), str(session), str(sender))) for room, session, sender in rows),
                *(Statement(FORGET_READ, (str(room), str(session))) for room, session, _ in rows),
            )
        return len(rows)
