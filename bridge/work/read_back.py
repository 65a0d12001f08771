"""After the homeserver was away, rooms are read back: it may have taken messages that it never told us of.

A homeserver notes what it has to tell an application service a moment after it has taken an event. Killed in between,
it keeps the event and forgets to tell. So when it answers again after an outage, and at each start of the bridge, what
people wrote since a while before is read from the rooms and admitted like a transaction: by its name, so that what was
told already changes nothing.

    every few seconds   does it answer? ─ no ─▶ away since …
                                        └ yes, and it was away ─▶ read back every portal's room, a few at a time

The store remembers up to when everything has come, and this time moves on only after every room was read undisturbed:
a bridge that is killed while the homeserver is away, or while rooms are read, reads them when it is started again.

What is not read back: what bears a time before the outage or one that is still to come, as another homeserver's wrong
clock makes it (told in a transaction, it is relayed like anything else); more than a bounded number of events a room,
which the log then says.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from bridge.errors import BridgeError, Later
from portals.facts import Direction, PortalState
from portals.retry import pause

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from bridge.matrix.client import MatrixClient
    from bridge.store.directory import Directory
    from bridge.store.heard import Heard
    from bridge.store.ledger import Ledger
    from portals.facts import Portal
    from portals.ids import GhostNames

    Admit = Callable[[str, Sequence[Mapping[str, Any]]], Awaitable[None]]  # Any: foreign JSON

log = logging.getLogger(__name__)

T = TypeVar("T")

_LOOK = 5.0
_BEFORE_MS = 120_000
"""How long before an outage an event may have been taken and never told."""
_REMEMBERED_MS = 6 * 24 * 3600 * 1000
"""The inbox knows by name what it got within a week: nothing older is read back."""
_AHEAD_MS = 60_000
"""How far a clock may be ahead of ours. An event of a time to come would be read back when its name is forgotten."""
_NOTE_MS = 60_000
_AT_ONCE = 4
_PAGE = 100
_MOST_PAGES = 50
_MESSAGES = '{"not_types":["m.room.member"]}'


class ReadBack:
    """Reads rooms back; `admit` takes events as a transaction's are taken. `every` is in seconds."""

    def __init__(
        self,
        *,
        names: GhostNames,
        directory: Directory,
        ledger: Ledger,
        heard: Heard,
        matrix: MatrixClient,
        admit: Admit,
        every: float = _LOOK,
    ) -> None:
        self._names = names
        self._directory = directory
        self._ledger = ledger
        self._heard = heard
        self._matrix = matrix
        self._admit = admit
        self._every = every

    async def run(self) -> None:
        """Look after the homeserver until cancelled."""
        heard = noted = await self._read_at_start()
        is_away = False
        while True:
            await asyncio.sleep(self._every)
            asked = _now()
            try:
                await self._matrix.versions()
            except BridgeError as error:
                if not is_away:
                    log.warning("the homeserver does not answer: %s", error)
                is_away = True
                continue
            if is_away:
                log.info("the homeserver answers again: rooms are read back")
                asked = await self.read_all(heard - _BEFORE_MS)
            if is_away or asked - noted >= _NOTE_MS or asked < noted:
                noted = await self._note(asked)
            heard, is_away = asked, False

    async def _read_at_start(self) -> int:
        """Read back from before everything had come, by what the store remembers; returns as `read_all` does.

        A store that remembers nothing yet tells at least when anything was admitted last.
        """
        now = _now()
        try:
            since = await self._heard.until() or await self._ledger.newest_admission()
        except Later as error:
            log.warning("the store: %s", error)
            since = now - _REMEMBERED_MS
        if since:
            now = await self.read_all(max(since - _BEFORE_MS, now - _REMEMBERED_MS))
        return await self._note(now)

    async def _note(self, at: int) -> int:
        try:
            await self._heard.note(at)
        except Later as error:
            log.warning("the store: %s", error)
        return at

    async def read_all(self, since_ms: int) -> int:
        """Read back the rooms of all portals that relay to Slack, from this time (ms) on.

        Returns when the reading began that nothing disturbed: up to then everything has come.
        """
        while True:
            began = _now()
            if await self._read_each(since_ms):
                return began

    async def _read_each(self, since_ms: int) -> bool:
        """Read each room once; returns whether the homeserver was there all the while."""
        turns = asyncio.Semaphore(_AT_ONCE)
        after = 0
        undisturbed = True
        while portals := await self._patiently(partial(self._directory.portals, after)):
            after = portals[-1].id
            is_mixed = await self._patiently(partial(self._heard.history_came_since, since_ms))
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(self._read(portal, since_ms, is_mixed, turns), name=f"reads back {portal.room}")
                    for portal in portals
                    if portal.state is not PortalState.REMOVED and portal.direction is not Direction.TO_MATRIX
                ]
            undisturbed &= all(task.result() for task in tasks)
        return undisturbed

    async def _patiently(self, ask: Callable[[], Awaitable[T]]) -> T:
        failures = 0
        while True:
            try:
                return await ask()
            except Later as error:
                failures += 1
                log.warning("the store: %s", error)
                await asyncio.sleep(pause(failures))

    async def _read(self, portal: Portal, since_ms: int, is_mixed: bool, turns: asyncio.Semaphore) -> bool:
        """Read one room back, whatever it takes; returns whether it took no more than one try."""
        if portal.room is None:
            return True
        failures = 0
        while True:
            try:
                async with turns:
                    events = await self._events(portal, since_ms, is_mixed)
                    for start in range(0, len(events), _PAGE):
                        await self._admit(f"read back {portal.room}", events[start : start + _PAGE])
                return failures == 0
            except Later as error:
                failures += 1
                log.info("%s: read back later: %s", portal.room, error)
                await asyncio.sleep(pause(failures, error.retry_after))
            except BridgeError as error:
                log.warning("%s: cannot be read back: %s", portal.room, error)
                return failures == 0

    async def _events(self, portal: Portal, since_ms: int, is_mixed: bool) -> list[Mapping[str, Any]]:
        """Return what people brought into the room since then, oldest first.

        The end is a page on which everything is older; where history may stand between (`is_mixed`) there is none.
        """
        assert portal.room is not None
        found: deque[Mapping[str, Any]] = deque()
        start: str | None = None
        latest = _now() + _AHEAD_MS
        for _ in range(_MOST_PAGES):
            page = await self._matrix.messages(portal.room, start=start, limit=_PAGE, filter=_MESSAGES)
            fresh = [event for event in page.events if since_ms <= _got_at(event) <= latest]
            found.extendleft(
                {**event, "room_id": portal.room}
                for event in fresh
                if not self._names.is_ours(str(event.get("sender")))
            )
            start = page.end
            if start is None or not (fresh or is_mixed):
                return list(found)
        log.warning("%s: of its newest %d events alone it was read back", portal.room, _MOST_PAGES * _PAGE)
        return list(found)


def _got_at(event: Mapping[str, Any]) -> int:
    at = event.get("origin_server_ts")
    return at if isinstance(at, int) else 0


def _now() -> int:
    return time.time_ns() // 1_000_000
