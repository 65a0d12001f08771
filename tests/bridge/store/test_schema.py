"""Opening and migrating: the same schema on both dialects, once, and never an older program on a newer one."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

import pytest

from bridge.errors import Fatal, StoreTaken
from bridge.store import opening
from bridge.store.database import Statement
from bridge.store.opening import migrate, migrations, open_database, statements_of

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.store.database import Database

Column = tuple[str, str, str, bool]

SQLITE_COLUMNS = """
SELECT t.name, c.name, c.type, c."notnull" FROM sqlite_master t, pragma_table_info(t.name) c
WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%'
"""
POSTGRES_COLUMNS = """
SELECT table_name, column_name, data_type, CASE is_nullable WHEN 'NO' THEN 1 ELSE 0 END
FROM information_schema.columns WHERE table_schema = 'public'
"""
SQLITE_UNIQUE = """
SELECT t.name, (SELECT group_concat(k.name) FROM pragma_index_info(i.name) k)
FROM sqlite_master t, pragma_index_list(t.name) i WHERE t.type = 'table' AND i."unique" = 1
"""
POSTGRES_UNIQUE = """
SELECT t.relname, (SELECT string_agg(a.attname, ',' ORDER BY k.n)
  FROM unnest(i.indkey::smallint[]) WITH ORDINALITY k (number, n)
  JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.number)
FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace s ON s.oid = t.relnamespace
WHERE s.nspname = 'public' AND i.indisunique
"""
SQLITE_INDEXES = "SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
POSTGRES_INDEXES = "SELECT indexname FROM pg_indexes WHERE schemaname = 'public'"


async def columns(database: Database) -> set[Column]:
    rows = await database.fetch(SQLITE_COLUMNS if database.dialect == "sqlite" else POSTGRES_COLUMNS)
    kinds = {"INTEGER": "BIGINT"}
    keys = await unique(database)
    # SQLite leaves NOT NULL unsaid for primary keys; the house's rule makes them so on both
    return {
        (table, column, kinds.get(kind.upper(), kind.upper()), bool(strict) or (table, column) in keys)
        for table, column, kind, strict in rows
    }


async def unique(database: Database) -> set[tuple[str, str]]:
    """Return what must be unique; the counting keys, which SQLite keeps in the table itself, left out."""
    rows = await database.fetch(SQLITE_UNIQUE if database.dialect == "sqlite" else POSTGRES_UNIQUE)
    return {(table, names) for table, names in rows} - counting_keys() - {("schema_version", "version")}


def counting_keys() -> set[tuple[str, str]]:
    """Return (table, column) of the keys that the database counts up itself, as the migrations say."""
    return {
        found for _, script in migrations() for found in re.findall(r"CREATE TABLE (\w+) \(\s*(\w+) @SERIAL@", script)
    }


async def test_migrations_make_the_same_schema_on_both_dialects(sqlite_url: str, postgres_url: str) -> None:
    sqlite, postgres = await open_database(sqlite_url), await open_database(postgres_url)
    ours = counting_keys()
    assert ("inbox", "seq") in ours
    on_sqlite = {one for one in await columns(sqlite) if one[:2] not in ours}
    on_postgres = {one for one in await columns(postgres) if one[:2] not in ours}
    assert on_sqlite == on_postgres
    assert await unique(sqlite) == await unique(postgres)
    made_by_sqlite = {row[0] for row in await sqlite.fetch(SQLITE_INDEXES)}
    assert made_by_sqlite <= {row[0] for row in await postgres.fetch(POSTGRES_INDEXES)}
    await sqlite.close()
    await postgres.close()


async def test_opening_twice_changes_nothing(database: Database, database_url: str) -> None:
    before = await columns(database), await database.fetch("SELECT version FROM schema_version ORDER BY version")
    assert await migrate(database) == migrations()[-1][0]
    again = await open_database(database_url)
    after = await columns(again), await again.fetch("SELECT version FROM schema_version ORDER BY version")
    await again.close()
    assert before == after
    assert [row[0] for row in before[1]] == [number for number, _ in migrations()]


async def test_a_newer_schema_is_refused_and_left_alone(database: Database, database_url: str) -> None:
    await database.commit(Statement("INSERT INTO schema_version (version) VALUES (9999)"))
    with pytest.raises(Fatal, match=r"schema version 9999.*newer version of Causeway"):
        await open_database(database_url)
    assert await database.fetch("SELECT MAX(version) FROM schema_version") == [(9999,)]


async def test_a_migration_is_whole_or_not_at_all(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = migrations()
    following = len(known) + 1
    second = (following, "CREATE TABLE second (id @SERIAL@);\nINSERT INTO nowhere VALUES (1);")
    monkeypatch.setattr(opening, "migrations", lambda: [*known, second])
    with pytest.raises(Fatal, match="nowhere"):
        await open_database(database_url)
    assert await database.fetch("SELECT MAX(version) FROM schema_version") == [(known[-1][0],)]
    monkeypatch.setattr(opening, "migrations", lambda: [*known, (following, "CREATE TABLE second (id @SERIAL@);")])
    later = await open_database(database_url)
    assert await later.fetch("SELECT id FROM second") == []
    await later.close()


@pytest.mark.usefixtures("impatient")
async def test_the_schema_does_not_change_under_a_running_bridge(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await database.own()
    same = await open_database(database_url)
    await same.close()
    known = migrations()
    monkeypatch.setattr(opening, "migrations", lambda: [*known, (len(known) + 1, "CREATE TABLE second (id @SERIAL@)")])
    with pytest.raises(StoreTaken, match="stop it first"):
        await open_database(database_url)
    assert await database.fetch("SELECT MAX(version) FROM schema_version") == [(known[-1][0],)]


async def test_two_may_open_a_new_database_at_once(database_url: str) -> None:
    opened = await asyncio.gather(*(open_database(database_url) for _ in range(3)))
    for database in opened:
        assert await database.fetch("SELECT COUNT(*) FROM schema_version") == [(len(migrations()),)]
        await database.close()


def test_comments_and_empty_statements_of_a_script_are_left_out() -> None:
    script = "-- a word; and another\nCREATE TABLE t (id @SERIAL@);\n\n  -- more\n;\nCREATE INDEX i ON t (id);"
    assert [one.sql for one in statements_of(script, "BIGINT")] == [
        "CREATE TABLE t (id BIGINT)",
        "CREATE INDEX i ON t (id)",
    ]


def test_migrations_are_numbered_without_a_gap() -> None:
    assert [number for number, _ in migrations()] == list(range(1, len(migrations()) + 1))


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://x/y", "must start with sqlite"),
        ("sqlite:causeway.db", "must start with sqlite"),
        ("sqlite:////proc/nothing/causeway.db", "database /proc/nothing/causeway.db cannot be opened"),
        ("postgres://nobody@127.0.0.1:1/none", "cannot be reached"),
        ("postgres://nobody@127.0.0.1:port/none", "cannot be reached"),
    ],
)
async def test_an_address_that_leads_nowhere_says_what_to_do(url: str, words: str) -> None:
    with pytest.raises(Fatal, match=words):
        await open_database(url)


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "letter.db"
    path.write_text("Dear reader, this is a letter and no database at all." * 40)
    with pytest.raises(Fatal, match="cannot be opened"):
        await open_database(f"sqlite:///{path}")


async def test_the_directory_of_a_new_file_is_made(tmp_path: Path) -> None:
    database = await open_database(f"sqlite:///{tmp_path}/data/deep/causeway.db")
    await database.close()
    assert (tmp_path / "data" / "deep" / "causeway.db").exists()


async def test_a_database_that_does_not_exist_in_postgres_is_named(postgres_url: str) -> None:
    with pytest.raises(Fatal, match=r"nowhere.*does not exist"):
        await open_database(postgres_url.rpartition("/")[0] + "/nowhere")
