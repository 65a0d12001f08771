"""A move as an admin makes it: `causeway` beside a bridge of its own and a real Synapse, killed again and again."""

from __future__ import annotations

import asyncio
import json
import random
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from bridge.work.cutover_steps import MOVED
from tests.journeys.importing import ONLY_WHAT_IS_ASKED_FOR
from tests.journeys.process import ProcessStage
from tests.journeys.world import people_of
from tests.sandbox.child import Child
from tests.sandbox.exports import export_of

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

CHANNEL = "general"


@dataclass
class Admin:
    """Gives commands, which are processes of their own; kills some of them on their way."""

    stage: ProcessStage
    chance: random.Random = field(default_factory=lambda: random.Random(7))
    kills: int = 0

    async def command(self, *words: str, kills: int = 0) -> str:
        """Give a command, kill it so often at any moment, and then let it end well; returns what it printed."""
        log = self.stage.directory / f"command{len(list(self.stage.directory.glob('command*')))}.log"
        config = self.stage.directory / "config.yaml"
        child = Child([sys.executable, "-m", "bridge.cli", *words, "-c", config], log=log)
        for _ in range(kills):
            child.start()
            await asyncio.sleep(self.chance.uniform(0.3, 2.5))
            self.kills += child.running
            child.kill()
        log.unlink(missing_ok=True)
        child.start()
        async with asyncio.timeout(60):
            while child.running:
                await asyncio.sleep(0.05)
        assert child.returncode == 0, child.tail()
        return child.tail(400)

    def posts(self, words: str) -> int:
        return sum(words in entry.text for entry in self.stage.workspace.transcript(CHANNEL))


async def until(holds: Callable[[], Coroutine[Any, Any, bool]], seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while not await holds():
            await asyncio.sleep(0.1)


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_a_channel_with_its_history_moves_to_matrix_and_its_report_explains_everything(
    tmp_path: Path, synapse_template: Path
) -> None:
    async with ProcessStage(
        tmp_path, synapse_template, lambda slack: people_of(slack, (CHANNEL,)), ONLY_WHAT_IS_ASKED_FOR
    ) as stage:
        admin = Admin(stage)
        alice, bob = stage.workspace.person("alice"), stage.workspace.person("bob")
        alice.set_topic(CHANNEL, "Tickets")
        root = alice.post(CHANNEL, "What we said before")
        bob.post(CHANNEL, "in a thread", thread_ts=root.ts)
        bob.react(CHANNEL, root.ts, "tada")
        export_of(stage.workspace, tmp_path / "first.zip")
        await stage.start()
        person = await stage.newcomer("zoe")
        await admin.command("import", str(tmp_path / "first.zip"))
        room = await stage.find_room(CHANNEL)
        await person.join(room)

        async def bodies() -> list[str]:
            return [str(one["content"].get("body")) for one in await stage.events(room)]

        async def shows(words: str) -> bool:
            return any(words in body for body in await bodies())

        bob.post(CHANNEL, "said live")
        await until(lambda: shows("said live"))
        await admin.command("cutover", "announce", CHANNEL, "--date", "Monday", kills=2)
        await admin.command("cutover", "freeze", CHANNEL, kills=4)
        assert admin.posts("On Monday") == admin.posts("Please go on there") == 1
        said = await bodies()
        assert sum("On Monday" in body for body in said) == sum("has moved here" in body for body in said) == 1
        await person.say(room, "ours alone")
        bob.post(CHANNEL, "too late?")
        await until(lambda: shows("too late?"))
        async with asyncio.timeout(20):
            while not admin.posts("was carried there"):
                await asyncio.sleep(0.1)
        assert not admin.posts("ours alone")

        await admin.command("cutover", "revert", CHANNEL, kills=2)
        assert stage.workspace.channel(CHANNEL).topic["value"] == "Tickets"
        assert admin.posts("called off") == 1
        await admin.command("cutover", "freeze", CHANNEL, "--archive", kills=2)
        export_of(stage.workspace, tmp_path / "final.zip")
        finish = ("cutover", "finish", CHANNEL, "--export", str(tmp_path / "final.zip"), "--yes")
        await admin.command(*finish, "--reports", str(tmp_path / "reports"), kills=2)

        (told,) = json.loads(await admin.command("cutover", "status", "--json"))["channels"]
        assert (told["phase"], told["state"]) == ("finished", "archived")
        files = [one["content"] for one in await stage.events(room) if one["content"].get("msgtype") == "m.file"]
        assert len(files) == 1
        assert b"<html" in await stage.media(files[0]["url"])
        (report,) = (tmp_path / "reports").glob("*.json")
        proof = json.loads(report.read_text())
        assert proof["unexplained"] == 0
        assert proof["channels"][0]["digest"]["equal"]
        assert (
            await person.state(room, "m.bridge", f"causeway://slack/{told['team']}/{told['channel']}") or {}
        ).keys() == {MOVED}
        await person.say(room, "and we go on")
        levels = await person.state(room, "m.room.power_levels") or {}
        assert levels.get("events_default", 0) == 0
        assert stage.workspace.channel(CHANNEL).archived
        assert admin.kills
