"""Opening a database: the dialect by its address, and the schema brought up to date by numbered migrations."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

from bridge.errors import Fatal
from bridge.store.database import Statement
from bridge.store.postgres import PostgresDatabase
from bridge.store.sqlite import SqliteDatabase

if TYPE_CHECKING:
    from bridge.store.database import Database


VERSIONS = "CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL PRIMARY KEY)"
HALF_MOVED = -1
"""Stands among the versions of a database into which a store is being moved, until all of it is there."""


def migrations() -> list[tuple[int, str]]:
    """Return the numbered migrations in order, as written: with `@SERIAL@` still in them."""
    files = resources.files("bridge.store").joinpath("migrations").iterdir()
    return sorted(
        (int(file.name.split("_")[0]), file.read_text("utf-8")) for file in files if file.name.endswith(".sql")
    )


def statements_of(script: str, serial: str) -> list[Statement]:
    """Return the statements of a migration in one dialect."""
    lines = [line for line in script.splitlines() if not line.lstrip().startswith("--")]
    parts = "\n".join(lines).replace("@SERIAL@", serial).split(";")
    return [Statement(part.strip()) for part in parts if part.strip()]


async def migrate(database: Database) -> int:
    """Bring the schema up to date and return its version; raises Fatal when it is newer than this program.

    Only the owner changes the schema: raises StoreTaken when it is old and another process works with it. Raises Fatal
    for a database into which a store is being moved, as well.
    """
    known = migrations()
    newest = known[-1][0]
    version = await version_of(database)
    if version and await is_half_moved(database):
        raise Fatal(
            "a store is being moved into this database, or that was interrupted: wait for `causeway migrate-db`, "
            "or give it again with --replace"
        )
    if version > newest:
        raise Fatal(
            f"the database has schema version {version}, this program knows only {newest}: "
            "install the newer version of Causeway again, or restore the backup made before the upgrade"
        )
    if version < newest:
        await database.own()
        await database.commit(Statement(VERSIONS))
        version = await version_of(database)
        for number, script in known:
            if number > version:
                record = Statement("INSERT INTO schema_version (version) VALUES ($1)", (number,))
                await database.commit(*statements_of(script, database.serial), record)
        await database.release()
    return newest


async def version_of(database: Database) -> int:
    """Return the version of the schema; 0 for a database without one."""
    try:
        rows = await database.fetch("SELECT COALESCE(MAX(version), 0) FROM schema_version")
    except Fatal:
        return 0  # no such table: a new database; whatever else it is, the first migration meets it again
    return int(rows[0][0])


async def is_half_moved(database: Database) -> bool:
    """Tell whether a store is being moved into a database that has a schema, or was and has not arrived."""
    return bool(await database.fetch("SELECT 1 FROM schema_version WHERE version = $1", HALF_MOVED))


async def connect(url: str) -> Database:
    """Open `sqlite:///path` or `postgres://…` as it is.

    Raises Fatal for an address of neither kind, or a database that cannot be opened, with what to do.
    """
    if url.startswith("sqlite:///"):
        return SqliteDatabase(url.removeprefix("sqlite:///"))
    if url.startswith(("postgres://", "postgresql://")):
        return await PostgresDatabase.connect(url)
    raise Fatal("database.url must start with sqlite:/// or postgres://")


async def open_database(url: str) -> Database:
    """Open `sqlite:///path` or `postgres://…` and bring its schema up to date; raises Fatal with what to do."""
    database = await connect(url)
    try:
        await migrate(database)
    except BaseException:
        await database.close()
        raise
    return database
