from __future__ import annotations

import pytest
from slack_sdk.errors import SlackApiError

from tests.sandbox.slack import Limits
from tests.sandbox.slack.limits import RateGate
from tests.sandbox.slack_tests.conftest import running


class Clock:
    """A clock that tests turn."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_tier_allows_so_many_calls_a_minute() -> None:
    clock = Clock()
    gate = RateGate(Limits(), clock)
    assert [gate.admit_call("users.list", 2, "T1", "A1") for _ in range(20)] == [0] * 20
    assert gate.admit_call("users.list", 2, "T1", "A1") == 3
    assert gate.admit_call("users.list", 2, "T2", "A1") == 0
    assert gate.admit_call("emoji.list", 2, "T1", "A1") == 0
    clock.now += 3.001
    assert gate.admit_call("users.list", 2, "T1", "A1") == 0
    assert gate.admit_call("users.list", 2, "T1", "A1") == 3
    clock.now += 61
    assert [gate.admit_call("users.list", 2, "T1", "A1") for _ in range(20)] == [0] * 20


def test_a_channel_takes_one_post_a_second_after_a_small_burst() -> None:
    clock = Clock()
    gate = RateGate(Limits(), clock)
    assert [gate.admit_post("T1", "C1") for _ in range(5)] == [0, 0, 0, 0, 1]
    assert gate.admit_post("T1", "C2") == 0
    clock.now += 1.001
    assert [gate.admit_post("T1", "C1") for _ in range(2)] == [0, 1]


def test_time_can_run_faster_or_not_count() -> None:
    clock = Clock()
    gate = RateGate(Limits(scale=0.1), clock)
    for _ in range(4):
        gate.admit_post("T1", "C1")
    assert gate.admit_post("T1", "C1") == 1
    clock.now += 0.11
    assert gate.admit_post("T1", "C1") == 0
    free = RateGate(Limits.off(), clock)
    assert {free.admit_post("T1", "C1") for _ in range(1000)} == {0}


async def test_too_many_posts_are_answered_429_and_not_posted() -> None:
    async with running(limits=Limits()) as bench:
        for number in range(4):
            await bench.web.chat_postMessage(channel=bench.general, text=str(number))
        with pytest.raises(SlackApiError) as caught:
            await bench.web.chat_postMessage(channel=bench.general, text="x")
        response = caught.value.response
        assert (response.status_code, response["error"]) == (429, "ratelimited")
        assert response.headers["Retry-After"] == "1"
        assert bench.team.transcript("#general")[-1].text == "3"


async def test_an_app_that_is_sold_outside_the_marketplace_reads_fifteen_messages_a_minute() -> None:
    async with running(limits=Limits(outside_marketplace=True)) as bench:
        alice = bench.team.person("alice")
        root = alice.post("#general", "root")
        for number in range(20):
            alice.post("#general", str(number), thread_ts=root.ts, broadcast=True)
        page = await bench.web.conversations_history(channel=bench.general, limit=200)
        assert (len(page["messages"]), page["has_more"]) == (15, True)
        thread = await bench.web.conversations_replies(channel=bench.general, ts=root.ts)
        assert (len(thread["messages"]), thread["has_more"]) == (15, True)
        for call in (bench.web.conversations_history, bench.web.conversations_replies):
            with pytest.raises(SlackApiError) as caught:
                await call(channel=bench.general, ts=root.ts)
            assert caught.value.response.headers["Retry-After"] == "60"
        await bench.web.conversations_info(channel=bench.general)
