"""SQLite in trouble: locked by somebody else, on a full disk, or not SQLite's fault at all. Nothing is half stored."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import TYPE_CHECKING

import pytest

from bridge.errors import Fatal, StoreUnavailable
from bridge.store.database import Statement
from bridge.store.opening import migrate
from bridge.store.sqlite import SqliteDatabase
from tests.bridge.store.other_process import other_process
from tests.bridge.store.statements import member, members

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "causeway.db")


@pytest.fixture
async def database(path: str) -> AsyncIterator[SqliteDatabase]:
    opened = SqliteDatabase(path, patience=0.05)
    await migrate(opened)
    yield opened
    await opened.close()


async def test_a_locked_database_says_later_and_heals(database: SqliteDatabase, path: str) -> None:
    await database.commit(member("@a:x"))
    with other_process("lock", path):
        answers = [database.commit(member(f"@{number}:x")) for number in range(3)]
        for outcome in await asyncio.gather(*answers, return_exceptions=True):
            assert isinstance(outcome, StoreUnavailable)
            assert "locked" in str(outcome)
        assert await members(database) == {"@a:x"}
    await database.commit(member("@b:x"))
    assert await members(database) == {"@a:x", "@b:x"}


async def test_a_lock_that_goes_in_time_is_waited_for(path: str) -> None:
    database = SqliteDatabase(path, patience=60)
    await migrate(database)
    with other_process("lock", path):
        answer = database.commit(member("@a:x"))
        await asyncio.sleep(0)
        assert not answer.done()
    await answer
    assert await members(database) == {"@a:x"}
    await database.close()


async def full(database: SqliteDatabase) -> None:
    """Give the database no page more than it has."""
    (pages,) = (await database.fetch("PRAGMA page_count"))[0]
    await database.commit(Statement(f"PRAGMA max_page_count = {pages}"))


async def with_room(database: SqliteDatabase) -> None:
    await database.commit(Statement("PRAGMA max_page_count = 1000000"))


async def test_a_full_disk_stores_nothing_of_a_unit_and_heals(database: SqliteDatabase) -> None:
    await full(database)
    large = member("@large:x", "x" * 1_000_000)
    with pytest.raises(StoreUnavailable, match="is full: make room"):
        await database.commit(member("@first:x"), large)
    assert await members(database) == set()
    await with_room(database)
    await database.commit(member("@first:x"), large)
    assert await members(database) == {"@first:x", "@large:x"}


async def test_a_full_disk_loses_no_unit_that_was_said_to_be_stored(database: SqliteDatabase) -> None:
    await full(database)
    units = {f"@{number}:x": "x" * (1_000_000 if number % 5 == 3 else 10) for number in range(30)}
    answers = {user: database.commit(member(user, name)) for user, name in units.items()}
    outcomes = dict(zip(answers, await asyncio.gather(*answers.values(), return_exceptions=True), strict=True))
    stored = {user for user, outcome in outcomes.items() if not isinstance(outcome, BaseException)}
    assert all(isinstance(one, StoreUnavailable) for one in outcomes.values() if isinstance(one, BaseException))
    assert await members(database) == stored
    assert all(len(units[user]) == 10 for user in stored)
    await with_room(database)
    await asyncio.gather(*(database.commit(member(user, units[user])) for user in units.keys() - stored))
    assert await members(database) == units.keys()


async def test_what_was_committed_survives_without_a_farewell(database: SqliteDatabase, path: str) -> None:
    await database.commit(member("@a:x"))
    with sqlite3.connect(path) as other:
        assert other.execute("SELECT user_id FROM members").fetchall() == [("@a:x",)]
    other.close()


async def test_a_damaged_file_stops_the_bridge_with_words(database: SqliteDatabase, tmp_path: Path) -> None:
    await database.commit(*(member(f"@{number}:x", "x" * 500) for number in range(200)))
    await database.close()
    path = tmp_path / "causeway.db"
    content = bytearray(path.read_bytes())
    content[-40_000:] = b"\xff" * 40_000
    path.write_bytes(content)
    damaged = SqliteDatabase(str(path))
    with pytest.raises(Fatal, match="malformed"):
        await damaged.fetch("SELECT COUNT(*) FROM members WHERE name <> ''")
    await damaged.close()


async def test_a_store_whose_loop_is_gone_does_not_hang(path: str) -> None:
    """A loop that was closed under the store takes no answers; the writer goes on and ends."""

    def use() -> None:
        async def leave_work() -> SqliteDatabase:
            database = SqliteDatabase(path)
            await migrate(database)
            return database

        database = asyncio.run(leave_work())
        closing = asyncio.new_event_loop()
        closing.run_until_complete(database.close())
        closing.close()

    await asyncio.to_thread(use)
