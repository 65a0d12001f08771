"""A channel's move to Matrix, killed at any step: everything is told once, and the channel ends where it would have."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from bridge.app import Hooks
from bridge.cutting_over import cutting_over
from bridge.errors import BridgeError
from bridge.store.audit import Audit
from bridge.store.directory import Directory
from bridge.store.opening import open_database
from bridge.work.cutover_steps import Proven
from portals.cutover import Wish
from portals.preview import ghost_names
from tests.journeys.gate import GatedDatabase
from tests.journeys.stage import Stage, until
from tests.journeys.world import people_of

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path
    from typing import Any

    from bridge.administration.cutover import CuttingOver
    from portals.facts import Portal

CHANNEL = "general"
BEFORE = "What was there before"
KILLS = [1, *range(4, 90, 7)]


@dataclass
class Move:
    """A stage whose one channel moves, by commands that die with the bridge and are given again."""

    stage: Stage
    cuts: int = 0

    async def portal(self) -> Portal:
        assert self.stage.database is not None
        (portal,) = await Directory(self.stage.database, ghost_names("localhost")).portals()
        return portal

    async def command(self, work: Callable[[CuttingOver, Portal], Coroutine[Any, Any, object]], steps: int) -> None:
        """Give a command that is cut off at a step, and then again until it is done."""
        self.stage.gate.arm(steps)
        while not await self._once(work):
            self.cuts += 1
            await self.stage.start()

    async def _once(self, work: Callable[[CuttingOver, Portal], Coroutine[Any, Any, object]]) -> bool:
        database = GatedDatabase(await open_database(self.stage.database_url), self.stage.gate)
        hooks = Hooks(database=database, limits_scale=0)

        async def run() -> None:
            async with cutting_over(self.stage.settings, "a test", patience=20, hooks=hooks) as parts:
                await parts.looking.read()
                await work(parts, await self.portal())

        task = asyncio.create_task(run())
        cut = asyncio.create_task(self.stage.gate.cut.wait())
        await asyncio.wait([task, cut], return_when=asyncio.FIRST_COMPLETED)
        was_cut = self.stage.gate.cut.is_set()
        task.cancel()
        cut.cancel()
        await asyncio.wait([task, cut])
        if not was_cut:
            task.result()
        elif not task.cancelled():
            with suppress(BridgeError):
                task.result()
        return not was_cut

    def topic(self) -> str:
        return str(self.stage.workspace.channel(CHANNEL).topic["value"])

    def posts(self, words: str) -> int:
        return sum(words in entry.text for entry in self.stage.entries(CHANNEL) if entry.subtype != "channel_topic")

    async def notices(self, words: str) -> int:
        return sum(words in line.body for line in await self.stage.lines(CHANNEL))


async def proven() -> Proven:
    return Proven("<!doctype html><title>proof</title>", "proof.html", "0" * 64, 0)


@pytest.mark.parametrize("steps", KILLS)
async def test_killed_at_any_step_a_move_tells_everything_once(tmp_path: Path, steps: int) -> None:
    url = f"sqlite:///{tmp_path / 'causeway.db'}"
    async with Stage(url, seed=lambda slack: people_of(slack, (CHANNEL,))) as stage:
        move = Move(stage)
        alice = stage.workspace.person("alice")
        alice.set_topic(CHANNEL, BEFORE)
        await stage.start()
        person = await stage.person("zoe", CHANNEL)
        room = await stage.room(CHANNEL)
        await person.say(room, "from Matrix")
        await until(lambda: move.posts("from Matrix"))  # a homeserver that repeats it later would be too late
        alice.post(CHANNEL, "from Slack")
        wish = Wish(archive=True)
        await move.command(lambda parts, portal: parts.cutover.announce(portal, "Monday"), steps)
        await move.command(lambda parts, portal: parts.freeze(portal, Wish(), anyway=False), steps)
        assert move.posts("from Matrix") == move.posts("Monday") == move.posts("Please go on there") == 1
        assert await move.notices("from Slack") == await move.notices("Monday") == 1
        assert await move.notices("has moved here") == 1
        assert "Moved to Matrix" in move.topic()
        alice.post(CHANNEL, "too late")
        await until(lambda: move.posts("was carried there") == 1)
        await move.command(lambda parts, portal: parts.cutover.revert(portal), steps)
        assert move.topic() == BEFORE
        assert move.posts("called off") == await move.notices("called off") == 1
        await move.command(lambda parts, portal: parts.freeze(portal, wish, anyway=False), steps)
        assert stage.workspace.channel(CHANNEL).archived
        await move.command(lambda parts, portal: parts.cutover.finish(portal, proven), steps)
        assert move.posts("too late") == await move.notices("too late") == 1
        assert move.posts("Please go on there") == await move.notices("has moved here") == 2
        assert await move.notices("is complete") == 1
        assert (await move.portal()).state == "archived"
        assert move.cuts or steps > 60
        assert stage.database is not None
        acts = [(one.act, one.detail) for one in await Audit(stage.database).entries()]
        assert len([act for act in acts if act[0] == "cutover: tell Slack"]) == 2
        assert len(acts) == len([act for act in acts if act[0].startswith("cutover: ")])
