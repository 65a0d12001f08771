"""Signed HTTP for events: the other door behind which the same route begins.

Promises: a request is believed only with a signature that is right and no older than five minutes; it is answered 200
only after its event is committed and 503 when the store did not take it, so that Slack repeats it; nothing a stranger
sends costs more than one bounded read. Refuses to decide what is new: a request that comes twice is admitted twice,
and the inbox keeps one of them.
https://docs.slack.dev/authentication/verifying-requests-from-slack, https://docs.slack.dev/apis/events-api
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web
from slack_sdk.signature import Clock, SignatureVerifier

from bridge.errors import BridgeError
from bridge.slack.wire import parsed
from portals.reading.repeats import REPEATED

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

log = logging.getLogger(__name__)

MAX_BODY: Final = 1024 * 1024
READ_SECONDS: Final = 10.0
MINUTE: Final = 60


@dataclass(frozen=True, slots=True)
class SignedApp:
    """One workspace's app as Slack signs for it; see `SocketMode` for `admit` and `on_gap`.

    `team` returns the workspace's id, or None as long as it is not known: then whatever is signed belongs to it.
    """

    workspace: str
    signing_secret: str
    admit: Callable[[Mapping[str, Any]], Awaitable[None]]
    on_gap: Callable[[str], Awaitable[None]]
    team: Callable[[], str | None]


class EventsApi:
    """The handler of one path for any number of apps; add it with `router.add_post(path, events_api.handle)`."""

    def __init__(
        self,
        apps: Iterable[SignedApp],
        *,
        max_body: int = MAX_BODY,
        read_seconds: float = READ_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        ticking = _Clock(clock)
        self._apps = tuple((app, SignatureVerifier(app.signing_secret, ticking)) for app in apps)
        self._max_body = max_body
        self._read_seconds = read_seconds
        self._clock = clock
        self._limited_until: dict[str, float] = {}

    async def handle(self, request: web.Request) -> web.Response:
        """Answer one request from whoever sent it."""
        if (request.content_length or 0) > self._max_body:
            return _answer(413, "too large")
        try:
            async with asyncio.timeout(self._read_seconds):
                body = await self._body(request)
        except (TimeoutError, ConnectionError):
            return _answer(408, "too slow")
        if body is None:
            return _answer(413, "too large")
        believed = self._signers(request, body)
        if not believed:
            return _answer(401, "the signature is wrong or too old")
        return await self._answer_signed(believed, body, request.headers.get("X-Slack-Retry-Num", ""))

    async def _body(self, request: web.Request) -> bytes | None:
        body = bytearray()
        async for chunk in request.content.iter_any():
            body += chunk
            if len(body) > self._max_body:
                return None
        return bytes(body)

    def _signers(self, request: web.Request, body: bytes) -> list[SignedApp]:
        """The apps whose secret signed this. Every secret is tried, each in constant time."""
        timestamp = request.headers.get("X-Slack-Request-Timestamp", "")
        signature = request.headers.get("X-Slack-Signature", "")
        if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12 and signature.isascii()):
            return []  # on each of these the verifier raises
        try:
            return [app for app, verifier in self._apps if verifier.is_valid(body, timestamp, signature)]
        except UnicodeDecodeError:
            return []

    async def _answer_signed(self, believed: list[SignedApp], body: bytes, attempt: str) -> web.Response:
        payload = parsed(body)
        if payload is None:
            log.warning("slack %s: a signed request is no JSON object and is not relayed", believed[0].workspace)
            return _answer(200)
        kind = payload.get("type")
        if kind == "url_verification":
            return _answer(200, str(payload.get("challenge", ""))[:1000])
        app = _addressee(believed, payload)
        if app is None:
            log.warning(
                "slack: a signed request is for team %s, which is not bridged", str(payload.get("team_id"))[:20]
            )
            return _answer(200)
        try:
            if kind == "event_callback":
                await self._note_end_of_limit(app)
                await app.admit({**payload, REPEATED: attempt} if attempt else payload)
            elif kind == "app_rate_limited":
                await self._note_limit(app, payload)
            else:
                log.warning("slack %s: %s is not relayed, only acknowledged", app.workspace, str(kind)[:40])
        except BridgeError as fault:
            log.warning("slack %s: an event was not stored: %s", app.workspace, fault)
            return _answer(503, "not stored")
        return _answer(200)

    async def _note_limit(self, app: SignedApp, payload: Mapping[str, Any]) -> None:
        """Slack left events out in this minute, and may leave out more until it is over."""
        minute = payload.get("minute_rate_limited")
        end = (minute if isinstance(minute, int) else self._clock()) + MINUTE
        self._limited_until[app.workspace] = min(end, self._clock() + MINUTE)
        await app.on_gap("Slack left events out (app_rate_limited)")

    async def _note_end_of_limit(self, app: SignedApp) -> None:
        """The first event after such a minute: look back once more, for what was left out after the first look."""
        end = self._limited_until.get(app.workspace)
        if end is not None and self._clock() >= end:
            await app.on_gap("Slack may have left more events out (app_rate_limited)")
            self._limited_until.pop(app.workspace, None)


class _Clock(Clock):
    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock

    def now(self) -> float:
        return self._clock()


def _addressee(believed: list[SignedApp], payload: Mapping[str, Any]) -> SignedApp | None:
    """The app whose workspace the event is for; an app that knows its workspace takes nothing for another one."""
    authorizations = payload.get("authorizations")
    named = [payload, *(authorizations if isinstance(authorizations, list) else [])]
    teams = [entry.get(name) for entry in named if isinstance(entry, dict) for name in ("team_id", "context_team_id")]
    known = [(app, app.team()) for app in believed]
    matching = [app for app, team in known if team is not None and team in teams]
    unknown = [app for app, team in known if team is None]
    return next(iter(matching or unknown), None)


def _answer(status: int, text: str = "") -> web.Response:
    return web.Response(status=status, text=text)
