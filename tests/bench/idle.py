"""A large bridge at rest: ten thousand portals and a hundred thousand people in its store."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import TYPE_CHECKING

from bridge.store.database import Statement
from bridge.store.directory import ADD_PERSON
from bridge.store.opening import open_database
from tests.bench.figures import at_most
from tests.bench.service import Service
from tests.bench.workspace import seed
from tests.sandbox.homeserver.instant import InstantHomeserver
from tests.sandbox.slack import Limits, SlackSandbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.bench.figures import Figure

PORTALS = 10_000
PEOPLE = 100_000
ADD_PORTAL = """
INSERT INTO portals (team, channel, room, direction, state, name, topic) VALUES ($1, $2, $3, 'both', 'live', $4, $5)
"""


async def measure(directory: Path, quick: bool) -> AsyncIterator[Figure]:
    """Yield the memory of the resting process and the time until it listens."""
    async with SlackSandbox(partial(seed, 2), limits=Limits.off()) as slack:
        team = slack.team()
        service = Service(directory, api_url=slack.api_url, bot_token=team.bot_token, app_token=team.app_token)
        await _fill(service.store, team.id)
        async with InstantHomeserver(registrations=[service.registration]) as homeserver:
            began = time.perf_counter()
            async with service.between(homeserver.url):
                ready = time.perf_counter() - began
                await asyncio.sleep(3 if quick else 10)
                memory = service.process.memory_info().rss / 2**20
    what = f"With {PORTALS:,} portals and {PEOPLE:,} people in the store"
    yield at_most(f"{what}: resident memory at rest", memory, 150, " MiB")
    yield at_most(f"{what}: ready after", ready, 3, " s")


async def _fill(store: str, team: str) -> None:
    database = await open_database(store)
    try:
        for start in range(0, PORTALS, 2_000):
            await database.commit(
                *(
                    Statement(ADD_PORTAL, (team, f"C{n:08}", f"!room{n}:localhost", f"channel-{n}", "What it is for"))
                    for n in range(start, start + 2_000)
                )
            )
        for start in range(0, PEOPLE, 5_000):
            await database.commit(
                *(
                    Statement(ADD_PERSON, (team, f"U{n:08}", f"Person {n}", f"https://example.org/{n}.png", 0))
                    for n in range(start, start + 5_000)
                )
            )
    finally:
        await database.close()
