"""The PostgreSQL that other tests stand on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg
import pytest

from tests.sandbox.postgres import Postgres

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def own_server() -> Iterator[Postgres]:
    with Postgres() as server:
        yield server


async def test_each_fresh_database_is_empty_and_apart(postgres: Postgres) -> None:
    first, second = await postgres.fresh_database(), await postgres.fresh_database()
    one, two = await asyncpg.connect(first), await asyncpg.connect(second)
    try:
        await one.execute("CREATE TABLE only_here (id bigint)")
        assert await two.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0
        assert await one.fetchval("SELECT datcollate FROM pg_database WHERE datname = current_database()") == "C"
        assert await one.fetchval("SHOW server_encoding") == "UTF8"
    finally:
        await one.close()
        await two.close()


async def test_data_outlives_a_stop_and_a_kill(own_server: Postgres) -> None:
    url = await own_server.fresh_database()
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE TABLE kept (id bigint)")
    await connection.close()
    own_server.stop()
    with pytest.raises(OSError, match="onnect"):
        await asyncpg.connect(url)
    own_server.start()
    own_server.kill()
    own_server.start()
    connection = await asyncpg.connect(url)
    assert await connection.fetchval("SELECT count(*) FROM kept") == 0
    await connection.close()
