"""The delay that the bridge adds when there is little to do: one message at a time, half a second's worth of rest."""

from __future__ import annotations

import asyncio
from statistics import median, quantiles
from typing import TYPE_CHECKING

from tests.bench.figures import at_most
from tests.bench.scene import Scene
from tests.sandbox.slack import Limits

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from tests.bench.figures import Figure

REST = 0.04
CHANNELS = 8


async def measure(directory: Path, quick: bool) -> AsyncIterator[Figure]:
    """Yield the median delays of both directions."""
    async with Scene(directory, CHANNELS, Limits.off()) as scene:
        await asyncio.sleep(1.1)  # the posts of the beginning are a second old
        there, back = [], []
        for number in range(40 if quick else 120):
            there.append(await scene.to_matrix(scene.channels[number % CHANNELS]))
            await asyncio.sleep(REST)
            if number % 5 == 0:  # one post a second in a channel is the bridge's own law
                back.append(await scene.transaction_to_slack(scene.channels[number // 5 % CHANNELS]))
                await asyncio.sleep(REST)
        yield _figure("Added delay, from the word in Slack to the request at the homeserver, median", there)
        yield _figure("Added delay, from the transaction to chat.postMessage, median", back)


def _figure(what: str, seconds: Sequence[float]) -> Figure:
    slowest = quantiles(seconds, n=20)[-1]
    return at_most(what, 1000 * median(seconds), 10, " ms", f" (95 % within {1000 * slowest:.1f} ms)")
