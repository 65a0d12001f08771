"""SQLite: a writer thread that commits gathered units, and reads on a connection of their own.

WAL lets reads go on beside the writer; `synchronous=FULL` makes each commit survive a power cut. Reads run in the event
loop's thread: they are single look-ups by an index, a tenth of what a hop to another thread costs. One flock on a file
beside the database says which process works on it.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import os
import queue
import re
import sqlite3
import threading
import time
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bridge.errors import Fatal, Refused, StoreTaken, StoreUnavailable
from bridge.store.database import storable

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.store.database import Row, Statement, Value

_GATHER = 256
_OWNER_GOES = 3.0
"""How many seconds an owner that is being stopped may take to let go."""
_FAILURES = (sqlite3.Error, OverflowError, ValueError, TypeError)
"""What sqlite3 raises for a statement or its values."""
_PLACEHOLDER = re.compile(r"\$(\d+)")


@lru_cache(maxsize=512)
def _translated(sql: str) -> str:
    return _PLACEHOLDER.sub(r"?\1", sql)


class _Unit(NamedTuple):
    statements: tuple[Statement, ...]
    answer: asyncio.Future[list[list[Row]]]


_Outcome = tuple["_Unit", "list[list[Row]] | Exception"]


class SqliteDatabase:
    """A database file, its writer thread and its reader; `patience` is how long the writer waits for a foreign lock."""

    dialect = "sqlite"
    serial = "INTEGER PRIMARY KEY AUTOINCREMENT"

    def __init__(self, path: str, *, patience: float = 5.0) -> None:
        self._path = path
        self._loop = asyncio.get_running_loop()
        self._units: queue.SimpleQueue[_Unit | None] = queue.SimpleQueue()
        self._lock: int | None = None
        self._closed = False
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            self._writer = _connect(path, patience)
            self._reader = _connect(path, min(patience, 1.0))
        except (OSError, sqlite3.Error) as error:
            raise Fatal(
                f"the SQLite database {path} cannot be opened: {error}. Check the path and its rights"
            ) from error
        self._thread = threading.Thread(target=self._write, name="store-writer", daemon=True)
        self._thread.start()

    def commit(self, *unit: Statement) -> asyncio.Future[list[list[Row]]]:
        """See `Database.commit`."""
        answer: asyncio.Future[list[list[Row]]] = self._loop.create_future()
        if self._closed:
            answer.set_exception(StoreUnavailable("the database is closed"))
        else:
            self._units.put(_Unit(unit, answer))
        return answer

    async def fetch(self, sql: str, *values: Value) -> list[Row]:
        """See `Database.fetch`."""
        if self._closed:
            raise StoreUnavailable("the database is closed")
        try:
            return self._reader.execute(_translated(sql), storable(values)).fetchall()
        except _FAILURES as error:
            raise _translate(error, self._path) from error

    async def own(self) -> None:
        """See `Database.own`."""
        if self._lock is not None:
            return
        until = time.monotonic() + _OWNER_GOES
        while (lock := _locked(self._path + ".lock")) is None:
            if time.monotonic() > until:
                raise StoreTaken(
                    f"another Causeway process works on {self._path}: stop it first, or give this one its own database"
                )
            await asyncio.sleep(0.1)
        self._lock = lock

    async def release(self) -> None:
        """See `Database.release`."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    async def close(self) -> None:
        """See `Database.close`."""
        if self._closed:
            return
        self._closed = True
        self._units.put(None)
        await asyncio.to_thread(self._thread.join)
        self._reader.close()
        await self.release()

    # --- the writer thread

    def _write(self) -> None:
        closing = False
        while not closing:
            first = self._units.get()
            if first is None:
                break
            gathered = [first]
            with contextlib.suppress(queue.Empty):
                while len(gathered) < _GATHER:
                    unit = self._units.get_nowait()
                    if unit is None:
                        closing = True
                        break
                    gathered.append(unit)
            outcomes = self._commit(gathered)
            if isinstance(outcomes[-1][1], StoreUnavailable):
                queued, closing = self._queued(closing)
                outcomes += [(unit, StoreUnavailable(str(outcomes[-1][1]))) for unit in queued]
            self._tell(outcomes)
        self._writer.close()

    def _queued(self, closing: bool) -> tuple[list[_Unit], bool]:
        """Take what gathered while a commit failed: nothing that came later may be stored before it."""
        queued: list[_Unit] = []
        with contextlib.suppress(queue.Empty):
            while True:
                unit = self._units.get_nowait()
                if unit is None:
                    return queued, True
                queued.append(unit)
        return queued, closing

    def _commit(self, gathered: list[_Unit]) -> list[_Outcome]:
        """Commit all units together; when one is refused, again with a savepoint before each, to take it out alone."""
        try:
            return self._transaction(gathered, self._perform)
        except _FAILURES as error:
            failure = error
        if len(gathered) > 1 and not isinstance(_translate(failure, self._path), StoreUnavailable):
            try:
                return self._transaction(gathered, self._perform_apart)
            except _FAILURES as error:
                failure = error
        return [(unit, _translate(failure, self._path)) for unit in gathered]

    def _transaction(
        self, gathered: list[_Unit], perform: Callable[[_Unit], list[list[Row]] | Exception]
    ) -> list[_Outcome]:
        writer = self._writer
        try:
            writer.execute("BEGIN IMMEDIATE")
            outcomes: list[_Outcome] = [(unit, perform(unit)) for unit in gathered]
            writer.execute("COMMIT")
        except _FAILURES:
            with contextlib.suppress(sqlite3.Error):
                writer.execute("ROLLBACK")
            raise
        return outcomes

    def _perform(self, unit: _Unit) -> list[list[Row]]:
        execute = self._writer.execute
        return [execute(_translated(one.sql), storable(one.values)).fetchall() for one in unit.statements]

    def _perform_apart(self, unit: _Unit) -> list[list[Row]] | Exception:
        """Run one unit inside the open transaction; a failure takes back this unit and no other."""
        writer = self._writer
        writer.execute("SAVEPOINT unit")
        try:
            results = self._perform(unit)
        except _FAILURES as error:
            if not writer.in_transaction:
                raise
            writer.execute("ROLLBACK TO unit")
            writer.execute("RELEASE unit")
            return _translate(error, self._path)
        writer.execute("RELEASE unit")
        return results

    def _tell(self, outcomes: list[_Outcome]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is gone: nobody waits any more
            self._loop.call_soon_threadsafe(_settle, outcomes)


def _settle(outcomes: list[_Outcome]) -> None:
    for unit, outcome in outcomes:
        if unit.answer.done():
            continue
        if isinstance(outcome, BaseException):
            unit.answer.set_exception(outcome)
        else:
            unit.answer.set_result(outcome)


def _connect(path: str, timeout: float) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=timeout, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA cache_size=-16000")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _locked(path: str) -> int | None:
    """Return the descriptor that holds the lock, or None when another process holds it."""
    try:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Fatal(f"{path} cannot be made: {error}. Check its rights and the room on the disk") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            return None
        raise Fatal(f"{path} cannot be locked: {error}") from error
    return lock


def _translate(error: Exception, path: str) -> Exception:
    if isinstance(error, sqlite3.OperationalError):
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        if code == sqlite3.SQLITE_FULL:
            return StoreUnavailable(f"the disk of {path} is full: make room, the bridge goes on by itself")
        if code != sqlite3.SQLITE_ERROR:
            return StoreUnavailable(f"the SQLite database {path} does not answer: {error}")
    elif isinstance(error, sqlite3.IntegrityError | sqlite3.DataError | OverflowError):
        return Refused("store", f"the SQLite database {path} does not take a value: {error}")
    return Fatal(f"the SQLite database {path} refused a statement: {error}")
