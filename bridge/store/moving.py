"""A store moves whole from one database to another, SQLite or PostgreSQL, and is proven to have arrived.

    own both → mark the target → table by table in batches, and counters → read both and compare → take the mark away

Promises: every table of the schema comes along; the numbers that a database counts up go on where they were, also
behind rows that are gone; both sides are read again at the end and must agree in count and digest, table by table.
Refuses a source that a bridge works on, and a target that holds anything. Cut off anywhere, the target keeps its mark:
no bridge starts on it, and only a move that may replace what is half there begins anew. The source is only read.

A table's digest is the sum of the SHA-256 of its rows: it does not depend on how a database sorts text.
"""

from __future__ import annotations

import hashlib
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from bridge.errors import BridgeError, Declined, Fatal, Later
from bridge.store.database import Statement
from bridge.store.opening import HALF_MOVED, connect, is_half_moved, migrate, version_of
from bridge.store.tables import tables

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from bridge.store.database import Database, Row
    from bridge.store.tables import Table

BATCH = 500
_MARK = Statement("INSERT INTO schema_version (version) VALUES ($1)", (HALF_MOVED,))
_UNMARK = Statement("DELETE FROM schema_version WHERE version = $1", (HALF_MOVED,))
_ANY_TABLE = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' LIMIT 1",
    "postgres": "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() LIMIT 1",
}
_DIGEST_BITS = 256


@dataclass(frozen=True, slots=True)
class Content:
    """What a table holds; `counter` is the last number that was given out, 0 for none."""

    table: str
    rows: int
    digest: str
    counter: int


@dataclass(frozen=True, slots=True)
class Moved:
    """What arrived, and the version of the schema."""

    version: int
    contents: tuple[Content, ...]


def shown(url: str) -> str:
    """Return an address without the password in it."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2].partition('?')[0]}"


async def move(
    source_url: str, target_url: str, *, replace: bool = False, tell: Callable[[str, int], None] = lambda _, __: None
) -> Moved:
    """Move a store; `tell` hears of each table and how many of its rows have been written.

    Raises Declined where something stands against it, BridgeError where it fails on the way, each with what to do.
    """
    if source_url == target_url:
        raise Declined("same", "both addresses are the same: there is nothing to move")
    async with _opened(source_url, "the source", is_there=True) as source, _opened(target_url, "the target") as target:
        if not await version_of(source):
            raise Declined("no_store", f"{shown(source_url)} holds no store of Causeway: check the address")
        version = await migrate(source)
        await source.own()
        await _prepare(target, shown(target_url), replace)
        try:
            for table in tables():
                await _copy(source, target, table, tell)
            contents = await _compared(source, target)
            await target.commit(_UNMARK)
        except Later as later:
            raise Fatal(f"{later}. The target is half-moved: begin anew with --replace") from later
    return Moved(version, contents)


@asynccontextmanager
async def _opened(url: str, which: str, *, is_there: bool = False) -> AsyncIterator[Database]:
    path = url.removeprefix("sqlite:///")
    if is_there and path != url and not Path(path).exists():  # noqa: ASYNC240  nothing else runs yet
        raise Declined("no_store", f"{which}: there is no file {path}")
    try:
        database = await connect(url)
    except Fatal as error:
        raise Fatal(f"{which}, {shown(url)}: {error}") from error
    try:
        yield database
    finally:
        await database.close()


async def _prepare(target: Database, name: str, replace: bool) -> None:
    """Make sure of an empty target with the newest schema, own it and mark it."""
    if not await version_of(target):
        if found := await target.fetch(_ANY_TABLE[target.dialect]):
            raise Declined(
                "not_empty", f"{name} holds tables of something else ({found[0][0]}): name an empty database"
            )
        await migrate(target)
        await target.own()
        if await is_half_moved(target) or await _holds(target):
            raise Declined("not_empty", f"another program filled {name} just now: look at what it is")
        await target.commit(_MARK)
        return
    await target.own()
    if await is_half_moved(target):
        if not replace:
            raise Declined(
                "half_moved", f"a move into {name} was interrupted: give the command with --replace, and it begins anew"
            )
        everything = [Statement(f'DELETE FROM "{table.name}"') for table in await _there(target)]
        await target.commit(*everything, _UNMARK)
    elif table := await _holds(target):
        raise Declined("not_empty", f"{name} is a store that is in use ({table} is not empty): name an empty database")
    await target.release()
    await migrate(target)
    await target.own()
    await target.commit(_MARK)


async def _there(database: Database) -> list[Table]:
    """Return the tables that there are; of an older schema, some are missing."""
    found: list[Table] = []
    for table in tables():
        try:
            await database.fetch(f'SELECT 1 FROM "{table.name}" LIMIT 1')
        except Fatal:
            continue
        found.append(table)
    return found


async def _holds(database: Database) -> str:
    """Return the name of a table that holds something; nothing where all are empty."""
    for table in await _there(database):
        if await database.fetch(f'SELECT 1 FROM "{table.name}" LIMIT 1'):
            return table.name
    return ""


async def _copy(source: Database, target: Database, table: Table, tell: Callable[[str, int], None]) -> None:
    written = 0
    async for rows in _rows(source, table):
        try:
            await target.commit(_insert(table, rows))
        except Later:
            raise
        except BridgeError as error:
            raise Fatal(f"the table {table.name} cannot be written: {error}") from error
        written += len(rows)
        tell(table.name, written)
    if table.counted and (counter := await _counter(source, table)):
        await target.commit(*_count_on(target, table, counter))


async def _rows(database: Database, table: Table) -> AsyncIterator[Sequence[Row]]:
    """Return the rows of a table in batches, each beginning behind the last row of the one before."""
    columns, key = _named(table.columns), _named(table.key)
    places = [table.columns.index(column) for column in table.key]
    behind = ", ".join(f"${number}" for number in range(1, len(places) + 1))
    first = f'SELECT {columns} FROM "{table.name}" ORDER BY {key} LIMIT {BATCH}'
    more = f'SELECT {columns} FROM "{table.name}" WHERE ({key}) > ({behind}) ORDER BY {key} LIMIT {BATCH}'
    rows = await database.fetch(first)
    while rows:
        yield rows
        last = [rows[-1][place] for place in places]
        rows = await database.fetch(more, *last) if len(rows) == BATCH else []


def _insert(table: Table, rows: Sequence[Row]) -> Statement:
    width = len(table.columns)
    groups = (
        "(" + ", ".join(f"${row * width + column}" for column in range(1, width + 1)) + ")" for row in range(len(rows))
    )
    sql = f'INSERT INTO "{table.name}" ({_named(table.columns)}) VALUES {", ".join(groups)}'
    return Statement(sql, tuple(value for row in rows for value in row))


def _named(columns: Sequence[str]) -> str:
    return ", ".join(f'"{column}"' for column in columns)


# --- the numbers that a database counts up


async def _counter(database: Database, table: Table) -> int:
    """Return the last number that was given out, also where its row is gone."""
    if not table.counted:
        return 0
    largest = f'SELECT COALESCE(MAX("{table.counted}"), 0) FROM "{table.name}"'
    if database.dialect == "sqlite":
        given = await database.fetch("SELECT seq FROM sqlite_sequence WHERE name = $1", table.name)
    else:
        named = await database.fetch("SELECT pg_get_serial_sequence($1, $2)", table.name, table.counted)
        given = await database.fetch(f"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {named[0][0]}")
    rows = await database.fetch(largest)
    return max(int(rows[0][0]), *(int(row[0]) for row in given), 0)


def _count_on(database: Database, table: Table, counter: int) -> tuple[Statement, ...]:
    if database.dialect == "sqlite":
        return (
            Statement("DELETE FROM sqlite_sequence WHERE name = $1", (table.name,)),
            Statement("INSERT INTO sqlite_sequence (name, seq) VALUES ($1, $2)", (table.name, counter)),
        )
    sql = "SELECT setval(pg_get_serial_sequence($1, $2), $3)"
    return (Statement(sql, (table.name, table.counted, counter)),)


# --- the proof


async def _compared(source: Database, target: Database) -> tuple[Content, ...]:
    """Return what both hold; raises Fatal where they differ."""
    found: list[Content] = []
    for table in tables():
        here, there = await content(source, table), await content(target, table)
        if here != there:
            raise Fatal(
                f"the table {table.name} is not the same on both sides ({here.rows} rows and {there.rows}): "
                "something changed the source meanwhile. Give no commands to it, and begin anew with --replace"
            )
        found.append(there)
    return tuple(found)


async def content(database: Database, table: Table) -> Content:
    """Return the count and the digest of a table, and how far it has counted."""
    count = total = 0
    async for rows in _rows(database, table):
        count += len(rows)
        total += sum(int.from_bytes(hashlib.sha256(orjson.dumps(tuple(row))).digest()) for row in rows)
    digest = f"{total % (1 << _DIGEST_BITS):064x}"
    return Content(table.name, count, digest, await _counter(database, table))
