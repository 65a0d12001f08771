"""A command whose bridge is cut off at any step is done once and answered once, all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.journeys.stage import Stage, until
from tests.journeys.test_commands import (
    CHANNEL,
    FORGETFUL,
    MORE,
    answers,
    asked,
    audit,
    begin,
    channels_of,
    code_in,
    empower,
    own_room,
    plumbing,
    said_by_bot,
    sent_to,
)

if TYPE_CHECKING:
    from tests.sandbox.homeserver.person import Person


async def cut_off(stage: Stage, person: Person, room: str, step: int, *words: str) -> list[str]:
    """Give commands, have the bridge cut off at a step from there on, start it anew, and return the answers."""
    before = len(said_by_bot(stage, room))
    stage.gate.arm(step)
    for said in words:
        await person.say(room, said)
    wanted = before + len(words)
    await until(lambda: stage.gate.cut.is_set() or len(said_by_bot(stage, room)) >= wanted)
    await stage.start()
    told = (await answers(stage, room, wanted))[before:]
    await until(lambda: stage.gate.answered["/api/usergroups.list"])
    await stage.stop()
    await begin(stage)
    assert len(said_by_bot(stage, room)) == wanted
    return told


@pytest.mark.parametrize("step", range(1, 25))
async def test_a_channel_is_bridged_and_paused_once(sqlite_url: str, step: int) -> None:
    async with Stage(sqlite_url, MORE, channels_of, times=FORGETFUL) as stage:
        await begin(stage)
        ada, room = await own_room(stage)
        told = await cut_off(stage, ada, room, step, "bridge #random", "pause #random")
        assert "#random becomes a portal" in told[0]
        assert "#random is paused" in told[1]
        assert [act for _, act in await audit(stage)] == ["add portal", "pause portal"]


@pytest.mark.parametrize("step", range(1, 16))
async def test_a_room_is_joined_once(sqlite_url: str, step: int) -> None:
    async with Stage(sqlite_url, MORE, channels_of, times=FORGETFUL) as stage:
        await begin(stage)
        ada, room = await plumbing(stage)
        await empower(stage, ada, room)
        code = code_in(await asked(stage, ada, room, "!slack plumb #random"))
        (told,) = await cut_off(stage, ada, room, step, f"!slack plumb confirm {code}")
        assert "whatever is said from here on crosses" in told
        assert [act for _, act in await audit(stage)] == ["add portal"]


@pytest.mark.parametrize("step", range(1, 17))
async def test_a_code_is_sent_to_slack_once(sqlite_url: str, step: int) -> None:
    async with Stage(sqlite_url, MORE, channels_of, times=FORGETFUL) as stage:
        await begin(stage)
        bert, room = await own_room(stage, "bert")
        bob = stage.workspace.user("bob")
        (told,) = await cut_off(stage, bert, room, step, f"link {bob.id}")
        assert "link confirm CODE" in told
        (sent,) = sent_to(stage, "bob")
        assert f"linked to {bob.id} now" in await asked(stage, bert, room, f"link confirm {code_in(sent)}")


@pytest.mark.parametrize("step", range(1, 12))
async def test_a_refusal_is_noted_once(sqlite_url: str, step: int) -> None:
    async with Stage(sqlite_url, MORE, channels_of, times=FORGETFUL) as stage:
        await begin(stage)
        bert = await stage.person("bert", CHANNEL)
        room = await stage.room(CHANNEL)
        (told,) = await cut_off(stage, bert, room, step, "!slack unbridge")
        assert "Only admins" in told
        assert [act for _, act in await audit(stage)] == ["refused command"]
