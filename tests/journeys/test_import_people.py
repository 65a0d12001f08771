"""History of people who have accounts of their own is theirs, at its time, and rings no bell."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

import pytest

from bridge.work import puppets
from tests.journeys.importing import ONLY_WHAT_IS_ASKED_FOR, bring
from tests.journeys.script import SLACK, Playwright
from tests.journeys.stage import Stage, until
from tests.journeys.world import World, people_of
from tests.sandbox.exports import export_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox.homeserver.call import Call

CHANNELS = ("general", "random")
MORE = {**ONLY_WHAT_IS_ASKED_FOR, "double_puppet": {"as_token": "pu" * 24}}
LINKED = ("alice", "bob")


@pytest.fixture(autouse=True)
def _look_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look soon whether a muted room may ring again."""
    monkeypatch.setattr(puppets, "_LOOK", 0.05)


async def test_history_is_written_by_people_s_own_accounts_into_rooms_that_are_muted_meanwhile(
    sqlite_url: str, tmp_path: Path
) -> None:
    async with Stage(sqlite_url, seed=lambda slack: people_of(slack, CHANNELS), more=MORE) as stage:
        world = World(stage, CHANNELS, linked=LINKED)
        world.down = 1_000_000  # nothing starts the bridge but the test
        rules = stage.homeserver.world.push_rules
        unmuted: list[str] = []
        read: dict[tuple[str, str], str] = {}

        def watch(call: Call, _: Any) -> None:
            if call.path.endswith("/read_markers"):
                read[call.arguments[0], call.sender] = call.body["m.fully_read"]
            if "/send/" in call.path and call.sender in own and not rules.get(call.sender):
                unmuted.append(call.path)

        playwright = Playwright(random.Random(4), CHANNELS, sides=(SLACK,))
        await world.play(playwright.acts(60))
        export_of(stage.workspace, tmp_path / "export.zip")
        await world.link()
        own = {person.user_id for person in world.own.values()}
        stage.homeserver.watch.append(watch)
        await world.start()
        await bring(stage.settings, tmp_path / "export.zip")
        assert unmuted == []
        await until(lambda: not any(rules.values()), 30)
        stage.homeserver.watch.remove(watch)
        for channel in CHANNELS:
            room = await stage.find_room(channel)
            events = await stage.events(room)
            ids = [event["event_id"] for event in events]
            last = max(n for n, event in enumerate(events) if event["type"] == "m.room.message")
            for account in {event["sender"] for event in events} & own:
                assert ids.index(read[room, account]) >= last, "read to the end of the history"
        await world.enter()
        await world.settle()
        assert await world.differences() == []
        before = [event["event_id"] for event in await stage.events(world.rooms["general"])]
        await bring(stage.settings, tmp_path / "export.zip")
        await world.settle()
        assert [event["event_id"] for event in await stage.events(world.rooms["general"])] == before
        await world.play(playwright.acts(10))
        await world.settle()
        assert await world.differences() == []


async def test_a_bridge_that_was_killed_while_rooms_were_muted_has_them_ring_again(
    sqlite_url: str, tmp_path: Path
) -> None:
    async with Stage(sqlite_url, seed=people_of, more=MORE) as stage:
        world = World(stage, linked=LINKED)
        world.down = 1_000_000
        await world.play(Playwright(random.Random(5), ("general",), sides=(SLACK,)).acts(20))
        export_of(stage.workspace, tmp_path / "export.zip")
        await world.link()
        rules = stage.homeserver.world.push_rules
        await world.start()
        bringing = asyncio.create_task(bring(stage.settings, tmp_path / "export.zip"))
        await until(lambda: any(rules.values()))
        stage.gate.close()
        await stage.stop()
        assert any(rules.values())
        await world.start()
        await bringing
        await until(lambda: not any(rules.values()))
        await world.enter()
        await world.settle()
        assert await world.differences() == []
