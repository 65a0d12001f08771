"""`python -m tests.bench [figure ...] [--quick]`: measures, shows the table, ends with 1 where a target is not met."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tests.bench import (
    backlog,
    ceiling,
    console,
    conversions,
    delay,
    encryption,
    flood,
    idle,
    importing,
    large_files,
    planning,
    throughput,
)
from tests.bench.figures import Figure, show

MEASUREMENTS = {
    "throughput": throughput.measure,
    "delay": delay.measure,
    "backlog": backlog.measure,
    "flood": flood.measure,
    "large-files": large_files.measure,
    "ceiling": ceiling.measure,
    "idle": idle.measure,
    "conversions": conversions.measure,
    "planning": planning.measure,
    "importing": importing.measure,
    "encryption": encryption.measure,
    "console": console.measure,
}


async def _measure(name: str, quick: bool) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix=f"causeway-bench-{name}-") as directory:
        return [figure async for figure in MEASUREMENTS[name](Path(directory), quick)]


def main() -> int:
    """Measure what was asked for, or everything."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Speed and memory of the bridge.")
    parser.add_argument("figures", nargs="*", metavar="figure", help=f"of {', '.join(MEASUREMENTS)}; all without one")
    parser.add_argument("--quick", action="store_true", help="fewer repetitions: for a first look")
    options = parser.parse_args()
    unknown = set(options.figures) - set(MEASUREMENTS)
    if unknown:
        parser.error(f"no such figure: {', '.join(sorted(unknown))}; choose of {', '.join(MEASUREMENTS)}")
    found: list[Figure] = []
    for name in options.figures or MEASUREMENTS:
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        found += asyncio.run(_measure(name, options.quick))
    show(found)
    return 0 if all(figure.met is not False for figure in found) else 1


if __name__ == "__main__":
    sys.exit(main())
