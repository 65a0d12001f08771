"""The Slack edge of a bridge beside the sandbox: what its tests share."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from bridge.errors import StoreUnavailable
from bridge.slack.client import SlackClient
from bridge.slack.connection import Timings
from bridge.slack.files import SlackFiles
from bridge.slack.limits import Limits
from bridge.slack.socket import SocketMode
from bridge.slack.web import Timeouts
from tests.sandbox.slack import DeliveryTimes, Kind, SlackSandbox
from tests.sandbox.slack import Limits as SlackLimits

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Mapping

QUICK = Timings(ping=0.05, linger=0.5, settled=0.0, back_off=0.01, longest_back_off=0.05, refused=0.05)
HASTY = replace(QUICK, connect=0.5, silence=0.2)
"""For sockets that are dead or fall silent: on a busy machine a living one is slower than this."""
HASTE = DeliveryTimes(scale=0.05, retries=(0, 10, 60))
HANGS = {Kind.HANG_BEFORE, Kind.HANG_AFTER}
PATIENT = DeliveryTimes(ack=30.0, retries=(0.0, 0.5, 3.0))


class Inbox:
    """Keeps what a real inbox would keep: each event once, in order of arrival."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.gaps: list[str] = []
        self.refuses = 0
        self._seen: set[str] = set()

    def admit(self, payload: Mapping[str, Any]) -> Awaitable[None]:
        committed = asyncio.get_running_loop().create_future()
        if self.refuses:
            self.refuses -= 1
            committed.set_exception(StoreUnavailable("locked"))
            return committed
        if payload["event_id"] not in self._seen:
            self._seen.add(payload["event_id"])
            self.texts.append(str(payload["event"].get("text")))
        asyncio.get_running_loop().call_soon(committed.set_result, None)
        return committed

    async def on_gap(self, reason: str) -> None:
        self.gaps.append(reason)


class Edge:
    """A sandbox and the Slack edge of a bridge beside it."""

    def __init__(self, slack: SlackSandbox, session: aiohttp.ClientSession, limits: Limits, timeouts: Timeouts) -> None:
        self.slack = slack
        self.team = slack.team()
        self.channel = self.team.channel("general").id
        self.session = session
        self.inbox = Inbox()
        token = self.team.bot_token
        self.client = SlackClient(
            "acme",
            token,
            session=session,
            limits=limits,
            api_url=slack.api_url,
            app_token=self.team.app_token,
            timeouts=timeouts,
        )
        self.files = SlackFiles(
            self.client, token, session=session, max_bytes=10_000_000, api_url=slack.api_url, timeouts=timeouts
        )

    def say(self, *texts: str) -> None:
        for text in texts:
            self.team.person("alice").post("#general", text)

    def shown(self) -> list[str]:
        return [entry.text for entry in self.team.transcript("#general") if "has joined" not in entry.text]

    @asynccontextmanager
    async def socket_mode(self, connections: int = 1, timings: Timings = QUICK) -> AsyncIterator[SocketMode]:
        mode = SocketMode(
            "acme",
            self.client,
            self.inbox.admit,
            self.inbox.on_gap,
            session=self.session,
            connections=connections,
            timings=timings,
        )
        task = asyncio.create_task(mode.run())
        await self.slack.until(lambda: mode.health.connected == connections or mode.health.trouble)
        try:
            yield mode
        finally:
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task


@asynccontextmanager
async def edge(own_limits: Limits | None = None, kind: Kind | None = None, **more: Any) -> AsyncIterator[Edge]:
    """A Slack and the edge of a bridge, which waits for an answer but shortly where one of this kind never comes."""
    more = {"limits": SlackLimits.off(), "times": HASTE, **more}
    timeouts = Timeouts(call=0.5, transfer=0.5) if kind in HANGS else Timeouts()
    async with SlackSandbox(**more) as slack, aiohttp.ClientSession() as session:
        yield Edge(slack, session, own_limits or Limits(scale=0), timeouts)
