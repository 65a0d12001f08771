"""A running sandbox without rate limits and with short waits, and Slack's own SDK as the judge of it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from tests.sandbox.slack import DeliveryTimes, Limits, SlackSandbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from slack_sdk.socket_mode.request import SocketModeRequest

    from tests.sandbox.slack import Reality, Workspace

QUICK = DeliveryTimes(scale=0.02, retries=(0.0, 5.0, 10.0))


@dataclass
class App:
    """An app that listens on one or more sockets and keeps what it heard."""

    events: list[dict[str, Any]] = field(default_factory=list)
    payloads: list[dict[str, Any]] = field(default_factory=list)
    requests: list[SocketModeRequest] = field(default_factory=list)
    sockets: list[SocketModeClient] = field(default_factory=list)
    acknowledges: bool = True

    def of(self, kind: str, subtype: str | None = None) -> list[dict[str, Any]]:
        """The events of one type."""
        return [event for event in self.events if event["type"] == kind and event.get("subtype") == subtype]


@dataclass
class Bench:
    """A sandbox, its first workspace, the bot's client, and a way to refuse politely."""

    slack: SlackSandbox
    team: Workspace
    web: AsyncWebClient
    session: aiohttp.ClientSession
    app: App

    @property
    def general(self) -> str:
        """The id of the channel that the bot is in."""
        return self.team.channel("general").id

    def client(self, token: str) -> AsyncWebClient:
        """A client with another token."""
        return AsyncWebClient(token, base_url=self.slack.api_url, session=self.session, retry_handlers=[])

    async def refusal(self, call: Awaitable[Any]) -> dict[str, Any]:
        """The body of an answer that must not be ok."""
        with pytest.raises(SlackApiError) as caught:
            await call
        return dict(caught.value.response.data)

    async def error(self, call: Awaitable[Any]) -> str:
        """The code of a refusal."""
        return str((await self.refusal(call))["error"])

    async def listen(self, sockets: int = 1) -> App:
        """Opens sockets."""
        for _ in range(sockets):
            await self._open_socket()
        return self.app

    async def _open_socket(self) -> None:
        before = len(self.slack.sockets.connections)
        web = AsyncWebClient(base_url=self.slack.api_url, session=self.session, retry_handlers=[])
        socket = SocketModeClient(self.team.app_token, web_client=web, auto_reconnect_enabled=False)

        async def hear(client: SocketModeClient, request: SocketModeRequest) -> None:
            self.app.requests.append(request)
            self.app.payloads.append(request.payload)
            self.app.events.append(request.payload["event"])
            if self.app.acknowledges:
                await client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))

        socket.socket_mode_request_listeners.append(hear)  # type: ignore[arg-type]  # it calls with itself, typed as its base
        self.app.sockets.append(socket)
        await socket.connect()  # type: ignore[no-untyped-call]  # the SDK leaves it untyped
        await self.slack.until(lambda: len(self.slack.sockets.connections) > before)

    async def close(self) -> None:
        """Ends what was opened."""
        for socket in self.app.sockets:
            await socket.close()  # type: ignore[no-untyped-call]  # likewise
        await self.session.close()


@asynccontextmanager
async def running(
    reality: Reality | None = None,
    limits: Limits | None = None,
    times: DeliveryTimes = QUICK,
    seed: Callable[[SlackSandbox], object] | None = None,
) -> AsyncIterator[Bench]:
    """A sandbox with settings of its own."""
    async with SlackSandbox(seed, reality=reality, limits=limits or Limits.off(), times=times) as slack:
        session = aiohttp.ClientSession()
        team = slack.team()
        web = AsyncWebClient(team.bot_token, base_url=slack.api_url, session=session, retry_handlers=[])
        bench = Bench(slack, team, web, session, App())
        try:
            yield bench
        finally:
            await bench.close()


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    """The usual one."""
    async with running() as it:
        yield it
