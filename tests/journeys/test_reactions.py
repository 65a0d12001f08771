"""Reactions in their odder cases, the whole way: many, aliases, tones and custom ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.journeys.shown import annotations, bodies, contents, events
from tests.journeys.stage import Stage
from tests.journeys.world import World, people_of
from tests.sandbox.slack.pictures import png

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

FACES = "😀😁😂🤣😃😄😅😆😉😊😋😎😍😘🥰😗😙😚🙂🤗🤩🤔🤨😐"

FLAGS = """
de fr it es jp kr us cn ru gb at be ch dk fi gr hu ie nl no pl pt se tr ua br ar mx in za eg ke ng ma cl co pe ca au nz
th vn id ph my sg il sa ae qa
""".split()


@pytest.fixture
async def world(sqlite_url: str) -> AsyncIterator[World]:
    """A workspace with an emoji of its own."""
    async with Stage(sqlite_url, seed=people_of) as stage:
        stage.workspace.person("alice").add_emoji("party", png(8, 8, (1, 2, 3)))
        world = World(stage)
        await world.open()
        await world.settle()
        yield world


async def said_by_alice(world: World) -> tuple[str, str]:
    """Have alice say something; return its ts and its event."""
    ts = world.stage.workspace.person("alice").post("general", "hello").ts
    await world.settle()
    return ts, events(world.stage, world.rooms["general"])[-1]["event_id"]


def marks(world: World) -> dict[str, tuple[str, ...]]:
    return dict(world.stage.entries("general")[-1].reactions)


async def test_the_first_reaction_beyond_what_slack_takes_is_told_in_matrix(world: World) -> None:
    room, ada = world.rooms["general"], world.people["ada"]
    _, event = await said_by_alice(world)
    made = [await ada.react(room, event, face) for face in FACES]
    await world.settle()
    assert len(made) == 24
    assert len(marks(world)) == 23
    notice = contents(world.stage, room)[-1]
    assert "no more than 23 different reactions" in notice["body"]
    assert notice["m.relates_to"]["m.in_reply_to"]["event_id"] == event
    await ada.redact(room, made[-1])
    await ada.redact(room, made[0])
    await world.settle()
    assert len(marks(world)) == 22
    await ada.react(room, event, "👍")
    await world.settle()
    assert "+1" in marks(world)


async def test_what_slack_itself_refuses_is_told_too(world: World) -> None:
    room = world.rooms["general"]
    ts, event = await said_by_alice(world)
    for start, who in ((0, "alice"), (20, "bob"), (40, "carol")):
        for name in FLAGS[start : start + 20]:
            world.stage.workspace.person(who).react("general", ts, f"flag-{name}")
    assert len(marks(world)) == 50
    await world.people["ada"].react(room, event, "👍")
    await world.settle()
    assert "as many different reactions as Slack allows" in bodies(world.stage, room)[-1]


async def test_two_names_of_one_emoji_are_one_annotation_until_the_last_is_gone(world: World) -> None:
    room, alice = world.rooms["general"], world.stage.workspace.person("alice")
    ts, _ = await said_by_alice(world)
    for act in (alice.react, alice.unreact):
        act("general", ts, "thumbsup")
        await world.settle()
        assert len(annotations(world.stage, room)) == 1
        act("general", ts, "+1")
        await world.settle()
    assert annotations(world.stage, room) == []


async def test_each_tone_of_a_person_stands_for_itself(world: World) -> None:
    room, alice = world.rooms["general"], world.stage.workspace.person("alice")
    ts, event = await said_by_alice(world)
    for name in ("wave", "wave::skin-tone-2", "wave::skin-tone-6"):
        alice.react("general", ts, name)
    await world.people["ada"].react(room, event, "👋🏿")
    await world.settle()
    assert sorted(key for key, _ in annotations(world.stage, room)) == ["👋", "👋🏻", "👋🏿", "👋🏿"]
    assert len(marks(world)["wave::skin-tone-6"]) == 2
    alice.unreact("general", ts, "wave::skin-tone-2")
    await world.settle()
    assert sorted(key for key, _ in annotations(world.stage, room)) == ["👋", "👋🏿", "👋🏿"]


async def test_a_custom_emoji_reacts_on_both_sides_and_is_taken_back_on_both(world: World) -> None:
    room, alice, ada = world.rooms["general"], world.stage.workspace.person("alice"), world.people["ada"]
    ts, event = await said_by_alice(world)
    alice.react("general", ts, "party")
    await world.settle()
    ((key, _),) = annotations(world.stage, room)
    assert key.startswith("mxc://")
    own = await ada.react(room, event, key)
    await world.settle()
    assert len(marks(world)["party"]) == 2
    await ada.redact(room, own)
    alice.unreact("general", ts, "party")
    await world.settle()
    assert marks(world) == {}
    assert annotations(world.stage, room) == []
    named = {"rel_type": "m.annotation", "event_id": event, "key": "mxc://elsewhere/x"}
    await ada.send(room, {"m.relates_to": named, "shortcode": ":party:"}, "m.reaction")
    await ada.react(room, event, ":unheard-of:")
    await world.settle()
    assert set(marks(world)) == {"party"}
