"""One database behind two dialects: units of work are committed whole, reads see what was committed.

`commit` takes a *unit*: statements that are stored all or none. Units of concurrent callers share one transaction when
they gather while another is being written (group commit), in the order in which `commit` was called; a unit that fails
is taken out alone. Every unit of the bridge may be repeated without harm, so a lost connection, where nobody can tell
whether the commit happened, is answered like any failure: StoreUnavailable, do it again.

SQL is written once, with `$1` placeholders, in what SQLite and PostgreSQL have in common. Foreign errors end here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any, Protocol

from bridge.errors import Fatal

if TYPE_CHECKING:
    import asyncio

Value = str | int | None
Row = Sequence[Any]  # Any: a column's value, whose type the query knows


@dataclass(frozen=True, slots=True)
class Statement:
    """One SQL statement with its values; it may return rows."""

    sql: str
    values: tuple[Value, ...] = ()


class Database(Protocol):
    """What both dialects offer; built by `open_database`."""

    dialect: str
    serial: str
    """The dialect's counting primary key, for migrations."""

    def commit(self, *unit: Statement) -> asyncio.Future[list[list[Row]]]:
        """Queue the unit at once, in call order; the result, one list of rows a statement, comes after the commit.

        Raises StoreUnavailable when it could not be stored, and Fatal when it never can be.
        """

    async def fetch(self, sql: str, *values: Value) -> list[Row]:
        """Return the rows of a query; raises StoreUnavailable when the database cannot answer."""

    async def own(self) -> None:
        """Become the one process that works on this database; raises StoreTaken when another one does."""

    async def close(self) -> None:
        """Write what is queued and let go."""


def any_of(first: int, count: int) -> str:
    """Return `($n, $n+1, …)` for an IN with this many values; `count` is at least one."""
    return "(" + ", ".join(f"${number}" for number in range(first, first + count)) + ")"


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
    """Bring the schema up to date and return its version; raises Fatal when it is newer than this program."""
    await database.commit(Statement("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL PRIMARY KEY)"))
    rows = await database.fetch("SELECT COALESCE(MAX(version), 0) FROM schema_version")
    version = int(rows[0][0])
    known = migrations()
    if version > known[-1][0]:
        raise Fatal(
            f"the database has schema version {version}, this program knows only {known[-1][0]}: "
            "install the newer version of Causeway again, or restore the backup made before the upgrade"
        )
    for number, script in known:
        if number > version:
            record = Statement("INSERT INTO schema_version (version) VALUES ($1)", (number,))
            await database.commit(*statements_of(script, database.serial), record)
    return known[-1][0]


async def open_database(url: str) -> Database:
    """Open `sqlite:///path` or `postgres://…` and bring its schema up to date.

    Raises Fatal for an address of neither kind, or a database that cannot be opened, with what to do.
    """
    from bridge.store.postgres import PostgresDatabase
    from bridge.store.sqlite import SqliteDatabase

    if url.startswith("sqlite:"):
        database: Database = SqliteDatabase(url.removeprefix("sqlite://").removeprefix("sqlite:"))
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
