from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web
from slack_sdk.signature import SignatureVerifier

from tests.sandbox.slack import DeliveryTimes
from tests.sandbox.slack_tests.conftest import QUICK, Bench, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@dataclass
class Endpoint:
    """What an app would listen with; answers with the statuses it is given, then 200."""

    secret: str
    url: str = ""
    statuses: list[int] = field(default_factory=list)
    heard: list[tuple[dict[str, str], dict[str, Any]]] = field(default_factory=list)
    answers_challenge: bool = True
    headers: dict[str, str] = field(default_factory=dict)

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Checks the signature with Slack's own verifier."""
        body = await request.read()
        headers = {key.lower(): value for key, value in request.headers.items()}
        assert SignatureVerifier(self.secret).is_valid_request(body, headers)
        values = json.loads(body)
        if values["type"] == "url_verification":
            return web.Response(text=values["challenge"] if self.answers_challenge else "no")
        self.heard.append((headers, values))
        status = self.statuses.pop(0) if self.statuses else 200
        if status == 0:
            await asyncio.sleep(60)
        return web.Response(status=status, headers=self.headers)


@asynccontextmanager
async def listening(times: DeliveryTimes = QUICK) -> AsyncIterator[tuple[Bench, Endpoint]]:
    async with running(times=times) as bench:
        endpoint = Endpoint(bench.team.installation.app.signing_secret)
        runner = web.ServerRunner(web.Server(endpoint.serve), shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        endpoint.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        await bench.slack.set_request_url(bench.team, endpoint.url)
        try:
            yield bench, endpoint
        finally:
            await runner.cleanup()


async def test_events_are_posted_signed() -> None:
    async with listening() as (bench, endpoint):
        said = bench.team.person("alice").post("#general", "hi")
        await bench.slack.delivered()
        headers, body = endpoint.heard[0]
        assert body["event"]["ts"] == said.ts
        assert "x-slack-retry-num" not in headers


async def test_a_url_must_answer_the_challenge() -> None:
    async with listening() as (bench, endpoint):
        endpoint.answers_challenge = False
        with pytest.raises(ValueError, match="challenge"):
            await bench.slack.set_request_url(bench.team, endpoint.url)


async def test_a_failed_post_is_retried_with_number_and_reason() -> None:
    async with listening() as (bench, endpoint):
        endpoint.statuses = [500, 0, 404, 200]
        bench.team.person("alice").post("#general", "hi")
        await bench.slack.delivered(20)
        marks = [
            (headers.get("x-slack-retry-num"), headers.get("x-slack-retry-reason")) for headers, _ in endpoint.heard
        ]
        assert marks == [(None, None), ("1", "http_error"), ("2", "http_timeout"), ("3", "http_error")]
        assert len({body["event_id"] for _, body in endpoint.heard}) == 1


async def test_after_three_retries_an_event_is_lost() -> None:
    async with listening() as (bench, endpoint):
        endpoint.statuses = [500] * 4
        bench.team.person("alice").post("#general", "hi")
        await bench.slack.delivered(20)
        assert len(endpoint.heard) == 4
        assert len(bench.slack.delivery.lost) == 1


async def test_an_app_can_decline_retries() -> None:
    async with listening() as (bench, endpoint):
        endpoint.statuses, endpoint.headers = [500], {"x-slack-no-retry": "1"}
        bench.team.person("alice").post("#general", "hi")
        await bench.slack.delivered()
        assert len(endpoint.heard) == 1


async def test_a_closed_door_is_tried_again_later() -> None:
    async with listening(DeliveryTimes(ack=30.0, retries=(0.0, 0.1, 0.2))) as (bench, endpoint):
        bench.team.installation.app.request_url = "http://127.0.0.1:9/"
        bench.team.person("alice").post("#general", "hi")
        await bench.slack.until(lambda: next(iter(bench.slack.delivery.open.values())).attempt == 2)
        bench.team.installation.app.request_url = endpoint.url
        await bench.slack.delivered()
        assert endpoint.heard[0][0]["x-slack-retry-reason"] == "connection_failed"


async def test_above_the_hourly_limit_one_notice_replaces_the_events() -> None:
    async with listening(DeliveryTimes(per_hour=3)) as (bench, endpoint):
        for number in range(10):
            bench.team.person("alice").post("#general", str(number))
        await bench.slack.delivered()
        kinds = sorted(body["type"] for _, body in endpoint.heard)
        assert kinds[-3:] == ["event_callback"] * 3
        assert len(kinds) <= 5
        notice = next(body for _, body in endpoint.heard if body["type"] == "app_rate_limited")
        assert "event" not in notice


async def test_a_post_can_be_late_or_twice() -> None:
    async with listening() as (bench, endpoint):
        alice = bench.team.person("alice")
        bench.slack.faults.delayed_envelopes.append(0.04)
        alice.post("#general", "one")
        bench.slack.faults.duplicated_envelopes = 1
        alice.post("#general", "two")
        await bench.slack.until(lambda: len(endpoint.heard) == 3)
        assert [body["event"]["text"] for _, body in endpoint.heard] == ["two", "two", "one"]


async def test_socket_addresses_are_for_socket_mode_apps_only() -> None:
    async with listening() as (bench, _):
        app = bench.client(bench.team.app_token)
        assert await bench.error(app.apps_connections_open(app_token=bench.team.app_token)) == "socket_mode_not_enabled"
