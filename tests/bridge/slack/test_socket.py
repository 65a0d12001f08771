from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bridge.errors import StoreUnavailable
from bridge.slack.connection import MAX_FRAME, Timings, proxy_for
from bridge.slack.socket import UNACKNOWLEDGED, SocketMode

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    import aiohttp

    from bridge.slack.client import SlackClient
    from tests.bridge.slack.stub import StubSlack

    Start = Callable[..., SocketMode]

QUICK = Timings(ping=0.05, linger=0.3, settled=0.0, back_off=0.01, longest_back_off=0.05, refused=0.05)
HASTY = replace(QUICK, connect=0.3, silence=0.12)
"""For what never says hello or falls silent: on a busy machine a living connection is slower than this."""


class Inbox:
    """Notes in one list what is admitted and every gap; commits at once unless told to wait."""

    def __init__(self) -> None:
        self.noted: list[str] = []
        self.holding = False
        self.commits: list[asyncio.Future[None]] = []
        self.fault: StoreUnavailable | None = None
        self.gap_fault: StoreUnavailable | None = None
        self.moved = asyncio.Event()

    def admit(self, payload: Mapping[str, Any]) -> asyncio.Future[None]:
        self.note(str(payload["event_id"]))
        future = asyncio.get_running_loop().create_future()
        if self.fault:
            future.set_exception(self.fault)
        elif self.holding:
            self.commits.append(future)
        else:
            future.set_result(None)
        return future

    async def on_gap(self, reason: str) -> None:
        await asyncio.sleep(0.01)
        if self.gap_fault:
            fault, self.gap_fault = self.gap_fault, None
            raise fault
        self.note(f"gap: {reason}")

    def note(self, what: str) -> None:
        self.noted.append(what)
        self.moved.set()

    async def until(self, count: int) -> list[str]:
        while len(self.noted) < count:
            self.moved.clear()
            await asyncio.wait_for(self.moved.wait(), 30)
        return self.noted


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
async def start(
    client: SlackClient, session: aiohttp.ClientSession, inbox: Inbox
) -> AsyncIterator[Callable[..., SocketMode]]:
    tasks = []

    def start(**more: Any) -> SocketMode:
        mode = SocketMode("acme", client, inbox.admit, inbox.on_gap, session=session, **{"timings": QUICK, **more})
        tasks.append(asyncio.create_task(mode.run()))
        return mode

    yield start
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def ack(link: Any) -> str:
    return await asyncio.wait_for(link.acks.get(), 30)


async def test_the_first_connection_marks_a_gap_before_its_first_event(
    start: Start, stub: StubSlack, inbox: Inbox
) -> None:
    start()
    link = await stub.socket(0)
    await link.event("e1")
    assert await inbox.until(2) == ["gap: start", "e1"]
    assert await ack(link) == "e1"


async def test_events_are_admitted_and_acknowledged_in_order(start: Start, stub: StubSlack, inbox: Inbox) -> None:
    start()
    link = await stub.socket(0)
    names = [f"e{number}" for number in range(300)]
    for name in names:
        await link.event(name)
    assert (await inbox.until(301))[1:] == names
    assert [await ack(link) for _ in names] == names


async def test_nothing_is_acknowledged_before_its_commit(start: Start, stub: StubSlack, inbox: Inbox) -> None:
    inbox.holding = True
    start()
    link = await stub.socket(0)
    await link.event("e1")
    await inbox.until(2)
    await asyncio.sleep(0.05)
    assert link.acks.empty()
    inbox.commits[0].set_result(None)
    assert await ack(link) == "e1"


async def test_what_the_store_did_not_take_is_not_acknowledged_and_leaves_a_gap(
    start: Start, stub: StubSlack, inbox: Inbox
) -> None:
    mode = start()
    link = await stub.socket(0)
    inbox.fault = StoreUnavailable("locked")
    await link.event("lost")
    await inbox.until(2)
    inbox.fault = None
    await link.event("stored")
    assert await inbox.until(4) == ["gap: start", "lost", "gap: the store did not take an event", "stored"]
    assert await ack(link) == "stored"
    assert "locked" in mode.health.last_error


async def test_an_admission_that_refuses_at_once_is_treated_the_same(
    client: SlackClient, session: aiohttp.ClientSession, stub: StubSlack, inbox: Inbox
) -> None:
    def refuse(payload: Mapping[str, Any]) -> asyncio.Future[None]:
        inbox.note("refused")
        raise StoreUnavailable("full")

    task = asyncio.create_task(SocketMode("acme", client, refuse, inbox.on_gap, session=session, timings=QUICK).run())
    link = await stub.socket(0)
    await link.event("e1")
    await inbox.until(2)
    assert link.acks.empty()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_frame_that_makes_no_sense_is_passed_over(start: Start, stub: StubSlack, inbox: Inbox) -> None:
    start()
    link = await stub.socket(0)
    for frame in ("", "{", "[]", "null", '{"type": "events_api"}', '{"type": 5}', '{"type":"events_api","payload":{}}'):
        await link.socket.send_str(frame)
    await link.socket.send_str('{"type":"events_api","envelope_id":"odd","payload":"text"}')
    await link.socket.send_bytes(b"\xff")
    await link.event("e1")
    assert await inbox.until(2) == ["gap: start", "e1"]
    assert await ack(link) == "odd"


@pytest.mark.parametrize("kind", ["slash_commands", "interactive", "unheard_of"])
async def test_other_envelopes_are_acknowledged_and_not_admitted(
    start: Start, stub: StubSlack, inbox: Inbox, kind: str
) -> None:
    start()
    link = await stub.socket(0)
    await link.socket.send_json({"type": kind, "envelope_id": "x", "payload": {}})
    assert await ack(link) == "x"
    assert inbox.noted == ["gap: start"]


async def test_an_oversized_frame_ends_the_connection_and_not_the_service(
    start: Start, stub: StubSlack, inbox: Inbox
) -> None:
    start()
    link = await stub.socket(0)
    await link.socket.send_str("x" * (MAX_FRAME + 1))
    await (await stub.socket(1)).event("e1")
    assert (await inbox.until(3))[-1] == "e1"


@pytest.mark.parametrize("reason", ["refresh_requested", "warning", "unheard_of"])
async def test_a_connection_that_is_to_go_is_read_until_the_next_one_is_up_without_a_gap(
    start: Start, stub: StubSlack, inbox: Inbox, reason: str
) -> None:
    mode = start()
    old = await stub.socket(0)
    await old.disconnect(reason)
    new = await stub.socket(1)
    await old.event("old")
    await new.event("new")
    await inbox.until(3)
    assert inbox.noted[0] == "gap: start"
    assert sorted(inbox.noted[1:]) == ["new", "old"]
    assert await ack(old) == "old"
    await asyncio.wait_for(old.ended.wait(), 30)  # left to Slack for a while, then closed from here
    await new.event("later")
    assert (await inbox.until(4))[-1] == "later"
    assert mode.health.connected == 1
    assert len(stub.calls("apps.connections.open")) == 2


async def test_losing_every_connection_marks_a_gap_before_the_next_event(
    start: Start, stub: StubSlack, inbox: Inbox
) -> None:
    start()
    await (await stub.socket(0)).socket.close()
    await (await stub.socket(1)).event("e1")
    assert await inbox.until(3) == ["gap: start", "gap: no connection was up", "e1"]


async def test_losing_one_of_two_connections_marks_none(start: Start, stub: StubSlack, inbox: Inbox) -> None:
    mode = start(connections=2)
    await stub.socket(1)
    await stub.sockets[0].socket.close()
    await (await stub.socket(2)).event("e1")
    assert await inbox.until(2) == ["gap: start", "e1"]
    assert mode.health.connected == 2


async def test_a_silent_connection_is_given_up_for_a_fresh_address(start: Start, stub: StubSlack, inbox: Inbox) -> None:
    start(timings=HASTY)
    (await stub.socket(0)).is_alive = False
    await inbox.until(2)
    assert inbox.noted[:2] == ["gap: start", "gap: a connection fell silent"]
    assert len(stub.sockets) > 1


async def test_a_quiet_connection_that_answers_pings_is_kept(start: Start, stub: StubSlack, inbox: Inbox) -> None:
    start()
    link = await stub.socket(0)
    await asyncio.sleep(0.4)
    await link.event("e1")
    await inbox.until(2)
    assert len(stub.sockets) == 1


async def test_a_ping_is_answered(start: Start, stub: StubSlack, inbox: Inbox) -> None:
    start()
    link = await stub.socket(0)
    await link.socket.ping(b"are you there")
    await link.event("e1")
    await inbox.until(2)
    assert len(stub.sockets) == 1


async def test_a_dead_address_is_never_tried_twice(start: Start, stub: StubSlack, inbox: Inbox) -> None:
    stub.dead_urls = 3
    start()
    await (await stub.socket(0)).event("e1")
    assert await inbox.until(2) == ["gap: start", "e1"]
    assert len(stub.calls("apps.connections.open")) == 4


async def test_a_connection_without_hello_is_given_up(start: Start, stub: StubSlack, inbox: Inbox) -> None:
    stub.hello = False
    start(timings=HASTY)
    await stub.socket(0)
    await stub.socket(1)
    assert inbox.noted == []
    stub.hello = True
    await inbox.until(1)


async def test_no_event_is_admitted_before_the_gap_is_noted(start: Start, stub: StubSlack, inbox: Inbox) -> None:
    inbox.gap_fault = StoreUnavailable("locked")
    start()
    await (await stub.socket(0)).event("too early")
    await (await stub.socket(1)).event("e1")
    assert await inbox.until(2) == ["gap: start", "e1"]


@pytest.mark.parametrize("code", ["invalid_auth", "token_revoked", "account_inactive"])
async def test_a_bad_app_token_is_told_and_tried_again(
    start: Start, stub: StubSlack, inbox: Inbox, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    stub.script["apps.connections.open"] = [{"ok": False, "error": code}] * 3
    mode = start()
    while not mode.health.trouble:
        await asyncio.sleep(0.01)
    assert code in mode.health.trouble
    assert mode.health.connected == 0
    await inbox.until(1)
    assert mode.health.trouble == ""
    assert len([record for record in caplog.records if code in record.message]) == 1


@pytest.mark.parametrize("greets", [True, False])
async def test_socket_mode_switched_off_says_what_to_do(
    start: Start, stub: StubSlack, inbox: Inbox, greets: bool
) -> None:
    if not greets:
        stub.greeting = {"type": "disconnect", "reason": "link_disabled"}
    mode = start()
    link = await stub.socket(0)
    if greets:
        await link.disconnect("link_disabled")
    while "Switch it on" not in mode.health.trouble:
        await asyncio.sleep(0.01)
    stub.greeting = {"type": "hello"}
    while mode.health.trouble:
        await asyncio.sleep(0.01)
    assert mode.health.connected == 1


async def test_a_long_pause_ends_when_the_last_connection_is_lost(start: Start, stub: StubSlack, inbox: Inbox) -> None:
    start(connections=2, timings=Timings(refused=60, settled=0, back_off=0.01))
    await stub.socket(1)
    await stub.sockets[0].disconnect("too_many_websockets")
    await asyncio.wait_for(stub.sockets[0].ended.wait(), 30)
    await stub.sockets[1].socket.close()
    await (await stub.socket(2)).event("e1")
    assert await inbox.until(3) == ["gap: start", "gap: no connection was up", "e1"]


async def test_stopping_acknowledges_what_was_admitted_and_closes(
    client: SlackClient, session: aiohttp.ClientSession, stub: StubSlack, inbox: Inbox
) -> None:
    inbox.holding = True
    mode = SocketMode("acme", client, inbox.admit, inbox.on_gap, session=session, timings=QUICK)
    task = asyncio.create_task(mode.run())
    link = await stub.socket(0)
    await link.event("e1")
    await inbox.until(2)
    task.cancel()
    await asyncio.sleep(0.05)
    inbox.commits[0].set_result(None)
    assert await ack(link) == "e1"
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(link.ended.wait(), 30)
    assert mode.health.connected == 0


async def test_a_commit_that_outlives_its_connection_is_acknowledged_on_another_one(
    start: Start, stub: StubSlack, inbox: Inbox
) -> None:
    inbox.holding = True
    start()
    old = await stub.socket(0)
    await old.event("e1")
    await inbox.until(2)
    await old.socket.close()
    await inbox.until(3)
    new = await stub.socket(1)
    await asyncio.sleep(0.05)
    inbox.commits[0].set_result(None)
    assert await ack(new) == "e1"


async def test_a_store_that_stands_still_stops_the_reading(start: Start, stub: StubSlack, inbox: Inbox) -> None:
    inbox.holding = True
    start()
    link = await stub.socket(0)
    for number in range(UNACKNOWLEDGED + 200):
        await link.event(f"e{number}")
    await asyncio.sleep(0.2)
    assert len(inbox.commits) <= UNACKNOWLEDGED + 2
    inbox.holding = False
    for commit in inbox.commits:
        commit.set_result(None)
    assert len(await inbox.until(UNACKNOWLEDGED + 201)) == UNACKNOWLEDGED + 201


async def test_more_than_ten_connections_are_refused(client: SlackClient, session: aiohttp.ClientSession) -> None:
    for number in (0, 11):
        with pytest.raises(ValueError, match="1 to 10"):
            SocketMode("acme", client, Inbox().admit, Inbox().on_gap, session=session, connections=number)


async def test_ten_connections_are_refreshed_without_an_eleventh(start: Start, stub: StubSlack, inbox: Inbox) -> None:
    start(connections=10, timings=Timings(linger=60, settled=0, back_off=0.01))
    await stub.socket(9)
    await stub.sockets[0].disconnect("refresh_requested")
    await stub.socket(10)
    await asyncio.wait_for(stub.sockets[0].ended.wait(), 30)
    assert inbox.noted == ["gap: start"]


def test_the_proxy_for_https_serves_sockets_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", "inside.example")
    assert proxy_for("wss://wss-primary.slack.com/link") == "http://proxy.example:3128"
    assert proxy_for("wss://inside.example/link") is None
    assert proxy_for("ws://127.0.0.1/link") is None


async def test_a_failing_address_call_is_told(start: Start, stub: StubSlack, inbox: Inbox) -> None:
    stub.script["apps.connections.open"] = [None, {"ok": False, "error": "internal_error"}, {"ok": True}]
    start()
    await inbox.until(1)
    assert inbox.noted == ["gap: start"]
