"""Bookmarks of a channel show in its room, follow their changes, and cost a call each time that they are read."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from tests.journeys.stage import Stage, until
from tests.journeys.world import people_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.sandbox.slack import SlackSandbox

CHANNEL = "general"


def seed(sandbox: SlackSandbox) -> None:
    people_of(sandbox)
    sandbox.team().person("alice").bookmark(CHANNEL, "Wiki", "https://wiki.example/", ":book:")


@pytest.fixture
async def stage(sqlite_url: str) -> AsyncIterator[Stage]:
    more = {"relay": {"bookmarks": "100ms"}, "rooms": {"join_rule": "public"}}
    async with Stage(sqlite_url, seed=seed, more=more) as stage:
        yield stage


def notices(stage: Stage, room: str) -> list[str]:
    """What the notices of bookmarks say now, those that were redacted left out."""
    lines = stage.homeserver.timeline(room)
    return [line.body for line in lines if line.body.startswith("Bookmarks:")]


def pins(stage: Stage, room: str) -> list[str]:
    event = stage.homeserver.world.rooms[room].state.get(("m.room.pinned_events", ""))
    return list(event.content["pinned"]) if event else []


async def test_bookmarks_are_one_pinned_notice_that_follows_them(stage: Stage) -> None:
    await stage.start()
    room = await stage.room(CHANNEL)
    says = partial(notices, stage, room)
    await until(lambda: says() == ["Bookmarks:\n\n- 📖 Wiki (https://wiki.example/)"])
    await until(lambda: len(pins(stage, room)) == 1)
    alice = stage.workspace.person("alice")
    alice.bookmark(CHANNEL, "Board", "https://board.example/")
    await until(lambda: "Board (https://board.example/)" in says()[0])
    assert len(says()) == 1
    await stage.stop()
    await stage.start()
    for bookmark in list(stage.workspace.channel(CHANNEL).bookmarks):
        alice.remove_bookmark(CHANNEL, bookmark["id"])
    await until(lambda: not says() and not pins(stage, room))
    alice.bookmark(CHANNEL, "Board", "https://board.example/")
    await until(lambda: len(says()) == 1 and len(pins(stage, room)) == 1)


async def test_without_the_scope_or_the_setting_nothing_is_asked_twice(stage: Stage) -> None:
    stage.workspace.installation.token.scopes.discard("bookmarks:read")
    await stage.start()
    room = await stage.room(CHANNEL)
    calls: Any = stage.slack.calls.counts
    await until(lambda: calls["bookmarks.list"])
    stage.workspace.person("alice").post(CHANNEL, "hello")
    await until(lambda: [line for line in stage.homeserver.timeline(room) if line.body == "hello"])
    assert (calls["bookmarks.list"], notices(stage, room)) == (1, [])
