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

    Only the owner changes the schema: raises StoreTaken when it is old and another process works with it.
    """
    known = migrations()
    newest = known[-1][0]
    version = await _version(database)
    if version > newest:
        raise Fatal(
            f"the database has schema version {version}, this program knows only {newest}: "
            "install the newer version of Causeway again, or restore the backup made before the upgrade"
        )
    if version < newest:
        await database.own()
        await database.commit(Statement(VERSIONS))
        version = await _version(database)
        for number, script in known:
            if number > version:
                record = Statement("INSERT INTO schema_version (version) VALUES ($1)", (number,))
                await database.commit(*statements_of(script, database.serial), record)
        await database.release()
    return newest


async def _version(database: Database) -> int:
    try:
        rows = await database.fetch("SELECT COALESCE(MAX(version), 0) FROM schema_version")
    except Fatal:
        return 0  # no such table: a new database; whatever else it is, the first migration meets it again
    return int(rows[0][0])


async def open_database(url: str) -> Database:
    """Open `sqlite:///path` or `postgres://…` and bring its schema up to date.

    Raises Fatal for an address of neither kind, or a database that cannot be opened, with what to do.
    """
    if url.startswith("sqlite:///"):
        database: Database = SqliteDatabase(url.removeprefix("sqlite:///"))
    elif url.startswith(("postgres://", "postgresql://")):
        database = await PostgresDatabase.connect(url)
    else:
        raise Fatal("database.url must start with sqlite:/// or postgres://")
    try:
        await migrate(database)
    except BaseException:
        await database.close()
        raise
    return database
