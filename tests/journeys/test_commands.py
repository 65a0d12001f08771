"""What people tell the bot in rooms is done once, answered once, and by those alone who may."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.journeys.stage import Stage, until
from tests.journeys.world import people_of
from tests.sandbox.slack import DeliveryTimes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.sandbox.homeserver.person import Person
    from tests.sandbox.slack import SlackSandbox

BOT = "@causeway:localhost"
CHANNEL = "general"
FORGETFUL = DeliveryTimes(ack=0.3, retries=())
MORE: dict[str, Any] = {
    "portals": {"automatic": {"include": [CHANNEL]}},
    "admins": ["@ada:localhost"],
    "permissions": {"rules": [{"who": "@bert:localhost", "level": "user"}]},
    "commands": {"self_link": True},
}


def channels_of(slack: SlackSandbox) -> None:
    people_of(slack, (CHANNEL, "random", "design"))


@pytest.fixture
async def stage(sqlite_url: str) -> AsyncIterator[Stage]:
    async with Stage(sqlite_url, MORE, channels_of, times=FORGETFUL) as stage:
        await stage.start()
        await stage.room(CHANNEL)
        yield stage


async def own_room(stage: Stage, name: str = "ada") -> tuple[Person, str]:
    """Return a person and their own room with the bot, which has said hello."""
    person = await stage.homeserver.person(name)
    room = await person.create_room(preset="trusted_private_chat", invite=[BOT], is_direct=True)
    await answers(stage, room, 1)
    return person, room


def said_by_bot(stage: Stage, room: str) -> list[dict[str, Any]]:
    events = stage.homeserver.events(room)
    return [one["content"] for one in events if one["sender"] == BOT and one["type"] == "m.room.message"]


async def answers(stage: Stage, room: str, count: int) -> list[str]:
    """Return what the bot has said in a room, as soon as it is so much."""
    await until(lambda: len(said_by_bot(stage, room)) >= count)
    found = said_by_bot(stage, room)
    assert len(found) == count
    return [str(one["body"]) for one in found]


async def asked(stage: Stage, person: Person, room: str, words: str) -> str:
    """Tell the bot something, and return its answer."""
    before = len(said_by_bot(stage, room))
    await person.say(room, words)
    return (await answers(stage, room, before + 1))[-1]


async def audit(stage: Stage) -> list[tuple[str, str]]:
    assert stage.database is not None
    rows = await stage.database.fetch("SELECT actor, act FROM audit ORDER BY id")
    return [(str(row[0]).partition(" ")[0], str(row[1])) for row in rows]


async def portal_state(stage: Stage, channel: str) -> str:
    assert stage.database is not None
    channel_id = stage.workspace.channel(channel).id
    rows = await stage.database.fetch("SELECT state FROM portals WHERE channel = $1", channel_id)
    return str(rows[0][0]) if rows else ""


async def test_an_admin_bridges_a_channel_from_a_room_of_their_own(stage: Stage) -> None:
    ada, room = await own_room(stage)
    assert "Every message in this room is a command" in said_by_bot(stage, room)[0]["body"]
    assert "#general: live, both ways" in await asked(stage, ada, room, "portals")
    assert "#random becomes a portal" in await asked(stage, ada, room, "bridge #random")
    mirrored = await stage.room("random")
    assert "You are invited" in await asked(stage, ada, room, "invite #random")
    await ada.join(mirrored)
    assert await audit(stage) == [("@ada:localhost", "add portal")]
    assert "did you mean `bridge` or `unbridge`? `help`" in await asked(stage, ada, room, "brigde #design")
    assert "acme: connected" in await asked(stage, ada, room, "status")
