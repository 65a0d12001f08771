"""Whoever names an address, nothing leaves for any other house than Slack's and the configured one."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from bridge.errors import BridgeError
from bridge.slack.client import SlackClient
from bridge.slack.connection import Connection, Timings
from bridge.slack.limits import Limits
from bridge.slack.reach import Abroad, Reach, slack_session

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.bridge.slack.stub import StubSlack

TOKEN = "xoxb-secret-of-the-bot"


class Listening:
    """A server of somebody else's, or of this machine: what it was told, and where it is."""

    def __init__(self) -> None:
        self.told = bytearray()
        self.connections = 0
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.told += await reader.read(65536)
        writer.close()


@pytest.fixture
async def other() -> AsyncIterator[Listening]:
    listening = Listening()
    async with await asyncio.start_server(listening.serve, "127.0.0.1", 0) as server:
        listening.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield listening


@asynccontextmanager
async def slack(stub: StubSlack) -> AsyncIterator[tuple[SlackClient, aiohttp.ClientSession]]:
    async with slack_session(stub.api_url) as session:
        yield (
            SlackClient("acme", TOKEN, session=session, limits=Limits(scale=0.001), api_url=stub.api_url),
            session,
        )


@pytest.mark.parametrize(
    ("address", "covered", "token"),
    [
        ("https://files.slack.com/files-pri/T1-F1/a.png", True, True),
        ("https://acme.slack.com/files/a", True, True),
        ("wss://wss-primary.slack.com/link?ticket=1", True, True),
        ("https://avatars.slack-edge.com/a.png", True, False),
        ("https://slack-files.com/T1-F1", True, False),
        ("http://127.0.0.1:8080/api/auth.test", True, True),
        ("ws://127.0.0.1:8080/link", True, True),
        ("http://127.0.0.1:22/", False, False),
        ("http://user@127.0.0.1:8080/", False, False),
        ("http://files.slack.com/a", False, False),
        ("ws://wss-primary.slack.com/link", False, False),
        ("https://files.slack.com:8443/a", False, False),
        ("https://files.slack.com./a", False, False),
        ("https://slack.com.evil.example/", False, False),
        ("https://evilslack.com/", False, False),
        ("https://169.254.169.254/latest/meta-data", False, False),
        ("https://[::1]/", False, False),
        ("https://2130706433/", False, False),
        ("https://0x7f.1/", False, False),
        ("https://ѕlack.com/", False, False),
        ("file:///etc/passwd", False, False),
        ("", False, False),
    ],
)
def test_only_what_is_slacks_is_within_reach(address: str, covered: bool, token: bool) -> None:
    reach = Reach("http://127.0.0.1:8080/api/")
    assert reach.covers(URL(address)) is covered
    assert reach.takes_token(URL(address)) is token


@pytest.mark.parametrize("status", [302, 307, 308])
async def test_a_call_follows_no_redirect_to_somebody_else(stub: StubSlack, other: Listening, status: int) -> None:
    stub.script["chat.postMessage"] = [web.Response(status=status, headers={"Location": f"{other.url}/steal"})]
    async with slack(stub) as (client, _):
        with pytest.raises(BridgeError) as raised:
            await client.call("chat.postMessage", channel="C1", text="between us")
    assert other.connections == 0
    assert other.url not in str(raised.value)


async def test_a_socket_that_is_somebody_else_s_is_not_opened(stub: StubSlack, other: Listening) -> None:
    async with slack(stub) as (_, session):
        with pytest.raises(Abroad):
            await Connection.open(1, f"{other.url.replace('http', 'ws')}/?ticket=1", session, Timings())
    assert other.connections == 0


async def test_what_is_out_of_reach_is_not_even_looked_up(stub: StubSlack) -> None:
    class Nowhere(AbstractResolver):
        async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[ResolveResult]:
            raise AssertionError(f"{host} was looked up")

        async def close(self) -> None:
            pass

    async with (
        aiohttp.TCPConnector(resolver=Nowhere()) as connector,
        aiohttp.ClientSession(connector=connector, middlewares=(Reach(stub.api_url),)) as session,
    ):
        with pytest.raises(Abroad):
            await session.get("https://intranet.example/")


async def test_a_name_of_slack_that_leads_into_our_own_net_is_told_nothing(stub: StubSlack, other: Listening) -> None:
    class Poisoned(AbstractResolver):
        async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[ResolveResult]:
            where = URL(other.url)
            return [ResolveResult(hostname=host, host="127.0.0.1", port=where.port or 0, family=2, proto=0, flags=0)]

        async def close(self) -> None:
            pass

    async with (
        aiohttp.TCPConnector(resolver=Poisoned()) as connector,
        aiohttp.ClientSession(connector=connector, middlewares=(Reach(stub.api_url),)) as session,
    ):
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        with pytest.raises(aiohttp.ClientError):
            await session.get("https://files.slack.com/files-pri/T1-F1/a.png", headers=bearer)
    assert other.connections
    assert TOKEN.encode() not in other.told
    assert b"files-pri" not in other.told
