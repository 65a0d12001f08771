"""The API on a listener: who asks is known by a token, what is asked is read by its types, and so is the answer.

Promises: no answer to whoever has no token, or too small a role, and none fast to whoever tries tokens; every failure
is a problem+json that says what to do; a body is read up to a limit, and only as JSON. Refuses: cookies, other origins
(there is no CORS), unknown fields.
"""

from __future__ import annotations

import hmac
import logging
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import orjson
from aiohttp import web
from pydantic import TypeAdapter, ValidationError

from bridge.administration.acting import Actor
from bridge.api.contract import PREFIX, Role, described
from bridge.api.operations import OPERATIONS
from bridge.api.problems import Failed, failure_of, flaws_of
from bridge.errors import BridgeError, Declined

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bridge.administration.guesses import Guesses
    from bridge.administration.office import Office
    from bridge.api.contract import Operation
    from config.console import ApiToken

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

log = logging.getLogger(__name__)

LARGEST_BODY = 64 * 1024
_DESCRIPTION = "openapi.json"
_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}


def application(office: Office, guesses: Guesses) -> web.Application:
    """Return the application to mount under `PREFIX`."""
    app = web.Application(middlewares=[_answered], client_max_size=LARGEST_BODY)
    description = orjson.dumps(described(OPERATIONS, version("causeway")))

    async def show_description(_: web.Request) -> web.Response:
        return web.Response(body=description, content_type="application/json")

    app.router.add_get(f"/{_DESCRIPTION}", show_description)
    for operation in OPERATIONS:
        app.router.add_route(operation.method, operation.path, _handler(office, guesses, operation))
    return app


def _handler(office: Office, guesses: Guesses, operation: Operation) -> Handler:
    writer = TypeAdapter(operation.answer)
    tokens = office.settings.console.tokens

    async def handle(request: web.Request) -> web.Response:
        whose = await identified(request, tokens, guesses)
        actor = Actor(whose.name, f"API, {request.remote}")
        if not Role(whose.role).allows(operation.role):
            await office.store.database.commit(actor.refused(operation.name, "forbidden"))
            raise Failed(
                403, "forbidden", f"the token {whose.name} has the role user; this takes one of the role admin"
            )
        asked = _read_asked(request, operation)
        body = await _read_body(request, operation)
        try:
            answer = await operation.handler(office, actor, asked, body)
        except Declined as declined:
            if operation.method != "GET":
                await office.store.database.commit(actor.refused(operation.name, declined.code))
            raise
        written = writer.dump_json(writer.validate_python(answer, from_attributes=True), by_alias=True)
        return web.Response(status=operation.status, body=written, content_type="application/json")

    return handle


async def identified(request: web.Request, tokens: tuple[ApiToken, ...], guesses: Guesses) -> ApiToken:
    """Return the token that a request shows; raises Failed for none, one not known, or one too soon after others."""
    scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
    token = shown.strip() if scheme.lower() == "bearer" else ""
    found = None
    if token:
        if seconds := guesses.wait(request.remote):
            words = f"too many tokens from this address were wrong: none is looked at for {seconds} seconds"
            raise Failed(429, "too_many", words, headers={"Retry-After": str(seconds)})
        for one in tokens:  # all of them, so that the time tells nothing
            if hmac.compare_digest(one.token.reveal().encode(), token.encode(errors="surrogateescape")):
                found = one
    if found is None:
        log.warning("API: %s %s without a token that is known, from %s", request.method, request.path, request.remote)
        if token:
            await guesses.wrong("API", request.remote, "token", "unknown_token")
        raise Failed(
            401,
            "unauthorized",
            "send `Authorization: Bearer …` with a token of console.tokens in the configuration",
            headers={"WWW-Authenticate": 'Bearer realm="causeway"'},
        )
    return found


def _read_asked(request: web.Request, operation: Operation) -> Any:  # Any: an `operation.asked`
    given: dict[str, str] = {}
    for name, value in request.query.items():
        if name in given or name in operation.in_path:
            raise Failed(422, "invalid", f"{name} is given more than once: give it once")
        given[name] = value
    given |= request.match_info
    try:
        return operation.asked.model_validate(given)
    except ValidationError as error:
        flaws = flaws_of(error.errors(include_url=False, include_input=False), "query")
        words = "the request cannot be read: see `flaws`, and the description at openapi.json"
        raise Failed(422, "invalid", words, flaws=flaws) from None


async def _read_body(request: web.Request, operation: Operation) -> Any:  # Any: an `operation.body`, or None
    raw = await request.read()
    if operation.body is None:
        if raw:
            raise Failed(422, "invalid", "this takes no body: send none")
        return None
    if request.content_type != "application/json":
        raise Failed(415, "no_json", "send the body as JSON, with `Content-Type: application/json`")
    try:
        return operation.body.model_validate(orjson.loads(raw))
    except orjson.JSONDecodeError as error:
        raise Failed(400, "no_json", f"the body is no JSON: {error.msg}") from None
    except ValidationError as error:
        flaws = flaws_of(error.errors(include_url=False, include_input=False), "body")
        words = "the body cannot be read: see `flaws`, and the description at openapi.json"
        raise Failed(422, "invalid", words, flaws=flaws) from None


@web.middleware
async def _answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Have every failure answered as a problem, and every answer say no more to a browser than it should."""
    try:
        response = await handler(request)
    except Failed as failed:
        response = failed.response()
    except web.HTTPRequestEntityTooLarge:
        response = Failed(413, "too_large", f"the body is larger than {LARGEST_BODY} bytes: send less").response()
    except web.HTTPMethodNotAllowed as refused:
        methods = ", ".join(sorted(refused.allowed_methods))
        words = f"{request.method} is not for this address: use {methods}"
        response = Failed(405, "method_not_allowed", words, headers={"Allow": methods}).response()
    except web.HTTPNotFound:
        words = f"there is nothing at this address: {PREFIX}/{_DESCRIPTION} describes all that there is"
        response = Failed(404, "not_found", words).response()
    except BridgeError as error:
        response = failure_of(error).response()
    response.headers.update(_HEADERS)
    return response
