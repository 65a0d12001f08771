"""The bridge runs with the few rights that docker/rights.sql gives it, and can do nothing else with them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import asyncpg
import pytest

from bridge.errors import Fatal
from bridge.store.database import Statement
from bridge.store.opening import migrate, open_database
from bridge.store.postgres import PostgresDatabase
from tests.house.sources import ROOT
from tests.journeys.talk import bodies, talk_on

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.sandbox.postgres import Postgres

SCRIPT = (ROOT / "docker" / "rights.sql").read_text()


async def run(url: str, script: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in re.sub(r"^--.*", "", script, flags=re.MULTILINE).split(";"):
            if statement.strip():
                await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture
async def urls(postgres: Postgres) -> AsyncIterator[tuple[str, str]]:
    """The addresses of the owner and of what runs, with the rights of the script and the tables of the bridge."""
    superuser = await postgres.fresh_database()
    name = superuser.rpartition("/")[2]
    suffix = f"rights_{name}"
    script = re.sub(r"\bcauseway(_owner)?\b(?=[ ;\n])", rf"{suffix}\1", SCRIPT)
    first, then = script.split(f"\\connect {suffix}\n")
    await run(superuser, first)
    await run(superuser.replace(f"/{name}", f"/{suffix}"), then)
    base = superuser.partition("@")[2].rpartition("/")[0]
    owner, runs = (f"postgres://{user}@{base}/{suffix}" for user in (f"{suffix}_owner", suffix))
    await (await open_database(owner)).close()
    afterwards = "\n".join(line.removeprefix("-- ") for line in then.splitlines() if line.startswith("-- REVOKE"))
    assert afterwards
    await run(owner, afterwards)
    yield owner, runs
    await run(superuser, f"DROP DATABASE {suffix}; DROP ROLE {suffix}; DROP ROLE {suffix}_owner")


async def test_a_bridge_with_the_rights_of_the_script_relays(urls: tuple[str, str]) -> None:
    _, runs = urls
    async with talk_on(runs) as talk:
        talk.in_slack("alice").post("general", "with few rights")
        await talk.in_matrix("ada").say(talk.room, "and back")
        await talk.settle()
        assert sorted(bodies(talk)) == ["and back", "with few rights"]
        assert {"with few rights", "and back"} <= {entry.text for entry in talk.entries()}


async def test_what_runs_may_do_nothing_else(urls: tuple[str, str]) -> None:
    _, runs = urls
    connection = await asyncpg.connect(runs)
    try:
        for forbidden in (
            "CREATE TABLE more (id INT)",
            "DROP TABLE inbox",
            "ALTER TABLE inbox ADD COLUMN more INT",
            "UPDATE audit SET actor = 'somebody else'",
            "DELETE FROM audit",
            "TRUNCATE audit_seals",
            "DELETE FROM audit_seals",
            "INSERT INTO schema_version (version) VALUES (999)",
            "CREATE ROLE more",
            "CREATE DATABASE more",
            "COPY (SELECT 1) TO PROGRAM 'true'",
            "SELECT pg_read_file('/etc/passwd')",
            "SELECT rolpassword FROM pg_authid",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(forbidden)
        assert await connection.fetchval("SELECT count(*) FROM audit") == 0
    finally:
        await connection.close()


async def test_an_upgrade_without_the_owner_says_what_to_do(
    urls: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, runs = urls
    database = await PostgresDatabase.connect(runs)
    monkeypatch.setattr("bridge.store.opening.migrations", lambda: [(9_999, "CREATE TABLE more (id BIGINT)")])
    try:
        with pytest.raises(Fatal, match=r"docker/rights\.sql"):
            await migrate(database)
        with pytest.raises(Fatal, match="permission denied"):
            await database.commit(Statement("DELETE FROM audit"))
    finally:
        await database.close()
