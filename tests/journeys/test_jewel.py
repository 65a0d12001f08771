"""The jewel: whatever people do on both sides, and wherever the bridge is cut off, nothing is lost and nothing twice.

Hypothesis chooses what happens, on which side, and at which steps the bridge is cut off; a *step* is before or after a
commit or a request (see `gate`). People go on while the bridge is down. Afterwards both sides must show what the tale
foretells, and an undisturbed bridge must show the very same: so both runs are equal.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
import uvloop
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.journeys.script import Cut, Playwright
from tests.journeys.stage import QUICK, Stage
from tests.journeys.world import World, people_of
from tests.sandbox.slack import DeliveryTimes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.journeys.script import Act

CHANNELS = ("general", "random")
CUTS = st.lists(st.builds(Cut, st.integers(1, 130), st.integers(0, 3)), min_size=6, max_size=8)


FORGETFUL = DeliveryTimes(ack=0.3, retries=())
"""Slack repeats nothing: what the bridge missed it must find by itself."""


@dataclass(frozen=True, slots=True)
class Script:
    """What people do, and whether Slack repeats what was not acknowledged: late, and in no order."""

    channels: tuple[str, ...]
    acts: list[Act]
    repeats: bool


@st.composite
def scripts(draw: st.DrawFn) -> Script:
    """Return a script as hypothesis wants it."""
    chance = draw(st.randoms(use_true_random=False))
    return written(chance, draw(st.integers(1, len(CHANNELS))), draw(st.integers(4, 16)), draw(st.booleans()))


def written(chance: random.Random, channels: int, acts: int, repeats: bool) -> Script:
    """Return a script."""
    names = CHANNELS[:channels]
    return Script(names, Playwright(chance, names).acts(acts), repeats)


quick = settings(
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # a run is not repeatable to the step: nothing to shrink by
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large],
    database=None,
)


async def play(database_url: str, script: Script, cuts: list[Cut], linked: tuple[str, ...] = ()) -> list[str]:
    """Play a script with its cuts; return where they happened. Raises AssertionError where the sides differ.

    Those of Slack who are `linked` have accounts of their own, which speak for them.
    """
    times = QUICK if script.repeats else FORGETFUL
    more = {"double_puppet": {"as_token": "pu" * 24}} if linked else {}
    async with Stage(database_url, more, lambda slack: people_of(slack, script.channels), times=times) as stage:
        world = World(stage, script.channels, cuts=list(cuts), linked=linked)
        await world.open()
        await world.play(script.acts)
        await world.settle()
        differences = await world.differences()
        places = list(stage.gate.places)
    assert not differences, "\n".join([*differences, *(f"cut off {place}" for place in places)])
    return places


@pytest.fixture(scope="module")
def places() -> Iterator[list[str]]:
    """Where bridges were cut off in this process."""
    found: list[str] = []
    yield found
    print(f"\n{len(found)} cuts at {len(set(found))} kinds of places")


def fresh(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('jewel') / 'causeway.db'}"


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize("part", range(2))
def test_a_bridge_that_is_cut_off_anywhere_loses_nothing(
    part: int, tmp_path_factory: pytest.TempPathFactory, places: list[str]
) -> None:
    """Two parts with seeds of their own, so that two processes share the work."""

    @seed(part)
    @settings(quick, max_examples=18)
    @given(scripts(), CUTS)
    def cut_off(script: Script, cuts: list[Cut]) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            places.extend(runner.run(play(fresh(tmp_path_factory), script, cuts)))

    before = len(places)
    cut_off()
    assert len(places) - before >= 85


@settings(quick, max_examples=8)
@given(scripts(), CUTS)
def test_other_scripts_in_each_run(tmp_path_factory: pytest.TempPathFactory, script: Script, cuts: list[Cut]) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(play(fresh(tmp_path_factory), script, cuts))


@settings(quick, max_examples=8, derandomize=True)
@given(scripts())
def test_an_undisturbed_bridge_shows_the_same(tmp_path_factory: pytest.TempPathFactory, script: Script) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(play(fresh(tmp_path_factory), script, [])) == []


@pytest.mark.parametrize("number", range(6))
async def test_the_same_on_postgres(postgres_url: str, number: int) -> None:
    chance = random.Random(number)
    cuts = [Cut(chance.randint(1, 130), chance.randint(0, 3)) for _ in range(6)]
    await play(postgres_url, written(chance, 2, 12, repeats=bool(number % 2)), cuts)


@pytest.mark.parametrize("step", range(1, 25))
async def test_a_first_start_may_be_cut_off_at_each_step(sqlite_url: str, step: int) -> None:
    """The start of an empty bridge, four steps further each time, then once more right behind."""
    script = written(random.Random(step), 2, 5, repeats=bool(step % 2))
    await play(sqlite_url, script, [Cut(4 * step), Cut(4 * step + 2)])
