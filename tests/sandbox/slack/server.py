"""The sandbox as a whole: built here by hand, started and stopped as an async context manager.

```
/api/<method>          Web API              /link/                 Socket Mode
/upload/v1/<ticket>    upload               /files-pri, /files-tmb downloads
/avatars, /emoji       pictures             /_sandbox/...          control, for a shell at the same machine
```
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self

from aiohttp import web

from tests.sandbox.slack.control import Control
from tests.sandbox.slack.delivery import Delivery
from tests.sandbox.slack.events_http import EventsHttp
from tests.sandbox.slack.faults import CallLog, Faults, Kind
from tests.sandbox.slack.gateway import Gateway, bearer, dropped
from tests.sandbox.slack.hosting import Hosting
from tests.sandbox.slack.limits import RateGate
from tests.sandbox.slack.oauth import AUTHORIZE, OAuth
from tests.sandbox.slack.reality import ALL_BOT_SCOPES, ALL_SUBSCRIPTIONS, DeliveryTimes, Limits, Reality
from tests.sandbox.slack.sockets import Sockets
from tests.sandbox.slack.state import App, Installation, Mint, Team, Token
from tests.sandbox.slack.workspace import Announcement, Site, Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType

    from tests.sandbox.slack.state import Json


class SlackSandbox:
    """A Slack to test against. `seed` is called with the sandbox before it listens and sends no events."""

    def __init__(
        self,
        seed: Callable[[SlackSandbox], object] | None = None,
        *,
        reality: Reality | None = None,
        limits: Limits | None = None,
        times: DeliveryTimes | None = None,
        port: int = 0,
    ) -> None:
        self.reality = reality or Reality()
        self.limits = limits or Limits()
        self.teams: dict[str, Workspace] = {}
        self.tokens: dict[str, Token] = {}
        self.faults = Faults()
        self.calls = CallLog()
        self.rates = RateGate(self.limits)
        self.mint = Mint()
        self.site = Site()
        self.delivery = Delivery(times or DeliveryTimes(), self.faults, self._later, self.tokens)
        self.sockets = Sockets(self.site, self.mint, self.reality, self.faults, self.delivery, self._later)
        self.events_http = EventsHttp(self.mint, self.faults, self.delivery)
        self.delivery.sockets, self.delivery.http = self.sockets, self.events_http
        self.hosting = Hosting(self.site, self.mint, self.teams, self.tokens)
        self._gateway = Gateway(self)
        self._control = Control(self)
        self.oauth = OAuth(self)
        self._port = port
        self._runner: web.ServerRunner | None = None
        self._timers: set[asyncio.TimerHandle] = set()
        self._stopped = False
        (seed or _plain_workspace)(self)

    @property
    def url(self) -> str:
        """The address of the server, without a slash at its end."""
        return self.site.base_url

    @property
    def api_url(self) -> str:
        """The Web API's base, as an SDK's `base_url` wants it."""
        return f"{self.site.base_url}/api/"

    def team(self, ref: str = "") -> Workspace:
        """A workspace by id, domain or name; the first one without a name. Raises KeyError."""
        for workspace in self.teams.values():
            if ref in ("", workspace.id, workspace.team.domain, workspace.team.name):
                return workspace
        raise KeyError(ref)

    def new_app(self, name: str = "Causeway", subscriptions: Iterable[str] = ALL_SUBSCRIPTIONS) -> App:
        """An app as its maker creates it; it is in no workspace yet."""
        mint, app_id = self.mint, self.mint.make("A")
        app_token = f"xapp-1-{app_id}-{mint.secret(12)}-{mint.secret(32)}"
        app = App(
            app_id,
            name,
            mint.secret(12),
            mint.secret(32),
            mint.secret(32),
            mint.secret(24),
            set(subscriptions),
            app_token,
        )
        self.tokens[app_token] = Token(app_token, "app", app, "", "", {"connections:write"})
        return app

    def new_team(
        self, name: str = "Acme", domain: str = "", *, app: App | None = None, scopes: Iterable[str] = ALL_BOT_SCOPES
    ) -> Workspace:
        """A workspace with an app installed; each has an app of its own unless one is given."""
        team = Team(self.mint.make("T"), name, domain or name.lower().replace(" ", "-"))
        workspace = Workspace(team, self.site, self.reality, self.mint, self.delivery.announce, self._later)
        self.teams[team.id] = workspace
        self.install(workspace, app or self.new_app(), scopes)
        return workspace

    def install(self, workspace: Workspace, app: App, scopes: Iterable[str] = ALL_BOT_SCOPES) -> Installation:
        """Puts an app into a workspace: a bot user and its token."""
        bot_id = self.mint.make("B")
        handle = app.name.lower().replace(" ", "-")
        user = workspace.add_user(handle, app.name, is_bot=True, bot_id=bot_id, app_id=app.id)
        value = f"xoxb-{self.mint.secret(10)}-{self.mint.secret(10)}-{self.mint.secret(24)}"
        token = Token(value, "bot", app, workspace.id, user.id, set(scopes))
        self.tokens[value] = token
        app_token = self.tokens[app.app_token]
        if not app_token.team_id:
            app_token.team_id, app_token.user_id = workspace.id, user.id
        installation = Installation(app, workspace.id, user.id, bot_id, token)
        workspace.installations[app.id] = installation
        return installation

    def user_token(self, workspace: Workspace, ref: str, scopes: Iterable[str]) -> Token:
        """A token with which the app acts as a person."""
        value = f"xoxp-{self.mint.secret(10)}-{self.mint.secret(24)}"
        token = Token(value, "user", workspace.installation.app, workspace.id, workspace.user(ref).id, set(scopes))
        self.tokens[value] = token
        return token

    def revoke(self, token: Token, state: str = "token_revoked") -> None:
        """Ends a token; later calls answer `state` (token_revoked, account_inactive, invalid_auth ...)."""
        token.state = state
        self.oauth.revoked(token)
        workspace = self.teams[token.team_id]
        kind = "bot" if token.kind == "bot" else "oauth"
        event: Json = {"type": "tokens_revoked", "tokens": {kind: [token.user_id]}}
        self.delivery.announce(Announcement(workspace, event, only_app=token.app.id))

    def oauth_code(self, token: Token) -> str:
        """What Slack hands to the redirect URL once somebody agreed."""
        return self.oauth.code_of(token)

    async def __aenter__(self) -> Self:
        server = web.Server(self._serve, access_log=None)
        self._runner = web.ServerRunner(server, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        port = self._runner.addresses[0][1]
        self.site.base_url = f"http://127.0.0.1:{port}"
        self.delivery.muted = False
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.delivery.muted = self._stopped = True
        for timer in self._timers:
            timer.cancel()
        await self.sockets.stop()
        await self.events_http.stop()
        if self._runner is not None:
            await self._runner.cleanup()

    async def set_request_url(self, workspace: Workspace, url: str) -> None:
        """Turns the workspace's app to signed HTTP. Raises ValueError when the challenge fails."""
        await self.events_http.set_request_url(workspace.installation.app, url)

    async def begin_outage(self) -> None:
        """Nothing answers from now on and every socket breaks; people go on talking."""
        self.faults.outage = True
        await self.sockets.kill()

    def end_outage(self) -> None:
        """All is well again."""
        self.faults.outage = False

    async def until(self, holds: Callable[[], object], seconds: float = 10.0) -> None:
        """Waits until something holds. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while not holds():
                await asyncio.sleep(0.002)

    async def delivered(self, seconds: float = 10.0) -> None:
        """Waits until every event was acknowledged or lost."""
        await self.until(lambda: not self.delivery.open, seconds)

    def _later(self, delay: float, work: Callable[[], None]) -> None:
        if self._stopped:
            return
        if self.delivery.muted:  # while seeding there is no waiting
            work()
            return
        loop = asyncio.get_running_loop()

        def run() -> None:
            self._timers.discard(handle)
            work()

        handle = loop.call_later(delay, run)
        self._timers.add(handle)

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.path
        if path.startswith("/_sandbox/"):
            return await self._control.answer(request)
        if path.startswith("/link/"):
            return await self.sockets.serve(request)
        if self.faults.outage:
            return web.Response(status=503, text="Service Unavailable")
        if path.startswith("/api/"):
            return await self._gateway.answer(request, path[5:])
        if path.startswith(("/files-pri/", "/files-tmb/")):
            return await self._host(request, "download")
        if path.startswith("/upload/v1/"):
            return await self._host(request, "upload")
        if path.startswith(("/avatars/", "/emoji/")):
            return self.hosting.picture(request)
        if path == AUTHORIZE:
            return self.oauth.page(request)
        if path == "/":
            return self.hosting.login()
        return web.Response(status=404, text="not found")

    async def _host(self, request: web.BaseRequest, what: str) -> web.StreamResponse:
        """Uploads and downloads; their faults are armed as `upload` and `download`."""
        self.calls.counts[what] += 1
        fault = self.faults.strike(what)
        if fault is not None and fault.kind is Kind.DROP_BEFORE:
            return dropped(request)
        if fault is not None and fault.kind is not Kind.DROP_AFTER:
            return web.Response(status=503, text="Service Unavailable")
        if what == "download":
            answer = await self.hosting.give(request, self.tokens.get(bearer(request)))
        else:
            answer = await self.hosting.take(request)
        return dropped(request) if fault is not None else answer


def _plain_workspace(sandbox: SlackSandbox) -> None:
    """Without a seed: one workspace with two people and a channel that the bot is in."""
    workspace = sandbox.new_team("Acme")
    workspace.add_user("alice", "Alice Archer", display_name="alice", is_admin=True)
    workspace.add_user("bob", "Bob Baker", display_name="bob")
    channel = workspace.person("alice").create("general", members=["bob", workspace.installation.bot_user])
    channel.is_general = True
