"""`python -m tests.sandbox.slack`: the sandbox as a process of its own, and a mouth to speak in it."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys

import orjson

from tests.sandbox.slack import speak
from tests.sandbox.slack.control import Control
from tests.sandbox.slack.reality import DeliveryTimes, Limits
from tests.sandbox.slack.seed import SEEDS
from tests.sandbox.slack.server import SlackSandbox


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    made = argparse.ArgumentParser(prog="python -m tests.sandbox.slack", description=__doc__)
    commands = made.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="run the server; prints one JSON line with URLs and tokens")
    serve.add_argument("--port", type=int, default=0, help="0 takes a free one")
    serve.add_argument("--state-seed", choices=sorted(SEEDS), default="demo")
    serve.add_argument("--limit-scale", type=_above_zero, default=1.0, help="below 1, rate windows are shorter")
    serve.add_argument("--time-scale", type=_above_zero, default=1.0, help="below 1, retries come sooner")
    speak.add_commands(commands)
    return made


def _above_zero(text: str) -> float:
    value = float(text)
    if value <= 0:
        raise argparse.ArgumentTypeError("must be above 0: a served sandbox always has limits")
    return value


def main() -> int:
    """Parses the command line and runs it."""
    options = parser().parse_args()
    if options.command != "serve":
        return speak.run(options)
    asyncio.run(_serve(options))
    return 0


async def _serve(options: argparse.Namespace) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    sandbox = SlackSandbox(
        SEEDS[options.state_seed],
        limits=Limits(scale=options.limit_scale),
        times=DeliveryTimes(scale=options.time_scale),
        port=options.port,
    )
    async with sandbox:
        print(orjson.dumps(Control(sandbox).info()).decode(), flush=True)
        await stop.wait()


if __name__ == "__main__":
    sys.exit(main())
