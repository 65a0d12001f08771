"""Messages that are held: put aside in the commit that settles their row, let go in one with who decided about them.

    inbox row ──held──▶ held (raw content, place) ──verdict──▶ inbox row of its own ──▶ gone, with the first it records

A verdict is given once, however many give one at the same time: the row that goes on bears the name of the one that
came first. Every unit here may be repeated.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.store.audit import noted
from bridge.store.database import Statement, any_of
from bridge.store.departures import POLICY
from portals.crossing.held import RELEASED
from portals.crossing.waiting import Held, Verdict, Wait
from portals.ids import EventId, PortalId, RoomId, Ts

if TYPE_CHECKING:
    from collections.abc import Collection

    from bridge.store.database import Database, Row
    from portals.crossing.records import RecordHeld, RecordHeldEnd, RecordNotice

ADD_HELD = """
INSERT INTO held (portal, name, direction, queue, source, raw, place, rank,
  wait, author, rule, subject, digest, thread, approved, since, until)
SELECT CAST($1 AS BIGINT), $2, direction, queue, source_key, raw, COALESCE(place, seq), rank,
  $4, $5, $6, $7, $8, $9, CAST($10 AS BIGINT), CAST($11 AS BIGINT), CAST($12 AS BIGINT)
FROM inbox WHERE source_key = $3
ON CONFLICT (portal, name) DO UPDATE SET source = excluded.source, raw = excluded.raw, wait = excluded.wait,
  rule = excluded.rule, subject = excluded.subject, digest = excluded.digest, approved = excluded.approved,
  until = excluded.until, verdict = '', decided_by = '', noted = 0, room = '', notice = ''
"""
SHOW_HELD = "UPDATE held SET room = $3, notice = $4 WHERE portal = $1 AND name = $2"
END_HELD = "DELETE FROM held WHERE portal = $1 AND name = $2"
ANY_HELD = "SELECT 1 FROM held LIMIT 1"
QUIET_HELD = """
SELECT DISTINCT author, until FROM held WHERE verdict = '' AND wait = 'quiet' AND portal = $1 AND direction = $2
"""
HELD_DUE = """
SELECT id FROM held WHERE verdict = '' AND wait = $1 AND until <= $2 ORDER BY place, rank, id LIMIT $3
"""
HELD_AT = "SELECT id FROM held WHERE notice = $1 AND room = $2 AND verdict = ''"
DECIDE_HELD = """
UPDATE held SET verdict = $2, decided_by = $3, source = $4 WHERE id = $1 AND verdict = '' RETURNING direction, queue
"""
NOTE_VERDICT = """
INSERT INTO audit (at, actor, act, subject, detail)
SELECT CAST($3 AS BIGINT), $4, $5, subject, rule FROM held WHERE id = $1 AND source = $2 AND noted = 0
"""
RELEASE_HELD = """
INSERT INTO inbox (direction, queue, source_key, raw, place, rank, admitted_at)
SELECT direction, queue, source, raw, place, rank, CAST($3 AS BIGINT) FROM held WHERE id = $1 AND source = $2
ON CONFLICT (source_key) DO NOTHING
"""
VERDICT_NOTED = "UPDATE held SET noted = 1 WHERE id = $1 AND source = $2"
WAKE_HELD = """
INSERT INTO requests (kind, body, made_at)
SELECT direction, queue, CAST($3 AS BIGINT) FROM held WHERE id = $1 AND source = $2
"""
END_STALE = """
DELETE FROM held WHERE verdict <> ''
  AND NOT EXISTS (SELECT 1 FROM inbox WHERE inbox.source_key = held.source AND inbox.state <> 2)
"""
"""What was decided, and whose row is through: nobody is there any more who would end it."""

_FACTS = "name, source, wait, author, verdict, decided_by, approved, digest, thread, room, notice"
_SHOWN = "id, portal, direction, queue, name, wait, author, rule, since, until, raw"
_BATCH = 200


@dataclass(frozen=True, slots=True)
class HeldRow:
    """A message that waits; times in milliseconds, `raw` as it came last."""

    id: int
    portal: PortalId
    direction: str
    queue: str
    name: str
    wait: Wait
    author: str
    rule: str
    since: int
    until: int
    raw: str


class HeldMessages:
    """All messages that wait."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def has_any(self) -> bool:
        """Tell whether anything is held at all."""
        return bool(await self._database.fetch(ANY_HELD))

    async def of(self, portal: PortalId, names: Collection[str]) -> tuple[Held, ...]:
        """Return those of these messages that are held, or were and are on their way."""
        if not names:
            return ()
        rows = await self._database.fetch(
            f"SELECT {_FACTS} FROM held WHERE portal = $1 AND name IN {any_of(2, len(names))}", portal, *names
        )
        return tuple(map(_held, rows))

    async def quiet(self, portal: PortalId, direction: str) -> frozenset[tuple[str, int]]:
        """Return whose messages of a direction wait for the end of quiet hours, and until when."""
        rows = await self._database.fetch(QUIET_HELD, portal, direction)
        return frozenset((str(author), int(until)) for author, until in rows)

    async def rows(self, after: int = 0, limit: int = 100, number: int | None = None) -> list[HeldRow]:
        """Return messages that nobody decided about, in order; of a `number` that one alone."""
        which = "id = $1" if number is not None else "id > $1"
        found = await self._database.fetch(
            f"SELECT {_SHOWN} FROM held WHERE verdict = '' AND {which} ORDER BY id LIMIT $2",
            number if number is not None else after,
            limit,
        )
        return [
            HeldRow(number, PortalId(portal), way, queue, name, Wait(wait), author, rule, since, until, raw)
            for number, portal, way, queue, name, wait, author, rule, since, until, raw in found
        ]

    async def shown_at(self, room: RoomId, notice: EventId) -> int | None:
        """Return the number of the message that a notice to moderators shows; None where it shows none that waits."""
        rows = await self._database.fetch(HELD_AT, notice, room)
        return int(rows[0][0]) if rows else None

    async def decide(self, number: int, verdict: Verdict, by: str, actor: str, *, wakes: bool = True) -> bool:
        """Give a verdict and let the message go its way again, in one commit; false where there was a verdict."""
        results = await self._database.commit(*_deciding(number, verdict, by, actor, wakes))
        return bool(results[0])

    async def end_quiet(self, now: int) -> set[tuple[str, str]]:
        """Let go what waited for the end of quiet hours, in its order; returns its (direction, queue)s."""
        return await self._end(Wait.QUIET, Verdict.OVER, now)

    async def end_late(self, now: int) -> set[tuple[str, str]]:
        """Refuse what no moderator decided about in time; returns the (direction, queue)s."""
        return await self._end(Wait.MODERATOR, Verdict.EXPIRED, now)

    async def _end(self, wait: Wait, verdict: Verdict, now: int) -> set[tuple[str, str]]:
        ended: set[tuple[str, str]] = set()
        while due := await self._database.fetch(HELD_DUE, wait, now, _BATCH):
            units = [_deciding(int(row[0]), verdict, POLICY, POLICY, wakes=False) for row in due]
            results = await self._database.commit(*(statement for unit in units for statement in unit))
            ended |= {(str(row[0]), str(row[1])) for rows in results[:: len(units[0])] for row in rows}
        return ended

    async def tidy(self) -> None:
        """Forget what was decided and is through in a way that ended nothing, such as a portal that is gone."""
        await self._database.commit(Statement(END_STALE))


def _deciding(number: int, verdict: Verdict, by: str, actor: str, wakes: bool) -> tuple[Statement, ...]:
    now = time.time_ns()
    source = f"{RELEASED}{number}:{now}"
    note = Statement(NOTE_VERDICT, (number, source, now // 1_000_000, actor, f"held {verdict}"))
    return (
        Statement(DECIDE_HELD, (number, verdict, by, source)),
        *(() if verdict is Verdict.OVER else (note,)),  # the clock decides nothing
        Statement(RELEASE_HELD, (number, source, now // 1_000_000)),
        Statement(VERDICT_NOTED, (number, source)),
        *((Statement(WAKE_HELD, (number, source, now // 1_000_000)),) if wakes else ()),
    )


def holding(portal: PortalId, what: RecordHeld) -> tuple[Statement, ...]:
    """Return what puts a message aside."""
    told = (what.wait, what.author, what.rule, what.subject, what.digest, what.thread, int(what.approved))
    put = Statement(ADD_HELD, (portal, what.name, what.source, *told, what.since, what.until))
    return (put, noted(POLICY, "held", what.subject, what.rule)) if what.wait == Wait.MODERATOR else (put,)


def shown(portal: PortalId, what: RecordNotice, event: str) -> tuple[Statement, ...]:
    """Return what remembers where moderators see a message; nothing for any other notice."""
    return (Statement(SHOW_HELD, (portal, what.name, what.room, event)),) if what.name else ()


def ending(portal: PortalId, what: RecordHeldEnd) -> tuple[Statement, ...]:
    """Return what forgets that a message was held."""
    end = Statement(END_HELD, (portal, what.name))
    return (end, noted(POLICY, "held no more", what.subject, what.how)) if what.subject else (end,)


def _held(row: Row) -> Held:
    name, source, wait, author, verdict, by, approved, digest, thread, room, notice = row
    return Held(
        name=name,
        source=source,
        wait=Wait(wait),
        author=author,
        verdict=Verdict(verdict),
        by=by,
        approved=bool(approved),
        digest=digest,
        thread=Ts(thread) if thread else None,
        room=RoomId(room) if room else None,
        notice=EventId(notice) if notice else None,
    )
