"""Socket Mode: addresses good for one socket, up to ten sockets an app, each envelope to any one of them.

A socket that is dead (see `Faults.dead_sockets` and `silence`) still counts as open here, as it does for a server that
has not noticed yet: what is sent into it is gone, and is tried again when no acknowledgement comes.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
import uuid
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import orjson
from aiohttp import WSMsgType, web

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.slack.delivery import Delivery, Parcel
    from tests.sandbox.slack.faults import Faults
    from tests.sandbox.slack.reality import Reality
    from tests.sandbox.slack.state import App, Json, Mint
    from tests.sandbox.slack.workspace import Site

MOST_SOCKETS = 10


@dataclass(slots=True, eq=False)
class Connection:
    """One socket of an app."""

    app: App
    ws: web.WebSocketResponse
    transport: asyncio.Transport | None
    outbox: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    dead: bool = False
    closing: bool = False
    pong_at: float = field(default_factory=time.monotonic)


class Sockets:
    """All sockets of all apps."""

    def __init__(
        self,
        site: Site,
        mint: Mint,
        reality: Reality,
        faults: Faults,
        delivery: Delivery,
        later: Callable[[float, Callable[[], None]], None],
    ) -> None:
        self.connections: list[Connection] = []
        self.acks: deque[str] = deque(maxlen=10_000)
        self._site, self._mint, self._reality = site, mint, reality
        self._faults, self._delivery, self._later = faults, delivery, later
        self._addresses: dict[str, App] = {}
        self._sent: dict[str, Parcel] = {}
        self._random = random.Random(7)
        self._tasks: set[asyncio.Task[None]] = set()

    async def stop(self) -> None:
        """Ends every socket and task."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.kill()

    def _spawn(self, work: object) -> None:
        assert asyncio.iscoroutine(work)
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def new_address(self, app: App, debug_reconnects: bool) -> str:
        """An address that lets one socket in."""
        ticket = str(uuid.uuid4())
        self._addresses[ticket] = app
        tail = "&debug_reconnects=true" if debug_reconnects else ""
        return f"{self._site.ws_url}/link/?ticket={ticket}&app_id={app.id}{tail}"

    def of(self, app: App) -> list[Connection]:
        """The sockets that Slack takes for open."""
        return [one for one in self.connections if one.app is app and not one.closing]

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Lets a socket in, and reads it to its end."""
        app = self._addresses.pop(request.query.get("ticket", ""), None)
        if self._faults.refuse_sockets or self._faults.outage or app is None:
            self._faults.refuse_sockets = max(0, self._faults.refuse_sockets - 1)
            return web.Response(status=404, text="not found")
        ws = web.WebSocketResponse(autoping=False, max_msg_size=1 << 20)
        await ws.prepare(request)
        connection = Connection(app, ws, request.transport)
        if self._faults.dead_sockets:
            self._faults.dead_sockets -= 1
            connection.dead = True
        if len(self.of(app)) >= MOST_SOCKETS:
            await ws.send_str(_disconnect("too_many_websockets"))
            await ws.close()
            return ws
        self.connections.append(connection)
        try:
            if not connection.dead:
                await ws.send_str(self._hello(app))
                if self._reality.backlog == "on_connect":
                    self._delivery.retry_waiting(app)
            self._spawn(self._write(connection))
            self._spawn(self._ping(connection))
            await self._read(connection)
        finally:
            connection.closing = True
            if connection in self.connections:
                self.connections.remove(connection)
        return ws

    def _hello(self, app: App) -> str:
        debug = {"host": "applink-1", "build_number": 1, "approximate_connection_time": 18_060}
        hello: Json = {"type": "hello", "num_connections": len(self.of(app)), "debug_info": debug}
        return orjson.dumps(hello | {"connection_info": {"app_id": app.id}}).decode()

    async def _read(self, connection: Connection) -> None:
        async for message in connection.ws:
            if connection.dead:
                continue
            if message.type is WSMsgType.PING:
                with contextlib.suppress(ConnectionError):
                    await connection.ws.pong(message.data)
            elif message.type is WSMsgType.PONG:
                connection.pong_at = time.monotonic()
            elif message.type is WSMsgType.TEXT:
                self._acknowledge(message.data)

    def _acknowledge(self, text: str) -> None:
        try:
            envelope_id = orjson.loads(text)["envelope_id"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            return
        self.acks.append(envelope_id)
        parcel = self._sent.pop(envelope_id, None)
        if parcel is not None:
            self._delivery.done(parcel)

    async def _ping(self, connection: Connection) -> None:
        every = self._delivery.times.ping
        while not connection.closing:
            await asyncio.sleep(every)
            if time.monotonic() - connection.pong_at > 4 * every:
                connection.closing = True
                await connection.ws.close()
            elif not connection.dead:
                with contextlib.suppress(ConnectionError):
                    await connection.ws.ping(b"Ping from applink-1")

    def send(self, parcel: Parcel) -> None:
        """Starts an attempt. Envelopes leave a socket in the order of these calls, unless a fault delays them."""
        if self._faults.delayed_envelopes:
            self._later(self._faults.delayed_envelopes.popleft(), lambda: self._attempt(parcel))
            return
        self._attempt(parcel)
        if self._faults.duplicated_envelopes:
            self._faults.duplicated_envelopes -= 1
            self._attempt(parcel)

    async def flushed(self) -> None:
        """Waits until everything was written to sockets."""
        while any(not connection.outbox.empty() for connection in self.connections):
            await asyncio.sleep(0)

    async def _write(self, connection: Connection) -> None:
        """Writes what waits for one socket; one that does not read holds up nobody else."""
        with contextlib.suppress(ConnectionError):  # it broke: no acknowledgement will come
            while not connection.closing:
                text = await connection.outbox.get()
                if not connection.dead:
                    await connection.ws.send_str(text)

    def _attempt(self, parcel: Parcel) -> None:
        open_ones = self.of(parcel.app)
        if not open_ones:
            self._delivery.failed(parcel, "no_connection")
            return
        connection = self._random.choice(open_ones)
        envelope_id = str(uuid.uuid4())
        parcel.envelope_ids.append(envelope_id)
        self._sent[envelope_id] = parcel
        attempt = parcel.attempt
        self._later(self._delivery.times.ack_wait, lambda: self._timed_out(parcel, attempt))
        # The wrapper is JSON already and is put in as it is: an envelope costs no second encoding.
        head = f'{{"envelope_id":"{envelope_id}","payload":'
        tail = (
            f',"type":"events_api","accepts_response_payload":false,'
            f'"retry_attempt":{parcel.attempt},"retry_reason":"{parcel.reason}"}}'
        )
        connection.outbox.put_nowait(head + parcel.body.decode() + tail)

    def _timed_out(self, parcel: Parcel, attempt: int) -> None:
        if parcel.attempt == attempt:
            parcel.envelope_ids.clear()
            self._delivery.failed(parcel, "timeout")

    async def disconnect(self, reason: str, app: App | None = None, grace: float = 10.0) -> None:
        """Asks apps to come anew. After `warning` the sockets close when the grace (scaled) is over."""
        for connection in list(self.connections):
            if app is not None and connection.app is not app:
                continue
            with contextlib.suppress(ConnectionError):
                await connection.ws.send_str(_disconnect(reason))
            if reason == "warning":
                self._spawn(self._close_later(connection, grace * self._delivery.times.scale))
            else:
                connection.closing = True
                await connection.ws.close()

    async def _close_later(self, connection: Connection, seconds: float) -> None:
        await asyncio.sleep(seconds)
        connection.closing = True
        with contextlib.suppress(ConnectionError):
            await connection.ws.send_str(_disconnect("refresh_requested"))
            await connection.ws.close()

    async def kill(self) -> None:
        """Breaks every socket without a word."""
        broken, self.connections[:] = list(self.connections), []
        for connection in broken:
            connection.closing = True
            if connection.transport is not None:
                connection.transport.abort()
        await asyncio.sleep(0)

    def silence(self) -> None:
        """Makes every open socket dead: open, but nothing comes or is heard any more."""
        for connection in self.connections:
            connection.dead = True


def _disconnect(reason: str) -> str:
    return orjson.dumps({"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-1"}}).decode()
