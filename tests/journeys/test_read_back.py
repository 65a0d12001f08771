"""Rooms that are read back tell Slack what the homeserver forgot to tell: all of it, in order, and nothing else."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from bridge.matrix.client import MatrixClient
from bridge.store.database import Statement
from bridge.store.heard import Heard
from bridge.store.ledger import Ledger
from bridge.store.opening import open_database
from portals.facts import PortalState
from portals.ids import ActionKey, MatrixUserId, RoomId
from tests.journeys.stage import Stage, until
from tests.journeys.test_outages import set_state
from tests.journeys.world import World, people_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.sandbox.homeserver.world import Event

MINUTE = 60_000
DAY = 24 * 60 * MINUTE


@pytest.fixture
async def world(sqlite_url: str) -> AsyncIterator[World]:
    async with Stage(sqlite_url, seed=people_of) as stage:
        world = World(stage)
        await world.open()
        await world.settle()
        yield world


def now() -> int:
    return time.time_ns() // 1_000_000


def said(world: World) -> list[str]:
    """Return what Slack shows of people of Matrix."""
    return [entry.text for entry in world.stage.entries("general") if entry.author == "ada"]


def pages(world: World) -> int:
    """Return how many pages of rooms this bridge has read."""
    return sum(count for path, count in world.stage.gate.answered.items() if path.endswith("/messages"))


async def forgotten(world: World, *texts: str, ago: int = 0) -> None:
    """Have ada say something, some time ago (ms), of which the homeserver never tells."""
    stage = world.stage
    (pusher,) = stage.homeserver.pushers
    pusher.is_forgetful = True
    for text in texts:
        event = await world.people["ada"].say(world.rooms["general"], text)
        at(world, event).at -= ago
    pusher.is_forgetful = False


def at(world: World, event_id: str) -> Event:
    return world.stage.homeserver.world.rooms[world.rooms["general"]].by_id[event_id]


async def heard_until(world: World, ago: int) -> None:
    """Have the store remember that everything had come up to some time ago (ms)."""
    database = await open_database(world.stage.database_url)
    await Heard(database, "localhost").note(now() - ago)
    await database.close()


async def was_read(world: World) -> None:
    """Return when the bridge that was just started has read its rooms."""
    stage = world.stage
    assert stage.database is not None
    heard = Heard(stage.database, "localhost")
    began = now()
    async with asyncio.timeout(20):
        while await heard.until() < began - MINUTE:
            await asyncio.sleep(stage.pace)
    await world.settle()


async def test_a_bridge_that_died_while_the_homeserver_was_away_reads_back_from_before(world: World) -> None:
    stage = world.stage
    await stage.stop()
    await forgotten(world, "forgotten", ago=10 * MINUTE)
    await heard_until(world, 11 * MINUTE)
    await stage.homeserver.refuse()
    await stage.start()
    stage.workspace.person("alice").post("general", "Slack goes on")
    await stage.slack.delivered()
    await stage.stop()
    await stage.homeserver.accept()
    await stage.start()
    await was_read(world)
    assert said(world) == ["forgotten"]


async def test_a_homeserver_that_falters_while_rooms_are_read_is_read_again(world: World) -> None:
    stage = world.stage
    await stage.stop()
    await forgotten(world, "one", "two")
    await heard_until(world, 5 * MINUTE)
    stage.homeserver.faults.refuse(502, times=2, method="GET", path="/messages")
    await stage.start()
    await was_read(world)
    assert said(world) == ["one", "two"]


async def test_what_was_told_and_is_read_is_said_once_whatever_it_is(world: World) -> None:
    stage, ada, room = world.stage, world.people["ada"], world.rooms["general"]
    first = await ada.say(room, "first")
    await ada.edit(room, first, "first again")
    await ada.react(room, first, "👍")
    gone = await ada.say(room, "gone")
    await ada.redact(room, gone)
    answers = [{"id": "1", "org.matrix.msc1767.text": "yes"}, {"id": "2", "org.matrix.msc1767.text": "no"}]
    question = {"question": {"org.matrix.msc1767.text": "shall we?"}, "answers": answers, "max_selections": 1}
    await ada.send(room, {"org.matrix.msc3381.poll.start": question}, "org.matrix.msc3381.poll.start")
    await world.settle()
    before = stage.workspace.transcript("general")
    assert len(said(world)) == 2
    for _ in range(2):
        await stage.stop()
        await heard_until(world, 5 * MINUTE)
        await stage.start()
        await was_read(world)
    assert stage.workspace.transcript("general") == before
    assert await stage.left_over() == []


async def test_an_event_of_a_time_to_come_is_not_said_again_when_its_name_is_forgotten(world: World) -> None:
    stage = world.stage
    event = await world.people["ada"].say(world.rooms["general"], "from the future")
    at(world, event).at += 10 * DAY
    await world.settle()
    assert said(world) == ["from the future"]
    assert stage.database is not None
    await asyncio.sleep(0.01)
    await Ledger(stage.database).purge(0)
    await stage.stop()
    await stage.start()
    await was_read(world)
    assert said(world) == ["from the future"]


async def test_history_that_came_meanwhile_does_not_hide_what_was_forgotten(world: World) -> None:
    stage = world.stage
    room, team = RoomId(world.rooms["general"]), stage.workspace.id
    await stage.stop()
    await forgotten(world, "forgotten", ago=3 * MINUTE)
    ghost = MatrixUserId(f"@slack_{team}_{stage.workspace.user('alice').id}:localhost".lower())
    token = stage.settings.appservice.as_token.reveal()
    stage.gate.open()
    async with MatrixClient(stage.homeserver.url, token, MatrixUserId("@causeway:localhost")) as matrix:
        for number in range(250):
            content = {"msgtype": "m.text", "body": f"long ago {number}"}
            key = ActionKey(f"history{number}")
            await matrix.send(room, ghost, "m.room.message", content, key, ts=1_600_000_000_000 + number)
    await heard_until(world, 4 * MINUTE)
    imported = "INSERT INTO imports (team, source, selection, state, started_at, updated_at) VALUES ($1,'','','',$2,$2)"
    database = await open_database(stage.database_url)
    await database.commit(Statement(imported, (team, now() - MINUTE)))
    await database.close()
    await stage.start()
    await was_read(world)
    assert said(world) == ["forgotten"]


async def test_a_busy_room_costs_two_pages_at_a_start(world: World) -> None:
    stage, ada, room = world.stage, world.people["ada"], world.rooms["general"]
    for number in range(300):
        at(world, await ada.say(room, f"said {number}")).at -= DAY
    await world.settle()
    await stage.stop()
    await stage.start()
    await was_read(world)
    assert len(said(world)) == 300
    assert pages(world) <= 2, pages(world)


async def test_what_was_forgotten_of_a_paused_portal_comes_when_it_goes_on(world: World) -> None:
    stage = world.stage
    await set_state(stage, PortalState.PAUSED)
    await stage.stop()
    await forgotten(world, "in the pause")
    await heard_until(world, 5 * MINUTE)
    await stage.start()
    assert stage.database is not None
    await until(lambda: stage.gate.answered["/_matrix/client/versions"])
    await set_state(stage, PortalState.LIVE)
    await was_read(world)
    assert said(world) == ["in the pause"]


async def test_a_clock_that_was_set_back_reads_once_more_and_says_nothing_twice(world: World) -> None:
    stage = world.stage
    await world.people["ada"].say(world.rooms["general"], "before the clock went back")
    await world.settle()
    await stage.stop()
    await heard_until(world, -DAY)
    await forgotten(world, "after")
    await stage.start()
    await until(lambda: pages(world))
    await world.settle()
    assert said(world)[:1] == ["before the clock went back"]
    assert said(world).count("before the clock went back") == 1
