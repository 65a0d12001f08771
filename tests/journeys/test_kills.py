"""Real kills: `causeway run` as a process of its own, against a real Synapse, killed with SIGKILL again and again."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import pytest

from tests.journeys.process import ProcessStage
from tests.journeys.script import Playwright
from tests.journeys.world import ProcessWorld, people_of

if TYPE_CHECKING:
    from pathlib import Path

CHANNELS = ("general", "random", "design", "ops")
KILLS = {(): 14, ("alice", "bob"): 8}
"""How often the bridge is killed, by who has an account of their own."""
ON = {"double_puppet": {"as_token": "pu" * 24}}


async def alike(world: ProcessWorld, seconds: float = 40) -> None:
    """Return when both sides show the tale and the store is at rest; raises AssertionError with what differs."""
    differences = ["nothing was looked at yet"]
    try:
        async with asyncio.timeout(seconds):
            while differences:
                if not world.stage.is_running:
                    await world.start()
                await asyncio.sleep(world.stage.pace)
                if unsettled := await world.stage.unsettled():
                    differences = [unsettled]
                    continue
                differences = await world.differences()
    except TimeoutError:
        raise AssertionError("\n".join(differences)) from None


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize("linked", KILLS)
async def test_killed_again_and_again_it_loses_nothing(
    tmp_path: Path, synapse_template: Path, linked: tuple[str, ...]
) -> None:
    chance, kills = random.Random(20), KILLS[linked]
    async with ProcessStage(tmp_path, synapse_template, lambda slack: people_of(slack, CHANNELS), ON) as stage:
        world = ProcessWorld(stage, CHANNELS, patience=30, linked=linked)
        await world.open()
        playwright = Playwright(chance, CHANNELS)
        ended = asyncio.Event()
        acts = 0

        async def act() -> None:
            nonlocal acts
            while not ended.is_set():
                await world.play([playwright.act()])
                acts += 1
                await asyncio.sleep(chance.uniform(0.0, 0.3))

        acting = asyncio.create_task(act())
        for _ in range(kills):
            await stage.kill(chance.uniform(0.1, 1.8))
        ended.set()
        await acting
        await alike(world)
        assert stage.kills == kills
        assert acts > kills, "people went on all the while"
