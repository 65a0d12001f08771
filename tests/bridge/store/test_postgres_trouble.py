"""PostgreSQL in trouble: stopped, started, cut off in the middle of a commit. Nothing is half stored, and it heals."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import asyncpg
import pytest

from bridge.errors import Fatal, StoreUnavailable
from bridge.store.database import Statement
from bridge.store.opening import open_database
from tests.bridge.store.statements import member, members
from tests.bridge.store.test_owner import healed, owner_pid
from tests.sandbox.postgres import Postgres

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from bridge.store.database import Database

WAIT = Statement("SELECT pg_advisory_xact_lock_shared(7)")
WAITING = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


@pytest.fixture
async def database(postgres_url: str) -> AsyncIterator[Database]:
    opened = await open_database(postgres_url)
    yield opened
    await opened.close()


@pytest.fixture
async def admin(postgres_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(postgres_url)
    yield connection
    await connection.close()


async def waiting_session(admin: asyncpg.Connection) -> int:
    while True:
        rows = await admin.fetch(WAITING)
        if rows:
            pid: int = rows[0][0]
            return pid
        await asyncio.sleep(0.02)


async def test_a_session_killed_in_the_middle_of_a_commit_leaves_nothing(
    database: Database, admin: asyncpg.Connection
) -> None:
    await admin.execute("SELECT pg_advisory_lock(7)")
    answers = [database.commit(member("@a:x"), WAIT)]
    pid = await waiting_session(admin)
    answers += [database.commit(member(f"@{number}:x")) for number in range(3)]
    await admin.execute("SELECT pg_terminate_backend($1)", pid)
    with pytest.raises(StoreUnavailable, match="does not answer"):
        await answers[0]
    await asyncio.gather(*answers[1:], return_exceptions=True)
    await admin.execute("SELECT pg_advisory_unlock_all()")
    assert "@a:x" not in await members(database)
    await healed(database, "@b:x")
    assert "@b:x" in await members(database)


async def test_when_a_commit_is_cut_off_what_waits_behind_it_fails_with_it(
    database: Database, admin: asyncpg.Connection
) -> None:
    await admin.execute("SELECT pg_advisory_lock(7)")
    first = database.commit(WAIT)
    pid = await waiting_session(admin)
    gathered = [database.commit(member(f"@{number}:x"), WAIT) for number in range(4)]
    await admin.execute("SELECT pg_terminate_backend($1)", pid)
    with pytest.raises(StoreUnavailable):
        await first
    for outcome in await asyncio.gather(*gathered, return_exceptions=True):
        assert isinstance(outcome, StoreUnavailable)
    assert await members(database) == set()


async def test_an_unclear_end_of_a_session_gives_the_next_unit_a_new_one(
    database: Database, admin: asyncpg.Connection
) -> None:
    """A statement that outlives the time limit leaves a session of which nothing is certain."""
    await database.own()
    first = await owner_pid(admin)
    await admin.execute("SELECT pg_advisory_lock(7)")
    writer = database._writer  # type: ignore[attr-defined]  # thirty seconds are too long for a test
    writer._config = writer._config._replace(command_timeout=0.2)
    with pytest.raises(StoreUnavailable, match="TimeoutError"):
        await database.commit(member("@a:x"), WAIT)
    await admin.execute("SELECT pg_advisory_unlock_all()")
    await healed(database, "@b:x")
    assert await members(database) == {"@b:x"}
    assert await owner_pid(admin) != first


class TestAServerThatStops:
    @pytest.fixture
    def server(self) -> Iterator[Postgres]:
        with Postgres() as own:
            yield own

    async def test_it_is_gone_for_a_while_and_back(self, server: Postgres) -> None:
        database = await open_database(await server.fresh_database())
        await database.own()
        await database.commit(member("@before:x"))
        server.stop()
        for _ in range(2):
            with pytest.raises(StoreUnavailable):
                await database.commit(member("@during:x"))
            with pytest.raises(StoreUnavailable):
                await members(database)
        server.start()
        await healed(database, "@after:x")
        assert await members(database) == {"@before:x", "@after:x"}
        await database.close()

    async def test_closing_without_a_server_comes_to_an_end(self, server: Postgres) -> None:
        database = await open_database(await server.fresh_database())
        await database.own()
        server.kill()
        answer = database.commit(member("@a:x"))
        await database.close()
        assert isinstance(answer.exception(), StoreUnavailable)


async def test_a_misused_statement_is_ours_to_mend_also_when_it_is_alone(database: Database) -> None:
    with pytest.raises(Fatal, match="was not asked"):
        await database.commit(Statement("SELECT $1::text"))
