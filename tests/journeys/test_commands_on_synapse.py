"""Commands with the real things: `causeway run` as a process of its own, and a Synapse."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.journeys.process import ProcessStage
from tests.journeys.test_commands import BOT, MORE, channels_of, code_in

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox.homeserver.person import Person


async def answer(person: Person, room: str, words: str) -> str:
    """Tell the bot something, and return its answer: the first thing that it says in reply to it."""
    event = await person.say(room, words)
    while True:
        for one in await person.events(room):
            relation = one["content"].get("m.relates_to", {})
            if one["sender"] == BOT and relation.get("m.in_reply_to", {}).get("event_id") == event:
                return str(one["content"]["body"])
        await asyncio.sleep(0.05)


async def joined(person: Person, room: str) -> None:
    while BOT not in await person.members(room):
        await asyncio.sleep(0.05)


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_a_channel_is_bridged_and_a_room_joined_by_commands(tmp_path: Path, synapse_template: Path) -> None:
    async with ProcessStage(tmp_path, synapse_template, channels_of, MORE) as stage:
        await stage.start()
        ada, bert = await stage.newcomer("ada"), await stage.newcomer("bert")
        own = await ada.create_room(preset="trusted_private_chat", invite=[BOT], is_direct=True)
        await joined(ada, own)
        assert "#random becomes a portal" in await answer(ada, own, "bridge #random")
        assert "You are invited" in await answer(ada, own, "invite #random")
        mirrored = await ada.join(await stage.find_room("random"))
        assert "#random is live, both ways" in await answer(ada, mirrored, "!slack status")

        levels = {"users": {ada.user_id: 100, BOT: 50}, "state_default": 50}
        room = await bert.create_room(preset="public_chat", power_level_content_override=levels)
        await bert.say(room, "said before")
        await ada.join(room)
        await ada.invite(room, BOT)
        await joined(ada, room)
        explained = await answer(ada, room, "!slack plumb #design")
        assert "to #design of Acme in Slack" in explained
        assert "joined to #design now" in await answer(ada, room, f"!slack plumb confirm {code_in(explained)}")
        key = f"causeway://slack/{stage.workspace.id}/{stage.workspace.channel('design').id}"
        while await ada.state(room, "m.bridge", key) is None:
            await asyncio.sleep(0.05)
        await bert.say(room, "said after")
        while "said after" not in str(stage.workspace.transcript("design")):
            await asyncio.sleep(0.05)
        assert "said before" not in str(stage.workspace.transcript("design"))
        assert "Only admins" in await answer(bert, room, "!slack unbridge")
