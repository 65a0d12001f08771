"""`causeway run` with a clock that rings after every millisecond of processor time and notes what is being done.

    python -m tests.bench.sampled CONFIG SAMPLES

The stage of a sample is that of its outermost function with a stage, so what the store does for facts counts as facts.
The clock also runs for the store's writer thread, whose share is measured by the kernel's own count for that thread.
"""

from __future__ import annotations

import json
import signal
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from bridge.cli import cli

if TYPE_CHECKING:
    from types import FrameType

EVERY = 0.001
STAGES = {
    "slack/socket.py": "admission",
    "slack/connection.py": "admission",
    "work/intake.py": "admission",
    "aiohttp/_websocket": "admission",
    "reading/slack.py": "reading",
    "work/answers.py": "facts",
    "relay/to_matrix.py": "decide",
    "store/ledger.py": "ledger",
    "store/links.py": "ledger",
    "store/sqlite.py": "ledger",
    "store/postgres.py": "ledger",
    "asyncpg/": "ledger",
    "work/perform.py": "send",
    "aiohttp/client": "send",
    "matrix/appservice.py": "transactions",
    "aiohttp/web": "transactions",
    "work/lanes.py": "lanes",
    "work/conductor.py": "lanes",
    "logging/": "log",
}
LATE = frozenset({"lanes"})
"""Stages that enclose all others: they count only where nothing further in has a stage."""


class Samples:
    """What was being done, how often."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def take(self, _signal: int, frame: FrameType | None) -> None:
        """Note one sample."""
        files: list[str] = []
        while frame is not None:
            files.append(frame.f_code.co_filename)
            frame = frame.f_back
        self.counts[stage_of(files)] += 1


def stage_of(files: list[str]) -> str:
    """The stage of a stack, innermost file first."""
    found = "event loop"
    for file in reversed(files):
        stage = next((stage for part, stage in STAGES.items() if part in file), None)
        if stage in LATE:
            found = stage or found
        elif stage is not None:
            return stage
    return found


def main(config: str, out: str) -> None:
    """Run until told to stop, then write the shares."""
    samples = Samples()
    signal.signal(signal.SIGPROF, samples.take)
    signal.setitimer(signal.ITIMER_PROF, EVERY, EVERY)
    try:
        cli(["run", "-c", config], standalone_mode=False)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        own = time.clock_gettime(time.pthread_getcpuclockid(threading.main_thread().ident or 0))
        others = max(0.0, time.process_time() - own)
        shares = {stage: count * own / max(1, samples.counts.total()) for stage, count in samples.counts.items()}
        Path(out).write_text(json.dumps(shares | {"store's writer": others}))


if __name__ == "__main__":
    main(*sys.argv[1:])
