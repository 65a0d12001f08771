"""Edits and deletions the whole way: the last state is shown, by as many messages as it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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


async def edit_to(talk: Talk, event: str, new: dict[str, Any]) -> None:
    relation = {"rel_type": "m.replace", "event_id": event}
    await talk.in_matrix("ada").send(talk.room, {**new, "m.new_content": new, "m.relates_to": relation})
    await talk.settle()


def shown_files(talk: Talk) -> list[tuple[str, ...]]:
    """The names of the files of each message that is there."""
    return [tuple(name for name, _ in entry.files) for entry in talk.entries() if not entry.deleted and entry.files]


async def test_a_file_that_an_edit_exchanges_is_exchanged_in_slack_and_the_old_one_is_gone(talk: Talk) -> None:
    room, ada, brian = talk.room, talk.in_matrix("ada"), talk.in_matrix("brian")
    files = talk.stage.workspace.files
    root = await ada.say(room, "root")
    one = {"msgtype": "m.file", "filename": "one.txt", "body": "look", "url": await ada.upload(b"one", "text/plain")}
    event = await ada.send(room, one | {"m.relates_to": {"rel_type": "m.thread", "event_id": root}})
    await talk.settle()
    (first,) = [file.id for file in files.values() if not file.deleted]
    other = await ada.upload(b"two", "text/plain")
    two = {"msgtype": "m.file", "filename": "two.txt", "body": "look again", "url": other}
    await edit_to(talk, event, two)
    entry = talk.entries()[-1]
    assert (entry.text, shown_files(talk)) == ("ada: look again", [("two.txt",)])
    assert entry.thread is not None
    assert files[first].deleted
    await brian.react(room, event, "👍")
    await edit_to(talk, event, two | {"body": "look well"})
    entry = talk.entries()[-1]
    assert (entry.text, shown_files(talk)) == ("ada: look well", [("two.txt",)])
    assert [name for name, _ in entry.reactions] == ["+1"]
    await edit_to(talk, event, {"msgtype": "m.text", "body": "nothing to see"})
    assert (texts(talk)[-1], shown_files(talk)) == ("nothing to see", [])
    assert all(file.deleted for file in files.values())
    await ada.redact(room, event)
    await talk.settle()
    assert texts(talk) == ["root"]


async def test_a_redacted_file_is_gone_from_slack_altogether(talk: Talk) -> None:
    room, ada = talk.room, talk.in_matrix("ada")
    event = await ada.send_file(room, b"secret", "one.txt", "text/plain")
    await talk.settle()
    await ada.redact(room, event)
    await talk.settle()
    assert texts(talk) == []
    assert [file.deleted for file in talk.stage.workspace.files.values()] == [True]


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
