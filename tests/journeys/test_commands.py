"""What people tell the bot in rooms is done once, answered once, and by those alone who may."""

from __future__ import annotations

import asyncio
import re
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
        await begin(stage)
        yield stage


async def begin(stage: Stage) -> None:
    """Start the bridge and return when the portal is live."""
    await stage.start()
    await stage.room(CHANNEL)
    async with asyncio.timeout(10):
        while await portal_state(stage, CHANNEL) != "live":
            await asyncio.sleep(0.01)


async def settled(stage: Stage, event: str) -> None:
    """Return when the bridge is through with an event."""
    assert stage.database is not None
    sql = "SELECT 1 FROM inbox WHERE source_key = $1 AND state = 2"
    async with asyncio.timeout(10):
        while not await stage.database.fetch(sql, f"matrix:{event}"):
            await asyncio.sleep(0.01)


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


async def test_a_paused_portal_hears_its_commands_and_relays_none_of_them(stage: Stage) -> None:
    ada = await stage.person("ada", CHANNEL)
    room = await stage.room(CHANNEL)
    assert "#general is paused" in await asked(stage, ada, room, "!slack pause")
    await ada.say(room, "kept meanwhile")
    assert "#general is paused, both ways" in await asked(stage, ada, room, "!slack status")
    assert "kept meanwhile" not in str(stage.entries(CHANNEL))
    assert "#general is live: what waited" in await asked(stage, ada, room, "!slack resume")
    await until(lambda: "kept meanwhile" in str(stage.entries(CHANNEL)))
    assert "!slack" not in str(stage.entries(CHANNEL))
    assert [act for _, act in await audit(stage)] == ["pause portal", "resume portal"]


async def test_the_command_that_asks_how_much_waits_is_not_counted(stage: Stage) -> None:
    ada, own = await own_room(stage)
    there = await stage.person("ada", CHANNEL)
    room = await stage.room(CHANNEL)
    assert "#general is paused" in await asked(stage, ada, own, "pause #general")
    await there.say(room, "kept meanwhile")
    assert stage.database is not None
    async with asyncio.timeout(30):
        while not await stage.database.fetch("SELECT 1 FROM inbox WHERE queue = $1 AND state = 0", room):
            await asyncio.sleep(0.01)
    for words in ("status", "!slack status"):
        answer = await asked(stage, ada, own, words)
        assert re.search("to Slack 1$", answer, re.MULTILINE), answer
        assert "Parked: 0;" in answer


NOWHERE = "there is no portal of #nowhere: `portals list` shows those that there are"
REFUSALS = {
    "status #nowhere": NOWHERE,
    "invite #nowhere": NOWHERE,
    "unbridge #nowhere": NOWHERE,
    "report #nowhere": NOWHERE,
    "pause": "this room is no portal's: name a channel, like #general",
    "bridge #nowhere": "Slack shows the bot no channel #nowhere",
    "invite bot #nowhere": "Slack shows the bot no channel #nowhere",
    "link U0123456789": "the bridge has met no U0123456789: your profile in Slack shows your id under ⋮",
    "link alice": "is no id of a Slack person",
    "link confirm abcd-efgh": "that is not the code, or no longer: write it in the room in which you asked for it",
    "plumb confirm abcd-efgh": "there is nothing to confirm by that code, or no longer: begin with `plumb #channel`",
    "unlink": "you are not linked",
    "connect": "an admin has to configure the app's client_id first",
    "disconnect": "nobody is connected here, and nobody can be: no workspace has a client_id",
    "install-link": "acme has a bot_token in the configuration: take that out first",
    "parked retry 99": "nothing is parked as number 99",
    "import status": "there is no import yet",
    "console": "there is no console here: set console.listen in the configuration first",
}
"""What an admin asks in a room of their own that cannot be done, each with the words that say why."""


async def test_each_command_that_cannot_be_done_says_why(stage: Stage) -> None:
    ada, room = await own_room(stage)
    said = {words: await asked(stage, ada, room, words) for words in REFUSALS}
    wrong = {words: answer for words, answer in said.items() if REFUSALS[words].lower() not in answer.lower()}
    assert wrong == {}


async def test_a_user_may_ask_what_is_theirs_and_no_more(stage: Stage) -> None:
    bert, room = await own_room(stage, "bert")
    assert "unbridge" not in await asked(stage, bert, room, "help")
    assert "Only admins of the bridge may do that" in await asked(stage, bert, room, "unbridge #general")
    assert await portal_state(stage, CHANNEL) == "live"
    assert await audit(stage) == [("@bert:localhost", "refused command")]
    assert "You are invited" in await asked(stage, bert, room, "invite #general")
    assert "you are not linked" in (await asked(stage, bert, room, "consent")).lower()


async def test_a_stranger_is_told_that_they_may_not_and_their_invitation_is_declined(stage: Stage) -> None:
    eve = await stage.person("eve", CHANNEL)
    room = await stage.room(CHANNEL)
    assert "You may not give this bot commands" in await asked(stage, eve, room, "!slack unbridge")
    assert await portal_state(stage, CHANNEL) == "live"
    assert await audit(stage) == [("@eve:localhost", "refused command")]
    own = await eve.create_room(invite=[BOT])
    await until(lambda: stage.homeserver.world.rooms[own].membership(BOT) == "leave")


async def test_only_what_somebody_types_as_a_command_is_one(stage: Stage) -> None:
    ada = await stage.person("ada", CHANNEL)
    room = await stage.room(CHANNEL)
    first = await ada.say(room, "a word")
    await ada.edit(room, first, "!slack unbridge")
    await ada.send(room, {"msgtype": "m.notice", "body": "!slack unbridge"})
    await ada.send(room, {"msgtype": "m.text", "body": "!slack unbridge", "dev.causeway.key": "cwforged"})
    stage.workspace.person("alice").post(CHANNEL, "!slack unbridge")
    await until(lambda: any("unbridge" in str(one["content"]) for one in reversed(stage.homeserver.events(room))))
    assert "#general is live" in await asked(stage, ada, room, "!slack status")
    assert await portal_state(stage, CHANNEL) == "live"
    assert await audit(stage) == []


async def test_a_command_that_is_redacted_before_its_turn_does_nothing(stage: Stage) -> None:
    ada = await stage.person("ada", CHANNEL)
    room = await stage.room(CHANNEL)
    await stage.stop()
    event = await ada.say(room, "!slack unbridge")
    await ada.redact(room, event)
    await stage.start()
    assert "#general is live" in await asked(stage, ada, room, "!slack status")
    assert await audit(stage) == []


async def test_a_room_with_more_people_needs_the_prefix(stage: Stage) -> None:
    ada, room = await own_room(stage)
    bert = await stage.homeserver.person("bert")
    await ada.invite(room, bert.user_id)
    await bert.join(room)
    await settled(stage, await ada.say(room, "unbridge #general"))
    assert "for you alone" in await asked(stage, ada, room, "!slack parked")
    assert await portal_state(stage, CHANNEL) == "live"
    await bert.leave(room)
    assert "Nothing is parked" in await asked(stage, ada, room, "parked")


async def test_a_room_whose_messages_the_bot_cannot_read_is_left_again(stage: Stage) -> None:
    ada = await stage.homeserver.person("ada")
    sealed = {"type": "m.room.encryption", "state_key": "", "content": {"algorithm": "m.megolm.v1.aes-sha2"}}
    room = await ada.create_room(preset="trusted_private_chat", invite=[BOT], initial_state=[sealed])
    await until(lambda: stage.homeserver.world.rooms[room].membership(BOT) == "leave")
    (left,) = [one for one in stage.homeserver.events(room) if one["content"].get("membership") == "leave"]
    assert "invite me into a room without encryption" in left["content"]["reason"]


async def test_private_channels_are_told_of_to_admins_alone_in_rooms_of_their_own(stage: Stage) -> None:
    alice = stage.workspace.person("alice")
    alice.create("board", private=True, members=["alice", stage.workspace.installation.bot_user])
    ada, own = await own_room(stage)
    bert, berts = await own_room(stage, "bert")
    assert "#board becomes a portal" in await asked(stage, ada, own, "bridge #board")
    assert "#board" in await asked(stage, ada, own, "portals")
    assert "board" not in await asked(stage, bert, berts, "portals")
    assert "There is no portal of #board" in await asked(stage, bert, berts, "invite #board")
    room = await stage.room(CHANNEL)
    await ada.join(room)
    told = await asked(stage, ada, room, "!slack portals")
    assert "#board" not in told
    assert "Private channels are not shown here" in told
    assert "for you alone" in await asked(stage, ada, room, "!slack console")
    assert "There is no console here" in await asked(stage, ada, own, "console")


async def test_a_person_asks_only_so_much_a_minute(stage: Stage) -> None:
    ada, room = await own_room(stage)
    for _ in range(25):
        await ada.say(room, "nonsense")
    await answers(stage, room, 21)
    bert, other = await own_room(stage, "bert")
    assert "This is what you may ask" in await asked(stage, bert, other, "help")
    assert len(said_by_bot(stage, room)) == 21


# --- a room that is there already


async def plumbing(stage: Stage) -> tuple[Person, str]:
    """Return an admin and a room of theirs in which people have talked, with the bot."""
    ada, bert = await stage.homeserver.person("ada"), await stage.homeserver.person("bert")
    room = await ada.create_room(preset="public_chat", invite=[BOT])
    await bert.join(room)
    await bert.say(room, "said before")
    await until(lambda: stage.homeserver.world.rooms[room].membership(BOT) == "join")
    return ada, room


async def empower(stage: Stage, admin: Person, room: str) -> None:
    levels = stage.homeserver.world.rooms[room].state["m.room.power_levels", ""].content
    await admin.set_state(room, "m.room.power_levels", {**levels, "users": {**levels.get("users", {}), BOT: 100}})


def code_in(answer: str) -> str:
    """Return the code that stands in a text behind `confirm`."""
    return answer.partition(" confirm ")[2][:9]


async def test_a_room_is_joined_to_a_channel_after_it_was_explained(stage: Stage) -> None:
    ada, room = await plumbing(stage)
    assert f"Give {BOT} a power of 50" in await asked(stage, ada, room, "!slack plumb #random")
    await empower(stage, ada, room)
    answer = await asked(stage, ada, room, "!slack plumb #random")
    assert "in which 2 people are, to #random of Acme" in answer
    assert "What was said here before stays here alone" in answer
    assert await portal_state(stage, "random") == ""
    assert "nothing to confirm by that code" in await asked(stage, ada, room, "!slack plumb confirm aaaa-aaaa")
    confirmed = await asked(stage, ada, room, f"!slack plumb confirm {code_in(answer)}")
    assert "joined to #random now" in confirmed
    key = f"causeway://slack/{stage.workspace.id}/{stage.workspace.channel('random').id}"
    await until(lambda: ("m.bridge", key) in stage.homeserver.world.rooms[room].state)
    await ada.say(room, "said after")
    await until(lambda: "said after" in str(stage.entries("random")))
    assert "said before" not in str(stage.entries("random"))
    assert "plumb" not in str(stage.entries("random"))


async def test_whoever_has_no_power_over_a_room_joins_it_to_nothing(stage: Stage) -> None:
    ada = await stage.homeserver.person("ada")
    owner = await stage.homeserver.person("owner")
    room = await owner.create_room(preset="public_chat", power_level_content_override={"invite": 0})
    await ada.join(room)
    await empower(stage, owner, room)
    await ada.invite(room, BOT)
    await until(lambda: stage.homeserver.world.rooms[room].membership(BOT) == "join")
    assert "that takes power over this room, 50" in (await asked(stage, ada, room, "!slack plumb #random")).lower()


# --- one's own account


def sent_to(stage: Stage, name: str) -> list[str]:
    """Return what the app said to somebody in Slack alone."""
    user = stage.workspace.user(name).id
    directs = [one for one in stage.workspace.channels.values() if one.kind == "im" and user in one.members]
    return [message.text for one in directs for message in one.messages.values()]


async def test_an_account_is_linked_by_a_code_that_was_sent_there(stage: Stage) -> None:
    bert, room = await own_room(stage, "bert")
    bob = stage.workspace.user("bob")
    assert "link confirm CODE" in await asked(stage, bert, room, f"link {bob.id}")
    (sent,) = sent_to(stage, "bob")
    code = code_in(sent)
    assert "that is not the code" in (await asked(stage, bert, room, "link confirm aaaa-aaaa")).lower()
    assert f"linked to {bob.id} now" in await asked(stage, bert, room, f"link confirm {code}")
    assert "may cross from now on" in await asked(stage, bert, room, "consent")
    assert [act for _, act in await audit(stage)] == ["link", "consent to direct messages"]
    assert "The link has ended" in await asked(stage, bert, room, "unlink")
