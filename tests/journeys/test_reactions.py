"""Reactions in their odder cases, the whole way: many, aliases, tones and custom ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.journeys.talk import Talk, bodies, contents, events, marks, talk_on
from tests.journeys.world import people_of
from tests.sandbox.slack.pictures import png

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.sandbox.slack import SlackSandbox

FACES = "😀😁😂🤣😃😄😅😆😉😊😋😎😍😘🥰😗😙😚🙂🤗🤩🤔🤨😐"

TONES = ("", *(f"::skin-tone-{number}" for number in range(2, 7)))
HANDS = [
    f"{name}{tone}" for name in ("+1", "-1", "clap", "wave", "pray", "muscle", "ear", "nose", "fist") for tone in TONES
]


def seed_with_an_emoji(slack: SlackSandbox) -> None:
    people_of(slack)
    slack.team().person("alice").add_emoji("party", png(8, 8, (1, 2, 3)))


@pytest.fixture
async def talk(sqlite_url: str) -> AsyncIterator[Talk]:
    """A talk in a workspace with an emoji of its own."""
    async with talk_on(sqlite_url, seed_with_an_emoji) as talk:
        yield talk


async def said_by_alice(talk: Talk) -> tuple[str, str]:
    """Have alice say something; return its ts and its event."""
    ts = talk.in_slack("alice").post("general", "hello").ts
    await talk.settle()
    return ts, events(talk)[-1]["event_id"]


def reactions(talk: Talk) -> dict[str, tuple[str, ...]]:
    return dict(talk.entries()[-1].reactions)


async def test_the_first_reaction_beyond_what_slack_takes_is_told_in_matrix(talk: Talk) -> None:
    room, ada = talk.room, talk.in_matrix("ada")
    _, event = await said_by_alice(talk)
    made = [await ada.react(room, event, face) for face in FACES]
    await talk.settle()
    assert len(made) == 24
    assert len(reactions(talk)) == 23
    notice = contents(talk)[-1]
    assert "no more than 23 different reactions" in notice["body"]
    assert notice["m.relates_to"]["m.in_reply_to"]["event_id"] == event
    await ada.redact(room, made[-1])
    await ada.redact(room, made[0])
    await talk.settle()
    assert len(reactions(talk)) == 22
    await ada.react(room, event, "👍")
    await talk.settle()
    assert "+1" in reactions(talk)


async def test_what_slack_itself_refuses_is_told_too(talk: Talk) -> None:
    ts, event = await said_by_alice(talk)
    for start, who in ((0, "alice"), (20, "bob"), (40, "carol")):
        for name in HANDS[start : min(start + 20, 50)]:
            talk.in_slack(who).react("general", ts, name)
    assert len(reactions(talk)) == 50
    await talk.in_matrix("ada").react(talk.room, event, "🎉")
    await talk.settle()
    assert "as many different reactions as Slack allows" in bodies(talk)[-1]


async def test_two_names_of_one_emoji_are_one_annotation_until_the_last_is_gone(talk: Talk) -> None:
    alice = talk.in_slack("alice")
    ts, _ = await said_by_alice(talk)
    for act in (alice.react, alice.unreact):
        act("general", ts, "thumbsup")
        await talk.settle()
        assert len(marks(talk)) == 1
        act("general", ts, "+1")
        await talk.settle()
    assert marks(talk) == []


async def test_each_tone_of_a_person_stands_for_itself(talk: Talk) -> None:
    room, alice = talk.room, talk.in_slack("alice")
    ts, event = await said_by_alice(talk)
    for name in ("wave", "wave::skin-tone-2", "wave::skin-tone-6"):
        alice.react("general", ts, name)
    await talk.in_matrix("ada").react(room, event, "👋🏿")
    await talk.settle()
    assert sorted(key for key, _ in marks(talk)) == ["👋", "👋🏻", "👋🏿", "👋🏿"]
    assert len(reactions(talk)["wave::skin-tone-6"]) == 2
    alice.unreact("general", ts, "wave::skin-tone-2")
    await talk.settle()
    assert sorted(key for key, _ in marks(talk)) == ["👋", "👋🏿", "👋🏿"]


async def test_a_custom_emoji_reacts_on_both_sides_and_is_taken_back_on_both(talk: Talk) -> None:
    room, alice, ada = talk.room, talk.in_slack("alice"), talk.in_matrix("ada")
    ts, event = await said_by_alice(talk)
    alice.react("general", ts, "party")
    await talk.settle()
    ((key, _),) = marks(talk)
    assert key.startswith("mxc://")
    own = await ada.react(room, event, key)
    await talk.settle()
    assert len(reactions(talk)["party"]) == 2
    await ada.redact(room, own)
    alice.unreact("general", ts, "party")
    await talk.settle()
    assert reactions(talk) == {}
    assert marks(talk) == []
    named = {"rel_type": "m.annotation", "event_id": event, "key": "mxc://elsewhere/x"}
    await ada.send(room, {"m.relates_to": named, "shortcode": ":party:"}, "m.reaction")
    await ada.react(room, event, ":unheard-of:")
    await talk.settle()
    assert set(reactions(talk)) == {"party"}
