"""One database behind two dialects: units of work are committed whole, reads see what was committed.

`commit` takes a *unit*: statements that are stored all or none. Units of concurrent callers share one transaction when
they gather while another is being written (group commit), in the order in which `commit` was called; a unit that fails
is taken out alone; when the store fails, everything that waits fails with it, so that nothing later is stored before
something earlier. Every unit of the bridge may be repeated without harm, so a lost connection, where nobody can tell
whether the commit happened, is answered like any failure: StoreUnavailable, do it again.

SQL is written once, with `$1` placeholders, in what SQLite and PostgreSQL have in common. Foreign errors end here,
and so does text that PostgreSQL cannot hold: `storable` changes it alike in what is written and what is looked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

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
    """What both dialects offer; made by `bridge.store.opening`."""

    dialect: str
    serial: str
    """The dialect's counting primary key, for migrations."""

    def commit(self, *unit: Statement) -> asyncio.Future[list[list[Row]]]:
        """Queue the unit at once, in call order; the result, one list of rows a statement, comes after the commit.

        Raises StoreUnavailable when it could not be stored now, Refused when a value cannot be stored, Fatal when the
        statement is not one for this database.
        """

    async def fetch(self, sql: str, *values: Value) -> list[Row]:
        """Return the rows of a query; raises StoreUnavailable when the database cannot answer."""

    async def own(self) -> None:
        """Become the one process that works on this database; raises StoreTaken when another one goes on doing so."""

    async def release(self) -> None:
        """Let another process own the database."""

    async def close(self) -> None:
        """Write what is queued and let go."""


def any_of(first: int, count: int) -> str:
    """Return `($n, $n+1, …)` for an IN with this many values; `count` is at least one."""
    return "(" + ", ".join(f"${number}" for number in range(first, first + count)) + ")"


def storable(values: tuple[Value, ...]) -> tuple[Value, ...]:
    """Return the values with their text as both dialects can hold it: without NUL, half a surrogate pair as `?`."""
    return tuple(_text(value) if isinstance(value, str) else value for value in values)


def _text(value: str) -> str:
    if "\0" in value:
        value = value.replace("\0", "")
    if value.isascii():
        return value
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode(errors="replace").decode()
    return value
