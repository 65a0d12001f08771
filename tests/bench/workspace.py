"""A Slack workspace for measurements: a few people, and channels `c0`, `c1` … in which they and the bot are.

    python -m tests.bench.workspace CHANNELS

serves it as a process of its own, without limits, and prints how to get in as one JSON line. Many words of many people
are said by one request, so that speaking takes no time from what is measured.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from functools import partial
from typing import TYPE_CHECKING, Any, Self

import aiohttp
import orjson
from aiohttp import web

from tests.bench.service import ROOT
from tests.sandbox.child import LOOPBACK, Child, free_port
from tests.sandbox.slack import Limits, SlackSandbox
from tests.sandbox.slack.control import Control

if TYPE_CHECKING:
    from pathlib import Path

PEOPLE = ("alice", "bob", "carol", "dave")


def seed(channels: int, sandbox: SlackSandbox) -> None:
    """Fill a sandbox."""
    workspace = sandbox.new_team("Bench")
    for name in PEOPLE:
        workspace.add_user(name, name.title())
    for number in range(channels):
        members = [*PEOPLE[1:], workspace.installation.bot_user]
        workspace.person(PEOPLE[0]).create(f"c{number}", members=members)


def text_of(number: int) -> str:
    """A message as people write them."""
    return f"Message {number}: the *second* batch is through, thank you both :tada:"


class WorkspaceProcess:
    """The workspace in its own process; `info` says how to get in."""

    def __init__(self, directory: Path, channels: int) -> None:
        self._child = Child(
            [sys.executable, "-m", "tests.bench.workspace", str(channels)],
            log=directory / "slack.log",
            directory=ROOT,
        )
        self.info: dict[str, Any] = {}
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._child.start()
        await self._child.until(lambda: bool(self._child.tail().endswith("}")))
        self.info = json.loads(self._child.tail(1))
        self._session = aiohttp.ClientSession()
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._session is not None
        await self._session.close()
        await self._child.stopped(signal.SIGTERM)

    @property
    def team(self) -> dict[str, Any]:
        team: dict[str, Any] = self.info["teams"][0]
        return team

    async def say(self, channels: int, messages: int) -> None:
        """Have so many messages said in each of the first channels, by everybody in turn."""
        assert self._session is not None
        body = {"channels": channels, "messages": messages}
        async with self._session.post(self.info["say"], json=body) as answer:
            assert answer.status == 200, await answer.text()


async def _say(sandbox: SlackSandbox, channels: int, messages: int) -> None:
    for number in range(messages):
        await asyncio.sleep(0)  # what was said is delivered while more is said
        for channel in range(channels):
            person = sandbox.team().person(PEOPLE[number % len(PEOPLE)])
            person.post(f"#c{channel}", text_of(number))


async def _serve(channels: int) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with SlackSandbox(partial(seed, channels), limits=Limits.off()) as sandbox:

        async def say(request: web.Request) -> web.Response:
            await _say(sandbox, **await request.json())
            return web.Response()

        app = web.Application()
        app.router.add_post("/say", say)
        runner, port = web.AppRunner(app, access_log=None), free_port()
        await runner.setup()
        await web.TCPSite(runner, LOOPBACK, port).start()
        info = {**Control(sandbox).info(), "say": f"http://{LOOPBACK}:{port}/say"}
        print(orjson.dumps(info).decode(), flush=True)
        await stop.wait()
        await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
