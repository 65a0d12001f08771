"""Custom emoji and user groups that are made, renamed or removed while the bridge runs are known at once, both ways."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.journeys.talk import Talk, bodies, contents, events, marks, talk_on
from tests.journeys.test_reactions import reactions
from tests.sandbox.slack import DeliveryTimes
from tests.sandbox.slack.pictures import png

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


RED, BLUE = png(8, 8, (200, 0, 0)), png(8, 8, (0, 0, 200))


@pytest.fixture
async def talk(sqlite_url: str) -> AsyncIterator[Talk]:
    async with talk_on(sqlite_url) as talk:
        yield talk


def last_html(talk: Talk) -> str:
    return str(contents(talk)[-1].get("formatted_body", ""))


async def picture(talk: Talk, html: str) -> bytes:
    """The picture that the last message shows."""
    return await talk.stage.media(html.partition('src="')[2].partition('"')[0])


async def test_an_emoji_is_known_as_soon_as_it_is_made_and_its_message_is_shown_with_it(talk: Talk) -> None:
    alice, ada, room = talk.in_slack("alice"), talk.in_matrix("ada"), talk.room
    alice.add_emoji("hull", RED)
    alice.post("general", "go :hull:")
    await talk.settle()
    assert await picture(talk, last_html(talk)) == RED
    alice.add_emoji("keel", alias="hull")
    alice.add_emoji("yes", alias="thumbsup")
    said = alice.post("general", ":keel: :yes:")
    alice.react("general", said.ts, "keel")
    alice.react("general", said.ts, "yes")
    await talk.settle()
    assert await picture(talk, last_html(talk)) == RED
    assert bodies(talk)[-1] == ":keel: 👍"
    ((key, _), (thumb, _)) = marks(talk)
    assert key.startswith("mxc://")
    assert thumb == "👍"
    event = events(talk)[-1]["event_id"]
    await ada.react(room, event, ":hull:")
    name = '<img data-mx-emoticon src="mxc://elsewhere/x" alt=":hull:">'
    await ada.send(room, {"msgtype": "m.text", "body": ":hull:", "format": "org.matrix.custom.html"} | html(name))
    await talk.settle()
    assert talk.entries()[-1].text == ":hull:"
    assert "hull" in dict(talk.entries()[-2].reactions)


def html(words: str) -> dict[str, str]:
    return {"formatted_body": words}


async def test_an_emoji_of_another_name_or_picture_is_that_from_then_on_and_its_aliases_too(talk: Talk) -> None:
    alice, ada, room = talk.in_slack("alice"), talk.in_matrix("ada"), talk.room
    alice.add_emoji("hull", RED)
    alice.add_emoji("keel", alias="hull")
    await talk.settle()
    alice.rename_emoji("hull", "stern")
    said = alice.post("general", "go :stern: and :keel: and :hull:")
    await talk.settle()
    assert last_html(talk).count("<img") == 2
    assert ":hull:" in last_html(talk)
    await ada.react(room, events(talk)[-1]["event_id"], ":stern:")
    await talk.settle()
    assert set(reactions(talk)) == {"stern"}
    alice.remove_emoji("stern")
    alice.add_emoji("stern", BLUE)
    await talk.settle()
    alice.edit("general", said.ts, ":stern: alone, no :keel:")
    await talk.settle()
    assert await picture(talk, last_html(talk)) == BLUE
    assert ":keel:" in last_html(talk)


async def test_what_became_of_emoji_and_groups_while_nobody_listened_is_known_after_the_gap(sqlite_url: str) -> None:
    async with talk_on(sqlite_url) as talk:
        stage, alice = talk.stage, talk.in_slack("alice")
        alice.add_emoji("rig", RED)
        group = alice.add_usergroup("crew", "bob")
        await talk.settle()
        stage.slack.delivery.times = DeliveryTimes(ack=0.3, retries=())
        stage.slack.faults.lost_envelopes = 3
        alice.remove_emoji("rig")
        alice.add_emoji("jib", BLUE)
        alice.rename_usergroup(group, "team")
        await stage.slack.sockets.kill()
        await talk.settle()
        alice.post("general", f"<!subteam^{group.id}> :rig: :jib:")
        await talk.settle()
        assert bodies(talk)[-1] == "@team :rig: :jib:"
        assert last_html(talk).count("<img") == 1


async def test_a_group_is_known_by_its_handle_of_the_moment(talk: Talk) -> None:
    alice = talk.in_slack("alice")
    group = alice.add_usergroup("crew", "bob")
    alice.post("general", f"<!subteam^{group.id}> hello")
    await talk.settle()
    alice.rename_usergroup(group, "team")
    alice.post("general", f"<!subteam^{group.id}> hello")
    await talk.settle()
    assert bodies(talk) == ["@crew hello", "@team hello"]
