"""Every statement of the store means something on both dialects, and none of the frequent ones reads a whole table."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import asyncpg
import pytest

from bridge.store import (
    audit,
    banners,
    bookmarks,
    channel_ids,
    cutovers,
    departures,
    directory,
    files,
    heard,
    held,
    holds,
    ledger,
    links,
    papers,
    places,
    questions,
    words,
)
from bridge.store.opening import open_database

if TYPE_CHECKING:
    from types import ModuleType

    from bridge.store.database import Database

WORDS = ("SELECT", "INSERT", "UPDATE", "DELETE")
MODULES = (
    *(ledger, links, directory, places, files, words, bookmarks, cutovers, heard, papers, questions, audit),
    *(channel_ids, departures, holds, held, banners),
)
NAMES = {name for module in MODULES for name in vars(module) if name.isupper() and not name.startswith("_")}
SELDOM = {
    *("OPEN_QUEUES", "OPEN_COUNTS", "ANY_REQUEST", "TAKE_REQUESTS", "LEAVE_ROOM"),
    *("WORKSPACE_AT", "TEAMS_WITH_CHANNEL", "PORTAL_OF_TARGET", "IMPORTED_SINCE", "PARKED_ACTIONS"),
    *("FORMER", "HOLDS", "ANY_HELD", "END_STALE"),
}
"""These look at everything that is open, at a table of a few rows, or run at a start or when a room is opened."""


def named(module: ModuleType) -> dict[str, str]:
    values = {name: value for name, value in vars(module).items() if name in NAMES and isinstance(value, str)}
    return {name: sql for name, sql in values.items() if sql.lstrip().startswith(WORDS)}


STATEMENTS = {name: sql for module in MODULES for name, sql in named(module).items()}


def test_the_statements_are_found() -> None:
    assert {"ADMIT", "NEXT_ROWS", "ADD_TOMBSTONE", "ADD_PORTAL"} <= STATEMENTS.keys()


async def test_postgres_knows_the_type_of_every_place(postgres_url: str) -> None:
    await (await open_database(postgres_url)).close()
    connection = await asyncpg.connect(postgres_url)
    for name, sql in STATEMENTS.items():
        prepared = await connection.prepare(sql)
        kinds = [kind.name for kind in prepared.get_parameters()]
        assert set(kinds) <= {"int8", "text"}, name
        assert len(kinds) == len(set(re.findall(r"\$\d+", sql))), name
    await connection.close()


@pytest.fixture
async def sqlite(sqlite_url: str) -> Database:
    return await open_database(sqlite_url)


@pytest.mark.parametrize("name", STATEMENTS)
async def test_sqlite_finds_its_rows_by_an_index(sqlite: Database, name: str) -> None:
    sql = STATEMENTS[name]
    places = sorted(set(re.findall(r"\$\d+", sql)))
    plan = [row[3] for row in await sqlite.fetch(f"EXPLAIN QUERY PLAN {sql}", *([1] * len(places)))]
    await sqlite.close()
    scans = [step for step in plan if step.startswith("SCAN") and "CONSTANT ROW" not in step]
    assert name in SELDOM or not scans, plan


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("NEXT_ROWS", "inbox_open"),
        ("UNDER_WAY", "inbox_open"),
        ("OPEN_QUEUES", "inbox_open"),
        ("OPEN_COUNTS", "inbox_open"),
        ("PARKED", "inbox_parked"),
        ("PURGE", "inbox_settled"),
    ],
)
async def test_the_inbox_is_read_by_the_index_that_was_made_for_it(sqlite: Database, name: str, index: str) -> None:
    sql = STATEMENTS[name]
    places = sorted(set(re.findall(r"\$\d+", sql)))
    plan = [row[3] for row in await sqlite.fetch(f"EXPLAIN QUERY PLAN {sql}", *([1] * len(places)))]
    await sqlite.close()
    assert any(index in step for step in plan), plan
    assert name != "NEXT_ROWS" or not any("TEMP B-TREE" in step for step in plan), plan
