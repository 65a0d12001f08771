"""A homeserver in a few lines: it answers what a test told it to and remembers what it was asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson
from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    Reply = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Asked:
    """One request as it arrived; the path still in its percent-encoded form."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass
class StubHomeserver:
    """Answers `{"event_id": "$1"}` to everything, or the replies in `replies`, in order, while there are any."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        path = request.rel_url.raw_path
        self.asked.append(Asked(request.method, path, dict(request.query), dict(request.headers), body))
        if self.replies:
            return await self.replies.pop(0)(request)
        return web.json_response({"event_id": "$1"})

    def reply(self, status: int = 200, **fields: Any) -> None:
        """Answer the next request that has no answer yet with this JSON object."""
        self.reply_bytes(status, orjson.dumps(fields), {"Content-Type": "application/json"})

    def reply_bytes(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        async def answer(_: web.Request) -> web.StreamResponse:
            return web.Response(status=status, body=body, headers=headers)

        self.replies.append(answer)

    def drop(self) -> None:
        """Close the connection instead of answering."""

        async def answer(request: web.Request) -> web.StreamResponse:
            assert request.transport is not None
            request.transport.close()
            return web.Response()

        self.replies.append(answer)

    def application(self) -> web.Application:
        application = web.Application(client_max_size=64 * 1024 * 1024)
        application.router.add_route("*", "/{path:.*}", self.handle)
        return application
