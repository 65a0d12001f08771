"""History comes over as it was, before what is said while it comes, and the same history never twice."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from tests.journeys.importing import ONLY_WHAT_IS_ASKED_FOR, bring
from tests.journeys.script import SLACK, Playwright
from tests.journeys.stage import Stage
from tests.journeys.world import World, people_of
from tests.sandbox.exports import export_of

if TYPE_CHECKING:
    from pathlib import Path

CHANNELS = ("general", "random")


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'causeway.db'}"


def world_of(stage: Stage) -> World:
    world = World(stage, CHANNELS)
    world.down = 1_000_000  # nothing starts the bridge but the test
    return world


async def test_a_channels_history_comes_before_what_is_said_meanwhile(url: str, tmp_path: Path) -> None:
    async with Stage(url, seed=lambda slack: people_of(slack, CHANNELS), more=ONLY_WHAT_IS_ASKED_FOR) as stage:
        world = world_of(stage)
        playwright = Playwright(random.Random(1), CHANNELS, sides=(SLACK,))
        await world.play(playwright.acts(60))
        export_of(stage.workspace, tmp_path / "export.zip")
        await world.play(playwright.acts(10))  # after the export, before the bridge
        await world.start()
        await bring(stage.settings, tmp_path / "export.zip")
        await world.enter()
        await world.settle()
        await world.play(playwright.acts(10))
        await world.settle()
        assert await world.differences() == []
