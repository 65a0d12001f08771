"""The jewel with people who have accounts of their own: their echoes are known by the ledger, wherever a cut falls."""

from __future__ import annotations

import asyncio
import random

import pytest
import uvloop
from hypothesis import given, seed, settings

from tests.journeys.script import Cut
from tests.journeys.test_jewel import CUTS, Script, fresh, play, quick, scripts, written

LINKED = ("alice", "bob")
"""Those who stay in every channel: whoever is merely missing from its list keeps their own account in the room."""


def run(database_url: str, script: Script, cuts: list[Cut]) -> list[str]:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(play(database_url, script, cuts, LINKED))


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_who_speaks_in_an_own_account_loses_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    @seed(7)
    @settings(quick, max_examples=16)
    @given(scripts(), CUTS)
    def cut_off(script: Script, cuts: list[Cut]) -> None:
        run(fresh(tmp_path_factory), script, cuts)

    cut_off()


@settings(quick, max_examples=8)
@given(scripts(), CUTS)
def test_other_scripts_in_each_run(tmp_path_factory: pytest.TempPathFactory, script: Script, cuts: list[Cut]) -> None:
    run(fresh(tmp_path_factory), script, cuts)


@settings(quick, max_examples=6, derandomize=True)
@given(scripts())
def test_an_undisturbed_bridge_shows_the_same(tmp_path_factory: pytest.TempPathFactory, script: Script) -> None:
    assert run(fresh(tmp_path_factory), script, []) == []


@pytest.mark.parametrize("number", range(4))
async def test_the_same_on_postgres(postgres_url: str, number: int) -> None:
    chance = random.Random(100 + number)
    cuts = [Cut(chance.randint(1, 130), chance.randint(0, 3)) for _ in range(6)]
    await play(postgres_url, written(chance, 2, 12, repeats=bool(number % 2)), cuts, LINKED)
