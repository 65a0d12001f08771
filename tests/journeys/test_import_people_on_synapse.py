"""The real things: `causeway run` and a Synapse; people with accounts of their own find their history, and no bell."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from config.loader import load
from tests.journeys.importing import ONLY_WHAT_IS_ASKED_FOR, bring
from tests.journeys.process import ProcessStage
from tests.journeys.test_kills import ON
from tests.journeys.world import ProcessWorld, people_of
from tests.sandbox.exports import export_of
from tests.sandbox.homeserver.transport import RequestRefused

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox.homeserver.person import Person

MORE = {**ONLY_WHAT_IS_ASKED_FOR, **ON}


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_fifty_messages_of_the_past_are_theirs_at_their_time_and_notify_nobody(
    tmp_path: Path, synapse_template: Path
) -> None:
    async with ProcessStage(tmp_path, synapse_template, people_of, more=MORE) as stage:
        world = ProcessWorld(stage, linked=("alice",), patience=60)
        workspace = stage.workspace
        alice = workspace.user("alice").id
        said = []
        for number in range(50):
            workspace.clock.pass_by(60)
            who = ("alice", "bob", "carol")[number % 3]
            said.append(workspace.person(who).post("general", f"{number}: <@{alice}>, look <!here>").ts)
        export_of(workspace, tmp_path / "export.zip")
        workspace.clock.turn_forward()
        await world.link()
        await world.start()
        await bring(load(tmp_path / "config.yaml", {}), tmp_path / "export.zip")
        await world.enter()
        own = world.own["alice"]
        events = [event for event in await stage.events(world.rooms["general"]) if event["type"] == "m.room.message"]
        shown = [event for event in events if event["content"]["body"][0].isdigit()]
        assert [event["origin_server_ts"] for event in shown] == [int(float(ts) * 1000) for ts in said]
        assert {event["sender"] == own.user_id for event in shown[::3]} == {True}
        assert {event["sender"] == own.user_id for event in shown[1::3]} == {False}
        for number in range(2):  # while the room is muted, and when it is as it was
            synced = await own.sync(milliseconds=number)
            unread = synced["rooms"]["join"][world.rooms["general"]]["unread_notifications"]
            assert unread == {"notification_count": 0, "highlight_count": 0}
            await rings_again(own, world.rooms["general"])


async def rings_again(person: Person, room: str) -> None:
    """Return when no rule of the bridge's mutes a room any more."""
    async with asyncio.timeout(30):
        while True:
            try:
                await person.get("pushrules", "global", "override", room)
            except RequestRefused:
                return
            await asyncio.sleep(0.1)
