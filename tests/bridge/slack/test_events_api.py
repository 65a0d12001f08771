from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bridge.errors import StoreUnavailable
from bridge.slack.events_api import EventsApi, SignedApp

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

NOW = 1_700_000_000
EVENT = {"type": "event_callback", "team_id": "T1", "event_id": "Ev1", "event": {"type": "message"}}


class Door:
    """Two workspaces behind one path; notes what each of them is given."""

    def __init__(self) -> None:
        self.noted: list[tuple[str, str]] = []
        self.fault: StoreUnavailable | None = None
        self.now = float(NOW)
        self.teams: dict[str, str | None] = {"acme": "T1", "other": "T2"}
        self.api = EventsApi(
            [self._app("acme"), self._app("other")], max_body=20_000, read_seconds=0.2, clock=lambda: self.now
        )

    def _app(self, name: str) -> SignedApp:
        def admit(payload: Mapping[str, Any]) -> Awaitable[None]:
            self.noted.append((name, str(payload["event_id"])))
            future = asyncio.get_running_loop().create_future()
            if self.fault:
                future.set_exception(self.fault)
            else:
                future.set_result(None)
            return future

        async def on_gap(reason: str) -> None:
            self.noted.append((name, "gap"))

        return SignedApp(name, f"secret of {name}", admit, on_gap, lambda: self.teams[name])


@pytest.fixture
def door() -> Door:
    return Door()


@pytest.fixture
async def web_client(door: Door) -> AsyncIterator[TestClient[web.Request, web.Application]]:
    app = web.Application()
    app.router.add_post("/slack/events", door.api.handle)
    async with TestClient(TestServer(app)) as client:
        yield client


@pytest.fixture
def send(web_client: TestClient[web.Request, web.Application]) -> Callable[..., Awaitable[tuple[int, str]]]:
    async def send(
        payload: object = EVENT,
        *,
        name: str = "acme",
        body: bytes | None = None,
        timestamp: str = str(NOW),
        signature: str | None = None,
        **headers: str,
    ) -> tuple[int, str]:
        body = json.dumps(payload).encode() if body is None else body
        signed = hmac.new(f"secret of {name}".encode(), b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256)
        sent = {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": signature or f"v0={signed.hexdigest()}"}
        async with web_client.post("/slack/events", data=body, headers=sent | headers) as response:
            return response.status, await response.text()

    return send


async def test_a_signed_event_is_answered_after_its_commit(send: Any, door: Door) -> None:
    assert await send() == (200, "")
    assert door.noted == [("acme", "Ev1")]


async def test_each_workspace_has_its_own_secret(send: Any, door: Door) -> None:
    assert (await send({**EVENT, "team_id": "T2"}, name="other"))[0] == 200
    assert door.noted == [("other", "Ev1")]


async def test_an_event_for_another_workspace_than_that_of_the_secret_is_not_admitted(send: Any, door: Door) -> None:
    assert (await send({**EVENT, "team_id": "T2"}))[0] == 200
    assert door.noted == []


async def test_an_event_of_a_shared_channel_belongs_to_the_workspace_that_authorised_the_app(
    send: Any, door: Door
) -> None:
    await send({**EVENT, "team_id": "T9", "authorizations": [{"team_id": "T1"}, "odd"]})
    await send({**EVENT, "team_id": {"odd": 1}, "context_team_id": "T1", "authorizations": "odd"})
    assert door.noted == [("acme", "Ev1")] * 2


async def test_as_long_as_the_workspace_is_not_known_the_secret_decides(send: Any, door: Door) -> None:
    door.teams["acme"] = None
    await send()
    assert door.noted == [("acme", "Ev1")]


@pytest.mark.parametrize(
    "forged",
    [
        {"signature": "v0=" + "0" * 64},
        {"signature": "v0=é"},
        {"signature": "nonsense"},
        {"timestamp": "soon"},
        {"timestamp": "-5"},
        {"timestamp": "9" * 5000},
        {"timestamp": "1_700_000_000"},
        {"timestamp": "١٧"},
        {"timestamp": str(NOW - 301)},
        {"timestamp": str(NOW + 301)},
        {"timestamp": ""},
        {"body": b"\xff\xfe"},
        {"name": "stranger"},
    ],
)
async def test_what_is_not_signed_rightly_and_lately_is_unauthorised(send: Any, door: Door, forged: Any) -> None:
    assert (await send(**forged))[0] == 401
    assert door.noted == []


async def test_no_signature_at_all_is_unauthorised(
    web_client: TestClient[web.Request, web.Application], door: Door
) -> None:
    async with web_client.post("/slack/events", json=EVENT) as response:
        assert response.status == 401


async def test_a_body_that_is_too_large_is_not_read(
    web_client: TestClient[web.Request, web.Application], send: Any, door: Door
) -> None:
    assert (await send(body=b"x" * 20_001))[0] == 413

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(30):
            yield b"x" * 1000

    async with web_client.post("/slack/events", data=endless()) as response:
        assert response.status == 413


async def test_a_signed_body_that_makes_no_sense_is_answered_and_not_admitted(send: Any, door: Door) -> None:
    assert (await send(body=b"payload=%7B%7D"))[0] == 200
    assert (await send([1]))[0] == 200
    assert (await send({"type": "surprise", "team_id": "T1"}))[0] == 200
    assert door.noted == []


async def test_the_challenge_is_answered_to_slack_alone(send: Any, door: Door) -> None:
    challenge = {"type": "url_verification", "challenge": "abc"}
    assert await send(challenge) == (200, "abc")
    assert (await send(challenge, name="stranger"))[0] == 401


async def test_an_event_that_was_not_stored_is_asked_for_again(send: Any, door: Door) -> None:
    door.fault = StoreUnavailable("locked")
    assert (await send())[0] == 503


async def test_a_replayed_request_is_admitted_again_for_the_inbox_to_drop(send: Any, door: Door) -> None:
    assert [(await send())[0] for _ in range(2)] == [200, 200]
    assert door.noted == [("acme", "Ev1")] * 2


async def test_events_that_slack_left_out_are_a_gap_now_and_once_the_minute_is_over(send: Any, door: Door) -> None:
    assert (await send({"type": "app_rate_limited", "team_id": "T1", "minute_rate_limited": NOW - 20}))[0] == 200
    assert door.noted == [("acme", "gap")]
    await send()
    door.now += 50
    await send(timestamp=str(NOW))
    await send()
    assert door.noted[1:] == [("acme", "Ev1"), ("acme", "gap"), ("acme", "Ev1"), ("acme", "Ev1")]


async def raw(web_client: TestClient[web.Request, web.Application], *parts: bytes, wait: bool = True) -> bytes:
    """Send bytes as they are and return the first of what comes back."""
    reader, writer = await asyncio.open_connection("127.0.0.1", web_client.server.port)
    head = b"POST /slack/events HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
    for part in (head, *parts):
        writer.write(part)
        await writer.drain()
    try:
        return await asyncio.wait_for(reader.readline(), 2) if wait else b""
    finally:
        writer.close()
        await writer.wait_closed()


async def test_a_sender_that_dawdles_is_sent_away(web_client: TestClient[web.Request, web.Application]) -> None:
    assert b" 408 " in await raw(web_client, b"Content-Length: 500\r\n\r\n", b"{")


@pytest.mark.parametrize(
    "body",
    [
        b"Content-Length: 500\r\n\r\n{",
        b"Transfer-Encoding: chunked\r\n\r\n5\r\n{",
    ],
)
async def test_a_sender_that_breaks_off_leaves_no_error_behind(
    web_client: TestClient[web.Request, web.Application],
    send: Any,
    door: Door,
    body: bytes,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await raw(web_client, body, wait=False)
    await asyncio.sleep(0.05)
    assert await send() == (200, "")
    assert door.noted == [("acme", "Ev1")]
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []
