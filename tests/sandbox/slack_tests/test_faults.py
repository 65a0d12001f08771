from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError

from tests.sandbox.slack import Kind

if TYPE_CHECKING:
    from tests.sandbox.slack_tests.conftest import Bench


def was_posted(bench: Bench) -> bool:
    return bench.team.transcript("#general")[-1].text == "x"


@pytest.mark.parametrize(("kind", "done"), [(Kind.DROP_BEFORE, False), (Kind.DROP_AFTER, True)])
async def test_a_connection_breaks_before_or_after_the_act(bench: Bench, kind: Kind, done: bool) -> None:
    bench.slack.faults.next_calls("chat.postMessage", kind)
    with pytest.raises(aiohttp.ClientConnectionError):
        await bench.web.chat_postMessage(channel=bench.general, text="x")
    assert was_posted(bench) is done
    await bench.web.chat_postMessage(channel=bench.general, text="next")


@pytest.mark.parametrize(
    ("kind", "done", "error"),
    [
        (Kind.INTERNAL_ERROR, False, "internal_error"),
        (Kind.INTERNAL_AFTER, True, "internal_error"),
        (Kind.FATAL_AFTER, True, "fatal_error"),
    ],
)
async def test_an_error_of_slacks_leaves_open_whether_it_was_done(
    bench: Bench, kind: Kind, done: bool, error: str
) -> None:
    bench.slack.faults.next_calls("chat.postMessage", kind)
    assert await bench.error(bench.web.chat_postMessage(channel=bench.general, text="x")) == error
    assert was_posted(bench) is done


@pytest.mark.parametrize(
    ("kind", "done", "status"),
    [(Kind.HTTP_500, False, 500), (Kind.HTTP_503, False, 503), (Kind.HTTP_503_AFTER, True, 503)],
)
async def test_a_5xx_is_a_page_of_html(bench: Bench, kind: Kind, done: bool, status: int) -> None:
    bench.slack.faults.next_calls("chat.postMessage", kind)
    with pytest.raises((SlackApiError, aiohttp.ContentTypeError)):
        await bench.web.chat_postMessage(channel=bench.general, text="x")
    assert was_posted(bench) is done
    assert bench.slack.calls.of("chat.postMessage")[-1].outcome == kind.value
    bench.slack.faults.next_calls("chat.postMessage", kind)
    async with bench.session.post(f"{bench.slack.api_url}chat.postMessage") as answer:
        assert answer.status == status


@pytest.mark.parametrize(("kind", "done"), [(Kind.HANG_BEFORE, False), (Kind.HANG_AFTER, True)])
async def test_an_answer_may_never_come(bench: Bench, kind: Kind, done: bool) -> None:
    bench.slack.faults.next_calls("chat.postMessage", kind)
    with pytest.raises(asyncio.TimeoutError):
        async with asyncio.timeout(0.1):
            await bench.web.chat_postMessage(channel=bench.general, text="x")
    assert was_posted(bench) is done


async def test_a_429_says_how_long_to_wait(bench: Bench) -> None:
    bench.slack.faults.next_calls("chat.postMessage", Kind.RATE_LIMITED, seconds=7)
    with pytest.raises(SlackApiError) as caught:
        await bench.web.chat_postMessage(channel=bench.general, text="x")
    assert caught.value.response.status_code == 429
    assert caught.value.response.headers["Retry-After"] == "7"


async def test_faults_are_spent_in_order_and_cleared(bench: Bench) -> None:
    bench.slack.faults.next_calls("*", Kind.ERROR, times=2, error="team_added_to_org")
    assert await bench.error(bench.web.auth_test()) == "team_added_to_org"
    bench.slack.faults.clear()
    await bench.web.auth_test()


async def test_in_an_outage_nothing_answers_and_people_talk_on(bench: Bench) -> None:
    app = await bench.listen()
    await bench.slack.begin_outage()
    with pytest.raises((SlackApiError, aiohttp.ContentTypeError)):
        await bench.web.auth_test()
    bench.team.person("alice").post("#general", "is anybody there?")
    await bench.slack.until(lambda: not bench.slack.sockets.connections)
    bench.slack.end_outage()
    await bench.web.auth_test()
    await bench.listen()
    await bench.slack.until(lambda: app.events)


async def test_calls_are_counted_and_kept_without_tokens(bench: Bench) -> None:
    await bench.web.chat_postMessage(channel=bench.general, text="x")
    await bench.error(bench.web.chat_postMessage(channel="C0NOWHERE", text="y"))
    assert bench.slack.calls.counts["chat.postMessage"] == 2
    records = bench.slack.calls.of("chat.postMessage")
    assert [record.outcome for record in records] == ["ok", "channel_not_found"]
    assert records[0].args == {"channel": bench.general, "text": "x"}
    assert bench.team.bot_token not in repr(records)
