"""`python -m tests.demo`: the bridge on this machine. ONCE=1 plays a script and exits; KEEP=1 keeps the files."""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import signal
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from tests.demo.live import stay
from tests.demo.once import play_once
from tests.demo.parts import DemoFailed
from tests.sandbox.child import ChildFailed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

_WIDE = 140
KEPT = Path(".state/demo")


def main() -> int:
    """Parse the command line, set up a directory and run in it."""
    parser = argparse.ArgumentParser(prog="python -m tests.demo", description=__doc__)
    parser.add_argument("--once", action="store_true", default=_is_set("ONCE"), help="play the script, check, exit")
    parser.add_argument("--keep", action="store_true", default=_is_set("KEEP"), help=f"keep all files in {KEPT}")
    options = parser.parse_args()
    console = Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=_WIDE)
    told: list[signal.Signals] = []
    with _directory(options.keep) as directory:
        try:
            return asyncio.run(_until_told(stay if not options.once else play_once, directory, console, told))
        except asyncio.CancelledError:
            pass
        except Exception as failure:
            reason = _reason(failure)
            if reason is None and not told:
                raise
            if not told:
                console.print(str(reason), style="red", markup=False, soft_wrap=True)
    if told:
        console.print("\nStopped.")
        return 128 + told[0]
    return 1


async def _until_told(
    play: Callable[[Path, Console], Awaitable[int]], directory: Path, console: Console, told: list[signal.Signals]
) -> int:
    """Play until the end or the first signal; the terminal may tell the programs of it too, before we end them."""
    task = asyncio.current_task()
    assert task is not None

    def stop(sign: signal.Signals) -> None:
        told.append(sign)
        task.cancel()

    for sign in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(sign, stop, sign)
    return await play(directory, console)


def _reason(failure: BaseException) -> BaseException | None:
    """The failure, or the one in a group of them, that tells all there is to tell."""
    if isinstance(failure, BaseExceptionGroup):
        return next(filter(None, map(_reason, failure.exceptions)), None)
    return failure if isinstance(failure, DemoFailed | ChildFailed) else None


def _is_set(name: str) -> bool:
    return os.environ.get(name, "") not in ("", "0")


@contextmanager
def _directory(keep: bool) -> Iterator[Path]:
    if not keep:
        with tempfile.TemporaryDirectory(prefix="causeway-demo-") as made:
            yield Path(made)
        return
    shutil.rmtree(KEPT, ignore_errors=True)
    KEPT.mkdir(parents=True)
    print(f"Everything is kept in {KEPT.resolve()}")
    yield KEPT.resolve()


if __name__ == "__main__":
    sys.exit(main())
