"""Moves of channels to Matrix in the store: one row for each, one for each of its steps, all with actor and time.

A step is noted as begun before it is carried out and as done after it, in one commit with the entry of the audit log
and with what the store itself changes by it. One that was begun and is not done may have been carried out.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from bridge.store.audit import noted
from bridge.store.database import Statement
from portals.cutover import Phase, Step
from portals.ids import PortalId, channel_queue

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bridge.store.database import Database, Row
    from portals.facts import Portal

_CUTOVER = "SELECT id, portal, phase, begun_at, begun_by, frozen_at, ended_at FROM cutovers"
_STEP = "SELECT step, part, begun_at, done_at, actor, note FROM cutover_steps WHERE cutover = $1"
ADD_CUTOVER = """
INSERT INTO cutovers (portal, phase, begun_at, begun_by) VALUES ($1, $2, $3, $4)
ON CONFLICT (portal) WHERE ended_at IS NULL DO NOTHING
"""
SET_PHASE = "UPDATE cutovers SET phase = $2 WHERE id = $1"
SET_FROZEN = "UPDATE cutovers SET frozen_at = $2 WHERE id = $1"
END_CUTOVER = "UPDATE cutovers SET phase = $2, ended_at = $3 WHERE id = $1"
BEGIN_STEP = """
INSERT INTO cutover_steps (cutover, step, part, begun_at, actor) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (cutover, step, part) DO NOTHING
"""
NOTE_STEP = "UPDATE cutover_steps SET note = $4 WHERE cutover = $1 AND step = $2 AND part = $3"
END_STEP = """
UPDATE cutover_steps SET done_at = $4, actor = $5, note = $6 WHERE cutover = $1 AND step = $2 AND part = $3
"""
TOLD = "INSERT INTO told_of_move (portal, person) VALUES ($1, $2) ON CONFLICT (portal, person) DO NOTHING"
FORGET_TOLD = "DELETE FROM told_of_move WHERE portal = $1"
MOVED_AT = """
SELECT frozen_at FROM cutovers WHERE portal = $1 AND ended_at IS NULL AND frozen_at IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM told_of_move WHERE told_of_move.portal = $1 AND told_of_move.person = $2)
"""

Note = dict[str, Any]  # Any: what a step must not forget, as JSON


@dataclass(frozen=True, slots=True)
class Cutover:
    """One move; times in milliseconds. One that has `ended_at` was finished or reverted."""

    id: int
    portal: PortalId
    phase: Phase
    begun_at: int
    begun_by: str
    frozen_at: int | None = None
    ended_at: int | None = None


@dataclass(frozen=True, slots=True)
class StepRow:
    """One step; `part` tells apart those that are there several times, such as announcements of several dates."""

    step: Step
    part: str
    begun_at: int
    done_at: int | None
    actor: str
    note: Note


class Cutovers:
    """All moves."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def newest(self, portal: PortalId) -> Cutover | None:
        """Return the latest move of a portal."""
        rows = await self._database.fetch(f"{_CUTOVER} WHERE portal = $1 ORDER BY id DESC LIMIT 1", portal)
        return _cutover(rows[0]) if rows else None

    async def portals(self) -> list[PortalId]:
        """Return the portals that have ever begun to move, in the order in which they did."""
        rows = await self._database.fetch("SELECT portal, MIN(id) FROM cutovers GROUP BY portal ORDER BY MIN(id)")
        return [PortalId(int(row[0])) for row in rows]

    async def begin(self, portal: PortalId, phase: Phase, actor: str) -> Cutover:
        """Return the move of a portal that is under way, or a new one."""
        await self._database.commit(Statement(ADD_CUTOVER, (portal, phase, _now(), actor)))
        rows = await self._database.fetch(f"{_CUTOVER} WHERE portal = $1 AND ended_at IS NULL", portal)
        return _cutover(rows[0])

    async def set_phase(self, cutover: Cutover, phase: Phase) -> None:
        """Remember how far a move is."""
        await self._database.commit(Statement(SET_PHASE, (cutover.id, phase)))

    # --- its steps

    async def steps(self, cutover: Cutover) -> list[StepRow]:
        """Return the steps of a move in the order in which they were begun."""
        rows = await self._database.fetch(f"{_STEP} ORDER BY begun_at, done_at, step, part", cutover.id)
        return [_step(row) for row in rows]

    async def step(self, cutover: Cutover, step: Step, part: str = "") -> StepRow | None:
        """Return one step, if it was begun."""
        rows = await self._database.fetch(f"{_STEP} AND step = $2 AND part = $3", cutover.id, step, part)
        return _step(rows[0]) if rows else None

    async def begin_step(self, cutover: Cutover, step: Step, part: str, actor: str) -> None:
        """Remember that a step is about to be carried out, before it is."""
        await self._database.commit(Statement(BEGIN_STEP, (cutover.id, step, part, _now(), actor)))

    async def note(self, cutover: Cutover, step: Step, part: str, note: Note) -> None:
        """Remember what a step must know when it is repeated."""
        await self._database.commit(Statement(NOTE_STEP, (cutover.id, step, part, _written(note))))

    async def done(
        self,
        cutover: Cutover,
        portal: Portal,
        row: StepRow,
        *,
        actor: str,
        note: Note,
        detail: str = "",
        beside: Sequence[Statement] = (),
    ) -> None:
        """Remember that a step is done, in one commit with `beside` and the entry of the audit log."""
        subject = channel_queue(portal.team, portal.channel)
        words = ": ".join(word for word in (row.part, detail) if word)
        await self._database.commit(
            *beside,
            Statement(END_STEP, (cutover.id, row.step, row.part, _now(), actor, _written(note))),
            noted(actor, f"cutover: {row.step}", subject, words),
        )


def frozen(cutover: Cutover) -> Statement:
    """Return what remembers that a channel moved just now."""
    return Statement(SET_FROZEN, (cutover.id, _now()))


def ended(cutover: Cutover, phase: Phase) -> Statement:
    """Return what ends a move, finished or reverted."""
    return Statement(END_CUTOVER, (cutover.id, phase, _now()))


def told(portal: PortalId, person: str) -> Statement:
    """Return what remembers that a person was told that a channel has moved."""
    return Statement(TOLD, (portal, person))


def forgotten(portal: PortalId) -> Statement:
    """Return what forgets who was told that a channel has moved, since it has not."""
    return Statement(FORGET_TOLD, (portal,))


def _written(note: Mapping[str, Any]) -> str:
    return orjson.dumps(note).decode()


def _cutover(row: Row) -> Cutover:
    number, portal, phase, begun_at, begun_by, frozen_at, ended_at = row
    return Cutover(
        int(number),
        PortalId(int(portal)),
        Phase(phase),
        int(begun_at),
        begun_by,
        int(frozen_at) if frozen_at is not None else None,
        int(ended_at) if ended_at is not None else None,
    )


def _step(row: Row) -> StepRow:
    step, part, begun_at, done_at, actor, note = row
    done = int(done_at) if done_at is not None else None
    return StepRow(Step(step), part, int(begun_at), done, actor, orjson.loads(note or "{}"))


def _now() -> int:
    return time.time_ns() // 1_000_000
