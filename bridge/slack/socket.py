"""Socket Mode for one app in one workspace: events come in over connections that the bridge opens itself.

Promises: envelopes are admitted in the order in which they arrive on a connection; an envelope is acknowledged only
after its event is committed; a connection that Slack is about to replace is replaced before it goes; one that has
fallen silent is given up; `on_gap` is awaited before the first event that follows an interruption. Refuses to look at
what an event says, and to crash on a frame that makes no sense.

    run ── keep: one at a time ── apps.connections.open ─ connect ─ hello ─ on_gap? ─┐
                     ▲  wanted again: ended, leaving, silent                         ▼
                     └──────────────────────────────────────────────── read: frame → admit → queue of acks
           acknowledge: await each commit in order ─ send {"envelope_id"} ◀──────────────────────┘

Why not slack_sdk's own `SocketModeClient`: it starts a task for every envelope, so order is lost at the first await; it
asks for no new address while the one that it has stays dead; it closes the old connection before it opens the new one;
it acknowledges on whichever socket is current; and its monitor and receiver replace each other behind the caller's
back. Mending all that means replacing every method that has a loop in it. What remains of Socket Mode is this file:
the address still comes through the SDK's Web API client, the rest is aiohttp's WebSocket.
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
from urllib.request import getproxies, proxy_bypass

import aiohttp
import orjson
from slack_sdk.socket_mode.response import SocketModeResponse
from yarl import URL

from bridge.errors import BridgeError, Later, Refused, StoreUnavailable
from bridge.slack.refusals import MEANINGS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

log = logging.getLogger(__name__)

MOST_CONNECTIONS: Final = 10
"""Slack opens no more than this many connections for one app."""

MAX_FRAME: Final = 4 * 1024 * 1024
"""Bytes; a longer frame ends its connection."""

UNACKNOWLEDGED: Final = 2000
"""With more events than this waiting for their commit, nothing more is read until some are stored."""


class Opens(Protocol):
    """Who asks Slack for the address of a connection: `SlackClient`."""

    async def connections_open(self) -> str:
        """Return a fresh address. Raises Later or Refused."""
        ...


@dataclass(frozen=True, slots=True)
class Timings:
    """Seconds. `silence`: no frame of any kind, not even the answer to a ping, for so long means a dead connection."""

    connect: float = 15.0
    ping: float = 10.0
    silence: float = 30.0
    linger: float = 30.0
    settled: float = 10.0
    back_off: float = 1.0
    longest_back_off: float = 60.0
    refused: float = 120.0
    drain: float = 3.0


@dataclass(frozen=True, slots=True)
class SocketHealth:
    """How the connections do: `last_event` is Unix time, `trouble` what an admin must mend, "" when nothing."""

    connected: int
    wanted: int
    last_event: float | None
    last_error: str
    trouble: str


class _Line:
    """One open connection and what is known of it."""

    def __init__(self, number: int, socket: aiohttp.ClientWebSocketResponse, now: float) -> None:
        self.number = number
        self.socket = socket
        self.since = now
        self.heard = now
        self.goes_at: float | None = None
        """When a connection that Slack is replacing is closed from here; None as long as it is to stay."""


class SocketMode:
    """The connections of one workspace.

    `admit(payload)` takes an event into the inbox: called in order, enqueues at once, and returns an awaitable that
    resolves once it is committed or raises StoreUnavailable; then Slack is left to repeat. `on_gap(reason)` marks that
    events may be missing; events that come after it are admitted after it.
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
        timings: Timings = Timings(),
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
        self._lines: set[_Line] = set()
        self._count = 0
        self._failures = 0
        self._pause = 0.0
        self._changed = asyncio.Event()
        self._gap = "start"
        self._acks: asyncio.Queue[tuple[str, Awaitable[None] | None, _Line]] = asyncio.Queue(UNACKNOWLEDGED)
        self._last_event: float | None = None
        self._last_error = ""
        self._trouble = ""

    @property
    def health(self) -> SocketHealth:
        """What can be said at this moment."""
        return SocketHealth(
            min(len(self._lines), self._wanted), self._wanted, self._last_event, self._last_error, self._trouble
        )

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
                await asyncio.gather(*(self._close(line) for line in list(self._lines)))
                self._lines.clear()

    async def _keep(self, readers: asyncio.TaskGroup) -> None:
        """Open connections one after the other, for as long as fewer than wanted are there to stay."""
        while True:
            while sum(line.goes_at is None for line in self._lines) < self._wanted:
                if self._pause or self._failures:
                    await asyncio.sleep(self._next_pause())
                if len(self._lines) >= MOST_CONNECTIONS:  # no room to bring up the next one before the old one goes
                    await self._close(next(line for line in self._lines if line.goes_at is not None))
                line = await self._open()
                if line is not None:
                    readers.create_task(self._read(line), name=f"slack socket {self._workspace} {line.number}")
            self._changed.clear()
            await self._changed.wait()

    def _next_pause(self) -> float:
        if self._pause:
            pause, self._pause = self._pause, 0.0
        else:
            pause = min(self._timings.longest_back_off, self._timings.back_off * 2.0 ** min(self._failures - 1, 10))
        return pause * random.uniform(0.75, 1.25)  # apart, so that many bridges do not come back in one moment

    async def _open(self) -> _Line | None:
        """Bring up one connection as far as its first events, which are not read yet; None says that it failed."""
        try:
            url = await self._web.connections_open()
            line = await self._connect(url)
        except Refused as refused:
            self._fail(str(refused), trouble=str(refused))
            self._pause = self._timings.refused
            return None
        except BridgeError as fault:
            self._fail(str(fault))
            self._pause = (fault.retry_after or 0.0) if isinstance(fault, Later) else 0.0
            self._failures += 1
            return None
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as fault:
            self._fail(f"no connection: {type(fault).__name__}")  # the text of it may hold the address
            self._failures += 1
            return None
        try:
            await self._resume()
        except BridgeError as fault:
            self._fail(f"the gap could not be noted: {fault}")
            self._failures += 1
            await self._close(line)
            return None
        except BaseException:
            await self._close(line)
            raise
        self._lines.add(line)
        self._trouble = ""
        log.info(
            "slack %s: connection %d is up (%d of %d)", self._workspace, line.number, len(self._lines), self._wanted
        )
        return line

    async def _connect(self, url: str) -> _Line:
        """Connect and wait for Slack's hello. Raises Later, Refused and what aiohttp raises."""
        async with asyncio.timeout(self._timings.connect):
            socket = await self._session.ws_connect(
                url,
                autoping=False,
                max_msg_size=MAX_FRAME,
                proxy=self._proxy(url),
                timeout=aiohttp.ClientWSTimeout(ws_close=2.0),
            )
            try:
                self._count += 1
                line = _Line(self._count, socket, time.monotonic())
                while True:
                    message = await socket.receive()
                    if message.type == aiohttp.WSMsgType.PING:
                        await socket.pong(message.data)
                    elif message.type == aiohttp.WSMsgType.TEXT:
                        frame = _frame(message.data)
                        if frame.get("type") == "hello":
                            return line
                        if frame.get("type") == "disconnect":
                            raise _told_to_go(str(frame.get("reason")))
                    elif message.type in _ENDS:
                        raise Later("no connection: Slack closed it before its hello")
            except BaseException:
                await socket.close()
                raise

    def _proxy(self, url: str) -> str | None:
        """The proxy for https also serves wss, which aiohttp does not assume."""
        if not self._session.trust_env:
            return None
        target = URL(url)
        if target.scheme != "wss" or (target.host and proxy_bypass(target.host)):
            return None
        return getproxies().get("https")

    async def _resume(self) -> None:
        """Say that events may be missing, if they may: no connection was up, or one had died without a word."""
        reason = self._gap or ("" if self._lines else "no connection was up")
        if not reason:
            return
        self._gap = ""
        try:
            await self._on_gap(reason)
        except BaseException:
            self._gap = self._gap or reason
            raise

    async def _read(self, line: _Line) -> None:
        """Read one connection until it ends."""
        ending = "ended"
        try:
            while True:
                try:
                    message = await line.socket.receive(self._timings.ping)
                except TimeoutError:
                    if time.monotonic() - line.heard > self._timings.silence:
                        ending = "fell silent"
                        self._gap = "a connection fell silent"
                        return
                    await line.socket.ping()
                else:
                    line.heard = time.monotonic()
                    if message.type == aiohttp.WSMsgType.TEXT:
                        await self._take(line, message.data)
                    elif message.type == aiohttp.WSMsgType.PING:
                        await line.socket.pong(message.data)
                    elif message.type in _ENDS:
                        if message.type == aiohttp.WSMsgType.ERROR:
                            ending = f"broke ({type(message.data).__name__})"
                        return
                if line.goes_at is not None and time.monotonic() >= line.goes_at:
                    ending = "was replaced"
                    return
        except (aiohttp.ClientError, OSError) as fault:
            ending = f"broke ({type(fault).__name__})"
        except asyncio.CancelledError:
            ending = ""  # `run` closes it, after the last acknowledgements
            raise
        finally:
            if ending:
                await self._end(line, ending)

    async def _end(self, line: _Line, ending: str) -> None:
        self._lines.discard(line)
        if line.goes_at is None:
            self._judge(line)
            self._last_error = f"connection {line.number} {ending}"
        log.info("slack %s: connection %d %s", self._workspace, line.number, ending)
        self._changed.set()
        await self._close(line)

    async def _take(self, line: _Line, text: str) -> None:
        """Handle one frame. Up to the call of `admit` nothing is awaited: that keeps the order."""
        frame = _frame(text)
        kind, envelope = frame.get("type"), frame.get("envelope_id")
        if kind == "events_api" and isinstance(envelope, str) and isinstance(payload := frame.get("payload"), dict):
            self._last_event = time.time()
            if attempt := frame.get("retry_attempt"):
                log.info("slack %s: attempt %s of an event (%s)", self._workspace, attempt, frame.get("retry_reason"))
            try:
                stored = self._admit(payload)
            except BridgeError as fault:
                self._not_stored(fault)
            else:
                await self._acks.put((envelope, stored, line))
        elif kind == "disconnect":
            self._told(line, str(frame.get("reason")))
        elif isinstance(envelope, str):
            log.warning("slack %s: %s is not relayed, only acknowledged", self._workspace, str(kind)[:40])
            await self._acks.put((envelope, None, line))
        elif kind != "hello":
            log.warning("slack %s: a frame of %d characters makes no sense", self._workspace, len(text))

    def _told(self, line: _Line, reason: str) -> None:
        """Slack wants the connection gone: keep reading it while the next one is brought up."""
        now = time.monotonic()
        if reason in _TROUBLES:
            self._fail(str(_told_to_go(reason)), trouble=str(_told_to_go(reason)))
            self._pause = self._timings.refused
            line.goes_at = now
        elif line.goes_at is None:
            log.info("slack %s: connection %d is to be replaced (%s)", self._workspace, line.number, reason[:40])
            line.goes_at = now + self._timings.linger
            self._judge(line)
        self._changed.set()

    def _judge(self, line: _Line) -> None:
        """A connection that ends as soon as it is up is a failure: without a pause it would be asked for at once."""
        lived = time.monotonic() - line.since
        self._failures = 0 if lived >= self._timings.settled else self._failures + 1

    async def _acknowledge(self) -> None:
        """Acknowledge each envelope after its commit, in order. Without one Slack repeats it, which does no harm."""
        while True:
            envelope, stored, line = await self._acks.get()
            try:
                if stored is not None:
                    await stored
                await self._send_ack(envelope, line)
                if stored is not None and self._gap == _STORE_GAP:
                    await self._resume()  # Slack repeats an event only for some minutes
            except BridgeError as fault:
                self._not_stored(fault)
            finally:
                self._acks.task_done()

    async def _send_ack(self, envelope: str, line: _Line) -> None:
        answer = orjson.dumps(SocketModeResponse(envelope).to_dict()).decode()
        for open_line in (line, *self._lines):  # Slack takes it on any connection of the app
            if not open_line.socket.closed:
                with suppress(aiohttp.ClientError, OSError):
                    await open_line.socket.send_str(answer)
                    return

    def _not_stored(self, fault: BridgeError) -> None:
        self._last_error = f"an event was not stored: {fault}"
        self._gap = self._gap or _STORE_GAP
        level = logging.WARNING if isinstance(fault, StoreUnavailable) else logging.ERROR
        log.log(level, "slack %s: %s", self._workspace, self._last_error)

    def _fail(self, what: str, trouble: str = "") -> None:
        if what != self._last_error:
            log.warning("slack %s: %s", self._workspace, what)
        self._last_error = what
        self._trouble = trouble or self._trouble

    async def _close(self, line: _Line) -> None:
        with suppress(aiohttp.ClientError, OSError, TimeoutError):
            await line.socket.close()


_STORE_GAP: Final = "the store did not take an event"
_ENDS: Final = frozenset(
    {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSING, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR}
)
_TROUBLES: Final = frozenset({"link_disabled", "too_many_websockets"})


def _told_to_go(reason: str) -> BridgeError:
    """Words for a `disconnect` frame."""
    if reason in _TROUBLES:
        meaning = MEANINGS[reason]
        return Refused(reason, meaning.detail, meaning.remedy)
    return Later(f"no connection: Slack says {reason[:40]}")


def _frame(text: str) -> dict[str, Any]:
    """The frame as an object; an empty one for anything else."""
    try:
        frame = orjson.loads(text)
    except ValueError:
        return {}
    return frame if isinstance(frame, dict) else {}
