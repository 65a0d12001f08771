"""A store moves from one kind of database to the other whole, or not at all, and never onto another."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING

import pytest

from bridge.errors import BridgeError, Declined, Fatal, StoreTaken, StoreUnavailable
from bridge.store import moving, opening
from bridge.store.database import Statement
from bridge.store.ledger import TO_MATRIX, Ledger
from bridge.store.moving import content, move, shown
from bridge.store.opening import migrations, open_database
from bridge.store.tables import tables

if TYPE_CHECKING:
    import asyncio

    from bridge.store.database import Database, Row, Value
    from bridge.store.tables import Table

WORDS = ("Straße", "日本語 🎉", 'it\'s "quoted"\n', "")
ROWS = moving.BATCH + 7


async def _types(database: Database, table: Table) -> dict[str, bool]:
    """Return which columns hold numbers, as SQLite tells it."""
    rows = await database.fetch("SELECT name, type FROM pragma_table_info($1)", table.name)
    return {name: kind != "TEXT" for name, kind in rows}


async def fill(url: str, rows: int = 3) -> None:
    """Put rows into every table of an SQLite store: large and negative numbers, all kinds of text, and NULL."""
    database = await open_database(url)
    nullable = 'SELECT name FROM pragma_table_info($1) WHERE "notnull" = 0 AND pk = 0'
    for table in tables():
        number = await _types(database, table)
        may_lack = {row[0] for row in await database.fetch(nullable, table.name)}
        for n in range(1, rows + 1):
            values: list[Value] = []
            for place, column in enumerate(table.columns):
                value: Value = n * 7 if column in table.key else -(2**62) + n if place % 2 else n
                if not number[column]:
                    value = f"{n} {WORDS[(n + place) % len(WORDS)]}"
                values.append(None if column in may_lack and n % 2 else value)
            names = ", ".join(f'"{column}"' for column in table.columns)
            places = ", ".join(f"${place}" for place in range(1, len(values) + 1))
            await database.commit(Statement(f'INSERT INTO "{table.name}" ({names}) VALUES ({places})', tuple(values)))
    await database.close()


async def contents(url: str) -> list[moving.Content]:
    database = await open_database(url)
    found = [await content(database, table) for table in tables()]
    await database.close()
    return found


def test_the_tables_are_those_of_the_migrations() -> None:
    found = {table.name: table for table in tables()}
    assert found["inbox"].counted == "seq"
    assert found["links"].key == ("portal", "ts", "part")
    assert "purpose" in found["portals"].columns
    assert all(table.key for table in found.values()), (
        "each row must be told apart, or batches cannot follow each other"
    )


async def test_every_table_arrives_there_and_back(sqlite_url: str, postgres_url: str) -> None:
    await fill(sqlite_url)
    moved = await move(sqlite_url, postgres_url)
    assert moved.version == migrations()[-1][0]
    assert all(one.rows == 3 for one in moved.contents)
    assert await contents(postgres_url) == await contents(sqlite_url)
    back = sqlite_url.replace("causeway.db", "back.db")
    await move(postgres_url, back)
    assert await contents(back) == await contents(sqlite_url)


async def test_more_than_a_batch_arrives_in_order(sqlite_url: str, postgres_url: str) -> None:
    database = await open_database(sqlite_url)
    for number in range(ROWS):
        await Ledger(database).request(TO_MATRIX, f"T/{number % 5}-{number}")
    await database.close()
    told: list[tuple[str, int]] = []
    await move(sqlite_url, postgres_url, tell=lambda table, rows: told.append((table, rows)))
    assert told == [("requests", moving.BATCH), ("requests", ROWS)]
    assert await contents(postgres_url) == await contents(sqlite_url)


@pytest.mark.parametrize("is_back", [False, True], ids=["to postgres", "to sqlite"])
async def test_numbers_of_rows_that_are_gone_are_not_given_again(
    sqlite_url: str, postgres_url: str, is_back: bool
) -> None:
    source, target = (postgres_url, sqlite_url) if is_back else (sqlite_url, postgres_url)
    add = Statement("INSERT INTO requests (kind, body, made_at) VALUES ('test', '', 0) RETURNING id")
    database = await open_database(source)
    given = [int((await database.commit(add))[0][0][0]) for _ in range(4)]
    await database.commit(Statement("DELETE FROM requests"))
    await database.close()
    await move(source, target)
    database = await open_database(target)
    assert int((await database.commit(add))[0][0][0]) == given[-1] + 1
    await database.close()


# --- what is refused


@pytest.mark.usefixtures("impatient")
async def test_a_source_that_a_bridge_works_on_is_refused(sqlite_url: str, postgres_url: str) -> None:
    await fill(sqlite_url, 1)
    bridge = await open_database(sqlite_url)
    await bridge.own()
    with pytest.raises(StoreTaken, match="stop it first"):
        await move(sqlite_url, postgres_url)
    await bridge.close()
    await move(sqlite_url, postgres_url)


@pytest.mark.usefixtures("impatient")
async def test_a_target_that_a_bridge_works_on_is_refused(sqlite_url: str, postgres_url: str) -> None:
    await fill(sqlite_url, 1)
    bridge = await open_database(postgres_url)
    await bridge.own()
    with pytest.raises(StoreTaken, match="another Causeway process"):
        await move(sqlite_url, postgres_url)
    await bridge.close()


async def test_a_target_that_is_in_use_is_left_alone_whatever_is_asked(sqlite_url: str, postgres_url: str) -> None:
    await fill(sqlite_url, 1)
    database = await open_database(postgres_url)
    await Ledger(database).request(TO_MATRIX, "T/C")
    await database.close()
    before = await contents(postgres_url)
    for replace in (False, True):
        with pytest.raises(Declined, match="is a store that is in use"):
            await move(sqlite_url, postgres_url, replace=replace)
    assert await contents(postgres_url) == before


async def test_a_database_of_something_else_is_no_target(sqlite_url: str, postgres_url: str) -> None:
    await fill(sqlite_url, 1)
    other = await opening.connect(postgres_url)
    await other.commit(Statement("CREATE TABLE invoices (id BIGINT)"))
    with pytest.raises(Declined, match="something else \\(invoices\\)"):
        await move(sqlite_url, postgres_url)
    assert await opening.version_of(other) == 0
    await other.close()


async def test_a_source_that_is_not_there_or_empty_is_refused(sqlite_url: str, postgres_url: str) -> None:
    with pytest.raises(Declined, match="there is no file"):
        await move(sqlite_url, postgres_url)
    with pytest.raises(Declined, match="holds no store of Causeway"):
        await move(postgres_url, sqlite_url)
    with pytest.raises(Declined, match="nothing to move"):
        await move(postgres_url, postgres_url)


async def test_an_older_store_is_brought_up_to_date_first(
    sqlite_url: str, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = migrations()
    with monkeypatch.context() as older:
        older.setattr(opening, "migrations", lambda: known[:3])
        for url in (sqlite_url, postgres_url):
            database = await open_database(url)
            await database.close()
    moved = await move(sqlite_url, postgres_url)
    assert moved.version == known[-1][0]
    assert await contents(postgres_url) == await contents(sqlite_url)


def test_an_address_is_shown_without_its_password() -> None:
    assert shown("postgres://me:se@cret@db/causeway?sslmode=x") == "postgres://db/causeway"
    assert shown("sqlite:///var/lib/causeway.db") == "sqlite:///var/lib/causeway.db"


# --- what is cut off


class Dying:
    """A database that no longer answers from the n-th commit on: what the target is when the process dies."""

    def __init__(self, database: Database, commits: int) -> None:
        self._database, self.left = database, commits

    def __getattr__(self, name: str) -> object:
        return getattr(self._database, name)

    def commit(self, *unit: Statement) -> asyncio.Future[list[list[Row]]]:
        self.left -= 1
        if self.left < 0:
            raise StoreUnavailable("the server is gone")
        return self._database.commit(*unit)


@pytest.mark.parametrize("is_back", [False, True], ids=["to postgres", "to sqlite"])
async def test_cut_off_anywhere_it_is_known_as_half_moved_and_begun_anew(
    sqlite_url: str, postgres_url: str, is_back: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(sqlite_url)
    source, target = sqlite_url, postgres_url
    if is_back:
        await move(sqlite_url, postgres_url)
        source, target = postgres_url, sqlite_url.replace("causeway.db", "new.db")
    await (await open_database(target)).close()  # its schema is there, so that commits count from the mark on
    steps = 0
    while True:
        steps += 4

        async def connect(url: str, steps: int = steps) -> object:
            database = await opening.connect(url)
            return Dying(database, steps) if url == target else database

        with monkeypatch.context() as dying:
            dying.setattr(moving, "connect", connect)
            try:
                await move(source, target, replace=True)
            except BridgeError as error:
                failure = str(error)
            else:
                break
        database = await opening.connect(target)
        is_half = await opening.is_half_moved(database)
        await database.close()
        if not is_half:  # it died between cleaning and the new mark: nothing is there
            continue
        assert "--replace" in failure
        with pytest.raises(Fatal, match="is being moved into this database"):
            await open_database(target)
        with pytest.raises(Declined, match="was interrupted: give the command with --replace"):
            await move(source, target)
    assert steps > len(tables())
    assert await contents(target) == await contents(source)


async def test_a_source_that_changes_meanwhile_is_noticed(sqlite_url: str, postgres_url: str) -> None:
    await fill(sqlite_url, 1)
    told: list[str] = []

    def tell(table: str, rows: int) -> None:
        if table == "workspaces":  # the last of all
            told.append(table)
            with contextlib.closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as beside, beside:
                beside.execute("DELETE FROM audit")

    with pytest.raises(Fatal, match=r"the table audit is not the same on both sides.*--replace"):
        await move(sqlite_url, postgres_url, tell=tell)
    assert told
    await move(sqlite_url, postgres_url, replace=True)
