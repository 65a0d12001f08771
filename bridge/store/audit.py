"""The audit log: who decided what about whom, and when. It is only ever added to, and holds no content of messages.

An act is written down in the very commit that carries it out, so that neither is there without the other.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.store.database import Statement

if TYPE_CHECKING:
    from bridge.store.database import Database

ADD_ENTRY = "INSERT INTO audit (at, actor, act, subject, detail) VALUES ($1, $2, $3, $4, $5)"
ACTED = "SELECT 1 FROM audit WHERE actor = $1 LIMIT 1"
WITHHELD = """
SELECT id, at, actor, act, subject, detail FROM audit WHERE id > $1 AND actor = 'policy' AND act = 'withheld'
ORDER BY id LIMIT $2
"""
ENTRIES = "SELECT id, at, actor, act, subject, detail FROM audit WHERE id > $1 ORDER BY id LIMIT $2"


@dataclass(frozen=True, slots=True)
class Entry:
    """One act; `at` in milliseconds since the epoch."""

    id: int
    at: int
    actor: str
    act: str
    subject: str
    detail: str


class Audit:
    """Reads the log."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def entries(self, after: int = 0, limit: int = 1000) -> list[Entry]:
        """Return entries in the order in which they were made."""
        return [Entry(*row) for row in await self._database.fetch(ENTRIES, after, limit)]

    async def withheld(self, after: int = 0, limit: int = 1000) -> list[Entry]:
        """Return what policies kept from crossing, by which rule (`detail`)."""
        return [Entry(*row) for row in await self._database.fetch(WITHHELD, after, limit)]

    async def acted(self, actor: str) -> bool:
        """Tell whether an actor of this very name has an entry: of commands of Matrix, each is given by one event."""
        return bool(await self._database.fetch(ACTED, actor))


def noted(actor: str, act: str, subject: str, detail: str = "") -> Statement:
    """Return what writes an act down, for the unit that carries it out."""
    return Statement(ADD_ENTRY, (time.time_ns() // 1_000_000, actor, act, subject, detail))
