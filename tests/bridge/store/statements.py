"""Short words for the statements that tests of the store use, on a table that the schema has anyway."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.store.database import Statement

if TYPE_CHECKING:
    from bridge.store.database import Database

BROKEN = Statement("INSERT INTO members (user_id, name) VALUES ($1, $2)", ("@nameless:x", None))
"""Refused by both dialects: a name must not be NULL."""


def member(user: str, name: str = "Somebody") -> Statement:
    return Statement("INSERT INTO members (user_id, name) VALUES ($1, $2)", (user, name))


def request(body: str) -> Statement:
    """Add a row whose number shows the order of commits."""
    return Statement("INSERT INTO requests (kind, body, made_at) VALUES ('test', $1, 0) RETURNING id", (body,))


async def members(database: Database) -> set[str]:
    return {row[0] for row in await database.fetch("SELECT user_id FROM members")}
