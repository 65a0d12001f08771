"""Direct conversations work both ways, started from either side, and nobody gets into them who does not take part."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from portals.people import conversations
from tests.journeys.consenting import Consents, consents_on
from tests.journeys.stage import until
from tests.journeys.test_commands import BOT, said_by_bot
from tests.sandbox.homeserver.timeline import relation_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.sandbox.homeserver.person import Person
    from tests.sandbox.slack.state import Channel

FILE = b"what bob shares"
WAIT = 60


@asynccontextmanager
async def talking(database_url: str, rule: str = "anybody", **more: Any) -> AsyncIterator[Consents]:
    people = {"live_direct_messages": True, "direct_messages": rule}
    async with consents_on(database_url, people=people, **more) as consents:
        yield consents


@pytest.fixture
async def consents(sqlite_url: str) -> AsyncIterator[Consents]:
    async with talking(sqlite_url) as consents:
        yield consents


def ghost(consents: Consents, name: str) -> str:
    workspace = consents.talk.stage.workspace
    return f"@slack_{workspace.id}_{workspace.user(name).id}:localhost".lower()


def said_in(consents: Consents, chat: Channel) -> list[tuple[str, str]]:
    return [(entry.author, entry.text) for entry in consents.talk.stage.workspace.transcript(chat.id)]


def shown_in(consents: Consents, room: str) -> list[tuple[str, str]]:
    """Return who said what in a room, without the bot's notices; edits and what was redacted are left out."""
    return [
        (event["sender"], event["content"]["body"])
        for event in consents.talk.stage.homeserver.events(room)
        if event["type"] == "m.room.message"
        and event["content"].get("body")
        and event["sender"] != BOT
        and relation_of(event).get("rel_type") != "m.replace"
    ]


def people_in(consents: Consents, room: str) -> dict[str, str]:
    state = consents.talk.stage.homeserver.world.rooms[room].state
    return {
        key: event.content["membership"]
        for (kind, key), event in state.items()
        if kind == "m.room.member" and event.content["membership"] in ("join", "invite")
    }


async def room_of(consents: Consents, chat: Channel) -> str:
    """Return the room of a conversation, as soon as it is open."""
    async with asyncio.timeout(WAIT):
        while (
            not (found := await consents.rows(f"SELECT room FROM portals WHERE channel = '{chat.id}'"))
            or not found[0][0]
        ):
            await asyncio.sleep(0.02)
    await consents.talk.settle()
    return str(found[0][0])


async def begun(person: Person, consents: Consents, *names: str) -> str:
    """Have somebody invite ghosts into a direct room, as clients do."""
    invited = [ghost(consents, name) for name in names]
    return await person.create_room(preset="trusted_private_chat", invite=invited, is_direct=True)


async def test_who_is_connected_has_their_direct_messages_in_a_room_of_their_own(consents: Consents) -> None:
    talk = consents.talk
    ada, _ = await consents.connect()
    bob = talk.in_slack("bob")
    chat = talk.in_slack("alice").direct("bob")
    said = bob.post(chat.id, "hello alice")
    room = await room_of(consents, chat)
    assert people_in(consents, room) == {BOT: "join", ghost(consents, "bob"): "join", ada.user_id: "invite"}
    state = talk.stage.homeserver.world.rooms[room].state
    assert state["m.room.member", ada.user_id].content["is_direct"] is True
    assert ("m.room.name", "") not in state
    assert not [key for key in state if key[0] == "m.space.parent"]
    await ada.join(room)
    answer = await ada.say(room, "hello bob")
    await talk.settle()
    assert said_in(consents, chat) == [("bob", "hello alice"), ("alice", "hello bob")]
    shared = bob.upload(chat.id, "x.txt", FILE, text="look")
    bob.edit(chat.id, said.ts, "hello Alice")
    await ada.edit(room, answer, "hello Bob")
    await ada.react(room, answer, "👍")
    bob.react(chat.id, said.ts, "wave")
    await talk.settle()
    entries = talk.stage.workspace.transcript(chat.id)
    assert (entries[1].text, entries[1].reactions) == ("hello Bob", (("+1", ("alice",)),))
    files = [one["content"] for one in talk.stage.homeserver.events(room) if one["content"].get("filename") == "x.txt"]
    assert [await talk.stage.media(one["url"]) for one in files] == [FILE]
    marks = [
        (one["sender"], relation_of(one)["key"])
        for one in talk.stage.homeserver.events(room)
        if one["type"] == "m.reaction"
    ]
    assert sorted(marks) == sorted([(ada.user_id, "👍"), (ghost(consents, "bob"), "👋")])
    bob.delete(chat.id, shared.ts)
    sent = await ada.send_file(room, FILE, "y.txt", "text/plain")
    await talk.settle()
    assert talk.stage.workspace.transcript(chat.id)[-1].files == (("y.txt", hashlib.sha256(FILE).hexdigest()),)
    await ada.redact(room, sent)
    await talk.settle()
    assert [text for _, text in said_in(consents, chat)] == ["hello Alice", "hello Bob"]
    assert await talk.stage.left_over() == []
    assert await consents.rows("SELECT name FROM portals WHERE kind <> ''") == [("direct conversation",)]


async def test_somebody_of_matrix_begins_a_conversation_by_inviting_ghosts(consents: Consents) -> None:
    talk = consents.talk
    ada, _ = await consents.connect()
    room = await begun(ada, consents, "bob", "carol")
    await until(lambda: BOT in people_in(consents, room), WAIT)
    await talk.settle()
    await ada.say(room, "lunch?")
    await until(lambda: any(one.kind == "mpim" for one in talk.stage.workspace.channels.values()), WAIT)
    (chat,) = [one for one in talk.stage.workspace.channels.values() if one.kind == "mpim"]
    assert await room_of(consents, chat) == room
    assert {talk.stage.workspace.users[user].name for user in chat.members} == {"alice", "bob", "carol"}
    talk.in_slack("carol").post(chat.id, "yes")
    await talk.settle()
    assert said_in(consents, chat) == [("alice", "lunch?"), ("carol", "yes")]
    assert shown_in(consents, room) == [(ada.user_id, "lunch?"), (ghost(consents, "carol"), "yes")]
    again = await begun(ada, consents, "bob", "carol")
    await until(lambda: BOT in people_in(consents, again), WAIT)
    await ada.say(again, "twice?")
    await until(lambda: set(people_in(consents, again)) == {ada.user_id}, WAIT)
    (word,) = [one["body"] for one in said_by_bot(talk.stage, again)]
    assert word.startswith(
        "This did not reach Slack: this conversation has a room already, into which you are invited."
    )
    assert room in word
    await talk.settle()
    assert await talk.stage.left_over() == []


async def test_who_is_not_connected_is_told_what_it_takes_and_the_ghost_leaves(consents: Consents) -> None:
    talk = consents.talk
    brian, bob = talk.in_matrix("brian"), ghost(consents, "bob")
    room = await begun(brian, consents, "bob")
    await until(lambda: any(sender == bob for sender, _ in shown_in(consents, room)), WAIT)
    await until(lambda: bob not in people_in(consents, room), WAIT)
    (word,) = [body for sender, body in shown_in(consents, room) if sender == bob]
    assert word.startswith("No direct conversation begins here: that takes your own account of Slack. To connect it")
    assert set(people_in(consents, room)) == {brian.user_id}
    assert [one for one in talk.stage.workspace.channels.values() if one.kind == "im"] == []


@pytest.mark.parametrize("puppets", [False, True])
async def test_two_who_are_connected_share_one_room_and_see_everything_once(sqlite_url: str, puppets: bool) -> None:
    more = {"double_puppet": {"as_token": "pu" * 24}} if puppets else {}
    async with talking(sqlite_url, "everybody", **more) as consents:
        talk = consents.talk
        ada, _ = await consents.connect()
        chat = talk.in_slack("alice").direct("bob")
        talk.in_slack("bob").post(chat.id, "before bob agreed")
        await talk.settle()
        assert await consents.rows("SELECT 1 FROM portals WHERE kind <> ''") == []
        brian, _ = await consents.connect("brian", "bob")
        talk.in_slack("bob").post(chat.id, "from Slack")
        room = await room_of(consents, chat)
        if not puppets:
            for person in (ada, brian):
                await person.join(room)
        await brian.say(room, "from Matrix")
        await ada.say(room, "from Matrix too")
        await talk.settle()
        bob = brian.user_id if puppets else ghost(consents, "bob")
        alice, said = ada.user_id, [body for _, body in shown_in(consents, room)]
        assert shown_in(consents, room)[-3:] == [
            (bob, "from Slack"),
            (brian.user_id, "from Matrix"),
            (alice, "from Matrix too"),
        ]
        assert said_in(consents, chat)[-2:] == [("bob", "from Matrix"), ("alice", "from Matrix too")]
        assert len(set(said)) == len(said)
        assert {ada.user_id, brian.user_id} <= set(people_in(consents, room))
        if puppets:
            direct = await ada.get("user", ada.user_id, "account_data", "m.direct")
            assert direct == {ghost(consents, "bob"): [room]}
        assert await talk.stage.left_over() == []


async def test_who_disconnects_stops_it_with_a_notice_and_it_goes_on_when_they_connect_again(
    consents: Consents,
) -> None:
    talk = consents.talk
    ada, own = await consents.connect()
    chat = talk.in_slack("alice").direct("bob")
    talk.in_slack("bob").post(chat.id, "one")
    room = await room_of(consents, chat)
    await ada.join(room)
    await consents.ask(ada, own, "disconnect")
    await until(
        lambda: any("This conversation stops here" in one["body"] for one in said_by_bot(talk.stage, room)), WAIT
    )
    talk.in_slack("bob").post(chat.id, "two")
    await ada.say(room, "to nobody")
    await until(lambda: any("This did not reach Slack" in one["body"] for one in said_by_bot(talk.stage, room)), WAIT)
    assert said_in(consents, chat) == [("bob", "one"), ("bob", "two")]
    status, _ = await consents.back(await consents.link(ada, own), "alice")
    assert status == 200
    await until(lambda: (ghost(consents, "bob"), "two") in shown_in(consents, room), WAIT)
    await ada.say(room, "three")
    await until(lambda: said_in(consents, chat)[-1] == ("alice", "three"), WAIT)
    assert [one["body"] for one in said_by_bot(talk.stage, room)].count(conversations.GOES_ON) == 1


async def test_a_stranger_in_a_room_that_somebody_made_stops_it_until_they_leave(consents: Consents) -> None:
    talk = consents.talk
    ada, _ = await consents.connect()
    room = await begun(ada, consents, "bob")
    await until(lambda: BOT in people_in(consents, room), WAIT)
    await ada.say(room, "hello bob")
    await until(lambda: any(one.kind == "im" and one.messages for one in talk.stage.workspace.channels.values()), WAIT)
    (chat,) = [one for one in talk.stage.workspace.channels.values() if one.kind == "im" and one.messages]
    await talk.settle()
    brian = talk.in_matrix("brian")
    await ada.invite(room, brian.user_id)
    await brian.join(room)
    await until(lambda: any(conversations.STRANGER in one["body"] for one in said_by_bot(talk.stage, room)), WAIT)
    talk.in_slack("bob").post(chat.id, "for ada alone")
    await talk.settle()
    assert (ghost(consents, "bob"), "for ada alone") not in shown_in(consents, room)
    await brian.leave(room)
    await until(lambda: (ghost(consents, "bob"), "for ada alone") in shown_in(consents, room), WAIT)


async def test_a_command_leads_into_a_conversation_which_a_kill_makes_only_once(consents: Consents) -> None:
    talk = consents.talk
    ada, own = await consents.connect()
    bob = talk.stage.workspace.user("bob").id
    talk.stage.gate.arm(9)
    await ada.say(own, f"talk {bob}")
    await until(talk.stage.gate.cut.is_set, WAIT)
    await talk.stage.start()
    await until(lambda: any("invited to the room of this" in one["body"] for one in said_by_bot(talk.stage, own)), WAIT)
    await talk.settle()
    ((room,),) = await consents.rows("SELECT room FROM portals WHERE kind = 'dm'")
    assert people_in(consents, room) == {BOT: "join", ghost(consents, "bob"): "join", ada.user_id: "invite"}
    assert "Nobody in Slack has the id U000000000" in await consents.ask(ada, own, "dm U000000000")


async def test_what_was_said_directly_while_nobody_heard_it_is_found(consents: Consents) -> None:
    talk = consents.talk
    await consents.connect()
    await talk.stage.stop()
    chat, app = talk.in_slack("carol").direct("alice"), talk.stage.workspace.installation.app
    app.user_subscriptions = set()
    talk.in_slack("carol").post(chat.id, "are you there?")
    await talk.stage.start()
    room = await room_of(consents, chat)
    assert shown_in(consents, room) == [(ghost(consents, "carol"), "are you there?")]
    await talk.stage.start()
    await talk.settle()
    assert said_by_bot(talk.stage, room) == []


async def test_nothing_of_it_is_there_where_it_is_not_switched_on(sqlite_url: str) -> None:
    async with consents_on(sqlite_url) as consents:
        talk = consents.talk
        ada, _ = await consents.connect()
        (token,) = consents.slack.oauth.tokens_of("alice")
        assert not {scope for scope in token.scopes if scope.partition(":")[0] in ("im", "mpim")}
        room, bob = await begun(ada, consents, "bob"), ghost(consents, "bob")
        await until(lambda: bob in people_in(consents, room) or shown_in(consents, room), WAIT)
        await until(lambda: bob not in people_in(consents, room), WAIT)
        assert "direct messages are not carried" in shown_in(consents, room)[-1][1]
        assert talk.stage.workspace.transcript("general")[-1].text != "hello"


@pytest.mark.parametrize("steps", [5, 19])
async def test_what_is_said_with_the_invitation_arrives_once_whenever_the_bridge_is_cut_off(
    sqlite_url: str, steps: int
) -> None:
    async with talking(sqlite_url) as consents:
        talk = consents.talk
        ada, _ = await consents.connect()
        talk.stage.gate.arm(steps)
        room = await begun(ada, consents, "bob")
        await ada.say(room, "hello bob")  # of which a homeserver does not tell before the ghost is there
        await until(talk.stage.gate.cut.is_set, WAIT)
        await talk.stage.start()
        await until(
            lambda: [one for one in talk.stage.workspace.channels.values() if one.messages and one.kind == "im"], WAIT
        )
        await talk.settle()
        (chat,) = [one for one in talk.stage.workspace.channels.values() if one.messages and one.kind == "im"]
        assert said_in(consents, chat) == [("alice", "hello bob")]
        assert await room_of(consents, chat) == room
        assert await talk.stage.left_over() == []


async def test_who_allowed_too_little_is_told_once_and_still_writes_as_themself(consents: Consents) -> None:
    talk = consents.talk
    ada, own = await consents.connect()
    await talk.settle()
    (token,) = consents.slack.oauth.tokens_of("alice")
    token.scopes -= {"im:read", "im:history", "mpim:read", "mpim:history"}  # as of one who connected long ago
    chat = talk.in_slack("alice").direct("bob")
    talk.in_slack("bob").post(chat.id, "unread")
    for _ in range(2):
        await talk.stage.start()
        await until(lambda: conversations.CONNECT_ANEW in [one["body"] for one in said_by_bot(talk.stage, own)], WAIT)
        await talk.settle()
    assert [one["body"] for one in said_by_bot(talk.stage, own)].count(conversations.CONNECT_ANEW) == 1
    await ada.say(talk.room, "still myself")
    await talk.settle()
    assert [(one.author, one.text) for one in talk.entries()][-1] == ("alice", "still myself")
    assert await consents.rows("SELECT 1 FROM portals WHERE kind <> ''") == []
