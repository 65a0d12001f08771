"""A few lines of Slack for these tests alone: answers by script, remembers what it was asked, speaks Socket Mode."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer

if TYPE_CHECKING:
    from collections.abc import Callable

Answer = web.StreamResponse | dict[str, Any] | None


class StubSlack:
    """`script[method]` lists answers: fields, a response, or None to drop the connection; afterwards `ok: true`."""

    def __init__(self) -> None:
        self.script: dict[str, list[Answer]] = defaultdict(list)
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.headers: list[dict[str, str]] = []
        self.sockets: list[StubSocket] = []
        self.hello = True
        self.greeting: dict[str, Any] = {"type": "hello", "num_connections": 1}
        self.dead_urls = 0
        self.arrived = asyncio.Event()
        app = web.Application()
        app.router.add_post("/api/{method}", self._call)
        app.router.add_get("/link", self._link)
        app.router.add_route("*", "/files/{name}", self._file)
        self.file: Callable[[web.Request], Any] = lambda _: web.Response(body=b"bytes")
        self.server = TestServer(app)

    @property
    def api_url(self) -> str:
        return str(self.server.make_url("/api/"))

    def calls(self, method: str) -> list[dict[str, str]]:
        return [fields for name, fields in self.asked if name == method]

    async def socket(self, number: int) -> StubSocket:
        """Wait until connection `number`, counted from 0, has come."""
        while len(self.sockets) <= number:
            self.arrived.clear()
            await self.arrived.wait()
        return self.sockets[number]

    async def _call(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        form = await request.post()
        self.asked.append((method, {name: str(value) for name, value in form.items()}))
        self.headers.append(dict(request.headers))
        script = self.script[method]
        answer: Answer = {"ok": True}
        if method == "apps.connections.open":
            url = self.server.make_url("/link").with_scheme("ws")
            if self.dead_urls:
                self.dead_urls -= 1
                url = url.with_path("/nowhere")
            answer = {"ok": True, "url": str(url)}
        if script:
            answer = script.pop(0)
        if answer is None:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        return web.json_response(answer) if isinstance(answer, dict) else answer

    async def _link(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        if self.hello:
            await socket.send_json(self.greeting)
        link = StubSocket(socket)
        self.sockets.append(link)
        self.arrived.set()
        async for message in socket:
            if message.type == WSMsgType.TEXT:
                link.acks.put_nowait(json.loads(message.data)["envelope_id"])
            elif message.type == WSMsgType.PING and link.is_alive:
                await socket.pong(message.data)
        link.ended.set()
        return socket

    async def _file(self, request: web.Request) -> web.StreamResponse:
        self.headers.append(dict(request.headers))
        answer = self.file(request)
        response: web.StreamResponse = await answer if asyncio.iscoroutine(answer) else answer
        return response


class StubSocket:
    """One connection as Slack sees it."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self.socket = socket
        self.acks: asyncio.Queue[str] = asyncio.Queue()
        self.ended = asyncio.Event()
        self.is_alive = True

    async def event(self, name: str, **more: Any) -> None:
        payload = {"type": "event_callback", "event_id": name, "event": {"type": "message"}}
        await self.socket.send_json({"type": "events_api", "envelope_id": name, "payload": payload, **more})

    async def disconnect(self, reason: str) -> None:
        await self.socket.send_json({"type": "disconnect", "reason": reason})
