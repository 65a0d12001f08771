"""What has to wait, the whole way: moderators see and decide, authors are told, quiet hours end; and nothing leaks."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from bridge.store.audit import Audit
from bridge.store.database import Statement
from tests.journeys.stage import settings_for
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
    await talk.stage.database.commit(Statement("UPDATE held SET until = 1"))
    expired = "This did not reach Slack: no moderator decided about it in time."
    await until(lambda: [one for one in bodies(talk) if one == expired])
    await talk.settle()
    assert texts(talk) == []
    assert [act for _, act in await acts(talk)] == ["held", "held expired", "withheld"]


async def test_messages_of_quiet_hours_go_in_their_order_when_those_end(sqlite_url: str) -> None:
    now = datetime.now(UTC)
    ends = f"{(now.hour + 12) % 24:02}:00-{(now.hour + 11) % 24:02}:59"
    quiet = {"name": "default", "quiet": {"hours": [ends]}}
    async with talk_on(sqlite_url, policies=[quiet]) as talk:
        ada, alice = talk.in_matrix("ada"), talk.in_slack("alice")
        for number in range(3):
            await ada.say(talk.room, f"Matrix {number}")
            alice.post("general", f"Slack {number}")
        gone = alice.post("general", "Slack, taken back").ts
        await talk.settle()
        alice.delete("general", gone)
        await talk.settle()
        told = [said for said in (*texts(talk), *bodies(talk)) if said.startswith("This waits")]
        assert len(told) == 2  # each of them once
        assert not any(text.startswith("Matrix") for text in texts(talk))
        await restart(talk, policies=[{"name": "default"}])
        assert talk.stage.database is not None
        await talk.stage.database.commit(Statement("UPDATE held SET until = 1"))
        await until(lambda: [text for text in texts(talk) if text == "Matrix 2"])
        await until(lambda: [body for body in bodies(talk) if body == "Slack 2"])
        await talk.settle()
        assert [text for text in texts(talk) if text.startswith("Matrix")] == ["Matrix 0", "Matrix 1", "Matrix 2"]
        assert [body for body in bodies(talk) if body.startswith("Slack")] == ["Slack 0", "Slack 1", "Slack 2"]
        assert await talk.stage.database.fetch("SELECT 1 FROM held") == []


async def test_a_bridge_that_is_cut_off_anywhere_holds_shows_and_releases_once(sqlite_url: str) -> None:
    async with talk_on(sqlite_url, policies=[POLICY], admins=["@mod:localhost"]) as talk:
        mod, moderators = await room_of_moderators(talk)
        ada, gate, cuts = talk.in_matrix("ada"), talk.stage.gate, 0
        for step in range(1, 8):
            gate.arm(step)
            await ada.say(talk.room, f"{MARK} no. {step}")
            await until(lambda step=step: [1] if gate.cut.is_set() or _shown(talk, moderators, step) else [])  # type: ignore[misc]
            cuts += gate.cut.is_set()
            await talk.stage.start()
            await talk.settle()
            (shown,) = _shown(talk, moderators, step)
            assert len([body for body in bodies(talk) if body.startswith("This waits")]) == step
            gate.arm(step + 1)
            await mod.react(moderators, shown["event_id"], "👍")
            await until(lambda step=step: [1] if gate.cut.is_set() or f"{MARK} no. {step}" in texts(talk) else [])  # type: ignore[misc]
            cuts += gate.cut.is_set()
            await talk.stage.start()
            await until(lambda step=step: [1] if f"{MARK} no. {step}" in texts(talk) else [])  # type: ignore[misc]
            await talk.settle()
            assert bodies(talk).count("A moderator let this go to Slack.") == step
        assert cuts > 7
        assert texts(talk) == [f"{MARK} no. {step}" for step in range(1, 8)]
        assert [act for _, act in await acts(talk)] == ["held", "held approved"] * 7
        assert await talk.stage.left_over() == []


def _shown(talk: Talk, room: str, number: int) -> list[dict[str, Any]]:
    return [one for one in shown_to_moderators(talk, room) if f"{MARK} no. {number}" in one["content"]["body"]]


async def restart(talk: Talk, **more: Any) -> None:
    """Start the bridge anew with other settings."""
    stage = talk.stage
    port = stage.settings.appservice.listen.port
    stage.settings = settings_for(stage.slack, stage.homeserver.url, stage.database_url, port, **{**stage.more, **more})
    await stage.start()
