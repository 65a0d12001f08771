"""Another process that works on the same store, to be told what to do through its standard input.

python -m tests.bridge.store.other_process own URL      opens the store, owns it, says `ready`, ends at end of input
python -m tests.bridge.store.other_process lock PATH    holds SQLite's write lock in the same way
"""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]


@contextmanager
def other_process(what: str, where: str) -> Iterator[subprocess.Popen[str]]:
    """Run until the end of the block; the process is ready when the block begins."""
    command = [sys.executable, "-m", "tests.bridge.store.other_process", what, where]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        assert said == "ready\n", said
        try:
            yield process
        finally:
            process.kill()


def _wait() -> None:
    print("ready", flush=True)
    sys.stdin.read()


async def _own(url: str) -> None:
    from bridge.store.opening import open_database

    database = await open_database(url)
    await database.own()
    await asyncio.to_thread(_wait)
    await database.close()


def _lock(path: str) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    _wait()
    connection.execute("ROLLBACK")
    connection.close()


if __name__ == "__main__":
    if sys.argv[1] == "own":
        asyncio.run(_own(sys.argv[2]))
    else:
        _lock(sys.argv[2])
