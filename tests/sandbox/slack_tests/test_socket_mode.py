from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from tests.sandbox.slack import DeliveryTimes, Reality
from tests.sandbox.slack_tests.conftest import Bench, running


async def open_raw(bench: Bench) -> aiohttp.ClientWebSocketResponse:
    """A bare socket that answers nothing by itself."""
    answer = await bench.client(bench.team.app_token).apps_connections_open(app_token=bench.team.app_token)
    return await bench.session.ws_connect(answer["url"], autoping=False)


async def next_json(ws: aiohttp.ClientWebSocketResponse) -> dict[str, Any]:
    while True:
        message = await ws.receive(timeout=5)
        if message.type is aiohttp.WSMsgType.TEXT:
            return dict(message.json())
        if message.type is not aiohttp.WSMsgType.PING:
            return {"type": message.type.name}


async def test_an_address_lets_one_socket_in(bench: Bench) -> None:
    answer = await bench.client(bench.team.app_token).apps_connections_open(app_token=bench.team.app_token)
    async with bench.session.ws_connect(answer["url"]) as ws:
        hello = await next_json(ws)
        assert (hello["type"], hello["num_connections"]) == ("hello", 1)
        assert hello["connection_info"] == {"app_id": bench.team.installation.app.id}
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await bench.session.ws_connect(answer["url"])


async def test_an_envelope_wraps_an_event_as_slack_does(bench: Bench) -> None:
    ws = await open_raw(bench)
    await next_json(ws)
    said = bench.team.person("alice").post("#general", "hi")
    envelope = await next_json(ws)
    payload = envelope["payload"]
    assert (envelope["type"], envelope["retry_attempt"], envelope["retry_reason"]) == ("events_api", 0, "")
    assert envelope["accepts_response_payload"] is False
    assert (payload["type"], payload["team_id"]) == ("event_callback", bench.team.id)
    assert payload["api_app_id"] == bench.team.installation.app.id
    assert payload["authorizations"][0]["user_id"] == bench.team.installation.bot_user
    assert payload["event"]["ts"] == payload["event"]["event_ts"] == said.ts
    assert (payload["event"]["channel"], payload["event"]["channel_type"]) == (bench.general, "channel")
    await ws.close()


async def test_what_is_not_acknowledged_comes_again_and_is_lost_after_three_retries(bench: Bench) -> None:
    ws = await open_raw(bench)
    await next_json(ws)
    bench.team.person("alice").post("#general", "hi")
    seen = [await next_json(ws) for _ in range(3)]
    await bench.slack.until(lambda: bench.slack.delivery.lost, 20)
    seen.append(await next_json(ws))
    assert [envelope["retry_attempt"] for envelope in seen] == [0, 1, 2, 3]
    assert [envelope["retry_reason"] for envelope in seen] == ["", "timeout", "timeout", "timeout"]
    assert len({envelope["envelope_id"] for envelope in seen}) == 4
    assert len({envelope["payload"]["event_id"] for envelope in seen}) == 1
    await ws.close()


async def test_an_acknowledgement_may_come_through_another_socket(bench: Bench) -> None:
    first = await open_raw(bench)
    await next_json(first)
    bench.team.person("alice").post("#general", "hi")
    envelope = await next_json(first)
    second = await open_raw(bench)
    await next_json(second)
    await second.send_json({"envelope_id": envelope["envelope_id"]})
    await bench.slack.delivered()
    assert bench.slack.delivery.done_count == 1
    await first.close()
    await second.close()


async def test_each_envelope_goes_to_any_one_socket(bench: Bench) -> None:
    app = await bench.listen(sockets=3)
    alice = bench.team.person("alice")
    for number in range(60):
        alice.post("#general", str(number))
    await bench.slack.delivered()
    assert sorted(int(event["text"]) for event in app.events) == list(range(60))


async def test_one_socket_gets_events_in_their_order() -> None:
    async with running(times=DeliveryTimes(ack=30.0)) as bench:
        app = await bench.listen()
        alice = bench.team.person("alice")
        for number in range(60):
            alice.post("#general", str(number))
        await bench.slack.delivered()
        assert [int(request.payload["event"]["text"]) for request in app.requests] == list(range(60))


async def test_an_eleventh_socket_is_sent_away(bench: Bench) -> None:
    sockets = [await open_raw(bench) for _ in range(10)]
    for ws in sockets:
        await next_json(ws)
    extra = await open_raw(bench)
    assert (await next_json(extra))["reason"] == "too_many_websockets"
    for ws in (*sockets, extra):
        await ws.close()


@pytest.mark.parametrize("backlog", ["schedule", "on_connect"])
async def test_what_happens_without_a_socket_waits_for_a_retry(backlog: Any) -> None:
    async with running(Reality(backlog=backlog)) as bench:
        bench.team.person("alice").post("#general", "missed?")
        await bench.slack.until(lambda: next(iter(bench.slack.delivery.open.values())).attempt == 2)
        app = await bench.listen()
        await bench.slack.delivered()
        assert [event["text"] for event in app.events] == ["missed?"]


async def test_what_happens_in_a_long_absence_is_lost() -> None:
    async with running(times=DeliveryTimes(scale=0.0001)) as bench:
        bench.team.person("alice").post("#general", "missed")
        await bench.slack.until(lambda: bench.slack.delivery.lost)
        app = await bench.listen()
        bench.team.person("alice").post("#general", "heard")
        await bench.slack.until(lambda: app.events)
        assert {event["text"] for event in app.events} == {"heard"}


async def test_a_warning_comes_before_the_socket_is_closed(bench: Bench) -> None:
    ws = await open_raw(bench)
    await next_json(ws)
    await bench.slack.sockets.disconnect("warning")
    assert [(await next_json(ws)).get("reason") for _ in range(2)] == ["warning", "refresh_requested"]
    assert (await next_json(ws))["type"] in ("CLOSE", "CLOSED")


@pytest.mark.parametrize("reason", ["refresh_requested", "link_disabled"])
async def test_a_socket_is_closed_with_a_reason(bench: Bench, reason: str) -> None:
    ws = await open_raw(bench)
    await next_json(ws)
    await asyncio.gather(bench.slack.sockets.disconnect(reason), ws.receive())
    assert not bench.slack.sockets.of(bench.team.installation.app)
    await ws.close()


async def test_only_what_the_bot_may_see_is_delivered(bench: Bench) -> None:
    app = await bench.listen()
    alice = bench.team.person("alice")
    alice.create("elsewhere", members=["bob"])
    alice.post("#elsewhere", "the bot is not here")
    bench.team.installation.token.scopes.discard("reactions:read")
    said = alice.post("#general", "heard")
    alice.react("#general", said.ts, "wave")
    bench.team.installation.app.subscriptions.discard("message.channels")
    alice.post("#general", "not subscribed")
    await bench.slack.delivered()
    assert [event["type"] for event in app.events] == ["channel_created", "message"]


async def test_typing_is_played_only_on_request(bench: Bench) -> None:
    app = await bench.listen()
    bench.team.person("alice").typing("#general")
    await bench.slack.until(lambda: app.events)
    assert app.events[0] == {"type": "user_typing", "channel": bench.general, "user": bench.team.user("alice").id}


async def test_a_broken_socket_costs_only_a_retry(bench: Bench) -> None:
    ws = await open_raw(bench)
    await next_json(ws)
    bench.team.person("alice").post("#general", "hi")
    await next_json(ws)
    await bench.slack.sockets.kill()
    app = await bench.listen()
    await bench.slack.until(lambda: app.requests)
    assert app.requests[0].retry_attempt
    await ws.close()


async def test_a_silenced_socket_answers_no_ping_and_gives_its_events_back(bench: Bench) -> None:
    ws = await open_raw(bench)
    await next_json(ws)
    bench.slack.sockets.silence()
    bench.team.person("alice").post("#general", "hi")
    await ws.ping()
    app = await bench.listen()
    await bench.slack.delivered()
    assert [event["text"] for event in app.events] == ["hi"]
    assert app.requests[0].retry_attempt
    await ws.close()


async def test_dead_and_refused_socket_addresses_can_be_asked_for(bench: Bench) -> None:
    bench.slack.faults.refuse_sockets = 1
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await open_raw(bench)
    bench.slack.faults.dead_sockets = 1
    dead = await open_raw(bench)
    with pytest.raises(asyncio.TimeoutError):
        await dead.receive(timeout=0.05)
    alive = await open_raw(bench)
    assert (await next_json(alive))["type"] == "hello"
    await dead.close()
    await alive.close()


async def test_envelopes_can_be_late_and_overtaken_and_twice(bench: Bench) -> None:
    app = await bench.listen()
    alice = bench.team.person("alice")
    bench.slack.faults.delayed_envelopes.append(0.05)
    alice.post("#general", "one")
    bench.slack.faults.duplicated_envelopes = 1
    alice.post("#general", "two")
    await bench.slack.until(lambda: len(app.events) == 3)
    assert [event["text"] for event in app.events] == ["two", "two", "one"]
    assert app.payloads[0]["event_id"] == app.payloads[1]["event_id"]


async def test_an_event_can_be_lost_altogether(bench: Bench) -> None:
    app = await bench.listen()
    alice = bench.team.person("alice")
    bench.slack.faults.lost_envelopes = 1
    alice.post("#general", "one")
    alice.post("#general", "two")
    await bench.slack.delivered()
    assert [event["text"] for event in app.events] == ["two"]


@pytest.mark.parametrize(
    ("answer", "subscribed", "shown"),
    [
        ("subscribed", False, {"event_type": "causeway_relay"}),
        ("subscribed", True, {"event_type": "causeway_relay", "event_payload": {"key": "k"}}),
        ("full", False, {"event_type": "causeway_relay", "event_payload": {"key": "k"}}),
        ("none", True, None),
    ],
)
async def test_events_carry_as_much_metadata_as_the_app_may_see(answer: Any, subscribed: bool, shown: Any) -> None:
    async with running(Reality(metadata_in_events=answer)) as bench:
        if subscribed:
            bench.team.installation.app.metadata_subscriptions.add("causeway_relay")
        app = await bench.listen()
        metadata = {"event_type": "causeway_relay", "event_payload": {"key": "k"}}
        posted = await bench.web.chat_postMessage(channel=bench.general, text="x", metadata=metadata)
        await bench.web.chat_update(channel=bench.general, ts=posted["ts"], text="y")
        await bench.slack.until(lambda: len(app.events) == 2)
        assert app.events[0].get("metadata") == shown
        assert app.events[1]["message"].get("metadata") == shown
        assert app.events[1]["previous_message"].get("metadata") == shown


@pytest.mark.parametrize("form", ["without_subtype", "with_subtype"])
async def test_a_reply_may_be_told_of_its_root_too(form: Any) -> None:
    async with running(Reality(message_replied=form)) as bench:
        app = await bench.listen()
        alice = bench.team.person("alice")
        root = alice.post("#general", "root")
        alice.post("#general", "reply", thread_ts=root.ts)
        await bench.slack.until(lambda: len(app.events) == 3)
        told = app.events[2]
        assert told.get("subtype") == ("message_replied" if form == "with_subtype" else None)
        assert told["message"]["reply_count"] == 1
        assert told["hidden"] is True
