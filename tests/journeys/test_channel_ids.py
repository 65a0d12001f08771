"""A private channel that is shared with others is given a new id by Slack, and keeps its room and its messages."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.journeys.stage import Stage, until
from tests.journeys.world import people_of

if TYPE_CHECKING:
    from tests.sandbox.slack import SlackSandbox

PORTALS = {"portals": {"automatic": {"include": ["*"], "private": True}}}


def seed(slack: SlackSandbox) -> None:
    people_of(slack)
    workspace = slack.team()
    workspace.person("alice").create("board", members=["alice", "bob", workspace.installation.bot_user])


@pytest.mark.parametrize("tells", ["first", "late", "never"])
async def test_a_channel_with_a_new_id_keeps_its_room_whatever_is_heard_first(sqlite_url: str, tells: str) -> None:
    async with Stage(sqlite_url, seed=seed, more=PORTALS) as stage:
        workspace = stage.workspace
        alice, old = workspace.person("alice"), workspace.channel("board").id
        await stage.start()
        room = await stage.room("board", 30)
        ada = await stage.homeserver.person("ada")
        await ada.join(room)
        alice.convert_to_private("board")
        before = alice.post("board", "before")
        await until(lambda: [line.body for line in stage.homeserver.timeline(room)] == ["before"], 30)
        async with asyncio.timeout(30):
            while await stage.left_over():  # what was mirrored is evidence once it is recorded
                await asyncio.sleep(0.02)

        new = alice.share("board", tell=tells == "first")
        alice.post("board", "after")
        if tells == "late":
            event = {"type": "channel_id_changed", "old_channel_id": old, "new_channel_id": new}
            workspace.emit(event | {"event_ts": workspace.clock.next()}, workspace.channel("board"))
        alice.edit("board", before.ts, "before, and better")
        await ada.say(room, "from Matrix")
        await until(lambda: any(entry.text == "from Matrix" for entry in stage.entries("board")), 30)
        shown = {"before, and better", "after", "from Matrix"}
        await until(lambda: {line.body for line in stage.homeserver.timeline(room)} >= shown, 30)
        async with asyncio.timeout(30):
            while stage.slack.delivery.open or await stage.left_over():
                await asyncio.sleep(0.02)
        assert stage.database is not None
        portals = await stage.database.fetch("SELECT channel, room FROM portals WHERE name = 'board'")
        assert [tuple(row) for row in portals] == [(new, room)]


@pytest.mark.parametrize("times", [0, 1])
async def test_a_channel_that_is_gone_is_looked_for_once_and_only_where_it_had_messages(
    sqlite_url: str, times: int
) -> None:
    async with Stage(sqlite_url, seed=seed, more=PORTALS) as stage:
        alice = stage.workspace.person("alice")
        alice.user.is_admin = True
        await stage.start()
        room = await stage.room("board", 30)
        for _ in range(times):
            alice.post("board", "of the board")
            await until(lambda: "of the board" in {line.body for line in stage.homeserver.timeline(room)}, 30)
        ada = await stage.homeserver.person("ada")
        await ada.join(room)
        del stage.workspace.channels[stage.workspace.channel("board").id]  # unheard
        listed = stage.gate.answered["/api/conversations.list"]
        assert listed
        for number in range(1, 4):
            await ada.say(room, "too late")
            await _parked(stage, number)
        assert stage.gate.answered["/api/conversations.list"] == listed + times


async def _parked(stage: Stage, rows: int) -> None:
    assert stage.database is not None
    async with asyncio.timeout(30):
        while len(await stage.database.fetch("SELECT 1 FROM inbox WHERE state = 3")) < rows:
            await asyncio.sleep(0.02)


async def test_a_channel_with_the_name_of_a_deleted_one_is_another_one(sqlite_url: str) -> None:
    async with Stage(sqlite_url, seed=seed, more=PORTALS) as stage:
        workspace = stage.workspace
        alice, bob = workspace.person("alice"), workspace.person("bob")
        alice.user.is_admin = True
        await stage.start()
        room = await stage.room("board", 30)
        alice.post("board", "of the old board")
        await until(lambda: "of the old board" in {line.body for line in stage.homeserver.timeline(room)}, 30)
        alice.delete_channel("board")
        bob.create("board", members=["bob", workspace.installation.bot_user])
        bob.post("board", "of the new board")
        await until(lambda: _shows_elsewhere(stage, room, "of the new board"), 30)
        assert "of the new board" not in {line.body for line in stage.homeserver.timeline(room)}


def _shows_elsewhere(stage: Stage, room: str, words: str) -> bool:
    others = [one for one in stage.homeserver.world.rooms if one != room]
    return any(words in {line.body for line in stage.homeserver.timeline(one)} for one in others)
