"""Lanes: one walker for each queue in which something waits, made on demand and gone when its queue is empty.

A portal's lane is its two walkers, one a direction. Each takes the oldest unsettled row and has the conductor walk it
the whole way. While one row is performed, the one behind it is planned, where it is about something else (the conductor
knows), and one commit keeps that plan with the record of the one before; so a busy queue waits for the other side, not
for the store:

    row 1   perform   record ┐
    row 2             perform│  record ┐
    row 3             plan ──┘  perform│
    row 4                       plan ──┘

Neither walker waits for the other, except for an action under way that its own row refers to. What fails for
now is tried again after a pause; what goes wrong in our own code is parked with its traceback in the log. This is the
one file that catches everything, so that a defect met by one message costs one message.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import nullcontext, suppress
from functools import partial
from itertools import chain, zip_longest
from typing import TYPE_CHECKING

from bridge.correlation import ROW
from bridge.errors import Fatal, Later, Refused, StoreUnavailable, Unsure
from bridge.store.ledger import COMMANDS, TO_MATRIX, TO_SLACK, State
from portals.facts import PortalState
from portals.ids import channel_queue
from portals.retry import pause

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.observability.metrics import Metrics
    from bridge.store.directory import Directory
    from bridge.store.ledger import InboxRow, Ledger, Unit
    from bridge.work.catch_up import CatchUp
    from bridge.work.conductor import Conductor, Prepared
    from bridge.work.rooms import RoomMaker
    from portals.facts import Portal
    from portals.ids import Ts

    Record = tuple[InboxRow, Unit]

log = logging.getLogger(__name__)

_ROWS = {TO_MATRIX: 50, TO_SLACK: 8, COMMANDS: 8}
_OTHER_SIDE = 5.0
_DEFECT = 60.0
_HOPELESS = 12
"""Unknown outcomes of one row, while other rows succeed, after which it no longer holds up its queue."""
_LEVELS = {False: logging.INFO, True: logging.WARNING}
"""The first failure is everyday life."""

Key = tuple[str, str]


class Lanes:
    """All walkers; `group` owns their tasks."""

    def __init__(
        self,
        *,
        group: asyncio.TaskGroup,
        ledger: Ledger,
        directory: Directory,
        conductor: Conductor,
        rooms: RoomMaker,
        catch_up: CatchUp,
        at_once: int,
        metrics: Metrics,
    ) -> None:
        self._group = group
        self._ledger = ledger
        self._directory = directory
        self._conductor = conductor
        self._rooms = rooms
        self._catch_up = catch_up
        self._metrics = metrics
        self._turns = asyncio.Semaphore(at_once)
        self._walkers: dict[Key, asyncio.Task[None]] = {}
        self._woken: dict[Key, asyncio.Event] = {}
        self._steps: dict[Key, asyncio.Event] = {}
        self._hurry = asyncio.Event()
        self._drains = False
        self._walked = 0
        self._unsure: dict[int, tuple[int, int]] = {}
        """Rows whose outcome stayed unknown: how often, and how many rows had been walked when that began."""
        self._known: set[int] = set()
        """Planned rows whose last try certainly did nothing: they need no look before they are performed."""

    @property
    def walking(self) -> int:
        """How many queues are being worked on."""
        return len(self._walkers)

    def wake(self, direction: str, queue: str) -> None:
        """Have a queue looked at, now if it rests, or again before its walker goes."""
        key = (direction, queue)
        if self._drains:
            return  # the next start walks what is left
        if key in self._walkers:
            self._woken[key].set()
            return
        self._woken[key] = asyncio.Event()
        walk = self._walk(key)
        try:
            self._walkers[key] = self._group.create_task(walk, name=f"lane {direction} {queue}")
        except RuntimeError:  # the service stops; the next start walks what is left
            walk.close()

    def hurry(self) -> None:
        """Have walkers that wait after a failure try again at once: what they waited for may be mended."""
        self._hurry.set()
        self._hurry = asyncio.Event()

    async def drain(self, seconds: float) -> int:
        """Begin no further row, wait so long for those under way, and return how many queues are not through."""
        self._drains = True
        self.hurry()
        if walkers := list(self._walkers.values()):
            await asyncio.wait(walkers, timeout=seconds)
        return len(self._walkers)

    async def take_up(self, rows: Sequence[int]) -> None:
        """Take up parked rows again, and have those tried that wait: what they lacked is there."""
        for row in rows:
            queue = await self._ledger.retry(row)
            if queue is not None:
                self.wake(*queue)
        self.hurry()

    async def wake_all(self) -> None:
        """Wake every queue in which something waits, and every portal that has no room yet."""
        for direction, queue in await self._ledger.open_queues():
            self.wake(direction, queue)
        for portal in await self._directory.planned_portals():
            self.wake_portal(portal)

    def wake_portal(self, portal: Portal) -> None:
        """Wake both queues of a portal."""
        self.wake(TO_MATRIX, channel_queue(portal.team, portal.channel))
        if portal.room is not None:
            self.wake(TO_SLACK, portal.room)

    # --- one walker

    async def _walk(self, key: Key) -> None:
        failures = 0
        woken = self._woken[key]
        while True:
            woken.clear()
            hurry = self._hurry
            try:
                more = await self._walk_some(key)
                failures = 0
            except Fatal:
                raise
            except Exception as error:  # with no row to park: what opens a room or looks back met a defect
                failures += 1
                wait = self._wait_after(key, error, failures)
                with suppress(TimeoutError):
                    async with asyncio.timeout(0 if self._drains else wait):
                        await hurry.wait()
                more = True
            if self._drains or (not more and not woken.is_set()):
                del self._walkers[key], self._woken[key]
                return

    def _wait_after(self, key: Key, error: Exception, failures: int) -> float:
        """Log why a queue must wait and return for how long, in seconds."""
        self._metrics.retried(key[0], type(error).__name__ if isinstance(error, Later | Unsure) else "defect")
        if not isinstance(error, Later | Unsure):
            log.error("%s %s: a defect of the bridge, tried again in %.0f s", *key, _DEFECT, exc_info=error)
            return _DEFECT
        wait = pause(failures, error.retry_after if isinstance(error, Later) else None)
        log.log(_LEVELS[failures > 1], "%s %s: trying again in %.1f s: %s", *key, wait, error)
        return wait

    async def _walk_some(self, key: Key) -> bool:
        """Walk the next rows of a queue; returns whether there may be more.

        Opening a room and looking back ask Slack and may wait for their turn there, so they hold no turn of ours.
        """
        direction, queue = key
        portal = await self._conductor.portal_of(direction, queue)
        if portal is not None and portal.room is None and portal.state is not PortalState.PAUSED:
            await self._rooms.open(portal)
            return True
        async with self._turns if direction == TO_MATRIX else nullcontext():
            rows = await self._ledger.next_rows(direction, queue, _ROWS[direction])
            if await self._walk_rows(key, rows):
                portal = await self._conductor.portal_of(direction, queue)
                if rows or not await self._gap(direction, portal):
                    return bool(rows)
        portal = await self._conductor.portal_of(direction, queue)
        if portal is None or not await self._gap(direction, portal):
            return False  # what is left rests
        await self._look_back(portal)
        return True

    async def _walk_rows(self, key: Key, rows: Sequence[InboxRow]) -> bool:
        """Walk rows in their order; returns whether all were walked. Whatever ends it, the records of it are kept."""
        records: list[Record] = []
        try:
            are_all = await self._walk_in_turn(key, rows, records)
        except asyncio.CancelledError:
            if unit := _whole(records):
                self._ledger.keep(unit).cancel()  # it is queued all the same: a stop closes the store last
            raise
        except Exception:
            await self._keep(key, records)
            raise
        await self._keep(key, records)
        return are_all

    async def _walk_in_turn(self, key: Key, rows: Sequence[InboxRow], records: list[Record]) -> bool:
        before: frozenset[Ts] = frozenset()
        prepared: Prepared | None = None
        for row, following in zip_longest(rows, rows[1:]):
            portal = await self._conductor.portal_of(*key)
            if self._drains or rests(portal, row):
                return False
            if row.place > await self._gap(key[0], portal) > 0:
                return False
            if prepared is None:
                await self._keep(key, records)
                before = frozenset()
                prepared = await self._keep(key, records, await self._prepare(row, before))
            about = prepared.about if prepared is not None else frozenset()
            walked, planned = await asyncio.gather(
                self._walk_one(row, portal, prepared, records),
                self._meanwhile(key, records, following if prepared is not None else None, before | about),
                return_exceptions=True,  # both are to end before either's failure is told
            )
            if isinstance(walked, BaseException):
                raise walked
            if isinstance(planned, BaseException):
                raise planned
            before, prepared = about, planned
        return True

    async def _meanwhile(
        self, key: Key, records: list[Record], following: InboxRow | None, beside: frozenset[Ts]
    ) -> Prepared | None:
        """While a row is performed: plan the one behind it, and keep the plan with the record of the one before."""
        for _ in range(2):
            await asyncio.sleep(0)  # the row's request is to leave first: it takes two turns of the loop
        prepared = await self._prepare(following, beside) if following is not None else None
        prepared = await self._keep(key, records, prepared)
        if following is not None and prepared is not None:
            self._known.add(following.seq)
        return prepared

    async def _prepare(self, row: InboxRow, beside: frozenset[Ts]) -> Prepared | None:
        try:
            return await self._conductor.prepare(row, beside)
        except Exception as error:  # met again when the row is walked, and dealt with there
            log.debug("%s %s: not planned ahead: %s", row.queue, row.source_key, error)
            return None

    async def _keep(self, key: Key, records: list[Record], prepared: Prepared | None = None) -> Prepared | None:
        """Commit the records that are there, and a plan with them; returns the plan if it is kept.

        What the store does not take costs its own row alone.
        """
        kept = list(records)
        records.clear()
        unit = _whole(kept) + (prepared.unit if prepared is not None else ())
        if not unit:
            return prepared
        try:
            await self._ledger.keep(unit)
        except Refused:
            prepared = None
            for row, own in kept:
                try:
                    await self._ledger.keep(own)
                except Refused as refused:
                    await self._conductor.give_up(row, await self._conductor.portal_of(*key), str(refused))
        self._step(key)
        return prepared

    async def _gap(self, direction: str, portal: Portal | None) -> int:
        """Return the gap that a portal must look back over before it walks what came after it; 0 for none."""
        if direction == TO_SLACK or portal is None or portal.direction == TO_SLACK:
            return 0
        if portal.state not in (PortalState.LIVE, PortalState.FROZEN):
            return 0
        return await self._catch_up.gap_before(portal)

    async def _look_back(self, portal: Portal) -> None:
        workspace = await self._directory.workspace(portal.team)
        if workspace is None:
            raise Later(f"the workspace {portal.team} is not known yet", 2.0)
        await self._catch_up.look_back(portal, workspace)

    async def _walk_one(
        self, row: InboxRow, portal: Portal | None, prepared: Prepared | None, records: list[Record]
    ) -> None:
        """Walk one row, in a task of its own; what is to be kept of it joins `records`."""
        ROW.set(row.source_key)
        unsure = row.state is State.PLANNED and row.seq not in self._known
        self._known.discard(row.seq)
        try:
            other_side = partial(self._other_side, row, portal)
            unit = await self._conductor.walk(row, unsure=unsure, other_side=other_side, prepared=prepared)
        except StoreUnavailable:
            raise
        except Later:
            if not unsure:
                self._known.add(row.seq)
            raise
        except Unsure as error:
            if not self._is_hopeless(row):
                raise
            await self._conductor.give_up(row, portal, f"its outcome stays unknown: {error}")
        except Fatal:
            raise
        except Exception:
            log.exception("%s %s: a defect of the bridge", row.queue, row.source_key)
            await self._conductor.give_up(row, portal, "a defect of the bridge; its log says more")
        else:
            self._walked += 1
            records.append((row, unit))
        finally:
            self._step((row.direction, row.queue))
        self._unsure.pop(row.seq, None)

    def _is_hopeless(self, row: InboxRow) -> bool:
        """Count an unknown outcome; true when it is this row's own fault: others got through all the while."""
        times, walked = self._unsure.get(row.seq, (0, self._walked))
        self._unsure[row.seq] = (times + 1, walked)
        return times + 1 >= _HOPELESS and self._walked > walked

    # --- the other direction

    def _step(self, key: Key) -> None:
        event = self._steps.pop(key, None)
        if event is not None:
            event.set()

    async def _other_side(self, row: InboxRow, portal: Portal | None) -> None:
        """Wait until the portal's other direction is through with the rows that it is at, if it is at any.

        What a row refers to exists on the side that the row comes from; if no link shows it, then either it is not
        mirrored, or the action that made it is that very one.
        """
        if portal is None or portal.room is None:
            return
        if row.direction == TO_MATRIX:
            other: Key = (TO_SLACK, portal.room)
        else:
            other = (TO_MATRIX, channel_queue(portal.team, portal.channel))
        awaited = await self._ledger.under_way(*other)
        while awaited:
            self.wake(*other)
            step = self._steps.setdefault(other, asyncio.Event())
            awaited &= await self._ledger.under_way(*other)
            if not awaited:
                return
            try:
                async with asyncio.timeout(_OTHER_SIDE):
                    await step.wait()
            except TimeoutError:
                log.info("%s: waits for row %d of the other direction", row.source_key, min(awaited))


def rests(portal: Portal | None, row: InboxRow) -> bool:
    """Tell whether a row is not to be walked for the time being: in a pause, or while the portal's past comes first."""
    if portal is None:
        return False
    if portal.state is PortalState.IMPORTING and row.direction == TO_MATRIX:
        return row.place > portal.history
    return portal.state is PortalState.PAUSED


def _whole(records: list[Record]) -> Unit:
    return tuple(chain.from_iterable(unit for _, unit in records))
