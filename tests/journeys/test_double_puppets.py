"""People who speak in accounts of their own, the whole way: what they say and take back, and where they may not."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from bridge.store.ledger import TO_MATRIX, TO_SLACK, Arrival, Ledger
from bridge.store.people import People
from portals.actions import STAMP, SendEvent
from portals.ids import ActionKey, MatrixUserId, RoomId, SlackUserId, TeamId
from portals.people.links import How, Wanted
from tests.journeys.stage import Stage
from tests.journeys.talk import Talk, bodies, events, marks
from tests.journeys.world import World, people_of
from tests.sandbox.homeserver.timeline import relation_of
from tests.sandbox.slack import Upload

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.sandbox.slack import Entry

ON = {"double_puppet": {"as_token": "pu" * 24}}
OWN = "@alice:localhost"


@asynccontextmanager
async def talking(database_url: str, *linked: str, **more: Any) -> AsyncIterator[Talk]:
    """Open a talk in which these people of Slack have accounts of their own; `more` are groups of settings."""
    async with Stage(database_url, ON | more, people_of) as stage:
        world = World(stage, linked=linked)
        await world.open()
        await world.settle()
        yield Talk(stage, world)


@pytest.fixture
async def talk(sqlite_url: str) -> AsyncIterator[Talk]:
    """A talk in which alice has an account of her own."""
    async with talking(sqlite_url, "alice") as talk:
        yield talk


def ghost(talk: Talk, name: str) -> str:
    workspace = talk.stage.workspace
    return f"@slack_{workspace.id}_{workspace.user(name).id}:localhost".lower()


def slack(talk: Talk) -> list[Entry]:
    """Return what people said in #general and did not take back."""
    return [entry for entry in talk.entries() if not entry.deleted and entry.subtype != "channel_join"]


def membership(talk: Talk, user: str) -> str:
    return talk.stage.homeserver.world.rooms[talk.room].membership(user)


async def said(talk: Talk, words: str) -> dict[str, Any]:
    """Have alice say something in Slack and return its event."""
    talk.in_slack("alice").post("general", words)
    await talk.settle()
    return events(talk)[-1]


# --- what they say


async def test_all_that_a_linked_person_does_is_done_by_their_account_and_none_of_it_goes_back(talk: Talk) -> None:
    alice, bob = talk.in_slack("alice"), talk.in_slack("bob")
    asked = bob.post("general", "who has it?").ts
    message = alice.post("general", "I do", files=[Upload("it.bin", b"it")])
    alice.react("general", asked, "tada")
    alice.post("general", "in a thread", thread_ts=asked, broadcast=True)
    gone = alice.post("general", "never mind").ts
    await talk.settle()
    alice.edit("general", message.ts, "I do, of course")
    alice.delete("general", gone)
    alice.react("general", asked, "eyes")
    await talk.settle()
    alice.unreact("general", asked, "eyes")
    await talk.settle()
    shown = [(event["sender"], event["content"]["body"]) for event in events(talk)]
    assert shown == [
        (ghost(talk, "bob"), "who has it?"),
        (OWN, "I do, of course"),
        (OWN, "it.bin"),
        (OWN, "in a thread"),
        (OWN, "in a thread"),
    ]
    assert marks(talk) == [("🎉", OWN)]
    assert events(talk)[1]["origin_server_ts"] == int(float(message.ts) * 1000)
    assert len(slack(talk)) == 3
    assert [people for _, people in slack(talk)[0].reactions] == [("alice",)]
    assert await talk.stage.left_over() == []


async def test_what_they_say_in_matrix_themselves_goes_to_slack_as_ever(talk: Talk) -> None:
    own = talk.world.own["alice"]
    await said(talk, "from Slack")
    event = await own.say(talk.room, "from Matrix")
    await own.edit(talk.room, event, "from Matrix, again")
    await talk.settle()
    assert [entry.text for entry in slack(talk)] == ["from Slack", "from Matrix, again"]


async def test_their_own_copy_of_a_message_goes_to_slack_although_it_carries_our_stamp(talk: Talk) -> None:
    event = await said(talk, "to be passed on")
    assert STAMP in event["content"]
    await talk.world.own["alice"].send(talk.room, event["content"])
    await talk.in_matrix("ada").send(talk.room, event["content"])
    await talk.settle()
    assert [(entry.author, entry.text) for entry in slack(talk)] == [
        ("alice", "to be passed on"),
        ("alice", "to be passed on"),
        ("ada", "to be passed on"),
    ]


async def test_what_a_parked_row_may_have_sent_does_not_go_back_as_somebody_s_words(talk: Talk) -> None:
    database = talk.stage.database
    assert database is not None
    ledger, key, queue = Ledger(database), ActionKey("cwparked"), "T0/C0"
    await ledger.admit([Arrival(TO_MATRIX, queue, "slack:parked", "{}")])
    (row,) = await ledger.next_rows(TO_MATRIX, queue, 1)
    action = SendEvent(key, RoomId(talk.room), MatrixUserId(OWN), "m.room.message", {"body": "ours"})
    await ledger.plan(row, [action])
    await ledger.park(row, "its outcome stays unknown")
    await talk.world.own["alice"].join(talk.room)
    await talk.world.own["alice"].send(talk.room, {"msgtype": "m.text", "body": "ours", STAMP: key})
    await talk.in_matrix("ada").send(talk.room, {"msgtype": "m.text", "body": "a copy", STAMP: key})
    await talk.settle()
    assert [entry.text for entry in slack(talk)] == ["a copy"]


@pytest.mark.parametrize("kind", ["m.annotation", "m.replace", "m.room.redaction"])
async def test_what_they_have_taken_back_by_now_does_not_go_to_slack_when_it_is_told_late(
    talk: Talk, kind: str
) -> None:
    alice, asked = talk.in_slack("alice"), talk.in_slack("bob").post("general", "who has it?").ts
    answer = alice.post("general", "I do").ts
    alice.react("general", asked, "tada")
    await talk.settle()
    alice.edit("general", answer, "I do, of course")
    await talk.settle()
    told = own_events(talk)
    alice.unreact("general", asked, "tada")
    alice.edit("general", answer, "perhaps")
    await talk.settle()
    event = (own_events(talk) | told)[kind]
    await tell_late(talk, event)
    assert [(entry.text, entry.reactions) for entry in slack(talk)] == [
        ("who has it?", ()),
        ("perhaps", ()),
        ("behind it", ()),
    ]
    assert await talk.stage.left_over() == []


def own_events(talk: Talk) -> dict[str, dict[str, Any]]:
    """Return what alice's account has sent, as it stands: the last by its relation, or its type where it has none."""
    found = [event for event in talk.stage.homeserver.events(talk.room) if event["sender"] == OWN]
    return {str(relation_of(event).get("rel_type") or event["type"]): dict(event) for event in found}


async def tell_late(talk: Talk, event: dict[str, Any]) -> None:
    """Have the homeserver tell of an event of ours as it tells a bridge that was killed before it knew of it."""
    assert talk.stage.database is not None
    assert STAMP in event["content"]
    queue, raw = event["room_id"], orjson.dumps(event).decode()
    await Ledger(talk.stage.database).admit([Arrival(TO_SLACK, queue, f"matrix:{event['event_id']}", raw)])
    await talk.in_matrix("ada").say(talk.room, "behind it")
    await talk.settle()


# --- how they are called


async def test_a_mention_reaches_the_right_person_on_either_side(talk: Talk) -> None:
    alice = talk.stage.workspace.user("alice").id
    talk.in_slack("bob").post("general", f"<@{alice}>, look")
    await talk.settle()
    content = events(talk)[-1]["content"]
    assert content["m.mentions"] == {"user_ids": [OWN]}
    html = f'<a href="https://matrix.to/#/{OWN}">Alice</a>: yes?'
    pill = {"format": "org.matrix.custom.html", "formatted_body": html, "m.mentions": {"user_ids": [OWN]}}
    await talk.in_matrix("ada").send(talk.room, {"msgtype": "m.text", "body": "Alice: yes?", **pill})
    await talk.settle()
    assert f"<@{alice}>" in slack(talk)[-1].text


# --- who is in the room


async def test_a_linked_person_is_in_the_room_once(talk: Talk) -> None:
    assert (membership(talk, OWN), membership(talk, ghost(talk, "alice"))) == ("join", "leave")
    talk.in_slack("alice").leave("general")
    await talk.settle()
    assert membership(talk, OWN) == "leave"
    talk.in_slack("alice").join("general")
    await talk.settle()
    assert (membership(talk, OWN), membership(talk, ghost(talk, "alice"))) == ("join", "leave")


async def test_who_is_linked_later_speaks_in_the_account_from_then_on_and_the_ghost_goes(sqlite_url: str) -> None:
    async with talking(sqlite_url) as talk:
        before = talk.in_slack("alice").post("general", "as a ghost").ts
        await talk.settle()
        own = await talk.stage.link("alice")
        await said_by_the_account(talk, own.user_id)
        assert membership(talk, ghost(talk, "alice")) == "leave"
        talk.in_slack("alice").edit("general", before, "as a ghost still")
        await talk.settle()
        assert bodies(talk)[0] == "as a ghost still"


async def said_by_the_account(talk: Talk, account: str) -> None:
    """Return when what alice says is said by her account: the bridge looks for what was asked of it now and then."""
    async with asyncio.timeout(10):
        while (await said(talk, "who am I?"))["sender"] != account:
            await asyncio.sleep(0.05)


async def test_an_account_that_the_bridge_may_not_act_as_is_invited_in_place_of_the_ghost(sqlite_url: str) -> None:
    only_others = {"double_puppet": {**ON["double_puppet"], "accounts": ["@bob:localhost"]}}
    async with talking(sqlite_url, "alice", **only_others) as talk:
        assert (membership(talk, OWN), membership(talk, ghost(talk, "alice"))) == ("invite", "leave")
        event = await said(talk, "as a ghost all the same")
        assert event["sender"] == ghost(talk, "alice")
        await talk.world.own["alice"].join(talk.room)
        await talk.world.own["alice"].leave(talk.room)
        await talk.settle()
        await talk.stage.start()
        await talk.settle()
        assert membership(talk, OWN) == "leave"


async def test_nobody_is_invited_where_that_is_switched_off(sqlite_url: str) -> None:
    nobody = {"double_puppet": {**ON["double_puppet"], "accounts": ["@bob:localhost"]}, "people": {"invite": False}}
    async with talking(sqlite_url, "alice", **nobody) as talk:
        assert (membership(talk, OWN), membership(talk, ghost(talk, "alice"))) == ("leave", "join")


# --- where they may not


async def test_where_the_homeserver_refuses_the_account_the_ghost_speaks_and_the_log_says_so_once(
    talk: Talk, caplog: pytest.LogCaptureFixture
) -> None:
    shown = await said(talk, "mine")
    del talk.stage.homeserver.world.accounts[OWN]
    with caplog.at_level(logging.WARNING, "bridge.work.puppets"):
        for words in ("one", "two"):
            assert (await said(talk, words))["sender"] == ghost(talk, "alice")
        talk.in_slack("alice").edit("general", ts_of(talk, 0), "mine, edited")
        talk.in_slack("alice").react("general", ts_of(talk, 1), "tada")
        await talk.settle()
        talk.in_slack("alice").unreact("general", ts_of(talk, 1), "tada")
        talk.in_slack("alice").delete("general", ts_of(talk, 0))
        await talk.settle()
    assert len([record for record in caplog.records if "may not act" in record.message]) == 1
    answer = events(talk)[-1]
    assert answer["content"]["body"] == "* mine, edited"
    assert answer["content"]["m.relates_to"] == {"m.in_reply_to": {"event_id": shown["event_id"]}}
    assert shown["event_id"] not in [event["event_id"] for event in events(talk)]
    assert marks(talk) == []
    assert len(slack(talk)) == 2


def ts_of(talk: Talk, number: int) -> str:
    """Return the ts of a message in #general, the oldest being number 0."""
    return slack(talk)[number].ts


async def test_a_homeserver_that_does_not_know_the_token_has_the_ghosts_speak(sqlite_url: str) -> None:
    async with talking(sqlite_url, "alice") as talk:
        talk.stage.homeserver._by_token.pop("pu" * 24)
        assert (await said(talk, "hello"))["sender"] == ghost(talk, "alice")


async def test_a_ban_of_the_account_is_a_ban_of_the_person(talk: Talk) -> None:
    await said(talk, "hello")
    room = talk.stage.homeserver.world.rooms[talk.room]
    state = talk.stage.homeserver.world.append
    state(room, "m.room.member", "@causeway:localhost", {"membership": "ban"}, OWN)
    talk.in_slack("alice").post("general", "let me in")
    await talk.settle()
    assert bodies(talk) == ["hello"]
    assert membership(talk, ghost(talk, "alice")) == "leave"


async def test_what_the_ghost_said_in_an_unknown_try_is_found_and_not_said_again(talk: Talk) -> None:
    await said(talk, "hello")
    del talk.stage.homeserver.world.accounts[OWN]
    homeserver = talk.stage.homeserver
    homeserver.faults.refuse(403, "M_FORBIDDEN", path="/send/m.room.message/", times=2)
    homeserver.faults.lose_answer(path="/send/m.room.message/")
    talk.in_slack("alice").post("general", "once")
    await talk.settle()
    assert bodies(talk) == ["hello", "once"]
    assert len(slack(talk)) == 2


async def test_an_account_of_another_team_s_person_speaks_for_nobody_here(talk: Talk) -> None:
    database = talk.stage.database
    assert database is not None
    bob = SlackUserId(talk.stage.workspace.user("bob").id)
    wanted = Wanted(bob, MatrixUserId("@bob:localhost"), How.HAND)
    await People(database).link(TeamId("T0ELSEWHERE"), [wanted], "a test")
    talk.in_slack("bob").post("general", "hello")
    await talk.settle()
    assert events(talk)[-1]["sender"] == ghost(talk, "bob")
