"""What ada, who is alice in Slack, said on one side and edits, deletes or takes back on the other."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.journeys.consenting import Consents, consents_on
from tests.journeys.stage import until
from tests.journeys.talk import Talk, bodies, events, marks
from tests.journeys.test_double_puppets import ON, ghost, talking

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ADA = "@ada:localhost"


@asynccontextmanager
async def connected(database_url: str, **more: Any) -> AsyncIterator[Consents]:
    async with consents_on(database_url, **more) as consents:
        await consents.connect()
        yield consents


def shown(talk: Talk) -> list[tuple[str, str]]:
    """Return (sender, words) of the room's messages as they read now."""
    return [(event["sender"], event["content"]["body"]) for event in events(talk)]


def in_slack(talk: Talk) -> list[tuple[str, str]]:
    return [
        (one.author, one.text)
        for one in talk.entries()
        if not one.deleted and one.subtype not in ("channel_join", "tombstone")
    ]


async def test_an_edit_in_slack_answers_what_was_said_in_matrix_and_goes_with_it(sqlite_url: str) -> None:
    async with connected(sqlite_url) as consents:
        talk = consents.talk
        ada, alice = talk.in_matrix("ada"), talk.in_slack("alice")
        said = await ada.say(talk.room, "hello")
        await talk.settle()
        ts = talk.entries()[-1].ts
        alice.edit("general", ts, "hello *there*")
        await talk.settle()
        told = ghost(talk, "alice")
        assert shown(talk) == [(ADA, "hello"), (told, "edited in Slack:\n\nhello there")]
        answer = events(talk)[-1]
        assert answer["content"]["m.relates_to"]["m.in_reply_to"] == {"event_id": said}
        alice.edit("general", ts, "hello you")
        await ada.edit(talk.room, said, "hello all")
        await talk.settle()
        assert in_slack(talk) == [("alice", "hello all")]
        assert shown(talk) == [(ADA, "hello all"), (told, "edited in Slack:\n\nhello you")]
        alice.delete("general", ts)
        await talk.settle()
        assert (shown(talk), in_slack(talk)) == ([], [])
        again = await ada.say(talk.room, "once more")
        await talk.settle()
        alice.edit("general", talk.entries()[-1].ts, "changed")
        await talk.settle()
        await ada.redact(talk.room, again)
        await talk.settle()
        assert (shown(talk), in_slack(talk)) == ([], [])
        assert await talk.stage.left_over() == []


async def test_where_the_bridge_acts_as_them_it_is_one_message_on_both_sides(sqlite_url: str) -> None:
    async with connected(sqlite_url, **ON) as consents:
        talk = consents.talk
        ada, alice = talk.in_matrix("ada"), talk.in_slack("alice")
        said = await ada.say(talk.room, "from Matrix")
        await talk.settle()
        alice.post("general", "from Slack")
        await talk.settle()
        mine = events(talk)[-1]["event_id"]
        alice.edit("general", talk.entries()[-2].ts, "from Matrix, edited in Slack")
        await ada.edit(talk.room, mine, "from Slack, edited in Matrix")
        await ada.react(talk.room, said, "👍")
        alice.react("general", talk.entries()[-1].ts, "tada")
        await talk.settle()
        assert shown(talk) == [(ADA, "from Matrix, edited in Slack"), (ADA, "from Slack, edited in Matrix")]
        assert in_slack(talk) == [
            ("alice", "from Matrix, edited in Slack"),
            ("alice", "from Slack, edited in Matrix"),
        ]
        edits = [one for one in talk.stage.homeserver.events(talk.room) if "m.new_content" in one["content"]]
        assert len(edits) == 2  # neither came back as another one
        (tada,) = [event for event in talk.stage.homeserver.events(talk.room) if _key(event) == "🎉"]
        await ada.redact(talk.room, tada["event_id"])
        await ada.redact(talk.room, mine)
        await talk.settle()
        assert in_slack(talk) == [("alice", "from Matrix, edited in Slack")]
        assert marks(talk) == [("👍", ADA)]
        assert await talk.stage.left_over() == []


@pytest.mark.parametrize("steps", [4, 9])
async def test_whatever_cuts_the_bridge_off_both_sides_say_the_same(sqlite_url: str, steps: int) -> None:
    async with connected(sqlite_url, **ON) as consents:
        talk = consents.talk
        ada, alice, stage = talk.in_matrix("ada"), talk.in_slack("alice"), talk.stage
        await ada.say(talk.room, "from Matrix")
        await talk.settle()
        alice.post("general", "from Slack")
        await talk.settle()
        mine = events(talk)[-1]["event_id"]
        stage.gate.arm(steps)
        alice.edit("general", talk.entries()[-2].ts, "edited in Slack")
        await ada.edit(talk.room, mine, "edited in Matrix")
        await until(stage.gate.cut.is_set, 30)
        await stage.start()
        await talk.settle()
        assert shown(talk) == [(ADA, "edited in Slack"), (ADA, "edited in Matrix")]
        assert in_slack(talk) == [("alice", "edited in Slack"), ("alice", "edited in Matrix")]
        await stage.stop()
        alice.edit("general", talk.entries()[-2].ts, "edited while nobody listened")
        await stage.start()
        await talk.settle()
        assert shown(talk)[0] == (ADA, "edited while nobody listened")
        edits = [one for one in stage.homeserver.events(talk.room) if "m.new_content" in one["content"]]
        assert len(edits) == 3


def _key(event: dict[str, Any]) -> str:
    return str(event["content"].get("m.relates_to", {}).get("key"))


async def test_who_has_no_hand_in_slack_is_told_what_stays_there(sqlite_url: str) -> None:
    async with talking(sqlite_url, "alice") as talk:
        own, alice = talk.world.own["alice"], talk.in_slack("alice")
        alice.post("general", "one")
        alice.post("general", "two")
        await talk.settle()
        first, second = (event["event_id"] for event in events(talk)[-2:])
        await own.edit(talk.room, second, "changed here")
        await own.redact(talk.room, first)
        await talk.settle()
        assert in_slack(talk) == [("alice", "one"), ("alice", "two")]
        told = [body for body in bodies(talk) if body.startswith("In Slack this stays")]
        assert len(told) == 2
        assert all("write `connect` to the bridge's bot" in body for body in told)
        assert await talk.stage.left_over() == []
