"""Ten thousand messages at once in one channel: what becomes of a quiet channel's delay, and of the bridge's memory?"""

from __future__ import annotations

import asyncio
import time
from statistics import median
from typing import TYPE_CHECKING

from tests.bench.figures import Figure, at_most, told
from tests.bench.scene import Scene
from tests.bench.workspace import PEOPLE
from tests.sandbox.slack import DeliveryTimes, Limits

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

FLOOD = 10_000
MEMORY = 64
"""MiB that the bridge may grow by, whatever waits."""
PATIENT = DeliveryTimes(ack=600, retries=())


async def measure(directory: Path, quick: bool) -> AsyncIterator[Figure]:
    """Yield the quiet channel's delay before and during the flood, the memory, and whether all came in order."""
    count = 1_500 if quick else FLOOD
    async with Scene(directory, 2, Limits.off(), times=PATIENT) as scene:
        flooded, quiet = scene.channels
        before = [await scene.to_matrix(quiet) for _ in range(30)]
        memory = _memory(scene)
        began = time.perf_counter()
        person = scene.slack.team().person(PEOPLE[0])
        for number in range(count):
            person.post(f"#{flooded}", f"flood {number}")
            if number % 20 == 0:
                await asyncio.sleep(0)
        during, peak = [], memory
        while len(_shown(scene, flooded)) < count:
            during.append(await scene.to_matrix(quiet))
            peak = max(peak, _memory(scene))
            await asyncio.sleep(0.05)
        seconds = time.perf_counter() - began
        ratio = median(during) / median(before)
        times = f" ({1000 * median(before):.1f} ms before, {1000 * median(during):.1f} ms during)"
        yield told(f"Flood of {count}: a quiet channel's delay, ratio to before, median", f"{ratio:.1f}{times}")
        yield at_most(f"Flood of {count}: slowest message of a quiet channel", max(during), 2, " s")
        yield at_most(f"Flood of {count}: memory of the bridge grows by", peak - memory, MEMORY, " MiB")
        in_order = _shown(scene, flooded) == [f"flood {number}" for number in range(count)]
        yield Figure(
            f"Flood of {count}: everything arrives, in order", "yes", f"{in_order} ({count / seconds:.0f}/s)", in_order
        )


def _memory(scene: Scene) -> float:
    """MiB of the bridge's process."""
    return float(scene.service.process.memory_info().rss) / 2**20


def _shown(scene: Scene, channel: str) -> list[str]:
    events = scene.homeserver.world.rooms[scene.rooms[channel]].events
    bodies = (str(event.content.get("body")) for event in events if event.type == "m.room.message")
    return [body for body in bodies if body.startswith("flood ")]
