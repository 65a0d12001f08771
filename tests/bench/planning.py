"""Reading and planning an export: messages a second on one core, and memory that does not grow with the export."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bridge.exports.export import open_export
from bridge.exports.planning import make_plan
from portals.history.selection import Selection
from tests.bench.figures import at_least, at_most
from tests.sandbox.exports import Generated

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.bench.figures import Figure

SIZES = (10_000, 100_000, 1_000_000)
RATE = 20_000
MEMORY = 250
GROWTH = 25
"""MiB that a hundred times the messages may take: the index of a hundred times the day files is among them."""


async def measure(directory: Path, quick: bool) -> AsyncIterator[Figure]:
    """Yield the rate and the memory for each size of export."""
    smallest = 0.0
    for messages in SIZES[:2] if quick else SIZES:
        export = directory / f"{messages}.zip"
        Generated(seed=messages, messages=messages, channels=max(12, messages // 5_000)).write(export)
        packed = export.stat().st_size / 2**20
        seconds, memory = await _planned(export, messages)
        export.unlink()
        what = f"Planning an export of {messages:,} messages ({packed:.0f} MiB packed)"
        yield at_least(f"{what}, one core", messages / seconds, RATE, "/s")
        yield at_most(f"{what}, largest resident memory", memory, MEMORY, " MiB")
        smallest = smallest or memory
        if messages == SIZES[-1]:
            yield at_most("Memory that a hundred times the messages take", memory - smallest, GROWTH, " MiB")


async def _planned(export: Path, messages: int) -> tuple[float, float]:
    """Plan in a process of its own; returns seconds of processor time, and MiB."""
    command = (sys.executable, "-m", "tests.bench.planning", str(export))
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    found = json.loads(out)
    if found["messages"] != messages:
        raise AssertionError(f"the plan counts {found['messages']} of {messages} messages")
    return found["seconds"], found["memory"]


def _plan(path: Path) -> None:
    began = time.process_time()
    with open_export(path) as export:
        plan = make_plan(export, path.name, Selection())
    seconds = time.process_time() - began
    # Not getrusage: its peak begins with that of the process that started this one.
    peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    print(json.dumps({"messages": plan.totals.messages, "seconds": seconds, "memory": int(peak.split()[1]) / 1024}))


if __name__ == "__main__":
    _plan(Path(sys.argv[1]))
