"""The endpoints that listen, as whole requests of raw bytes: whatever is sent, the next good one is served."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import tempfile
import time
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_from_bytes

from aiohttp import web

from bridge.http import Listener
from bridge.matrix.appservice import Appservice
from bridge.public.face import application as public_application
from bridge.slack.events_api import EventsApi, SignedApp
from bridge.store.directory import Directory
from bridge.store.links import Links
from bridge.store.opening import open_database
from bridge.store.places import Places
from bridge.work.permalinks import Permalinks
from portals.avatars import AvatarAddresses
from portals.ids import GhostNames

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping, Sequence

_TOKEN = "hs-token-of-the-fuzz"
_BEARER = b"Authorization: Bearer " + _TOKEN.encode()
_SECRET = "signing-secret"
_GOOD = b'{"events": []}'


async def asked(port: int, request: bytes, *, ends: bool) -> bytes:
    """Send a request, and nothing more after it if it `ends`; returns all that comes back."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        if ends:
            writer.write_eof()
        return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


class _Endpoints:
    """Both endpoints on a loop of their own, which runs while somebody asks."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.admitted: list[object] = []
        self.listener = self.loop.run_until_complete(self._started())

    async def _started(self) -> Listener:
        async def admit(_: str, events: Sequence[Mapping[str, Any]]) -> None:
            self.admitted = list(events)

        async def exists(_: str) -> bool:
            return False

        async def on_gap(_: str) -> None:
            pass

        def take(payload: Mapping[str, Any]) -> Awaitable[None]:
            self.admitted = [payload]
            return asyncio.sleep(0)

        app = web.Application()
        app.add_routes(Appservice(_TOKEN, admit, lambda _: None, exists, exists, largest_body=100_000).routes())
        signed = EventsApi([SignedApp("acme", _SECRET, take, on_gap, lambda: "T1")], max_body=100_000, read_seconds=0.2)
        app.router.add_post("/slack/events", signed.handle)
        listener = Listener(app, "127.0.0.1", 0)
        await listener.start()
        return listener

    def answer(self, request: bytes, *, ends: bool = False) -> bytes:
        return self.loop.run_until_complete(asked(self.listener.port, request, ends=ends))

    def survives(self, request: bytes, *, ends: bool = False) -> None:
        """Send a request, after which nothing more comes if it `ends`.

        Fails where a fault of ours is the answer, or a good request is not served after it.
        """
        answer = self.answer(request, ends=ends)
        assert b" 500 " not in answer.partition(b"\r\n")[0], answer[:500]
        good = self.answer(_request(b"PUT /_matrix/app/v1/transactions/t", _GOOD, _BEARER))
        assert good.startswith(b"HTTP/1.1 200 "), good[:500]


@cache
def _endpoints() -> _Endpoints:
    return _Endpoints()


def homeserver_request(data: bytes) -> None:
    """Bytes as a request, and as the body of one that bears the token."""
    _endpoints().survives(data, ends=True)
    _endpoints().survives(_request(b"PUT /_matrix/app/v1/transactions/t", data, _BEARER))


class _Public:
    """The public listener over an empty store, on a loop of its own."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._folder = tempfile.TemporaryDirectory(prefix="causeway-fuzz-")
        self.listener = self.loop.run_until_complete(self._started())

    async def _started(self) -> Listener:
        names = GhostNames("example.org", "causeway", "slack_{team}_{user}", "slack_{team}_{channel}")
        database = await open_database(f"sqlite:///{self._folder.name}/causeway.db")
        nobody: Any = None  # an empty store leads to no room and no picture, so no homeserver is asked
        permalinks = Permalinks(
            names=names,
            directory=Directory(database, names),
            places=Places(database),
            links=Links(database),
            matrix=nobody,
        )
        avatars = AvatarAddresses("https://bridge.example.org", b"k" * 32)
        listener = Listener(public_application(permalinks, nobody, avatars), "127.0.0.1", 0)
        await listener.start()
        return listener


@cache
def _public() -> _Public:
    return _Public()


def public_request(data: bytes) -> None:
    """Bytes as a request of whoever finds the public listener, and as an address there."""
    public = _public()
    address = quote_from_bytes(data[:2000], safe="/?&=%").encode()
    for request, ends in ((data, True), (_request(b"GET /archives/" + address, b"", b"X-Empty: 1"), False)):
        answer = public.loop.run_until_complete(asked(public.listener.port, request, ends=ends))
        assert b" 500 " not in answer.partition(b"\r\n")[0], answer[:500]
    good = public.loop.run_until_complete(
        asked(public.listener.port, _request(b"GET /nothing", b"", b"X-Empty: 1"), ends=False)
    )
    assert good.startswith(b"HTTP/1.1 404 "), good[:500]


def slack_request(data: bytes) -> None:
    """Bytes as the body of a request that is signed as Slack does it."""
    now = str(int(time.time()))
    signature = hmac.new(_SECRET.encode(), f"v0:{now}:".encode() + data, hashlib.sha256).hexdigest()
    headers = f"X-Slack-Request-Timestamp: {now}\r\nX-Slack-Signature: v0={signature}"
    _endpoints().survives(_request(b"POST /slack/events", data, headers.encode()))


def _request(what: bytes, body: bytes, headers: bytes) -> bytes:
    lines = (what + b" HTTP/1.1", b"Host: x", b"Connection: close", b"Content-Length: %d" % len(body), headers)
    return b"\r\n".join(lines) + b"\r\n\r\n" + body
