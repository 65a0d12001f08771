"""Sixty Matrix messages wait behind Slack's one post a second in a channel: does anybody else notice?"""

from __future__ import annotations

import asyncio
from statistics import median
from typing import TYPE_CHECKING

from tests.bench.figures import at_most
from tests.bench.scene import Scene
from tests.sandbox.slack import Limits

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.bench.figures import Figure

QUEUED = 60


async def measure(directory: Path, quick: bool) -> AsyncIterator[Figure]:
    """Yield the slowest ways of a Slack message of the busy channel, and of both ways elsewhere."""
    async with Scene(directory, 2, Limits()) as scene:
        busy, other = scene.channels
        await asyncio.sleep(2)  # the posts of the beginning are a second old
        calm = await scene.to_slack(other)
        queued = [asyncio.create_task(scene.to_slack(busy)) for _ in range(QUEUED)]
        same, there, back = [], [], []
        await asyncio.sleep(1)
        for _ in range(4 if quick else 8):
            same.append(await scene.to_matrix(busy))
            there.append(await scene.to_matrix(other))
            back.append(await scene.to_slack(other))
            await asyncio.sleep(1.5)
        waiting = sum(not task.done() for task in queued)
        for task in queued:
            task.cancel()
        await asyncio.gather(*queued, return_exceptions=True)
        queue = f"queue of {QUEUED}"
        behind = f" ({waiting} of {QUEUED} still waited at the end)"
        undisturbed = f" (median {1000 * median(back):.1f} ms; without the queue {1000 * calm:.1f} ms)"
        yield _slowest(f"Behind a {queue}: Slack → Matrix in the same channel, slowest", same, behind)
        yield _slowest(f"Beside a {queue}: Slack → Matrix in another portal, slowest", there)
        yield _slowest(f"Beside a {queue}: Matrix → Slack in another portal, slowest", back, undisturbed)


def _slowest(what: str, seconds: list[float], more: str = "") -> Figure:
    return at_most(what, 1000 * max(seconds), 1000, " ms", more)
