"""A file as large as Slack takes one, in either direction: what becomes of the bridge's memory and a quiet channel?"""

from __future__ import annotations

import asyncio
import hashlib
import time
from statistics import median
from typing import TYPE_CHECKING

from tests.bench.figures import Figure, at_most, told
from tests.bench.scene import Scene
from tests.bench.workspace import PEOPLE
from tests.sandbox.slack import DeliveryTimes, Limits, Upload

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

MIB = 2**20
LARGE = 950
"""MiB: Slack takes files up to a gigabyte, which is a little more."""
MEMORY = 64
"""MiB that the bridge may grow by, however large the file is."""
PATIENT = DeliveryTimes(ack=600, retries=())
_PATIENCE = 90


async def measure(directory: Path, quick: bool) -> AsyncIterator[Figure]:
    """Yield for each direction whether the file comes whole, how fast, and what it costs others."""
    size = (64 if quick else LARGE) * MIB
    data = bytes(range(256)) * (size // 256)
    digest = hashlib.sha256(data).hexdigest()
    files = {"max_size": f"{size // MIB} MiB"}
    async with Scene(directory, 2, Limits.off(), times=PATIENT, more={"files": files}, max_upload=size) as scene:
        channel, quiet = scene.channels

        async def from_slack() -> None:
            scene.slack.team().person(PEOPLE[0]).post(f"#{channel}", "", files=[Upload("from-slack.bin", data)])

        async def from_matrix() -> None:
            await scene.person.send_file(scene.rooms[channel], data, "from-matrix.bin", "application/octet-stream")

        ways: dict[str, tuple[Callable[[], Awaitable[None]], Callable[[], str]]] = {
            "Slack → Matrix": (from_slack, lambda: _in_matrix(scene, channel)),
            "Matrix → Slack": (from_matrix, lambda: _in_slack(scene, channel)),
        }
        for way, (say, look) in ways.items():
            async for figure in _one(scene, quiet, f"A file of {size // MIB} MiB, {way}", say, look, digest):
                yield figure


async def _one(
    scene: Scene, quiet: str, what: str, say: Callable[[], Awaitable[None]], look: Callable[[], str], digest: str
) -> AsyncIterator[Figure]:
    before = [await scene.to_matrix(quiet) for _ in range(20)]
    memory = peak = _memory(scene)
    during: list[float] = []
    began = time.perf_counter()
    saying = asyncio.ensure_future(say())
    while not (found := look()) and time.perf_counter() - began < _PATIENCE:
        during.append(await scene.to_matrix(quiet))
        peak = max(peak, _memory(scene))
        await asyncio.sleep(0.02)
    seconds = time.perf_counter() - began
    await saying
    yield Figure(f"{what}: comes whole", "yes", f"{found == digest} (in {seconds:.1f} s)", found == digest)
    yield at_most(f"{what}: memory of the bridge grows by", peak - memory, MEMORY, " MiB")
    times = f"{1000 * median(before):.1f} ms before, {1000 * median(during):.1f} ms during"
    yield told(f"{what}: a quiet channel's delay, median", f"{times}, slowest {max(during):.1f} s")


def _memory(scene: Scene) -> float:
    return float(scene.service.process.memory_info().rss) / MIB


def _in_matrix(scene: Scene, channel: str) -> str:
    for event in scene.homeserver.world.rooms[scene.rooms[channel]].events:
        if event.content.get("filename", event.content.get("body")) == "from-slack.bin":
            media = scene.homeserver.world.media[str(event.content["url"]).rpartition("/")[2]]
            return hashlib.sha256(media.data).hexdigest()
    return ""


def _in_slack(scene: Scene, channel: str) -> str:
    files = (file for entry in scene.slack.team().transcript(f"#{channel}") for file in entry.files)
    return next((digest for name, digest in files if name == "from-matrix.bin"), "")
