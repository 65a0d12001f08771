"""One process works on a database, and the next one only when that one let go."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import asyncpg
import pytest

from bridge.errors import Fatal, StoreTaken, StoreUnavailable
from bridge.store.opening import open_database
from bridge.store.postgres import PostgresDatabase
from tests.bridge.store.other_process import other_process
from tests.bridge.store.statements import member, members

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bridge.store.database import Database

OWNERS = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND database = $1::oid"
OUR_DATABASE = "SELECT oid FROM pg_database WHERE datname = current_database()"


@pytest.mark.usefixtures("impatient")
async def test_a_second_owner_is_refused_with_what_to_do(database: Database, database_url: str) -> None:
    await database.own()
    second = await open_database(database_url)
    with pytest.raises(StoreTaken, match=r"another Causeway process works on .*stop it first"):
        await second.own()
    assert await second.fetch("SELECT 1") == [(1,)]
    await second.commit(member("@a:x"))  # the command line writes while the bridge runs
    await second.close()
    assert await members(database) == {"@a:x"}


async def test_an_owner_may_own_again(database: Database) -> None:
    await database.own()
    await database.own()


@pytest.mark.usefixtures("impatient")
async def test_owners_follow_each_other(database: Database, database_url: str) -> None:
    await database.own()
    second = await open_database(database_url)
    waiting = asyncio.create_task(second.own())
    await asyncio.sleep(0)
    await database.release()
    await waiting
    with pytest.raises(StoreTaken):
        await database.own()
    await second.close()
    await database.own()


async def test_letting_go_of_what_one_does_not_own_is_no_mistake(database: Database) -> None:
    await database.release()
    assert await database.fetch("SELECT 1") == [(1,)]


async def test_an_owner_in_another_process_is_respected_and_a_killed_one_is_not(database_url: str) -> None:
    database = await open_database(database_url)
    with other_process("own", database_url) as owner:
        with pytest.raises(StoreTaken, match="stop it first"):
            await database.own()
        owner.kill()
        owner.wait()
        await database.own()
    await database.close()


async def test_a_lock_file_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    database = await open_database(f"sqlite:///{tmp_path}/causeway.db")
    (tmp_path / "causeway.db.lock").unlink()
    (tmp_path / "causeway.db.lock").mkdir()
    with pytest.raises(Fatal, match=r"causeway\.db\.lock cannot be made"):
        await database.own()
    await database.close()


# --- PostgreSQL, where the owner is a session that can be lost


async def owner_pid(admin: asyncpg.Connection) -> int | None:
    rows = await admin.fetch(OWNERS, await admin.fetchval(OUR_DATABASE))
    return rows[0][0] if rows else None


@pytest.fixture
async def admin(postgres_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(postgres_url)
    yield connection
    await connection.close()


async def healed(database: Database, user: str) -> None:
    """Commit until the store takes it, as the bridge's lanes do."""
    for _ in range(50):
        try:
            await database.commit(member(user))
            return
        except StoreUnavailable:
            await asyncio.sleep(0.1)
    raise AssertionError("the store did not heal")


async def test_the_lock_is_taken_again_with_a_new_session(postgres_url: str, admin: asyncpg.Connection) -> None:
    database = await open_database(postgres_url)
    await database.own()
    first = await owner_pid(admin)
    await admin.execute("SELECT pg_terminate_backend($1)", first)
    await healed(database, "@a:x")
    assert await owner_pid(admin) not in (None, first)
    await database.close()
    assert await owner_pid(admin) is None


@pytest.mark.usefixtures("impatient")
async def test_an_owner_that_was_replaced_while_away_writes_nothing_more(
    postgres_url: str, admin: asyncpg.Connection
) -> None:
    database = await open_database(postgres_url)
    await database.own()
    successor = await PostgresDatabase.connect(postgres_url)
    await admin.execute("SELECT pg_terminate_backend($1)", await owner_pid(admin))
    await successor.own()
    with pytest.raises(StoreTaken):
        await healed(database, "@late:x")
    assert await members(successor) == set()
    await database.close()
    await successor.close()


async def test_a_session_that_died_for_us_only_gives_up_the_lock(postgres_url: str, admin: asyncpg.Connection) -> None:
    async with half_dead_line(postgres_url) as line:
        database = await open_database(line.url)
        await database.own()
        first = await owner_pid(admin)
        line.cut()
        await healed(database, "@a:x")
        assert await owner_pid(admin) not in (None, first)
        await database.close()


class Line:
    """A way to PostgreSQL on which our end can be cut while the server's stays open."""

    def __init__(self, url: str, port: int) -> None:
        server, _, name = url.rpartition("/")
        self.url = f"{server.rpartition(':')[0]}:{port}/{name}"
        self.living: set[asyncio.StreamWriter] = set()

    def cut(self) -> None:
        cut, self.living = self.living, set()
        for writer in cut:
            writer.transport.abort()


@asynccontextmanager
async def half_dead_line(url: str) -> AsyncIterator[Line]:
    port = int(url.rpartition("/")[0].rpartition(":")[2])
    servers: set[asyncio.StreamWriter] = set()
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_connection("127.0.0.1", port)
        servers.add(to_server)
        line.living.add(writer)
        tasks.add(asyncio.create_task(pump(from_server, writer)))
        await pump(reader, to_server)
        if writer in line.living:
            to_server.close()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        if writer in line.living:
            writer.close()

    proxy = await asyncio.start_server(serve, "127.0.0.1", 0)
    line = Line(url, proxy.sockets[0].getsockname()[1])
    try:
        yield line
    finally:
        proxy.close()
        line.cut()
        for writer in servers:
            writer.transport.abort()
        await asyncio.gather(*tasks, return_exceptions=True)
