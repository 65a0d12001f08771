"""Socket Mode for one app in one workspace: events come in over connections that the bridge opens itself.

Promises: envelopes are admitted in the order in which they arrive on a connection; an envelope is acknowledged only
after its event is committed; a connection that Slack is about to replace is replaced before it goes; one that has
fallen silent is given up; `on_gap` is awaited before the first event that follows an interruption. Refuses to look at
what an event says, and to crash on a frame that makes no sense.

    run ── keep, one at a time ── apps.connections.open ─ connect ─ hello ─ on_gap? ─┐
                    ▲  wanted again: ended, leaving, silent                          ▼
                    └──────────────────────────────── read: frame → admit → queue of acknowledgements
           acknowledge: await each commit in order ─ send {"envelope_id"} ◀──────────────┘

Why not slack_sdk's own `SocketModeClient`: it starts a task for every envelope, so order is lost at the first await; it
asks for no new address while the one that it has stays dead; it closes the old connection before it opens the new one;
it acknowledges on whichever socket is current; and its monitor and receiver replace each other behind the caller's
back. Mending all that means replacing every method that has a loop in it. What remains of Socket Mode is this file and
`connection`: the address still comes through the SDK's Web API client, the rest is aiohttp's WebSocket.
https://docs.slack.dev/apis/events-api/using-socket-mode
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

import aiohttp
import orjson
from slack_sdk.socket_mode.response import SocketModeResponse

from bridge.errors import BridgeError, Later, Refused, StoreUnavailable
from bridge.slack.connection import TROUBLES, Connection, Ended, Timings, farewell
from portals.reading.repeats import REPEATED

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from bridge.slack.wire import Fields

log = logging.getLogger(__name__)

MOST_CONNECTIONS: Final = 10
"""Slack opens no more than this many connections for one app."""

UNACKNOWLEDGED: Final = 2000
"""With more events than this waiting for their commit, nothing more is read until some are stored."""

_STORE_GAP: Final = "the store did not take an event"


class Opens(Protocol):
    """Who asks Slack for the address of a connection: `SlackClient`."""

    async def connections_open(self) -> str:
        """Return a fresh address. Raises Later or Refused."""
        ...


@dataclass(frozen=True, slots=True)
class SocketHealth:
    """How the connections do: `last_event` is Unix time, `trouble` what an admin must mend, "" when nothing."""

    connected: int
    wanted: int
    last_event: float | None
    last_error: str
    trouble: str


class SocketMode:
    """The connections of one workspace.

    `admit(payload)` takes an event into the inbox: called in order, it enqueues at once and returns an awaitable that
    resolves once the event is committed or raises StoreUnavailable; then Slack is left to repeat. `on_gap(reason)`
    notes that events may be missing; events that come after it are admitted after it.
    """

    def __init__(
        self,
        workspace: str,
        web: Opens,
        admit: Callable[[Mapping[str, Any]], Awaitable[None]],
        on_gap: Callable[[str], Awaitable[None]],
        *,
        session: aiohttp.ClientSession,
        connections: int = 1,
        timings: Timings = Timings(),  # noqa: B008  frozen
    ) -> None:
        if not 1 <= connections <= MOST_CONNECTIONS:
            raise ValueError(f"connections must be 1 to {MOST_CONNECTIONS}")
        self._workspace = workspace
        self._web = web
        self._admit = admit
        self._on_gap = on_gap
        self._session = session
        self._wanted = connections
        self._timings = timings
        self._open: list[Connection] = []
        self._changed = asyncio.Event()
        self._count = 0
        self._failures = 0
        self._pause = 0.0
        self._gap = "start"
        self._acks: asyncio.Queue[tuple[str, Awaitable[None] | None, Connection]] = asyncio.Queue(UNACKNOWLEDGED)
        self._last_event: float | None = None
        self._last_error = ""
        self._trouble = ""

    @property
    def health(self) -> SocketHealth:
        """What can be said at this moment."""
        connected = min(len(self._open), self._wanted)
        return SocketHealth(connected, self._wanted, self._last_event, self._last_error, self._trouble)

    async def run(self) -> None:
        """Keep the connections up until cancelled; then what was admitted is still acknowledged and all are closed."""
        async with asyncio.TaskGroup() as tasks:
            acknowledging = tasks.create_task(self._acknowledge(), name=f"slack acks {self._workspace}")
            try:
                async with asyncio.TaskGroup() as readers:
                    await self._keep(readers)
            finally:
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._timings.drain):
                        await self._acks.join()
                acknowledging.cancel()
                await asyncio.gather(*(connection.close() for connection in self._open))
                self._open.clear()

    # bringing connections up

    async def _keep(self, readers: asyncio.TaskGroup) -> None:
        """Open connections one after the other, for as long as fewer than wanted are there to stay."""
        while True:
            while sum(connection.leaves_at is None for connection in self._open) < self._wanted:
                if self._pause or self._failures:
                    await self._rest(self._next_pause())
                if len(self._open) >= MOST_CONNECTIONS:  # no room for the next one before an old one goes
                    leaving = next(connection for connection in self._open if connection.leaves_at is not None)
                    self._open.remove(leaving)
                    await leaving.close()
                connection = await self._bring_up()
                if connection is not None:
                    name = f"slack socket {self._workspace} {connection.number}"
                    readers.create_task(self._read(connection), name=name)
            self._changed.clear()
            await self._changed.wait()

    def _next_pause(self) -> float:
        if self._pause:
            pause, self._pause = self._pause, 0.0
        else:
            pause = min(self._timings.longest_back_off, self._timings.back_off * 2.0 ** min(self._failures - 1, 10))
        return pause * random.uniform(0.75, 1.25)  # apart, so that many bridges do not come back in one moment

    async def _rest(self, seconds: float) -> None:
        """Stay away for so long, but no longer than until the last connection is lost: from then on events are."""
        until, had_some = time.monotonic() + seconds, bool(self._open)
        while (left := until - time.monotonic()) > 0 and bool(self._open) == had_some:
            self._changed.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._changed.wait()

    async def _bring_up(self) -> Connection | None:
        """Bring up one connection as far as its first events, which are not read yet; None says that it failed."""
        self._count += 1
        try:
            url = await self._web.connections_open()
            connection = await Connection.open(self._count, url, self._session, self._timings)
            try:
                await self._tell_gap()
            except BaseException:
                await connection.close()
                raise
        except Refused as refused:
            self._fail(str(refused), trouble=str(refused))
            self._pause = self._timings.refused
        except BridgeError as fault:
            self._fail(str(fault))
            self._pause = (fault.retry_after or 0.0) if isinstance(fault, Later) else 0.0
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as fault:
            self._fail(f"no connection: {type(fault).__name__}")  # the text of it may hold the address
        else:
            self._open.append(connection)
            self._trouble = ""
            up = len(self._open)
            log.info("slack %s: connection %d is up (%d of %d)", self._workspace, self._count, up, self._wanted)
            return connection
        return None

    async def _tell_gap(self) -> None:
        """Say that events may be missing, if they may: no connection was up, or one had died without a word."""
        reason = self._gap or ("" if self._open else "no connection was up")
        if not reason:
            return
        self._gap = ""
        try:
            await self._on_gap(reason)
        except BaseException:
            self._gap = self._gap or reason
            raise

    def _fail(self, what: str, trouble: str = "") -> None:
        self._failures += 1
        if what != self._last_error:
            log.warning("slack %s: %s", self._workspace, what)
        self._last_error = what
        self._trouble = trouble or self._trouble

    # reading them

    async def _read(self, connection: Connection) -> None:
        """Read one connection until it ends."""
        try:
            while True:
                await self._take(connection, await connection.frame())
        except Ended as ended:
            ending = str(ended)
            if ended.is_silent:
                self._gap = f"a connection {ending}"
        except (aiohttp.ClientError, OSError) as fault:
            ending = f"broke ({type(fault).__name__})"
        log.info("slack %s: connection %d %s", self._workspace, connection.number, ending)
        if connection in self._open:
            self._open.remove(connection)
        if connection.leaves_at is None:
            self._judge(connection)
            self._last_error = f"a connection {ending}"
        self._changed.set()
        await connection.close()

    async def _take(self, connection: Connection, frame: Fields) -> None:
        """Handle one frame. Up to the call of `admit` nothing is awaited but a gap: that keeps the order."""
        kind, envelope = frame.get("type"), frame.get("envelope_id")
        if kind == "events_api" and isinstance(envelope, str) and isinstance(payload := frame.get("payload"), dict):
            self._last_event = time.time()
            if attempt := frame.get("retry_attempt"):
                log.info("slack %s: attempt %s of an event (%s)", self._workspace, attempt, frame.get("retry_reason"))
                payload = {**payload, REPEATED: attempt}
            if self._gap == _STORE_GAP and not await self._place_of_gap_is_kept():
                return  # not acknowledged: Slack repeats it
            try:
                stored = self._admit(payload)
            except BridgeError as fault:
                self._not_stored(fault)
            else:
                await self._acks.put((envelope, stored, connection))
        elif kind == "disconnect":
            self._told_to_go(connection, str(frame.get("reason")))
        elif isinstance(envelope, str):
            log.warning("slack %s: %s is not relayed, only acknowledged", self._workspace, str(kind)[:40])
            await self._acks.put((envelope, None, connection))

    async def _place_of_gap_is_kept(self) -> bool:
        """After a failure of the store, have the gap noted before anything newer is admitted; false if that fails."""
        try:
            await self._tell_gap()
        except BridgeError as fault:
            self._not_stored(fault)
            return False
        return True

    def _told_to_go(self, connection: Connection, reason: str) -> None:
        """Slack wants the connection gone: keep reading it while the next one is brought up."""
        now = time.monotonic()
        if reason in TROUBLES:
            self._fail(str(farewell(reason)), trouble=str(farewell(reason)))
            self._pause = self._timings.refused
            connection.leaves_at = now
        elif connection.leaves_at is None:
            log.info("slack %s: connection %d is replaced (%s)", self._workspace, connection.number, reason[:40])
            connection.leaves_at = now + self._timings.linger
            self._judge(connection)
        self._changed.set()

    def _judge(self, connection: Connection) -> None:
        """A connection that ends as soon as it is up is a failure: without a pause it would be asked for at once."""
        self._failures = 0 if connection.age >= self._timings.settled else self._failures + 1

    # acknowledging

    async def _acknowledge(self) -> None:
        """Acknowledge each envelope after its commit, in order. Without one Slack repeats it, which does no harm."""
        while True:
            envelope, stored, connection = await self._acks.get()
            try:
                if stored is not None:
                    await stored
                await self._send_ack(envelope, connection)
                if stored is not None and self._gap == _STORE_GAP:
                    await self._tell_gap()  # Slack repeats an event only for some minutes
            except BridgeError as fault:
                self._not_stored(fault)
            finally:
                self._acks.task_done()

    async def _send_ack(self, envelope: str, connection: Connection) -> None:
        """On the connection that brought it, or else on any other: an envelope is known to the app, not to a socket."""
        answer = orjson.dumps(SocketModeResponse(envelope).to_dict()).decode()
        for candidate in (connection, *self._open):
            if candidate.is_open and await candidate.send(answer):
                return

    def _not_stored(self, fault: BridgeError) -> None:
        self._last_error = f"an event was not stored: {fault}"
        self._gap = self._gap or _STORE_GAP
        level = logging.WARNING if isinstance(fault, StoreUnavailable) else logging.ERROR
        log.log(level, "slack %s: %s", self._workspace, self._last_error)
