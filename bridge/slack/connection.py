"""One WebSocket to Slack: from the address to its end, frame by frame.

Promises: a connection is handed out only after Slack's hello; its frames come as objects, one at a time and in order,
with anything that is none passed over; pings are answered and sent; a connection that is silent for too long ends.
Refuses to know what the frames are for, and to come back: an ended connection is replaced from outside.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.request import getproxies, proxy_bypass

import aiohttp
from yarl import URL

from bridge.errors import BridgeError, Later, Refused
from bridge.slack.refusals import MEANINGS
from bridge.slack.wire import parsed

if TYPE_CHECKING:
    from typing import Self

    from bridge.slack.wire import Fields

log = logging.getLogger(__name__)

MAX_FRAME: Final = 4 * 1024 * 1024
"""Bytes; a longer frame ends its connection."""

TROUBLES: Final = frozenset({"link_disabled", "too_many_websockets"})
"""Reasons of a `disconnect` after which it is of no use to come back at once."""

_ENDS: Final = frozenset(
    {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSING, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR}
)


@dataclass(frozen=True, slots=True)
class Timings:
    """Seconds.

    `connect`: until Slack's hello. `ping`: of quiet before we ask. `silence`: without any frame, not even the answer
    to a ping, until a connection counts as dead. `linger`: that a connection which Slack replaces is still read.
    `settled`: of life that tell a good connection from a failure. `back_off`, `longest_back_off`: between failures,
    doubling. `refused`: until a token or app that Slack refuses is tried again. `drain`: for the last
    acknowledgements at the end.
    """

    connect: float = 15.0
    ping: float = 10.0
    silence: float = 30.0
    linger: float = 30.0
    settled: float = 10.0
    back_off: float = 1.0
    longest_back_off: float = 60.0
    refused: float = 120.0
    drain: float = 3.0


class Ended(Exception):
    """The connection gives no more frames; `is_silent` where nobody said so."""

    def __init__(self, reason: str, *, is_silent: bool = False) -> None:
        super().__init__(reason)
        self.is_silent = is_silent


class Connection:
    """An open connection; `leaves_at` is when it is closed from here because Slack replaces it, None to stay."""

    def __init__(self, number: int, socket: aiohttp.ClientWebSocketResponse, timings: Timings) -> None:
        self.number = number
        self.leaves_at: float | None = None
        self._socket = socket
        self._timings = timings
        self._since = self._heard = time.monotonic()

    @classmethod
    async def open(cls, number: int, url: str, session: aiohttp.ClientSession, timings: Timings) -> Self:
        """Connect and wait for Slack's hello.

        Raises Later, Refused (Socket Mode switched off), TimeoutError and what aiohttp raises, whose text may hold the
        address and with it a ticket: do not show it.
        """
        async with asyncio.timeout(timings.connect):
            socket = await session.ws_connect(
                url,
                autoping=False,
                max_msg_size=MAX_FRAME,
                proxy=proxy_for(url) if session.trust_env else None,
                timeout=aiohttp.ClientWSTimeout(ws_close=2.0),
            )
            connection = cls(number, socket, timings)
            try:
                await connection._greeting()
            except BaseException:
                await connection.close()
                raise
        return connection

    @property
    def age(self) -> float:
        """Seconds since it was opened."""
        return time.monotonic() - self._since

    @property
    def is_open(self) -> bool:
        """Whether something may be sent."""
        return not self._socket.closed

    async def frame(self) -> Fields:
        """The next frame; an empty one for what is no JSON object. Raises Ended, OSError and aiohttp's errors."""
        while True:
            if self.leaves_at is not None and time.monotonic() >= self.leaves_at:
                raise Ended("was replaced")
            try:
                message = await self._socket.receive(self._timings.ping)
            except TimeoutError:
                if time.monotonic() - self._heard > self._timings.silence:
                    raise Ended("fell silent", is_silent=True) from None
                await self._socket.ping()
                continue
            self._heard = time.monotonic()
            if message.type == aiohttp.WSMsgType.TEXT:
                return _object(message.data)
            if message.type == aiohttp.WSMsgType.PING:
                await self._socket.pong(message.data)
            elif message.type in _ENDS:
                broke = message.type == aiohttp.WSMsgType.ERROR
                raise Ended(f"broke ({type(message.data).__name__})" if broke else "ended")

    async def send(self, text: str) -> bool:
        """Send a text and return whether the connection took it."""
        with suppress(aiohttp.ClientError, OSError):
            await self._socket.send_str(text)
            return True
        return False

    async def close(self) -> None:
        """Close it, whatever state it is in."""
        with suppress(aiohttp.ClientError, OSError, TimeoutError):
            await self._socket.close()

    async def _greeting(self) -> None:
        while True:
            try:
                frame = await self.frame()
            except Ended:
                raise Later("no connection: Slack closed it before its hello") from None
            if frame.get("type") == "hello":
                return
            if frame.get("type") == "disconnect":
                raise farewell(str(frame.get("reason")))


def farewell(reason: str) -> BridgeError:
    """Words for the reason of a `disconnect`."""
    if reason in TROUBLES:
        meaning = MEANINGS[reason]
        return Refused(reason, meaning.detail, meaning.remedy)
    return Later(f"no connection: Slack says {reason[:40]}")


def proxy_for(url: str) -> str | None:
    """The proxy that the environment names for https also serves wss, which aiohttp does not assume."""
    target = URL(url)
    if target.scheme != "wss" or (target.host and proxy_bypass(target.host)):
        return None
    return getproxies().get("https")


def _object(text: str) -> Fields:
    frame = parsed(text)
    if frame is None:
        log.warning("slack: a frame of %d characters is no JSON object", len(text))
    return frame or {}
