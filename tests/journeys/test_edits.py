"""Edits and deletions the whole way: the last state is shown, by as many messages as it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.journeys.shown import bodies, contents, events
from tests.journeys.stage import Stage
from tests.journeys.world import World, people_of
from tests.sandbox.slack import Upload
from tests.sandbox.slack.messages import announce_change
from tests.sandbox.slack.shapes import message_json

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

LONG = "\n\n".join(f"Paragraph {n}. " + "Words upon words. " * 60 for n in range(8))


@pytest.fixture
async def world(sqlite_url: str) -> AsyncIterator[World]:
    async with Stage(sqlite_url, seed=people_of) as stage:
        world = World(stage)
        await world.open()
        await world.settle()
        yield world


def texts(world: World) -> list[str]:
    return [
        entry.text for entry in world.stage.entries("general") if entry.subtype != "channel_join" and not entry.deleted
    ]


async def test_several_edits_in_a_row_end_at_the_last(world: World) -> None:
    room, alice, ada = world.rooms["general"], world.stage.workspace.person("alice"), world.people["ada"]
    ts = alice.post("general", "s0").ts
    event = await ada.say(room, "m0")
    for number in range(1, 6):
        alice.edit("general", ts, f"s{number}")
        await ada.edit(room, event, f"m{number}")
    await world.settle()
    assert sorted(bodies(world.stage, room)) == ["m5", "s5"]
    assert sorted(texts(world)) == ["m5", "s5"]
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "*blocks* alone"}}]
    alice.edit("general", ts, "s5", blocks=blocks)
    await world.settle()
    assert "blocks alone" in " ".join(bodies(world.stage, room)).replace("*", "")


async def test_a_split_message_grows_and_shrinks_with_its_edits(world: World) -> None:
    room, ada = world.rooms["general"], world.people["ada"]
    event = await ada.say(room, LONG)
    await world.settle()
    parts = texts(world)
    assert len(parts) > 1
    await ada.edit(room, event, "short")
    await world.settle()
    assert texts(world) == ["short"]
    await ada.edit(room, event, LONG)
    await world.settle()
    assert texts(world) == parts
    await ada.redact(room, event)
    await world.settle()
    assert texts(world) == []


async def test_an_edit_after_the_deletion_brings_nothing_back(world: World) -> None:
    room, alice, ada = world.rooms["general"], world.stage.workspace.person("alice"), world.people["ada"]
    message, event = alice.post("general", "s"), await ada.say(room, "m")
    await world.settle()
    channel = world.stage.workspace.channel("general")
    before = message_json(world.stage.workspace, channel, message)
    alice.delete("general", message.ts)
    await ada.redact(room, event)
    message.text = "s again"
    announce_change(world.stage.workspace, channel, message, before, None)
    await ada.edit(room, event, "m again")
    await world.settle()
    assert bodies(world.stage, room) == ["m again"] or bodies(world.stage, room) == []
    assert texts(world) == []


async def test_a_reply_that_is_sent_to_the_channel_later_is_shown_there_once(world: World) -> None:
    room, alice = world.rooms["general"], world.stage.workspace.person("alice")
    root = alice.post("general", "root").ts
    reply = alice.post("general", "reply", thread_ts=root)
    await world.settle()
    channel = world.stage.workspace.channel("general")
    before = message_json(world.stage.workspace, channel, reply)
    reply.broadcast, reply.subtype = True, "thread_broadcast"
    for _ in range(2):
        announce_change(world.stage.workspace, channel, reply, before, None)
    await world.settle()
    shown = [(content["body"], "m.relates_to" in content) for content in contents(world.stage, room)]
    assert shown == [("root", False), ("reply", True), ("reply", False)]
    alice.edit("general", reply.ts, "both")
    await world.settle()
    assert bodies(world.stage, room) == ["root", "both", "both"]
    alice.delete("general", reply.ts)
    await world.settle()
    assert bodies(world.stage, room) == ["root"]


async def test_each_part_of_a_message_goes_with_it_or_alone(world: World) -> None:
    room, alice = world.rooms["general"], world.stage.workspace.person("alice")
    message = alice.post("general", "look", files=[Upload("a.txt", b"a"), Upload("b.txt", b"b")])
    await world.settle()
    assert bodies(world.stage, room) == ["look", "a.txt", "b.txt"]
    alice.delete_file(message.files[0])
    await world.settle()
    assert bodies(world.stage, room) == ["look", "b.txt"]
    alice.edit("general", message.ts, "look here")
    await world.settle()
    assert bodies(world.stage, room) == ["look here", "b.txt"]
    alice.delete("general", message.ts)
    await world.settle()
    assert bodies(world.stage, room) == []


async def test_a_caption_is_edited_and_goes_with_its_file(world: World) -> None:
    room, ada = world.rooms["general"], world.people["ada"]
    event = await ada.send_file(room, b"abc", "a.txt", "text/plain", caption="old")
    await world.settle()
    assert texts(world) == ["ada: old"]
    (content,) = contents(world.stage, room)
    new = {**content, "body": "new"}
    relation = {"rel_type": "m.replace", "event_id": event}
    await ada.send(room, {**new, "m.new_content": new, "m.relates_to": relation})
    await world.settle()
    assert texts(world) == ["ada: new"]
    await ada.redact(room, event)
    await world.settle()
    assert texts(world) == []


async def test_an_unfurl_is_no_edit(world: World) -> None:
    room, alice = world.rooms["general"], world.stage.workspace.person("alice")
    ts = alice.post("general", "see https://example.org/").ts
    await world.settle()
    alice.unfurl("general", ts)
    await world.settle()
    (event,) = events(world.stage, room)
    edits = [one for one in world.stage.homeserver.events(room) if "m.new_content" in one["content"]]
    assert (event["content"]["body"], edits) == ("see https://example.org/", [])
