"""The file in which a reading through Slack's Web API gathers what it was told, until an export is made of it.

Promises: a unit of statements is in the file whole or not at all, whenever the process dies; nobody but the owner can
read it; one process at a time has it. A power cut may take the newest units, and tears none.

A *reading* is one pass over the workspace, numbered from 1. What a reading meets carries its number: so a later one
replaces what changed, and what it does not meet any more was deleted in Slack.
"""

from __future__ import annotations

import os
import sqlite3
import zlib
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Final

import orjson

from bridge.errors import Fatal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Self

SPOOL: Final = ".reading.sqlite"
"""Its name in the folder of the export."""

_VERSION: Final = 1
_SCHEMA: Final = """
CREATE TABLE reading (number INTEGER PRIMARY KEY, team TEXT, since TEXT, until TEXT, begun INTEGER, ended INTEGER);
CREATE TABLE problem (reading INTEGER, place TEXT, what TEXT, PRIMARY KEY (reading, place, what)) WITHOUT ROWID;
CREATE TABLE list (name TEXT PRIMARY KEY, reading INTEGER, body BLOB);
CREATE TABLE person (id TEXT PRIMARY KEY, body BLOB);
CREATE TABLE author (id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE channel (
    id TEXT PRIMARY KEY,
    name TEXT, kind TEXT, archived INTEGER, created INTEGER, listing BLOB,
    listed INTEGER,                           -- the reading whose list has it
    reading INTEGER NOT NULL DEFAULT 0,       -- the reading that phase, reached and pinned are about
    phase TEXT NOT NULL DEFAULT '',
    reached TEXT NOT NULL DEFAULT '',         -- the oldest message of its history that was asked for
    pinned INTEGER NOT NULL DEFAULT 1,
    complete INTEGER NOT NULL DEFAULT 0,      -- the last reading that read it to its end
    members BLOB, pins BLOB,
    folder TEXT NOT NULL DEFAULT '',          -- where its days were written
    written INTEGER NOT NULL DEFAULT 0        -- the reading as of which they were written
);
CREATE TABLE message (
    channel TEXT, ts TEXT, thread TEXT, reading INTEGER, cut INTEGER, body BLOB, PRIMARY KEY (channel, ts)
) WITHOUT ROWID;
CREATE INDEX message_thread ON message (channel, thread) WHERE thread IS NOT NULL;
CREATE INDEX message_cut ON message (channel) WHERE cut;
CREATE TABLE thread (
    channel TEXT, root TEXT,
    replies INTEGER, latest TEXT,             -- as the root counted them when it was last seen
    seen INTEGER,                             -- the reading that saw the root last
    reached TEXT NOT NULL DEFAULT '',         -- the newest reply that the reading `seen` was told
    complete INTEGER NOT NULL DEFAULT 0,      -- the last reading that read it to its end
    known_replies INTEGER, known_latest TEXT, -- what the root counted then
    PRIMARY KEY (channel, root)
) WITHOUT ROWID;
"""

_AT_ONCE: Final = 200

Row = tuple[Any, ...]  # Any: what SQLite holds


class SpoolFile:
    """The open file. Everything raises Fatal where it cannot be read or written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self._database = sqlite3.connect(path, isolation_level=None, timeout=0.2)
        except (OSError, sqlite3.Error) as error:
            raise Fatal(f"{path}: {error}") from None
        try:
            self._prepare()
        except BaseException:
            self._database.close()
            raise

    def _prepare(self) -> None:
        self.do("PRAGMA locking_mode = EXCLUSIVE")  # turns away a second process that reads into the same folder
        self.do("PRAGMA journal_mode = WAL")
        self.do("PRAGMA synchronous = NORMAL")
        with self.unit():
            (found,) = self.one("PRAGMA user_version")
            if found not in (0, _VERSION):
                raise Fatal(f"{self.path} was written by another version of Causeway: read into another folder")
            if not found:
                for statement in _SCHEMA.split(";"):
                    self.do(statement)
                self.do(f"PRAGMA user_version = {_VERSION}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    @contextmanager
    def unit(self) -> Iterator[None]:
        """Run statements that stand or fall together."""
        self.do("BEGIN IMMEDIATE")
        try:
            yield
            self.do("COMMIT")
        except BaseException:
            if self._database.in_transaction:
                self.do("ROLLBACK")
            raise

    def do(self, sql: str, *values: object) -> None:
        """Run a statement."""
        with self._told(), closing(self._database.execute(sql, values)):
            pass

    def rows(self, sql: str, *values: object) -> list[Row]:
        """Return all rows of a query."""
        with self._told(), closing(self._database.execute(sql, values)) as cursor:
            return cursor.fetchall()

    def stream(self, sql: str, *values: object) -> Iterator[Row]:
        """Return the rows of a query one at a time, however many there are.

        The query has its key as first column, and as last parameters the key after which it begins and how many.
        """
        after = ""
        while rows := self.rows(sql, *values, after, _AT_ONCE):
            yield from rows
            after = rows[-1][0]

    def maybe(self, sql: str, *values: object) -> Row | None:
        """Return the first row of a query, None where there is none."""
        return next(iter(self.rows(sql, *values)), None)

    def one(self, sql: str, *values: object) -> Row:
        """Return the only row of a query."""
        return self.rows(sql, *values)[0]

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            if "locked" in str(error):
                raise Fatal(f"another process reads into {self.path.parent}: let it finish, or stop it") from None
            raise Fatal(f"{self.path}: {error}") from None


def packed(value: object) -> bytes:
    """Return JSON as it is kept."""
    return zlib.compress(orjson.dumps(value), 3)


def unpacked(kept: bytes) -> Any:  # Any: Slack's own JSON
    """Return what was kept."""
    return orjson.loads(zlib.decompress(kept))
