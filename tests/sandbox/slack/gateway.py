"""The Web API's front door: who calls, how often, with what; then faults, the method, the answer, the log.

Order of refusals: method known, token good, kind of token, rate, scope, arguments. Every answer is 200 with `ok`, save
429 and what a fault makes of it.
"""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import orjson
from aiohttp import web

from tests.sandbox.slack.errors import SlackRefusal
from tests.sandbox.slack.faults import CallRecord, Fault, Kind
from tests.sandbox.slack.webapi import METHODS
from tests.sandbox.slack.webapi.call import Args, Call

if TYPE_CHECKING:
    from tests.sandbox.slack.server import SlackSandbox
    from tests.sandbox.slack.state import Json, Token
    from tests.sandbox.slack.webapi.call import Method

MESSAGE_METHODS = ("conversations.history", "conversations.replies")
_PAGE_5XX = b"<html><head><title>Server Error</title></head><body><p>Slack is having trouble.</p></body></html>"
_AFTER = {
    Kind.DROP_AFTER,
    Kind.INTERNAL_AFTER,
    Kind.FATAL_AFTER,
    Kind.HTTP_503_AFTER,
    Kind.HANG_AFTER,
    Kind.GARBAGE,
    Kind.DELAY,
}


def bearer(request: web.BaseRequest) -> str:
    """The token of the Authorization header, or nothing."""
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    return value.strip() if kind.lower() == "bearer" else ""


def _basic(request: web.BaseRequest) -> Json:
    """An OAuth client's id and secret, when they came as basic authorization."""
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "basic":
        return {}
    client_id, _, secret = base64.b64decode(value).decode().partition(":")
    return {"client_id": client_id, "client_secret": secret}


def dropped(request: web.BaseRequest) -> web.Response:
    """Breaks the connection instead of answering."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


class Gateway:
    """Answers /api/<method>."""

    def __init__(self, sandbox: SlackSandbox) -> None:
        self._sandbox = sandbox

    async def answer(self, request: web.BaseRequest, method: str) -> web.StreamResponse:
        """One call."""
        sent = await _arguments(request)
        values = sent.values
        given = values.pop("token", "")
        token_text = bearer(request) or ("" if sent.is_json else str(given))
        if method == "oauth.v2.access":
            values |= _basic(request)
        fault = self._sandbox.faults.strike(method)
        if fault is not None and fault.kind not in _AFTER:
            self._log(method, None, values, fault.kind.value, 0)
            return await _before(request, fault)
        token = self._sandbox.tokens.get(token_text)
        status, body, headers = self._perform(method, token, token_text, sent)
        outcome = "ok" if body.get("ok") else str(body.get("error"))
        self._log(method, token, values, outcome if fault is None else fault.kind.value, status)
        if self._sandbox.reality.echo == "before" and body.get("ok"):
            await self._sandbox.sockets.flushed()
            await asyncio.sleep(0.001)
        if fault is not None:
            spoiled = await _after(request, fault)
            if spoiled is not None:
                return spoiled
        return web.Response(
            status=status,
            body=orjson.dumps(body),
            content_type="application/json",
            charset="utf-8",
            headers=headers,
        )

    def _perform(
        self, method: str, token: Token | None, token_text: str, sent: _Sent
    ) -> tuple[int, Json, dict[str, str]]:
        headers: dict[str, str] = {}
        warnings: list[str] = ["missing_charset"] if sent.charset_missing else []
        try:
            if method == "api.test":
                body = _api_test(Args(sent.values))
            elif method == "oauth.v2.access":
                body = self._sandbox.oauth.access(Args(sent.values))
            else:
                known = METHODS.get(method)
                if known is None:
                    raise SlackRefusal("unknown_method", req_method=method)
                live = self._admit(known, token, token_text)
                headers["X-OAuth-Scopes"] = ",".join(sorted(live.scopes))
                if known.scopes:
                    headers["X-Accepted-OAuth-Scopes"] = ",".join(known.scopes)
                if known.kinds == ("app",) and not sent.by_post:
                    raise SlackRefusal("insecure_request")
                args = Args(sent.values if known.json or not sent.is_json else {})
                wait = self._rate(method, known, live, args)
                if wait:
                    headers["Retry-After"] = str(wait)
                    return 429, {"ok": False, "error": "ratelimited"}, headers
                call = Call(self._sandbox, self._sandbox.teams[live.team_id], live, args, warnings)
                if known.scopes:
                    call.need_scope(*known.scopes)
                body = {"ok": True, **known.do(call)}
        except SlackRefusal as refusal:
            body = refusal.answer()
        if warnings:
            body.setdefault("warning", ",".join(warnings))
            meta = body.setdefault("response_metadata", {})
            meta["warnings"] = warnings
        return 200, body, headers

    def _admit(self, method: Method, token: Token | None, token_text: str) -> Token:
        if not token_text:
            raise SlackRefusal("not_authed")
        if token is None:
            raise SlackRefusal("invalid_auth")
        if token.state != "live":
            raise SlackRefusal(token.state)
        if token.kind not in method.kinds:
            raise SlackRefusal("not_allowed_token_type")
        return token

    def _rate(self, name: str, method: Method, token: Token, args: Args) -> int:
        gate = self._sandbox.rates
        tier = 1 if self._sandbox.limits.outside_marketplace and name in MESSAGE_METHODS else method.tier
        wait = gate.admit_call(name, tier, token.team_id, token.app.id)
        if not wait and method.posts:
            wait = gate.admit_post(token.team_id, str(args.values.get("channel", "")))
        return wait

    def _log(self, method: str, token: Token | None, args: Json, outcome: str, status: int) -> None:
        team_id = token.team_id if token is not None else ""
        self._sandbox.calls.add(CallRecord(method, team_id, args, outcome, status))


def _api_test(args: Args) -> Json:
    if args.has("error"):
        raise SlackRefusal(args.text("error"), args=args.values)
    return {"ok": True, "args": args.values}


@dataclass(slots=True)
class _Sent:
    """What was sent, and how."""

    values: Json
    by_post: bool
    is_json: bool = False
    charset_missing: bool = False


async def _arguments(request: web.BaseRequest) -> _Sent:
    sent: Json = dict(request.query)
    kind = request.content_type
    by_post = request.method == "POST"
    if not by_post or not request.can_read_body:
        return _Sent(sent, by_post)
    if kind == "application/json":
        body = await request.read()
        try:
            values: Any = orjson.loads(body)
        except orjson.JSONDecodeError:
            values = None
        if isinstance(values, dict):
            sent |= values
        return _Sent(sent, by_post, is_json=True, charset_missing=request.charset is None)
    if kind == "application/x-www-form-urlencoded":
        body = await request.read()
        sent |= dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
    elif kind == "multipart/form-data":
        sent |= {key: value for key, value in (await request.post()).items() if isinstance(value, str)}
    return _Sent(sent, by_post)


def _json(body: Json, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(
        status=status, body=orjson.dumps(body), content_type="application/json", charset="utf-8", headers=headers
    )


async def _before(request: web.BaseRequest, fault: Fault) -> web.StreamResponse:
    if fault.kind is Kind.DROP_BEFORE:
        return dropped(request)
    if fault.kind is Kind.HANG_BEFORE:
        await asyncio.Event().wait()
    if fault.kind is Kind.RATE_LIMITED:
        headers = {"Retry-After": str(max(1, round(fault.seconds)))}
        return _json({"ok": False, "error": "ratelimited"}, 429, headers)
    if fault.kind in (Kind.HTTP_500, Kind.HTTP_503):
        status = 500 if fault.kind is Kind.HTTP_500 else 503
        return web.Response(status=status, body=_PAGE_5XX, content_type="text/html")
    return _json({"ok": False, "error": fault.error or "internal_error"})


async def _after(request: web.BaseRequest, fault: Fault) -> web.StreamResponse | None:
    if fault.kind is Kind.DROP_AFTER:
        return dropped(request)
    if fault.kind is Kind.HANG_AFTER:
        await asyncio.Event().wait()
    if fault.kind is Kind.DELAY:
        await asyncio.sleep(fault.seconds)
        return None
    if fault.kind is Kind.HTTP_503_AFTER:
        return web.Response(status=503, body=_PAGE_5XX, content_type="text/html")
    if fault.kind is Kind.GARBAGE:
        return web.Response(body=b"<html>upstream connect error", content_type="text/html")
    return _json({"ok": False, "error": "fatal_error" if fault.kind is Kind.FATAL_AFTER else "internal_error"})
