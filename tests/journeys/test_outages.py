"""After an outage of any side everything is there, in order and once, for a number of calls that is known."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from bridge.configured import names_from
from bridge.store.directory import Directory
from bridge.store.ledger import Ledger
from portals.facts import PortalState
from portals.ids import channel_queue
from tests.journeys.script import Delete, Edit, Post, React, Topic
from tests.journeys.stage import Stage, until
from tests.journeys.world import World, people_of
from tests.sandbox.slack import DeliveryTimes, Kind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

FORGETFUL = DeliveryTimes(ack=0.3, retries=())
THREAD = 1
GONE = 2
EDITED = 3
LIKED = 4


def said(number: int, side: str = "slack", root: int = 0) -> Post:
    """Return what somebody says: alice in Slack, ada in Matrix."""
    return Post(number, side, "alice" if side == "slack" else "ada", "general", f"m{number} said", root)


@pytest.fixture
async def world(sqlite_url: str) -> AsyncIterator[World]:
    """A world in which a few things were said, and Slack repeats nothing that the bridge missed."""
    async with Stage(sqlite_url, seed=people_of, times=FORGETFUL) as stage:
        world = World(stage)
        await world.open()
        await world.play([said(THREAD), said(GONE), said(EDITED), said(LIKED), said(5, "matrix"), said(6, root=THREAD)])
        await world.play([React(LIKED, "slack", "bob", "tada")])
        await world.settle()
        yield world


async def alike(world: World) -> None:
    await world.settle()
    assert await world.differences() == []


async def test_what_happened_while_the_bridge_was_down_is_there_after_its_start(world: World) -> None:
    stage = world.stage
    await stage.stop()
    world.down = 100
    await world.play(
        [
            Delete(GONE),
            Edit(EDITED, f"m{EDITED} said again"),
            React(LIKED, "slack", "bob", "tada", on=False),
            React(LIKED, "slack", "carol", "eyes"),
            said(7, root=THREAD),
            said(8),
            Edit(8, "m8 said again"),
            said(9, root=8),
            Topic("general", "t1"),
            *(said(number) for number in range(10, 40)),
            said(40, "matrix"),
            said(41, "matrix", root=THREAD),
        ]
    )
    stage.slack.calls.clear()
    await alike(world)
    calls = stage.slack.calls.counts
    assert calls["conversations.history"] <= 1, "one page"
    assert calls["conversations.replies"] <= 2, "one for each thread in which something was said"
    assert calls["conversations.list"] <= 1
    assert calls["chat.postMessage"] == 2
    assert sum(calls.values()) < 20, calls


async def test_a_channel_that_was_renamed_meanwhile_has_its_new_name(world: World) -> None:
    stage = world.stage
    await stage.stop()
    room = world.rooms["general"]
    stage.workspace.person("alice").rename("general", "lounge")
    world.channels, world.rooms = ("lounge",), {"lounge": room}
    await world.start()
    await world.settle()
    names = [event["content"]["name"] for event in stage.homeserver.events(room) if event["type"] == "m.room.name"]
    assert names[-1] == "#lounge"


async def test_slack_is_out_of_order_for_a_while(world: World) -> None:
    stage = world.stage
    await stage.slack.begin_outage()
    await world.play([said(number, "matrix" if number % 2 else "slack") for number in range(7, 25)])
    stage.slack.end_outage()
    await alike(world)


async def test_the_homeserver_is_down_for_a_while(world: World) -> None:
    stage = world.stage
    await stage.homeserver.refuse()
    await world.play([said(number, "matrix" if number % 2 else "slack") for number in range(7, 25)])
    await stage.slack.delivered()  # Slack has its acknowledgements although nothing can be shown yet
    assert stage.slack.delivery.lost == []
    await stage.homeserver.accept()
    await alike(world)


async def test_what_a_homeserver_forgot_to_tell_before_it_died_is_read_back(world: World) -> None:
    stage = world.stage
    (pusher,) = stage.homeserver.pushers
    pusher.is_forgetful = True
    await world.play([said(number, "matrix") for number in range(7, 10)])
    await world.play([React(LIKED, "matrix", "ada", "tada"), Edit(7, "m7 said again"), Delete(8)])
    pusher.is_forgetful = False
    await stage.homeserver.refuse()
    await asyncio.sleep(0.5)
    await stage.homeserver.accept()
    await until(lambda: any(entry.text == "m9 said" for entry in stage.entries("general")))
    await alike(world)


async def test_what_a_homeserver_forgot_that_died_with_the_bridge_is_read_back_at_the_start(world: World) -> None:
    stage = world.stage
    (pusher,) = stage.homeserver.pushers
    pusher.is_forgetful = True
    await stage.stop()
    world.down = 100
    await world.play([said(number, "matrix") for number in range(7, 10)])
    pusher.is_forgetful = False
    await world.play([said(10, "matrix")])
    await world.start()
    await until(lambda: any(entry.text == "m9 said" for entry in stage.entries("general")))
    await world.settle()
    assert await world.differences(in_order=False) == []


async def test_sockets_that_break_without_a_word_lose_nothing(world: World) -> None:
    stage = world.stage
    stage.slack.sockets.silence()
    await world.play([said(7), Delete(GONE), said(8, root=THREAD), Edit(EDITED, f"m{EDITED} said again")])
    await stage.slack.sockets.kill()
    await world.play([said(9)])
    await alike(world)


async def test_what_slack_refuses_is_parked_shown_and_retried(world: World) -> None:
    stage = world.stage
    assert stage.database is not None
    stage.slack.faults.next_calls("chat.postMessage", Kind.ERROR, times=2, error="restricted_action")
    await world.play([said(7, "matrix"), said(8, "matrix"), said(9, "matrix")])
    await world.settle()
    ledger = Ledger(stage.database)
    first, second = await ledger.parked()
    notices = [line for line in await stage.lines("general") if line.kind == "m.notice"]
    assert len(notices) == 2
    assert all("restricted_action" in line.body for line in notices)
    assert await ledger.retry(first.seq)
    await ledger.request(first.direction, first.queue)
    assert await ledger.drop(second.seq, "a test drops it")
    await until(lambda: [entry.text for entry in stage.entries("general")][-1] == "m7 said")
    await world.settle()
    shown = [entry.text for entry in stage.entries("general") if entry.author == "ada"]
    assert shown == ["m5 said", "m9 said", "m7 said"]
    assert await stage.left_over() == []


async def set_state(stage: Stage, state: PortalState) -> None:
    """Change the state of the one portal as the command line does, and return when the bridge has heard of it."""
    assert stage.database is not None
    ledger, directory = Ledger(stage.database), Directory(stage.database, names_from(stage.settings))
    portal = await directory.portal_of_channel(stage.workspace.id, stage.workspace.channel("general").id)
    assert portal is not None
    assert portal.room is not None
    await directory.set_state(portal.id, state)
    await ledger.request("to_matrix", channel_queue(portal.team, portal.channel))
    await ledger.request("to_slack", portal.room)
    async with asyncio.timeout(10):
        while (await stage.database.fetch("SELECT COUNT(*) FROM requests"))[0][0]:
            await asyncio.sleep(stage.pace)


async def test_a_paused_portal_keeps_everything_until_it_goes_on(world: World) -> None:
    stage = world.stage
    await set_state(stage, PortalState.PAUSED)
    lines, entries = await stage.lines("general"), stage.entries("general")
    await world.play([said(7, "matrix"), said(8), said(9, "matrix"), said(10)])
    await stage.slack.delivered()
    await stage.homeserver.settled()
    await stage.stop()
    await world.start()
    await stage.slack.until(lambda: stage.slack.sockets.connections)
    assert len(await stage.lines("general")) == len(lines) + 2, "what Matrix said itself"
    assert len(stage.entries("general")) == len(entries) + 2, "what Slack said itself"
    await set_state(stage, PortalState.LIVE)
    await alike(world)
