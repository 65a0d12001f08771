"""The jewel for longer: `python -m tests.journeys.soak --minutes 30 --seed N`.

Both-way traffic in many portals, with faults of both servers and cuts of the bridge at random steps; every so often the
world settles and both sides are compared with the tale. It prints what is lost, twice or out of order, and ends with 1
if anything is; the seed it prints plays the same script again.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import uvloop

from tests.journeys.script import Cut, Playwright
from tests.journeys.stage import Stage
from tests.journeys.world import World, people_of
from tests.sandbox.slack import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

_SLACK_FAULTS = (Kind.DROP_BEFORE, Kind.DROP_AFTER, Kind.HTTP_500, Kind.HTTP_503_AFTER, Kind.INTERNAL_AFTER)
_SLACK_CALLS = ("chat.postMessage", "chat.update", "reactions.add", "files.completeUploadExternal", "files.info", "*")
_ROUND = 40


def trouble(chance: random.Random, stage: Stage) -> None:
    """Arm a fault or two, double an envelope, or make a socket go."""
    slack, homeserver = stage.slack.faults, stage.homeserver.faults
    match chance.randrange(6):
        case 0 | 1:
            slack.next_calls(chance.choice(_SLACK_CALLS), chance.choice(_SLACK_FAULTS))
        case 2:
            homeserver.lose_answer(method="PUT", path="/(send|redact)/.*/cw")
        case 3:
            homeserver.refuse(chance.choice((500, 502, 503)), method="PUT", path="/(send|redact)/.*/cw")
        case 4:
            slack.duplicated_envelopes += 3
        case _:
            for connection in stage.slack.sockets.connections:
                if connection.transport is not None:
                    connection.transport.abort()


async def soak(seconds: float, seed: int, channels: int, database_url: str) -> list[str]:
    """Play for so long; return where the sides differ from the tale in the end."""
    chance = random.Random(seed)
    names = tuple(f"channel-{number}" for number in range(channels))
    end, acts, compared = time.monotonic() + seconds, 0, 0
    async with Stage(database_url, seed=lambda slack: people_of(slack, names)) as stage:
        world = World(stage, names, patience=240)
        await world.open()
        playwright = Playwright(chance, names)
        while time.monotonic() < end:
            world.cuts = [Cut(chance.randint(1, 400), chance.randint(0, 5)) for _ in range(3)]
            stage.gate.arm(chance.randint(1, 200))
            for _ in range(_ROUND):
                if chance.random() < 0.15:
                    trouble(chance, stage)
                await world.play([playwright.act()])
                await asyncio.sleep(chance.choice((0, 0, 0.002, 0.02)))
                acts += 1
            await world.settle()
            compared += 1
            differences = await world.differences()
            print(f"{acts} acts, {len(stage.gate.places)} cuts, {len(differences)} differences", flush=True)
            if differences:
                return differences
    return []


def main(words: Sequence[str] | None = None) -> int:
    """Run from a shell."""
    parser = argparse.ArgumentParser(prog="python -m tests.journeys.soak", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--channels", type=int, default=12)
    chosen = parser.parse_args(words)
    seed = chosen.seed if chosen.seed is not None else random.SystemRandom().randrange(1_000_000)
    print(f"seed {seed}, {chosen.minutes:g} minutes, {chosen.channels} channels", flush=True)
    with tempfile.TemporaryDirectory() as directory, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        url = f"sqlite:///{Path(directory) / 'causeway.db'}"
        differences = runner.run(soak(60 * chosen.minutes, seed, chosen.channels, url))
    for difference in differences:
        print(difference)
    print(f"seed {seed}: " + ("both sides are as the tale is told" if not differences else "the sides differ"))
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
