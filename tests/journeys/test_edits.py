"""Edits and deletions the whole way: the last state is shown, by as many messages as it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.journeys.talk import Talk, bodies, contents, events, talk_on
from tests.sandbox.slack import Upload
from tests.sandbox.slack.messages import announce_change
from tests.sandbox.slack.shapes import message_json

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

LONG = "\n\n".join(f"Paragraph {n}. " + "Words upon words. " * 60 for n in range(8))


@pytest.fixture
async def talk(sqlite_url: str) -> AsyncIterator[Talk]:
    async with talk_on(sqlite_url) as talk:
        yield talk


def texts(talk: Talk) -> list[str]:
    return [entry.text for entry in talk.entries() if entry.subtype != "channel_join" and not entry.deleted]


async def test_several_edits_in_a_row_end_at_the_last(talk: Talk) -> None:
    room, alice, ada = talk.room, talk.in_slack("alice"), talk.in_matrix("ada")
    ts = alice.post("general", "s0").ts
    event = await ada.say(room, "m0")
    for number in range(1, 6):
        alice.edit("general", ts, f"s{number}")
        await ada.edit(room, event, f"m{number}")
    await talk.settle()
    assert sorted(bodies(talk)) == ["m5", "s5"]
    assert sorted(texts(talk)) == ["m5", "s5"]
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "*blocks* alone"}}]
    alice.edit("general", ts, "s5", blocks=blocks)
    await talk.settle()
    assert "blocks alone" in " ".join(bodies(talk)).replace("*", "")


async def test_a_split_message_grows_and_shrinks_with_its_edits(talk: Talk) -> None:
    room, ada = talk.room, talk.in_matrix("ada")
    event = await ada.say(room, LONG)
    await talk.settle()
    parts = texts(talk)
    assert len(parts) > 1
    await ada.edit(room, event, "short")
    await talk.settle()
    assert texts(talk) == ["short"]
    await ada.edit(room, event, LONG)
    await talk.settle()
    assert texts(talk) == parts
    await ada.redact(room, event)
    await talk.settle()
    assert texts(talk) == []


async def test_an_edit_after_the_deletion_brings_nothing_back(talk: Talk) -> None:
    room, alice, ada = talk.room, talk.in_slack("alice"), talk.in_matrix("ada")
    message, event = alice.post("general", "s"), await ada.say(room, "m")
    await talk.settle()
    channel = talk.stage.workspace.channel("general")
    before = message_json(talk.stage.workspace, channel, message)
    alice.delete("general", message.ts)
    await ada.redact(room, event)
    message.text = "s again"
    announce_change(talk.stage.workspace, channel, message, before, None)
    await ada.edit(room, event, "m again")
    await talk.settle()
    assert bodies(talk) == ["m again"] or bodies(talk) == []
    assert texts(talk) == []


async def test_a_reply_that_is_sent_to_the_channel_later_is_shown_there_once(talk: Talk) -> None:
    alice = talk.in_slack("alice")
    root = alice.post("general", "root").ts
    reply = alice.post("general", "reply", thread_ts=root)
    await talk.settle()
    channel = talk.stage.workspace.channel("general")
    before = message_json(talk.stage.workspace, channel, reply)
    reply.broadcast, reply.subtype = True, "thread_broadcast"
    for _ in range(2):
        announce_change(talk.stage.workspace, channel, reply, before, None)
    await talk.settle()
    shown = [(content["body"], "m.relates_to" in content) for content in contents(talk)]
    assert shown == [("root", False), ("reply", True), ("reply", False)]
    alice.edit("general", reply.ts, "both")
    await talk.settle()
    assert bodies(talk) == ["root", "both", "both"]
    alice.delete("general", reply.ts)
    await talk.settle()
    assert bodies(talk) == ["root"]


async def test_each_part_of_a_message_goes_with_it_or_alone(talk: Talk) -> None:
    alice = talk.in_slack("alice")
    message = alice.post("general", "look", files=[Upload("a.txt", b"a"), Upload("b.txt", b"b")])
    await talk.settle()
    assert bodies(talk) == ["look", "a.txt", "b.txt"]
    alice.delete_file(message.files[0])
    await talk.settle()
    assert bodies(talk) == ["look", "b.txt"]
    alice.edit("general", message.ts, "look here")
    await talk.settle()
    assert bodies(talk) == ["look here", "b.txt"]
    alice.delete("general", message.ts)
    await talk.settle()
    assert bodies(talk) == []


async def test_a_caption_is_edited_and_goes_with_its_file(talk: Talk) -> None:
    room, ada = talk.room, talk.in_matrix("ada")
    event = await ada.send_file(room, b"abc", "a.txt", "text/plain", caption="old")
    await talk.settle()
    assert texts(talk) == ["ada: old"]
    (content,) = contents(talk)
    new = {**content, "body": "new"}
    relation = {"rel_type": "m.replace", "event_id": event}
    await ada.send(room, {**new, "m.new_content": new, "m.relates_to": relation})
    await talk.settle()
    assert texts(talk) == ["ada: new"]
    await ada.redact(room, event)
    await talk.settle()
    assert texts(talk) == []


async def test_an_unfurl_is_no_edit(talk: Talk) -> None:
    room, alice = talk.room, talk.in_slack("alice")
    ts = alice.post("general", "see https://example.org/").ts
    await talk.settle()
    alice.unfurl("general", ts)
    await talk.settle()
    (event,) = events(talk)
    edits = [one for one in talk.stage.homeserver.events(room) if "m.new_content" in one["content"]]
    assert (event["content"]["body"], edits) == ("see https://example.org/", [])


async def test_what_an_edit_said_is_gone_with_its_message(talk: Talk) -> None:
    alice = talk.in_slack("alice")
    ts = alice.post("general", "the first secret").ts
    await talk.settle()
    for words in ("the second secret", "the third secret"):
        alice.edit("general", ts, words)
        await talk.settle()
    kept = talk.stage.homeserver.events
    assert "second secret" in str(kept(talk.room))
    alice.delete("general", ts)
    await talk.settle()
    assert "secret" not in str(kept(talk.room))
