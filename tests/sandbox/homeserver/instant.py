"""An instant homeserver: answers at once, remembers everything, behaves as Synapse does where a bridge can see it.

    async with InstantHomeserver(registrations=[registration]) as homeserver:
        ada = await homeserver.person("ada")
        room = await ada.create_room(preset="public_chat")
        homeserver.faults.lose_answer(path="/send/")

It serves the client-server API over HTTP, and to people of this process directly. It pushes transactions to each
application service (`push=False` turns that off). `restart` forgets the transaction ids, as a restarted Synapse does.
It knows no devices, no encryption, no federation and no history visibility but `shared`; what it does not know it
refuses. `process` runs it as a process of its own.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qsl

import orjson
from aiohttp import web

from tests.sandbox.child import LOOPBACK, free_port
from tests.sandbox.homeserver import people, rooms, routes
from tests.sandbox.homeserver.call import Call, MatrixError, Service, forbidden
from tests.sandbox.homeserver.faults import Dropped, Faults
from tests.sandbox.homeserver.person import Person
from tests.sandbox.homeserver.pushing import Pusher
from tests.sandbox.homeserver.sync import Sync
from tests.sandbox.homeserver.timeline import Line, timeline_of
from tests.sandbox.homeserver.transport import Json, understood
from tests.sandbox.homeserver.world import Media, World

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

SERVER_NAME = "localhost"


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    content: bytes
    content_type: str = "application/json"


class InstantHomeserver:
    """`world` is what it remembers, `faults` what shall go wrong; `watch` is called with every request and answer."""

    def __init__(
        self,
        *,
        registrations: Sequence[Mapping[str, Any]] = (),
        server_name: str = SERVER_NAME,
        port: int | None = None,
        push: bool = True,
        patience: float = 0.02,
        world: World | None = None,
    ) -> None:
        self.world = world or World(server_name)
        self.faults = Faults()
        self.watch: list[Callable[[Call, Answer], None]] = []
        self.latency = 0.0
        self.port = port or free_port()
        self.url = f"http://{LOOPBACK}:{self.port}"
        self.services = [Service.of(registration, self.world.server_name) for registration in registrations]
        self.pushers = [Pusher(self.world, s, patience=patience) for s in self.services if s.url and push]
        self._by_token = {service.as_token: service for service in self.services}
        self._answered: dict[tuple[str, str], Answer] = {}
        own: dict[str, routes.Handler] = {
            "GET client/v3/sync": Sync(self.world),
            "GET client/v3/directory/room/*": self._alias,
            "POST client/v1/appservice/*/ping": self._ping,
        }
        self._once = frozenset(routes.ONCE.values())
        self._open = set(routes.OPEN.values())
        self._router = routes.Router(own, routes.ONCE, routes.OPEN, routes.TABLE)
        self._stack = AsyncExitStack()
        self._runner: web.ServerRunner | None = None

    async def __aenter__(self) -> Self:
        await self.accept()
        for pusher in self.pushers:
            task = asyncio.create_task(pusher.run())
            self._stack.push_async_callback(_ended, task)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.faults.clear()
        await self._stack.aclose()
        await self.refuse()

    def add_routes(self, table: Mapping[str, routes.Handler]) -> None:
        """Serve more requests, which need no token."""
        self._router.add(table)
        self._open.update(table.values())

    # What a test does to it

    async def accept(self) -> None:
        """Listen on its port (again)."""
        if self._runner is None:
            self._runner = web.ServerRunner(web.Server(self._serve, access_log=None), shutdown_timeout=0)
            await self._runner.setup()
            await web.TCPSite(self._runner, LOOPBACK, self.port).start()

    async def refuse(self) -> None:
        """Stop listening and cut every connection; what it remembers stays."""
        if self._runner:
            await self._runner.cleanup()
            self._runner = None

    async def restart(self) -> None:
        """Cut every connection and forget which transaction ids were seen."""
        await self.refuse()
        self._answered.clear()
        await self.accept()

    async def settled(self) -> None:
        """Return when every application service has accepted everything so far."""
        for pusher in self.pushers:
            await pusher.settled()

    async def person(self, name: str, password: str = "secret") -> Person:
        """A local person, made when there is none of that name, who acts without a detour over HTTP."""
        user_id = self.world.user_id(name)
        if user_id not in self.world.accounts:
            people.add_account(self.world, user_id, password)
        return Person(InstantTransport(self), user_id, self.world.new_token(user_id))

    def events(self, room_id: str) -> list[Json]:
        return [event.shown() for event in self.world.rooms[room_id].events]

    def timeline(self, room_id: str) -> tuple[Line, ...]:
        return timeline_of(self.events(room_id))

    # What it does for a request

    async def answer(
        self, method: str, path: str, query: Mapping[str, str], token: str | None, content: bytes, content_type: str
    ) -> Answer:
        """The answer to a request whose path is still encoded; raises Dropped where the connection shall be cut."""
        call = Call(method, path, query, content, content_type)
        lost = False
        try:
            if self.latency:
                await asyncio.sleep(self.latency)
            lost = await self.faults.before(call)
            handler, call.arguments = self._router.find(method, path)
            if handler not in self._open:
                self._identify(call, token)
            answer = (
                await self._once_only(handler, call, token) if handler in self._once else await self._do(handler, call)
            )
        except MatrixError as refused:
            answer = Answer(refused.status, orjson.dumps(refused.body))
        for watcher in self.watch:
            watcher(call, answer)
        if lost:
            raise Dropped(half=True)
        return answer

    async def _do(self, handler: routes.Handler, call: Call) -> Answer:
        outcome = handler(self.world, call)
        result = await outcome if isawaitable(outcome) else outcome
        if isinstance(result, Media):
            return Answer(200, result.data, result.content_type)
        return Answer(200, orjson.dumps(result))

    async def _once_only(self, handler: routes.Handler, call: Call, token: str | None) -> Answer:
        """Answer a repeated transaction id from memory. Its scope is the whole service, not the ghost."""
        key = (call.path, token or "")
        if key not in self._answered:
            self._answered[key] = await self._do(handler, call)
        return self._answered[key]

    def _identify(self, call: Call, token: str | None) -> None:
        token = token or call.query.get("access_token")
        if not token:
            raise MatrixError(401, "M_MISSING_TOKEN", "Missing access token")
        service = self._by_token.get(token)
        if service is None:
            if token not in self.world.tokens:
                raise MatrixError(401, "M_UNKNOWN_TOKEN", "Invalid access token passed.", soft_logout=False)
            call.sender = self.world.tokens[token]
            return
        call.service = service
        call.sender = call.query.get("user_id", service.sender)
        if not service.owns_user(call.sender):
            raise forbidden(f"Application service cannot masquerade as this user ({call.sender}).")
        if call.sender not in self.world.accounts and call.sender != service.sender:
            raise forbidden(f"Application service has not registered this user ({call.sender})")

    async def _alias(self, world: World, call: Call) -> Json:
        """Look an alias up; a service whose namespace it is in may make the room now."""
        alias = call.arguments[0]
        if alias not in world.aliases:
            for pusher in self.pushers:
                if await pusher.asks_for_alias(alias):
                    break
        return rooms.alias_get(world, call)

    async def _ping(self, world: World, call: Call) -> Json:
        for pusher in self.pushers:
            if pusher.service is call.service:
                return await pusher.ping(world, call)
        raise MatrixError(400, "M_URL_NOT_SET", "The application service does not have a URL set")

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        try:
            answer = await self.answer(
                request.method,
                request.rel_url.raw_path,
                request.query,
                token if scheme == "Bearer" else None,
                await request.content.read(),
                request.headers.get("Content-Type", ""),
            )
        except Dropped as dropped:
            return await _cut(request, half=dropped.half)
        return web.Response(status=answer.status, body=answer.content, headers={"Content-Type": answer.content_type})


class InstantTransport:
    """Requests of this process, handed over without a socket between."""

    def __init__(self, homeserver: InstantHomeserver) -> None:
        self._homeserver = homeserver

    async def request(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        query: Mapping[str, str] | None = None,
        body: Json | bytes | None = None,
        content_type: str = "application/json",
    ) -> Json | bytes:
        content = orjson.dumps(body) if isinstance(body, dict) else body or b""
        path, _, inline = path.partition("?")
        whole = {**dict(parse_qsl(inline)), **(query or {})}
        try:
            answer = await self._homeserver.answer(method, path, whole, token, content, content_type)
        except Dropped as dropped:
            raise ConnectionResetError("the homeserver cut the connection") from dropped
        return understood(answer.status, answer.content_type, answer.content)


async def _cut(request: web.BaseRequest, *, half: bool) -> web.StreamResponse:
    """Cut the connection, after `half` an answer if so wanted."""
    response = web.StreamResponse(headers={"Content-Length": "1000", "Content-Type": "application/json"})
    if half:
        await response.prepare(request)
        await response.write(b'{"event_id": "')
    assert request.transport is not None
    request.transport.abort()
    return response


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
