"""What the bot asked somebody to confirm by a code: one question for each person in each room, for a while."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import orjson

from bridge.store.database import Statement
from portals.ids import action_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.store.database import Database
    from portals.ids import MatrixUserId, RoomId

ASK = """
INSERT INTO questions (account, room, code, body, asked_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (account, room) DO UPDATE SET code = excluded.code, body = excluded.body, asked_at = excluded.asked_at
"""
ASKED = "SELECT body FROM questions WHERE account = $1 AND room = $2 AND code = $3 AND asked_at > $4"
FORGET_QUESTION = "DELETE FROM questions WHERE account = $1 AND room = $2"


class Questions:
    """Open questions; of a code, only the digest is kept."""

    def __init__(self, database: Database, kept: float) -> None:
        self._database = database
        self._kept_ms = int(kept * 1000)

    async def ask(self, account: MatrixUserId, room: RoomId, code: str, body: Mapping[str, str]) -> None:
        """Remember what is asked, in place of what was asked before."""
        values = (account, room, action_key("code", code), orjson.dumps(body).decode(), _now())
        await self._database.commit(Statement(ASK, values))

    async def asked(self, account: MatrixUserId, room: RoomId, code: str) -> dict[str, Any] | None:
        """Return what this person was asked in this room by this code; None once it is too long ago."""
        since = _now() - self._kept_ms
        rows = await self._database.fetch(ASKED, account, room, action_key("code", code), since)
        return orjson.loads(rows[0][0]) if rows else None

    async def forget(self, account: MatrixUserId, room: RoomId) -> None:
        """Forget what was asked: it was answered."""
        await self._database.commit(Statement(FORGET_QUESTION, (account, room)))


def _now() -> int:
    return time.time_ns() // 1_000_000
