"""The ledger: what came in, what is to be done about it, and what was done.

    inbox row   NEW ──plan──▶ PLANNED ──settle──▶ SETTLED          (its raw content is wiped then)
                  └──────────────┴──────park──▶ PARKED ──retry──▶ NEW or PLANNED
    outbox row  written by plan, done with its record (link, reaction …) in one commit, gone when its inbox row settles

Every unit here may be repeated: admission by the name of what came, planning by row and number, recording by the key of
what it records. The order of a queue is (place, rank, seq): live rows stand where they were admitted, what a look-back
brings stands at the place of the gap that it fills, in the order of its rank.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import orjson

from bridge.store.database import Statement, any_of
from portals.actions import decode, encode

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterable, Sequence

    from bridge.store.database import Database, Row
    from portals.actions import Action

    Unit = tuple[Statement, ...]

TO_MATRIX = "to_matrix"
TO_SLACK = "to_slack"
COMMANDS = "commands"
"""What is said to the bot: a queue for each room, beside that of its messages."""
LOOK = "look"


class State(IntEnum):
    """Where an inbox row is on its way."""

    NEW = 0
    PLANNED = 1
    SETTLED = 2
    PARKED = 3


@dataclass(frozen=True, slots=True)
class Arrival:
    """Something to admit: `raw` is JSON as it came, `rank` orders what one look-back brings."""

    direction: str
    queue: str
    source_key: str
    raw: str
    place: int | None = None
    rank: str = ""


@dataclass(frozen=True, slots=True)
class InboxRow:
    """An unsettled row, at `place` in its queue."""

    seq: int
    direction: str
    queue: str
    source_key: str
    raw: str
    state: State
    place: int
    admitted_at: int
    """Milliseconds since the epoch."""


@dataclass(frozen=True, slots=True)
class PlannedAction:
    """An outbox row that is not done yet; `progress` is what its performer noted on the way."""

    n: int
    action: Action
    progress: str = ""


@dataclass(frozen=True, slots=True)
class ParkedRow:
    """A row that was put aside, and why."""

    seq: int
    direction: str
    queue: str
    source_key: str
    reason: str
    admitted_at: int
    raw: str


ADMIT = """
INSERT INTO inbox (direction, queue, source_key, raw, place, rank, admitted_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (source_key) DO NOTHING RETURNING seq
"""
NEXT_ROWS = """
SELECT seq, source_key, raw, state, COALESCE(place, seq), admitted_at FROM inbox
WHERE direction = $1 AND queue = $2 AND state < 2 ORDER BY COALESCE(place, seq), rank, seq LIMIT $3
"""
OPEN_QUEUES = "SELECT DISTINCT direction, queue FROM inbox WHERE state < 2"
OPEN_COUNTS = """
SELECT direction, queue, COUNT(*), MIN(admitted_at) FROM inbox WHERE state < 2 GROUP BY direction, queue
"""
OPEN_BEFORE = """
SELECT COUNT(*) FROM inbox WHERE direction = $1 AND queue = $2 AND state < 2 AND COALESCE(place, seq) <= $3
"""
UNDER_WAY = "SELECT seq FROM inbox WHERE direction = $1 AND queue = $2 AND state < 2 AND state = 1"
PLAN_ACTION = """
INSERT INTO outbox (inbox_seq, n, key, action) VALUES ($1, $2, $3, $4) ON CONFLICT (inbox_seq, n) DO NOTHING
"""
PLAN_ROW = "UPDATE inbox SET state = 1 WHERE seq = $1 AND state = 0"
ACTIONS = "SELECT n, action, progress FROM outbox WHERE inbox_seq = $1 AND done = 0 ORDER BY n"
NOTE_PROGRESS = "UPDATE outbox SET progress = $3 WHERE inbox_seq = $1 AND n = $2"
DONE = "UPDATE outbox SET done = 1 WHERE inbox_seq = $1 AND n = $2"
SETTLE = "UPDATE inbox SET state = 2, raw = '', reason = $2, settled_at = $3 WHERE seq = $1 AND state <> 2"
CLEAR_ACTIONS = "DELETE FROM outbox WHERE inbox_seq = $1"
CLEAR_DROPPED = """
DELETE FROM outbox WHERE inbox_seq = (SELECT seq FROM inbox WHERE seq = $1 AND state = 2)
"""
CLEAR_DROPPED_SOURCE = """
DELETE FROM outbox WHERE inbox_seq = (SELECT seq FROM inbox WHERE source_key = $1 AND state = 2)
"""
PARK = "UPDATE inbox SET state = 3, reason = $2 WHERE seq = $1 AND state < 2"
PARKED = """
SELECT seq, direction, queue, source_key, reason, admitted_at, raw FROM inbox
WHERE state = 3 AND seq > $1 ORDER BY seq LIMIT $2
"""
PARKED_NAMES = "SELECT source_key FROM inbox WHERE state = 3 AND direction = $1 AND queue = $2"
PARKED_RELEASED = """
SELECT source_key, raw FROM inbox WHERE state = 3 AND direction = $1 AND queue = $2 AND source_key LIKE 'held:%'
"""
PARKED_ONE = """
SELECT seq, direction, queue, source_key, reason, admitted_at, raw FROM inbox WHERE state = 3 AND seq = $1
"""
PARKED_ACTIONS = """
SELECT outbox.action FROM inbox CROSS JOIN outbox
WHERE inbox.state = 3 AND outbox.inbox_seq = inbox.seq AND outbox.key = $1 AND outbox.done = 0
"""
"""CROSS JOIN has SQLite begin with the few rows that are parked."""
RETRY = """
UPDATE inbox SET reason = '',
  state = CASE WHEN EXISTS (SELECT 1 FROM outbox WHERE inbox_seq = inbox.seq) THEN 1 ELSE 0 END
WHERE seq = $1 AND state = 3 RETURNING direction, queue
"""
DROP_PARKED = """
UPDATE inbox SET state = 2, raw = '', reason = $2, settled_at = $3 WHERE seq = $1 AND state = 3 RETURNING seq
"""
DROP_PARKED_SOURCE = """
UPDATE inbox SET state = 2, raw = '', reason = $2, settled_at = $3 WHERE source_key = $1 AND state = 3 RETURNING seq
"""
MARK = """
INSERT INTO inbox (direction, queue, source_key, raw, state, admitted_at, settled_at) VALUES ('', '', $1, '', 2, $2, $2)
ON CONFLICT (source_key) DO UPDATE SET reason = inbox.reason RETURNING seq
"""
ADD_REQUEST = "INSERT INTO requests (kind, body, made_at) VALUES ($1, $2, $3)"
ANY_REQUEST = "SELECT 1 FROM requests LIMIT 1"
TAKE_REQUESTS = "DELETE FROM requests RETURNING id, kind, body"
ADMITTED_AT = "SELECT admitted_at FROM inbox WHERE seq = $1"
PURGE = "DELETE FROM inbox WHERE state = 2 AND settled_at < $1"


class Ledger:
    """The inbox and the outbox."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # --- admission

    def admit(self, arrivals: Sequence[Arrival], beside: Sequence[Statement] = ()) -> asyncio.Future[list[list[Row]]]:
        """Queue the arrivals for one commit, at once and in call order; await the answer before saying yes.

        `beside` is stored in the same commit. What is known already by its name is not stored again. Raises
        StoreUnavailable when nothing was stored.
        """
        now = _now()
        return self._database.commit(
            *(
                Statement(ADMIT, (one.direction, one.queue, one.source_key, one.raw, one.place, one.rank, now))
                for one in arrivals
            ),
            *beside,
        )

    async def mark(self, name: str) -> int:
        """Return a place of its own in the order of all rows: what was admitted before it stands before it."""
        results = await self._database.commit(Statement(MARK, (name, _now())))
        return int(results[0][0][0])

    # --- the way of one row

    async def next_rows(self, direction: str, queue: str, limit: int) -> list[InboxRow]:
        """Return the oldest unsettled rows of a queue in order."""
        rows = await self._database.fetch(NEXT_ROWS, direction, queue, limit)
        return [InboxRow(row[0], direction, queue, row[1], row[2], State(row[3]), row[4], row[5]) for row in rows]

    async def plan(self, row: InboxRow, actions: Sequence[Action]) -> list[PlannedAction]:
        """Write what is to be done about a row, before any of it is done."""
        await self.keep(self.planning(row, actions))
        return [PlannedAction(n, action) for n, action in enumerate(actions)]

    def planning(self, row: InboxRow, actions: Sequence[Action]) -> Unit:
        """Return what writes a plan down, for `keep`."""
        return (
            *(
                Statement(PLAN_ACTION, (row.seq, n, action.key, orjson.dumps(encode(action)).decode()))
                for n, action in enumerate(actions)
            ),
            Statement(PLAN_ROW, (row.seq,)),
        )

    async def planned(self, row: InboxRow) -> list[PlannedAction]:
        """Return what an earlier process, or an earlier try, planned and did not record as done."""
        rows = await self._database.fetch(ACTIONS, row.seq)
        return [PlannedAction(int(n), decode(orjson.loads(action)), str(progress)) for n, action, progress in rows]

    async def note_progress(self, row: InboxRow, n: int, progress: str) -> None:
        """Keep what a performer must not forget between two steps of one action."""
        await self._database.commit(Statement(NOTE_PROGRESS, (row.seq, n, progress)))

    async def done(self, row: InboxRow, n: int, records: Iterable[Statement]) -> None:
        """Record that an action was performed, but not the last, together with what is known from it."""
        await self.keep((*records, Statement(DONE, (row.seq, n))))

    def settling(self, row: InboxRow, reason: str, records: Iterable[Statement] = ()) -> Unit:
        """Return what closes a row about which nothing (more) is to be done, for `keep`."""
        return (*records, *_settled(row.seq, reason))

    def keep(self, unit: Unit) -> asyncio.Future[list[list[Row]]]:
        """Queue what was put together of plans and records for one commit, at once; it is kept when awaited."""
        return self._database.commit(*unit)

    async def park(self, row: InboxRow, reason: str) -> None:
        """Put a row aside, with its content and its plan, until somebody retries or drops it."""
        await self._database.commit(Statement(PARK, (row.seq, reason)))

    # --- what an admin and the lanes ask

    async def open_queues(self) -> list[tuple[str, str]]:
        """Return (direction, queue) of every queue in which a row waits."""
        return [(str(row[0]), str(row[1])) for row in await self._database.fetch(OPEN_QUEUES)]

    async def open_before(self, queue: str, place: int, direction: str = TO_MATRIX) -> int:
        """Return how many rows wait in a queue up to a place."""
        rows = await self._database.fetch(OPEN_BEFORE, direction, queue, place)
        return int(rows[0][0])

    async def open_counts(self) -> list[tuple[str, str, int, int]]:
        """Return (direction, queue, rows, time of the oldest in ms) of every queue in which a row waits."""
        return [(str(row[0]), str(row[1]), int(row[2]), int(row[3])) for row in await self._database.fetch(OPEN_COUNTS)]

    async def under_way(self, direction: str, queue: str) -> frozenset[int]:
        """Return the rows of a queue whose actions may have been performed: planned, not settled or parked."""
        return frozenset(int(row[0]) for row in await self._database.fetch(UNDER_WAY, direction, queue))

    async def parked(self, after: int = 0, limit: int = 100) -> list[ParkedRow]:
        """Return parked rows in the order of admission."""
        return [ParkedRow(*row) for row in await self._database.fetch(PARKED, after, limit)]

    async def parked_row(self, seq: int) -> ParkedRow | None:
        """Return one parked row."""
        rows = await self._database.fetch(PARKED_ONE, seq)
        return ParkedRow(*rows[0]) if rows else None

    async def knows(self, *names: str) -> bool:
        """Tell whether a row of one of these names was admitted, however it ended."""
        return bool(
            await self._database.fetch(f"SELECT 1 FROM inbox WHERE source_key IN {any_of(1, len(names))}", *names)
        )

    async def parked_names(self, direction: str, queue: str) -> list[str]:
        """Return the names of a queue's parked rows."""
        return [str(row[0]) for row in await self._database.fetch(PARKED_NAMES, direction, queue)]

    async def parked_actions(self, key: str) -> list[Action]:
        """Return the actions of this name that parked rows planned and nobody recorded as done."""
        return [decode(orjson.loads(row[0])) for row in await self._database.fetch(PARKED_ACTIONS, key)]

    async def retry(self, seq: int, *beside: Statement) -> tuple[str, str] | None:
        """Take a parked row up again; returns its (direction, queue), or None when it is not parked."""
        results = await self._database.commit(Statement(RETRY, (seq,)), *beside)
        return (str(results[0][0][0]), str(results[0][0][1])) if results[0] else None

    async def drop(self, seq: int, reason: str, *beside: Statement) -> bool:
        """Give a parked row up for good, its content with it."""
        results = await self._database.commit(
            Statement(DROP_PARKED, (seq, reason, _now())), Statement(CLEAR_DROPPED, (seq,)), *beside
        )
        return bool(results[0])

    async def drop_parked_source(self, source_key: str, reason: str) -> bool:
        """Give up the parked row with this name, when there is one."""
        results = await self._database.commit(
            Statement(DROP_PARKED_SOURCE, (source_key, reason, _now())), Statement(CLEAR_DROPPED_SOURCE, (source_key,))
        )
        return bool(results[0])

    async def drop_parked_event(self, queue: str, event_id: str, reason: str) -> None:
        """Give up the parked row of an event in a room, also where it was held before and then let go."""
        names = [f"matrix:{event_id}"]
        for name, raw in await self._database.fetch(PARKED_RELEASED, TO_SLACK, queue):
            if orjson.loads(raw).get("event_id") == event_id:
                names.append(name)
        for name in names:
            await self.drop_parked_source(name, reason)

    async def requests(self) -> list[tuple[str, str]]:
        """Take what other processes (the command line) asked for: queues to look at, as (direction or LOOK, queue)."""
        if not await self._database.fetch(ANY_REQUEST):
            return []
        results = await self._database.commit(Statement(TAKE_REQUESTS))
        return [(str(row[1]), str(row[2])) for row in sorted(results[0], key=tuple)]

    async def look(self, queue: str) -> None:
        """Ask the running bridge to look at a channel's queue, in which something was put; no more than that."""
        await self._database.commit(*self.looking([queue]))

    def looking(self, queues: Iterable[str]) -> Unit:
        """Return what asks for a look at each of these queues, to be stored beside what was put into them."""
        return tuple(Statement(ADD_REQUEST, (LOOK, queue, _now())) for queue in dict.fromkeys(queues))

    async def is_asked(self) -> bool:
        """Tell whether something was asked for that the running bridge has not taken up yet."""
        return bool(await self._database.fetch(ANY_REQUEST))

    async def request(self, direction: str, queue: str) -> None:
        """Ask the running bridge to look at a queue and to read its portals anew."""
        await self._database.commit(Statement(ADD_REQUEST, (direction, queue, _now())))

    async def admitted_at(self, seq: int) -> int:
        """Return when a row was admitted, or a place marked, in ms; 0 where it is forgotten."""
        rows = await self._database.fetch(ADMITTED_AT, seq)
        return int(rows[0][0]) if rows else 0

    async def newest_admission(self) -> int:
        """Return when anything was admitted last, in ms; 0 for never."""
        rows = await self._database.fetch("SELECT admitted_at FROM inbox ORDER BY seq DESC LIMIT 1")
        return int(rows[0][0]) if rows else 0

    async def purge(self, older_than_ms: int) -> None:
        """Forget settled rows older than this; their names then no longer recognise a repetition."""
        await self._database.commit(Statement(PURGE, (_now() - older_than_ms,)))


def _settled(seq: int, reason: str) -> tuple[Statement, Statement]:
    return Statement(SETTLE, (seq, reason, _now())), Statement(CLEAR_ACTIONS, (seq,))


def _now() -> int:
    return time.time_ns() // 1_000_000
