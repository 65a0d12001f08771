"""What is read of a workspace is compared with what is heard of it, and the younger word counts."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from portals import retry
from tests.journeys.script import Member, Post, Topic
from tests.journeys.stage import Stage
from tests.journeys.world import World, people_of
from tests.sandbox.slack import DeliveryTimes, Kind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

FORGETFUL = DeliveryTimes(ack=0.3, retries=())
"""Slack repeats nothing: what is missed must be found."""


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "_FIRST", 0.005)
    monkeypatch.setattr(retry, "_LONGEST", 0.02)


@asynccontextmanager
async def world_on(database_url: str) -> AsyncIterator[World]:
    async with Stage(database_url, seed=people_of, times=FORGETFUL) as stage:
        world = World(stage)
        await world.open()
        await world.settle()
        yield world


async def topic_of(world: World) -> str:
    state = await world.people["ada"].state(world.rooms["general"], "m.room.topic")
    return str((state or {}).get("topic"))


async def test_a_topic_that_was_missed_is_found_when_the_connection_is_back(sqlite_url: str) -> None:
    async with world_on(sqlite_url) as world:
        world.stage.slack.faults.lost_envelopes = 2
        await world.play([Topic("general", "Missed by everybody")])
        await world.stage.slack.sockets.kill()
        async with asyncio.timeout(10):
            while await topic_of(world) != "Missed by everybody":
                await asyncio.sleep(0.01)


async def test_what_is_missed_while_a_workspace_is_being_read_is_found_by_reading_it_once_more(sqlite_url: str) -> None:
    async with world_on(sqlite_url) as world:
        slack = world.stage.slack
        slack.faults.next_calls("conversations.list", Kind.DELAY, seconds=2)
        before = len(slack.calls.of("conversations.list"))
        await slack.sockets.kill()
        await slack.until(lambda: len(slack.calls.of("conversations.list")) > before)
        slack.faults.lost_envelopes = 2
        await world.play([Topic("general", "Missed by everybody")])
        await slack.sockets.kill()
        async with asyncio.timeout(10):
            while await topic_of(world) != "Missed by everybody":
                await asyncio.sleep(0.01)


async def test_a_list_of_channels_that_comes_late_does_not_undo_what_was_heard_since(sqlite_url: str) -> None:
    async with world_on(sqlite_url) as world:
        stage = world.stage
        stage.slack.faults.next_calls("conversations.list", Kind.DELAY, seconds=0.5)
        before = len(stage.slack.calls.of("conversations.list"))
        await stage.slack.sockets.kill()
        await stage.slack.until(lambda: len(stage.slack.calls.of("conversations.list")) > before)
        assert stage.gate.requests
        await world.play([Topic("general", "Said since")])
        await world.settle()
        assert await world.differences() == []


async def test_whoever_spoke_unheard_and_left_comes_to_say_it_and_leaves_the_room(sqlite_url: str) -> None:
    async with world_on(sqlite_url) as world:
        await world.play([Member("general", "carol", joins=False)])
        await world.settle()
        await world.stage.stop()
        world.down = 10
        await world.play(
            [
                Member("general", "carol", joins=True),
                Post(1, "slack", "carol", "general", "m1 said"),
                Member("general", "carol", joins=False),
            ]
        )
        await world.settle()
        assert await world.differences() == []
