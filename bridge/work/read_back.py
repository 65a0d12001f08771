"""After the homeserver was away, rooms are read back: it may have taken messages that it never told us of.

A homeserver notes what it has to tell an application service a moment after it has taken an event. Killed in between,
it keeps the event and forgets to tell. So when it answers again after an outage, and at each start of the bridge, what
people wrote since a while before is read from the rooms and admitted like a transaction: by its name, so that what was
told already changes nothing.

    every few seconds   does it answer? ─ no ─▶ away since …
                                        └ yes, and it was away ─▶ read back every live portal's room, a few at a time
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from bridge.errors import BridgeError, Later
from portals.facts import Direction, PortalState
from portals.retry import pause

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from bridge.matrix.client import MatrixClient
    from bridge.store.directory import Directory
    from bridge.store.ledger import Ledger
    from portals.facts import Portal

    Admit = Callable[[str, Sequence[Mapping[str, Any]]], Awaitable[None]]  # Any: foreign JSON

log = logging.getLogger(__name__)

_LOOK = 5.0
_BEFORE_MS = 120_000
"""How long before an outage an event may have been taken and never told."""
_REMEMBERED_MS = 6 * 24 * 3600 * 1000
"""The inbox knows by name what it got within a week: nothing older is read back."""
_AT_ONCE = 4
_PAGE = 100
_MOST_PAGES = 20
_MESSAGES = '{"not_types":["m.room.member"]}'


class ReadBack:
    """Reads rooms back; `admit` takes events as a transaction's are taken. `every` is in seconds."""

    def __init__(
        self, *, directory: Directory, ledger: Ledger, matrix: MatrixClient, admit: Admit, every: float = _LOOK
    ) -> None:
        self._directory = directory
        self._ledger = ledger
        self._matrix = matrix
        self._admit = admit
        self._every = every

    async def run(self) -> None:
        """Look after the homeserver until cancelled."""
        await self._read_at_start()
        heard = time.time()
        is_away = False
        while True:
            await asyncio.sleep(self._every)
            try:
                await self._matrix.versions()
            except BridgeError as error:
                if not is_away:
                    log.warning("the homeserver does not answer: %s", error)
                is_away = True
                continue
            if is_away:
                log.info("the homeserver answers again: rooms are read back")
                await self.read_all(int(heard * 1000) - _BEFORE_MS)
            heard, is_away = time.time(), False

    async def _read_at_start(self) -> None:
        """Read back the rooms in which people have written of late, from before the bridge heard anything last."""
        try:
            newest, rooms = await self._ledger.newest_admission(), await self._ledger.rooms_heard()
        except Later as error:
            log.warning("the store: %s", error)
            return
        if newest:
            await self.read_all(max(newest - _BEFORE_MS, int(time.time() * 1000) - _REMEMBERED_MS), rooms)

    async def read_all(self, since_ms: int, rooms: set[str] | None = None) -> None:
        """Read back the rooms of all portals that relay to Slack, or only some of them, from this time on."""
        turns = asyncio.Semaphore(_AT_ONCE)
        after = 0
        while portals := await self._portals(after):
            after = portals[-1].id
            async with asyncio.TaskGroup() as group:
                for portal in portals:
                    if rooms is not None and portal.room not in rooms:
                        continue
                    if portal.state is PortalState.LIVE and portal.direction is not Direction.TO_MATRIX:
                        group.create_task(self._read(portal, since_ms, turns), name=f"reads back {portal.room}")

    async def _portals(self, after: int) -> list[Portal]:
        failures = 0
        while True:
            try:
                return await self._directory.portals(after)
            except Later as error:
                failures += 1
                log.warning("the store: %s", error)
                await asyncio.sleep(pause(failures))

    async def _read(self, portal: Portal, since_ms: int, turns: asyncio.Semaphore) -> None:
        if portal.room is None:
            return
        failures = 0
        while True:
            try:
                async with turns:
                    events = await self._events(portal, since_ms)
                    if events:
                        await self._admit(f"read back {portal.room}", events)
                return
            except Later as error:
                failures += 1
                log.info("%s: read back later: %s", portal.room, error)
                await asyncio.sleep(pause(failures, error.retry_after))
            except BridgeError as error:
                log.warning("%s: cannot be read back: %s", portal.room, error)
                return

    async def _events(self, portal: Portal, since_ms: int) -> list[Mapping[str, Any]]:
        """Return what the room got since then, oldest first."""
        assert portal.room is not None
        found: deque[Mapping[str, Any]] = deque()
        start: str | None = None
        for _ in range(_MOST_PAGES):
            page = await self._matrix.messages(portal.room, start=start, limit=_PAGE, filter=_MESSAGES)
            fresh = [event for event in page.events if _got_at(event) >= since_ms]
            found.extendleft({**event, "room_id": portal.room} for event in fresh)
            start = page.end
            # an event of history bears an old time, so one old event is no end; a page of nothing else is
            if start is None or not fresh:
                break
        return list(found)


def _got_at(event: Mapping[str, Any]) -> int:
    at = event.get("origin_server_ts")
    return at if isinstance(at, int) else 0
