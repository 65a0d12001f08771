"""Threads in their odder cases, the whole way: roots that are gone or that nobody mirrored, parts that go alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.journeys.talk import Talk, bodies, events, talk_on
from tests.journeys.test_edits import LONG, texts
from tests.journeys.world import people_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.sandbox.slack import SlackSandbox


@pytest.fixture
async def talk(sqlite_url: str) -> AsyncIterator[Talk]:
    async with talk_on(sqlite_url) as talk:
        yield talk


def roots(talk: Talk) -> dict[str, str]:
    """By the words of each message of the room, the event of the thread in which it stands."""
    found = {}
    for event in events(talk):
        relation = event["content"].get("m.relates_to", {})
        found[event["content"]["body"]] = relation.get("event_id", "") if relation.get("rel_type") == "m.thread" else ""
    return found


def thread_of(talk: Talk, words: str) -> str:
    """The words of the root under which a message stands in Slack; empty for one that stands in none."""
    place = next(entry.thread for entry in talk.entries() if entry.text == words)
    return "" if place is None else talk.entries()[place].text


async def test_a_thread_goes_on_after_its_root_was_deleted_in_slack(talk: Talk) -> None:
    room, alice, bob, ada = talk.room, talk.in_slack("alice"), talk.in_slack("bob"), talk.in_matrix("ada")
    root = alice.post("general", "root").ts
    bob.post("general", "first", thread_ts=root)
    await talk.settle()
    event = roots(talk)["first"]
    alice.delete("general", root)
    await talk.settle()
    assert bodies(talk) == ["first"]
    bob.post("general", "second", thread_ts=root)
    await talk.settle()
    await ada.thread(room, event, "third")
    await talk.settle()
    assert roots(talk) == dict.fromkeys(("first", "second", "third"), event)
    assert thread_of(talk, "third") == "This message was deleted."


async def test_a_thread_goes_on_after_its_root_was_redacted_in_matrix(talk: Talk) -> None:
    room, bob, ada = talk.room, talk.in_slack("bob"), talk.in_matrix("ada")
    event = await ada.say(room, "root")
    await talk.settle()
    ts = talk.entries()[-1].ts
    bob.post("general", "first", thread_ts=ts)
    await talk.settle()
    await ada.redact(room, event)
    await talk.settle()
    bob.post("general", "second", thread_ts=ts)
    await ada.thread(room, event, "third")
    await talk.settle()
    assert roots(talk) == dict.fromkeys(("first", "second", "third"), event)
    assert thread_of(talk, "third") == "This message was deleted."


def seed_with_a_past(slack: SlackSandbox) -> None:
    people_of(slack)
    workspace = slack.team()
    workspace.clock.turn_back(hours=5)
    workspace.person("alice").post("general", "from before the bridge")
    workspace.clock.turn_forward()


async def test_replies_to_what_was_said_before_the_bridge_are_a_thread_of_their_own(sqlite_url: str) -> None:
    async with talk_on(sqlite_url, seed_with_a_past, catch_up={"messages": 0}) as talk:
        room, bob, ada = talk.room, talk.in_slack("bob"), talk.in_matrix("ada")
        root = next(entry.ts for entry in talk.entries() if entry.text == "from before the bridge")
        for words in ("first", "second"):
            bob.post("general", words, thread_ts=root)
            await talk.settle()
        first = events(talk)[-2]["event_id"]
        assert bodies(talk)[-2:] == ["first", "second"]
        assert (roots(talk)["first"], roots(talk)["second"]) == ("", first)
        await ada.thread(room, first, "third")
        await talk.settle()
        assert thread_of(talk, "third") == "from before the bridge"


async def test_a_part_that_slack_deletes_takes_the_whole_message_of_matrix_along_once(talk: Talk) -> None:
    room, alice, ada = talk.room, talk.in_slack("alice"), talk.in_matrix("ada")
    await ada.say(room, "before")
    await ada.say(room, LONG)
    await talk.settle()
    parts = [entry.ts for entry in talk.entries() if entry.text.startswith("Paragraph")]
    assert len(parts) > 1
    alice.delete("general", parts[1])
    await talk.settle()
    assert bodies(talk) == ["before"]
    alice.delete("general", parts[0])
    await talk.settle()
    assert bodies(talk) == ["before"]
    assert texts(talk)[0] == "before"
