"""What has to wait, the whole way: moderators see and decide, authors are told, quiet hours end; and nothing leaks."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from bridge.store.audit import Audit
from tests.journeys.talk import Talk, bodies, talk_on

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.sandbox.homeserver.person import Person

MARK = "VS-NfD"
HOLD: dict[str, Any] = {"words": [MARK], "room": "#moderators:localhost", "within": "1h"}
POLICY: dict[str, Any] = {"name": "default", "hold": HOLD}
MARKED = "it bears a mark or a word about which a moderator decides"


@pytest.fixture
async def talk(sqlite_url: str) -> AsyncIterator[Talk]:
    async with talk_on(sqlite_url, policies=[POLICY], admins=["@mod:localhost"]) as talk:
        yield talk


async def room_of_moderators(talk: Talk, **settings: Any) -> tuple[Person, str]:
    """Return somebody who may decide, and their room, in which the bot is."""
    mod = await talk.stage.homeserver.person("mod")
    bot = talk.stage.settings.bot_id
    room = await mod.create_room(room_alias_name="moderators", invite=[bot], **({"preset": "private_chat"} | settings))
    async with asyncio.timeout(30):
        while (await mod.members(room)).get(bot) is None:
            await asyncio.sleep(0.01)
    return mod, room


def texts(talk: Talk) -> list[str]:
    return [entry.text for entry in talk.entries() if entry.subtype != "channel_join" and not entry.deleted]


def shown_to_moderators(talk: Talk, room: str) -> list[dict[str, Any]]:
    bot = talk.stage.settings.bot_id
    return [
        event
        for event in talk.stage.homeserver.events(room)
        if event["type"] == "m.room.message" and event["sender"] == bot and "body" in event["content"]
    ]


async def notice(talk: Talk, room: str, words: str) -> dict[str, Any]:
    """Return what moderators are shown, as soon as they are."""
    found = await until(lambda: [one for one in shown_to_moderators(talk, room) if words in one["content"]["body"]])
    event: dict[str, Any] = found[0]
    return event


async def until(found: Callable[[], list[Any]]) -> list[Any]:
    async with asyncio.timeout(30):
        while not (seen := found()):
            await asyncio.sleep(0.01)
    return seen


async def acts(talk: Talk) -> list[tuple[str, str]]:
    assert talk.stage.database is not None
    entries = await Audit(talk.stage.database).entries()
    assert all(MARK not in f"{entry.subject} {entry.detail}" for entry in entries)
    return [(entry.actor, entry.act) for entry in entries if "held" in entry.act or entry.act == "refused"]


async def test_a_moderator_lets_a_message_of_each_side_go_by_a_reaction(talk: Talk) -> None:
    mod, moderators = await room_of_moderators(talk)
    ada, alice = talk.in_matrix("ada"), talk.in_slack("alice")
    event = await ada.say(talk.room, f"the plan is {MARK}, in Matrix")
    ts = alice.post("general", f"the plan is {MARK}, in Slack").ts
    await ada.say(talk.room, "said behind it")
    await talk.settle()
    assert [text for text in texts(talk) if "waits" not in text] == [f"the plan is {MARK}, in Slack", "said behind it"]
    assert not any("in Slack" in body for body in bodies(talk))
    assert any(body.startswith(f"This waits before it goes to Slack: {MARKED}, within") for body in bodies(talk))
    assert any(text.startswith(f"This waits before it goes to Matrix: {MARKED}, within") for text in texts(talk))
    of_matrix, of_slack = [await notice(talk, moderators, f"{MARK}, in {side}") for side in ("Matrix", "Slack")]
    assert "@ada:localhost" in of_matrix["content"]["body"]
    assert of_matrix["content"]["m.mentions"] == {}
    await mod.react(moderators, of_matrix["event_id"], "👍")
    await mod.react(moderators, of_slack["event_id"], "✅\ufe0f")
    await until(lambda: [body for body in bodies(talk) if body == f"the plan is {MARK}, in Slack"])
    await until(lambda: [text for text in texts(talk) if text == f"the plan is {MARK}, in Matrix"])
    await talk.settle()
    assert "A moderator let this go to Slack." in bodies(talk)
    assert "A moderator let this go to Matrix." in texts(talk)
    left = [one["content"]["body"] for one in shown_to_moderators(talk, moderators)]
    assert not any(MARK in body for body in left)
    assert left[-1].endswith("was let through by @mod:localhost.")
    assert sorted(await acts(talk)) == [
        ("@mod:localhost (a reaction in " + moderators + ")", "held approved"),
        ("@mod:localhost (a reaction in " + moderators + ")", "held approved"),
        ("policy", "held"),
        ("policy", "held"),
    ]
    assert await talk.stage.left_over() == []
    await ada.redact(talk.room, event)
    alice.delete("general", ts)
    await talk.settle()
    assert not any(f"{MARK}, in" in said for said in (*texts(talk), *bodies(talk)))


async def test_whoever_has_no_power_there_decides_nothing_and_a_refusal_is_told(talk: Talk) -> None:
    mod, moderators = await room_of_moderators(talk)
    ada, brian = talk.in_matrix("ada"), talk.in_matrix("brian")
    await mod.invite(moderators, brian.user_id)
    await brian.join(moderators)
    await ada.say(talk.room, f"{MARK} one")
    shown = await notice(talk, moderators, f"{MARK} one")
    await brian.react(moderators, shown["event_id"], "👍")
    await notice(talk, moderators, "deciding here takes a power level of 50 in this room")
    await mod.react(moderators, shown["event_id"], "👎")
    await until(lambda: [one for one in bodies(talk) if one == "This did not reach Slack: a moderator refused it."])
    await talk.settle()
    assert texts(talk) == []
    assert [act for _, act in await acts(talk)] == ["held", "refused", "held refused", "withheld"]


async def test_what_is_changed_or_taken_back_while_it_is_held_counts_as_it_stands(talk: Talk) -> None:
    mod, moderators = await room_of_moderators(talk)
    ada, alice = talk.in_matrix("ada"), talk.in_slack("alice")
    first = await ada.say(talk.room, f"{MARK} as it was")
    gone, mended = alice.post("general", f"{MARK} to be gone").ts, alice.post("general", f"{MARK} to be mended").ts
    old = await notice(talk, moderators, f"{MARK} as it was")
    await notice(talk, moderators, f"{MARK} to be mended")
    await talk.in_matrix("brian").edit(talk.room, first, f"{MARK} by somebody else")
    await ada.edit(talk.room, first, f"{MARK} as it is")
    alice.delete("general", gone)
    alice.edit("general", mended, "mended")
    new = await notice(talk, moderators, f"{MARK} as it is")
    await until(lambda: [one for one in bodies(talk) if one == "mended"])
    await mod.react(moderators, old["event_id"], "👍")  # it shows what is said no more
    await mod.react(moderators, new["event_id"], "👍")
    await until(lambda: [one for one in texts(talk) if one == f"{MARK} as it is"])
    await talk.settle()
    assert not any("as it was" in text or "somebody else" in text for text in texts(talk))
    assert not any("to be" in body for body in bodies(talk))
    assert not any(MARK in one["content"]["body"] for one in shown_to_moderators(talk, moderators))


async def test_a_room_that_others_can_read_quotes_nothing(talk: Talk) -> None:
    _, moderators = await room_of_moderators(talk, preset="public_chat")
    await talk.in_matrix("ada").say(talk.room, f"{MARK} one")
    shown = await notice(talk, moderators, "What it says is not shown here")
    assert MARK not in shown["content"]["body"]
    assert "more people than the invited may join this room" in shown["content"]["body"]


async def test_without_a_room_a_message_waits_for_the_console_through_a_restart(talk: Talk) -> None:
    await talk.in_matrix("ada").say(talk.room, f"{MARK} one")
    await talk.settle()
    await talk.stage.start()
    await talk.settle()
    assert talk.stage.database is not None
    rows = await talk.stage.database.fetch("SELECT name, wait, verdict FROM held")
    assert [tuple(row)[1:] for row in rows] == [("moderator", "")]
    await talk.stage.database.commit(*[_due()])
    expired = "This did not reach Slack: no moderator decided about it in time."
    await until(lambda: [one for one in bodies(talk) if one == expired])
    await talk.settle()
    assert texts(talk) == []
    assert [act for _, act in await acts(talk)] == ["held", "held expired", "withheld"]


def _due() -> Any:
    from bridge.store.database import Statement

    return Statement("UPDATE held SET until = 1")
