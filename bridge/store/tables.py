"""The tables of the schema, read off the migrations: what has to do with every table finds new ones by itself.

The migrations are carried out on an empty SQLite in memory, which tells what they made.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass

from bridge.store.opening import migrations, statements_of
from bridge.store.sqlite import SqliteDatabase

_COLUMNS = "SELECT name, pk FROM pragma_table_info(?) ORDER BY cid"


@dataclass(frozen=True, slots=True)
class Table:
    """One table: its columns in order, the primary key in order, and which column the database counts up, if any."""

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    counted: str | None


def tables() -> tuple[Table, ...]:
    """Return all tables of the newest schema, by name; the record of its version is not one of them."""
    with closing(sqlite3.connect(":memory:")) as schema:
        for _, script in migrations():
            for statement in statements_of(script, SqliteDatabase.serial):
                schema.execute(statement.sql)
        made = schema.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
        return tuple(sorted((_table(schema, name, sql) for name, sql in made.fetchall()), key=lambda one: one.name))


def _table(schema: sqlite3.Connection, name: str, sql: str) -> Table:
    columns = schema.execute(_COLUMNS, (name,)).fetchall()
    key = tuple(column for column, place in sorted(columns, key=lambda one: one[1]) if place)
    counted = key[0] if "AUTOINCREMENT" in sql else None
    return Table(name, tuple(column for column, _ in columns), key, counted)
