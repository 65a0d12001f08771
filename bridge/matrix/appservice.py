"""Our endpoint: where the homeserver delivers what happens in Matrix.

    PUT transactions/{id}   token → bounded body → readable events → `admit` (commits them) → 200 → weather
    GET users, rooms        may a ghost or a portal room of this name exist? the answer makes it, if it may
    POST ping               the homeserver reaches us

Promises: 200 is answered only after `admit` returned, with no other work before it, and any failure to store is a 503,
upon which the homeserver sends the same transaction again. A malformed event is dropped with a line in the log, so that
none holds up the queue for ever. Refuses: requests without the token, compared in constant time and before the body is
read, and bodies above the limit. A repeated transaction is simply admitted again: the inbox knows its events by name.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
from typing import TYPE_CHECKING, Any

import orjson
from aiohttp import web

from bridge.errors import BridgeError
from bridge.matrix.foreign_json import parse

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    Event = Mapping[str, Any]  # Any: the JSON of a foreign event; `portals.reading` is the door that types it
    Admit = Callable[[str, Sequence[Event]], Awaitable[None]]
    Weather = Callable[[Sequence[Event]], None]
    Exists = Callable[[str], Awaitable[bool]]
    _Handler = Callable[[web.Request], Awaitable[web.Response]]

log = logging.getLogger(__name__)

LARGEST_BODY = 32 * 1024 * 1024
"""Bytes: 100 events of 64 KiB, each with its previous content, and the ephemeral events beside them, with room left."""
_PATIENCE = 60.0
"""Seconds that a request body may take to arrive."""
_IDS = ("event_id", "room_id", "type", "sender")
_LONGEST_ID = 255
_EPHEMERAL = ("ephemeral", "de.sorunome.msc2409.ephemeral")


class Appservice:
    """Answers the homeserver's requests, once its routes are mounted on an application.

    `admit(transaction id, events)` returns once the events are committed. `weather(events)` takes typing, receipts and
    presence at once and must not fail. `user_exists(user id)` and `room_alias_exists(alias)` tell whether the
    homeserver may take the name as existing, having made what it names.
    """

    def __init__(
        self,
        hs_token: str,
        admit: Admit,
        weather: Weather,
        user_exists: Exists,
        room_alias_exists: Exists,
        *,
        largest_body: int = LARGEST_BODY,
    ) -> None:
        self._token = hs_token.encode()
        self._admit = admit
        self._weather = weather
        self._user_exists = user_exists
        self._room_alias_exists = room_alias_exists
        self._largest_body = largest_body

    def routes(self) -> list[web.RouteDef]:
        """Return the routes to mount, with those that homeservers used before the specification had a prefix."""
        served = (
            ("PUT", "/transactions/{transaction}", self._transaction),
            ("GET", "/users/{name}", self._user),
            ("GET", "/rooms/{name}", self._alias),
        )
        return [
            *(
                web.route(method, f"/_matrix/app/v1{path}", self._answering(handler))
                for method, path, handler in served
            ),
            web.post("/_matrix/app/v1/ping", self._answering(self._ping)),
            web.route("*", "/_matrix/app/{tail:.*}", self._answering(self._unrecognized)),
            *(web.route(method, path, self._answering(handler)) for method, path, handler in served),
        ]

    def _answering(self, handler: _Handler) -> _Handler:
        """Let a handler run for requests that carry the token, and answer what it refuses."""

        async def answer(request: web.Request) -> web.Response:
            try:
                self._authorize(request)
                return await handler(request)
            except _Problem as problem:
                return web.json_response({"errcode": problem.errcode, "error": problem.error}, status=problem.status)

        return answer

    async def _transaction(self, request: web.Request) -> web.Response:
        body = _object(await self._read(request))
        transaction = request.match_info["transaction"][:_LONGEST_ID]
        events = _sound_events(body.get("events"), transaction)
        try:
            await self._admit(transaction, events)
        except BridgeError as error:
            log.warning(
                "transaction %s with %d events is not stored, to be sent again: %s", transaction, len(events), error
            )
            raise _Problem(503, "M_UNKNOWN", "not stored, send it again") from error
        ephemeral = _ephemeral(body)
        if ephemeral:
            asyncio.get_running_loop().call_soon(self._weather, ephemeral)
        return _done()

    async def _user(self, request: web.Request) -> web.Response:
        return await self._query(request, self._user_exists)

    async def _alias(self, request: web.Request) -> web.Response:
        return await self._query(request, self._room_alias_exists)

    async def _query(self, request: web.Request, exists: Exists) -> web.Response:
        name = request.match_info["name"]
        try:
            known = await exists(name)
        except BridgeError as error:
            log.warning("whether %s exists cannot be told: %s", name, error)
            raise _Problem(503, "M_UNKNOWN", "cannot be told now") from error
        if not known:
            raise _Problem(404, "M_NOT_FOUND", "no such name")
        return _done()

    async def _ping(self, _: web.Request) -> web.Response:
        return _done()

    async def _unrecognized(self, _: web.Request) -> web.Response:
        raise _Problem(404, "M_UNRECOGNIZED", "no such endpoint")

    def _authorize(self, request: web.Request) -> None:
        header = request.headers.get("Authorization")
        given = header.removeprefix("Bearer ") if header is not None else request.query.get("access_token")
        if given is None:
            raise _Problem(401, "M_UNAUTHORIZED", "the homeserver's token is missing")
        if not hmac.compare_digest(given.encode("utf-8", "surrogateescape"), self._token):
            log.warning("a request to %s has a wrong token: compare hs_token on both sides", request.rel_url.raw_path)
            raise _Problem(403, "M_FORBIDDEN", "this is not the homeserver's token")

    async def _read(self, request: web.Request) -> bytes:
        if (request.content_length or 0) > self._largest_body:
            raise self._too_large()
        if request.content_length and request.content.is_eof():  # all of it is here, as that of most is
            return request.content.read_nowait()
        body = bytearray()
        try:
            async with asyncio.timeout(_PATIENCE):
                async for chunk in request.content.iter_any():
                    body += chunk
                    if len(body) > self._largest_body:
                        raise self._too_large()
        except TimeoutError:
            raise _Problem(408, "M_UNKNOWN", "the body took too long") from None
        return bytes(body)

    def _too_large(self) -> _Problem:
        log.error("a transaction is larger than %d bytes and is refused", self._largest_body)
        return _Problem(413, "M_TOO_LARGE", f"more than {self._largest_body} bytes")


class _Problem(Exception):
    """A request that is not served, with the Matrix error that says why."""

    def __init__(self, status: int, errcode: str, error: str) -> None:
        super().__init__(error)
        self.status = status
        self.errcode = errcode
        self.error = error


def _done() -> web.Response:
    return web.Response(body=b"{}", content_type="application/json")


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        found = parse(body)
    except ValueError:
        raise _Problem(400, "M_NOT_JSON", "the body is not JSON") from None
    if not isinstance(found, dict):
        raise _Problem(400, "M_BAD_JSON", "the body is not an object")
    return found


def _sound_events(found: object, transaction: str) -> list[Event]:
    events: list[Event] = []
    for position, event in enumerate(found if isinstance(found, list) else ()):
        flaw = _flaw(event)
        if flaw:
            log.warning("event %d of transaction %s is dropped: %s", position, transaction, flaw)
        else:
            events.append(event)
    return events


def _flaw(event: object) -> str:
    """Return what keeps an event from being stored; what keeps it from being understood is for its reader to say."""
    if not isinstance(event, dict):
        return "it is not an object"
    for name in _IDS:
        value = event.get(name)
        if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_ID or "\0" in value:
            return f"its {name} is not one"
    try:
        orjson.dumps(event)
    except TypeError:
        return "it is nested too deeply to be written again"
    return ""


def _ephemeral(body: Mapping[str, Any]) -> list[Event]:
    for name in _EPHEMERAL:
        found = body.get(name)
        if isinstance(found, list):
            return [event for event in found if isinstance(event, dict)]
    return []
