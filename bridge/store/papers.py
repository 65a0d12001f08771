"""Plans and reports that commands made: whole pages, of each kind the newest few, for whoever reads them later."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from bridge.store.database import Statement

if TYPE_CHECKING:
    from bridge.store.database import Database

KEPT = 50
"""So many of each kind are kept."""
LARGEST = 16 * 1024 * 1024
"""Characters of a page; a larger one stays with whoever made it."""

ADD_PAPER = "INSERT INTO papers (kind, title, outcome, made_at, made_by, page) VALUES ($1, $2, $3, $4, $5, $6)"
FORGET_PAPERS = """
DELETE FROM papers WHERE kind = $1 AND id <= (SELECT id FROM papers WHERE kind = $1 ORDER BY id DESC LIMIT 1 OFFSET $2)
"""
PAPERS_BEFORE = """
SELECT id, kind, title, outcome, made_at, made_by FROM papers WHERE id < $1 ORDER BY id DESC LIMIT $2
"""
COUNT_OLD = "SELECT COUNT(*) FROM papers WHERE kind = $1 AND made_at < $2"
DROP_OLD = "DELETE FROM papers WHERE kind = $1 AND made_at < $2"
DROP_PAPER = "DELETE FROM papers WHERE id = $1"
PAPER = "SELECT id, kind, title, outcome, made_at, made_by, page FROM papers WHERE id = $1"


class Kind(StrEnum):
    """What a paper is."""

    PLAN = "plan"
    REPORT = "report"


@dataclass(frozen=True, slots=True)
class Paper:
    """One paper without its page; `made_at` in milliseconds, `outcome` what came out in one line."""

    id: int
    kind: str
    title: str
    outcome: str
    made_at: int
    made_by: str


class Papers:
    """All papers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, kind: Kind, title: str, outcome: str, made_by: str, page: str) -> bool:
        """Keep a page, and of its kind only the newest; returns whether it is small enough for that."""
        if len(page) > LARGEST:
            return False
        now = time.time_ns() // 1_000_000
        add = Statement(ADD_PAPER, (kind, title, outcome, now, made_by, page))
        await self._database.commit(add, Statement(FORGET_PAPERS, (kind, KEPT)))
        return True

    async def before(self, number: int, limit: int) -> list[Paper]:
        """Return papers made before one, the newest first."""
        return [Paper(*row) for row in await self._database.fetch(PAPERS_BEFORE, number, limit)]

    async def find(self, number: int) -> tuple[Paper, str] | None:
        """Return a paper and its page."""
        rows = await self._database.fetch(PAPER, number)
        return (Paper(*rows[0][:-1]), str(rows[0][-1])) if rows else None

    async def drop(self, number: int, entry: Statement) -> None:
        """Forget a paper; `entry` is written into the audit log with it."""
        await self._database.commit(Statement(DROP_PAPER, (number,)), entry)

    async def count_before(self, kind: Kind, made_at: int) -> int:
        """Return how many of a kind were made before a time in milliseconds."""
        return int((await self._database.fetch(COUNT_OLD, kind, made_at))[0][0])

    async def drop_before(self, kind: Kind, made_at: int, entry: Statement) -> None:
        """Forget those of a kind that were made before a time; `entry` is written into the audit log with it."""
        await self._database.commit(Statement(DROP_OLD, (kind, made_at)), entry)
