"""Imports in the store: which history is brought over, how far each of its channels is, and what could not be taken.

    import     running ──▶ done                    channel   admitting ──▶ settling ──▶ done
                 │ ▲                                             └──────▶ left out (and why)
                 ▼ │
               paused

How far a channel is, is written in the commit that admits its records, so that an import which was cut off goes on
behind the last one that it admitted.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import orjson

from bridge.store.database import Statement
from portals.history.selection import from_told
from portals.ids import NO_TS, ChannelId, TeamId, Ts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.store.database import Database, Row

_IMPORT = "SELECT id, team, source, selection, state, as_of, told, started_at, updated_at, finished_at FROM imports"
_CHANNEL = (
    "SELECT import, channel, queue, name, place, state, reason, cursor, records, taken, admitted FROM import_channels"
)
_QUARANTINED = "SELECT id, import, team, channel, place, reason, raw, found_at FROM quarantine"
ADD_IMPORT = """
INSERT INTO imports (team, source, selection, state, as_of, told, started_at, updated_at)
VALUES ($1, $2, $3, 'running', $4, $5, $6, $6) RETURNING id
"""
SET_STATE = """
UPDATE imports SET state = $2, updated_at = $3, finished_at = $4 WHERE id = $1
"""
ADD_CHANNEL = """
INSERT INTO import_channels (import, channel, queue, name, place, state, records) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (import, queue) DO NOTHING
"""
ADVANCE = """
UPDATE import_channels SET cursor = $3, taken = taken + $4, admitted = admitted + $5 WHERE import = $1 AND queue = $2
"""
SET_CHANNEL = "UPDATE import_channels SET state = $3, reason = $4 WHERE import = $1 AND queue = $2"
ADD_QUARANTINED = """
INSERT INTO quarantine (import, team, channel, place, reason, raw, found_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (team, channel, place, reason) DO NOTHING
"""
BEGUN = """
SELECT imports.told, import_channels.cursor FROM import_channels JOIN imports ON imports.id = import_channels.import
WHERE import_channels.queue = $1 AND import_channels.state <> 'left out' ORDER BY imports.id
"""
REMOVE_QUARANTINED = "DELETE FROM quarantine WHERE id = $1"


class ImportState(StrEnum):
    """Whether an import works."""

    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"


class ChannelState(StrEnum):
    """How far a channel's history is: admitted in parts, waiting to be shown to its end, shown, or not taken at all."""

    ADMITTING = "admitting"
    SETTLING = "settling"
    DONE = "done"
    LEFT_OUT = "left out"


@dataclass(frozen=True, slots=True)
class Import:
    """One source's history on its way; times in milliseconds, `as_of` the newest moment that the source knows."""

    id: int
    team: TeamId
    source: str
    selection: str
    state: ImportState
    as_of: Ts
    told: Mapping[str, Any]  # Any: the figures of the plan, as they were printed, and what was selected
    started_at: int
    updated_at: int
    finished_at: int | None


@dataclass(frozen=True, slots=True)
class ImportedChannel:
    """One channel of an import: `records` are all that the source has, `taken` those that were looked at.

    `admitted` counts the rows that this made of them. `cursor` is the time of the last one that was taken.
    """

    import_id: int
    channel: ChannelId
    queue: str
    name: str
    place: int
    state: ChannelState
    reason: str = ""
    cursor: Ts = NO_TS
    records: int = 0
    taken: int = 0
    admitted: int = 0


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A record that could not be read: its place in the archive, the reason, and itself as JSON."""

    import_id: int
    team: TeamId
    channel: ChannelId
    place: str
    reason: str
    raw: str
    found_at: int = 0
    id: int = 0


class Imports:
    """All imports, the newest last."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, team: TeamId, source: str, selection: str, as_of: Ts, told: Mapping[str, Any]) -> Import:
        """Return the import of a source that was cut off, to go on with it, or a new one."""
        rows = await self._database.fetch(
            f"{_IMPORT} WHERE team = $1 AND source = $2 AND selection = $3 AND state <> 'done' ORDER BY id DESC",
            team,
            source,
            selection,
        )
        if rows:
            found = _import(rows[0])
            await self.set_state(found.id, ImportState.RUNNING)
            return found
        values = (team, source, selection, as_of, orjson.dumps(told).decode(), _now())
        results = await self._database.commit(Statement(ADD_IMPORT, values))
        made = await self.find(int(results[0][0][0]))
        assert made is not None
        return made

    async def find(self, number: int) -> Import | None:
        """Return an import by its number."""
        rows = await self._database.fetch(f"{_IMPORT} WHERE id = $1", number)
        return _import(rows[0]) if rows else None

    async def newest(self, limit: int = 100) -> list[Import]:
        """Return imports, the newest first."""
        return [_import(row) for row in await self._database.fetch(f"{_IMPORT} ORDER BY id DESC LIMIT $1", limit)]

    async def set_state(self, number: int, state: ImportState, *beside: Statement) -> None:
        """Remember whether an import works; `beside` is stored in the same commit."""
        now = _now()
        finished = now if state is ImportState.DONE else None
        await self._database.commit(Statement(SET_STATE, (number, state, now, finished)), *beside)

    # --- its channels

    async def add_channel(self, channel: ImportedChannel) -> ImportedChannel:
        """Remember a channel of an import; returns it as it stands, when it was known already."""
        one = channel
        values = (one.import_id, one.channel, one.queue, one.name, one.place, one.state, one.records)
        await self._database.commit(Statement(ADD_CHANNEL, values))
        rows = await self._database.fetch(
            f"{_CHANNEL} WHERE import = $1 AND queue = $2", channel.import_id, channel.queue
        )
        return _channel(rows[0])

    async def channels(self, number: int) -> list[ImportedChannel]:
        """Return the channels of an import by their names."""
        rows = await self._database.fetch(f"{_CHANNEL} WHERE import = $1 ORDER BY name, queue", number)
        return [_channel(row) for row in rows]

    async def span_of(self, *queues: str) -> tuple[Ts, Ts] | None:
        """Return from when on the first import of these queues took messages, and the newest that any import took.

        None where no import took any of them; a time is empty where everything was wanted, or nothing was there.
        """
        rows = [row for queue in queues for row in await self._database.fetch(BEGUN, queue)]
        if not rows:
            return None
        return from_told(orjson.loads(rows[0][0]).get("selection")).since, max(Ts(row[1]) for row in rows)

    def advanced(self, channel: ImportedChannel, cursor: Ts, taken: int, admitted: int) -> Statement:
        """Return what remembers how far a channel is, for the commit that admits its records."""
        return Statement(ADVANCE, (channel.import_id, channel.queue, cursor, taken, admitted))

    async def set_channel(self, channel: ImportedChannel, state: ChannelState, reason: str = "") -> None:
        """Remember where a channel is on its way."""
        await self._database.commit(Statement(SET_CHANNEL, (channel.import_id, channel.queue, state, reason)))

    # --- what could not be taken

    def quarantine(self, one: Quarantined) -> Statement:
        """Return what keeps a record that could not be read, once however often its source is imported."""
        values = (one.import_id, one.team, one.channel, one.place, one.reason, one.raw, _now())
        return Statement(ADD_QUARANTINED, values)

    async def quarantined(self, after: int = 0, limit: int = 100) -> list[Quarantined]:
        """Return quarantined records in the order in which they were found."""
        rows = await self._database.fetch(f"{_QUARANTINED} WHERE id > $1 ORDER BY id LIMIT $2", after, limit)
        return [_quarantined(row) for row in rows]

    async def count_quarantined(self, number: int) -> int:
        """Return how many records an import put into quarantine."""
        rows = await self._database.fetch("SELECT COUNT(*) FROM quarantine WHERE import = $1", number)
        return int(rows[0][0])

    async def quarantined_one(self, number: int) -> Quarantined | None:
        """Return one quarantined record."""
        rows = await self._database.fetch(f"{_QUARANTINED} WHERE id = $1", number)
        return _quarantined(rows[0]) if rows else None

    def released(self, number: int) -> Statement:
        """Return what forgets a quarantined record, for the commit that admits it after all."""
        return Statement(REMOVE_QUARANTINED, (number,))


def _import(row: Row) -> Import:
    number, team, source, selection, state, as_of, told, started_at, updated_at, finished_at = row
    return Import(
        id=int(number),
        team=TeamId(team),
        source=source,
        selection=selection,
        state=ImportState(state),
        as_of=Ts(as_of),
        told=orjson.loads(told),
        started_at=int(started_at),
        updated_at=int(updated_at),
        finished_at=int(finished_at) if finished_at is not None else None,
    )


def _channel(row: Row) -> ImportedChannel:
    number, channel, queue, name, place, state, reason, cursor, records, taken, admitted = row
    return ImportedChannel(
        int(number),
        ChannelId(channel),
        queue,
        name,
        int(place),
        ChannelState(state),
        reason,
        Ts(cursor),
        int(records),
        int(taken),
        int(admitted),
    )


def _quarantined(row: Row) -> Quarantined:
    number, import_id, team, channel, place, reason, raw, found_at = row
    return Quarantined(int(import_id), TeamId(team), ChannelId(channel), place, reason, raw, int(found_at), int(number))


def _now() -> int:
    return time.time_ns() // 1_000_000
