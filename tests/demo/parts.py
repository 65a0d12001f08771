"""The three programs of the demo: started in order, watched, and stopped in any case.

    sandbox (Slack) ── causeway init ── Synapse with the registration ── causeway run

Everything lives in one directory and listens on free ports of the loopback. A program that ends by itself ends the
demo with the last lines of its log; none outlives this process.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from ruamel.yaml import YAML

from tests.sandbox.child import LOOPBACK, Child, free_port, listens
from tests.sandbox.homeserver.synapse import Synapse

CAUSEWAY = Path(sys.executable).with_name("causeway")
DOMAIN = "localhost"
PASSWORD = "causeway"
GUESTS = ("robin", "mira")
"""The people on the Matrix side; whoever watches the demo logs in as the first of them."""


_GRACE = 0.5


class DemoFailed(Exception):
    """The demo cannot go on; the text says why."""


class PartEnded(DemoFailed):
    """A program of the demo is not there any more; the text says which, and shows the end of its log."""


class CommandFailed(DemoFailed):
    """A command of `causeway` did not end with 0; the text shows what it printed."""


@dataclass(frozen=True)
class Answered:
    """What a command printed."""

    code: int
    out: str
    err: str


class Parts:
    """All three, in `directory`."""

    def __init__(self, directory: Path, *, slack_time_scale: float = 1.0) -> None:
        self.directory = directory
        self.config = directory / "config.yaml"
        self.info: dict[str, Any] = {}
        self.bridge_port = free_port()
        self.public = f"{LOOPBACK}:{free_port()}"
        """Where the bridge leads old links on and shows avatars."""
        self.console = f"{LOOPBACK}:{free_port()}"
        """Where admins look after the bridge in a browser."""
        python = sys.executable
        serve = [python, "-m", "tests.sandbox.slack", "serve", "--port", "0", "--state-seed", "demo"]
        self._slack = Child([*serve, "--time-scale", str(slack_time_scale)], log=directory / "slack.log")
        self._bridge = Child([CAUSEWAY, "run", "--config", self.config], log=directory / "bridge.log")
        self._bridge_is_wanted = False
        self.synapse: Synapse | None = None
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        self.directory.mkdir(parents=True, exist_ok=True)
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        try:
            if isinstance(error, Exception):  # whatever went wrong first, a program that is gone explains it
                await asyncio.sleep(_GRACE)
                self.expect_all()
        finally:
            await self._stack.aclose()

    @property
    def team(self) -> dict[str, Any]:
        """The Slack workspace as the sandbox describes it: id, tokens, channels, people."""
        team: dict[str, Any] = self.info["teams"][0]
        return team

    @property
    def homeserver(self) -> Synapse:
        """The running homeserver."""
        assert self.synapse is not None, "not started"
        return self.synapse

    async def sign_in_link(self) -> str:
        """Return a link that signs a guest in to the console, once."""
        said = await self.causeway("console", f"@{GUESTS[0]}:{DOMAIN}", "--config", str(self.config))
        return next(word for word in said.out.split() if word.startswith("http"))

    # --- the bridge

    async def start_bridge(self) -> None:
        """Start the bridge and return when it listens."""
        self._bridge.start()
        self._bridge_is_wanted = True
        await self._bridge.until(lambda: listens(self.bridge_port))

    def kill_bridge(self) -> None:
        """End the bridge as a power cut does."""
        self._bridge_is_wanted = False
        self._bridge.kill()

    @property
    def bridge_runs(self) -> bool:
        """Whether the bridge's process is there."""
        return self._bridge.running

    def bridge_log(self, lines: int = 40) -> str:
        """The end of the bridge's log."""
        return self._bridge.tail(lines)

    def bridge_warnings(self, most: int = 40) -> str:
        """The last lines of the bridge's log that are more than news."""
        told = [line for line in self._bridge.tail(100_000).splitlines() if " INFO " not in line]
        return "\n".join(told[-most:])

    async def causeway(self, *words: str, environment: dict[str, str] | None = None) -> Answered:
        """Run one command of the real command line, which ends with whoever waits for it; raises CommandFailed."""
        process = await asyncio.create_subprocess_exec(
            CAUSEWAY,
            *words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=os.environ | (environment or {}),
        )
        try:
            out, err = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        answered = Answered(process.returncode or 0, out.decode(), err.decode())
        if answered.code:
            said = (answered.err or answered.out).strip()
            raise CommandFailed(f"`causeway {' '.join(words)}` ended with {answered.code}: {said}")
        return answered

    # --- all of them

    async def watch(self) -> None:
        """Return never; raises PartEnded when a program ends that should run."""
        while True:
            await asyncio.sleep(0.2)
            self.expect_all()

    def expect_all(self) -> None:
        """Raise PartEnded when a program is gone that should run."""
        for name, gone, log in self._all():
            if gone:
                raise PartEnded(f"{name} ended by itself. The end of its log:\n{log}")

    def _all(self) -> list[tuple[str, bool, str]]:
        slack, bridge = self._slack, self._bridge
        return [
            ("The Slack sandbox", not slack.running, slack.tail()),
            ("The homeserver", not self.homeserver.running, self.homeserver.log()),
            ("The bridge", self._bridge_is_wanted and not bridge.running, bridge.tail()),
        ]

    async def _start(self) -> None:
        self._stack.push_async_callback(self._slack.stopped)
        self._slack.start()
        log = self._slack.log
        await self._slack.until(lambda: log.exists() and b"\n" in log.read_bytes())
        self.info = json.loads(log.read_text().splitlines()[0])
        port = free_port()
        await self._init(f"http://{LOOPBACK}:{port}")
        registration = YAML(typ="safe").load(self.directory / "registration.yaml")
        self.synapse = Synapse(self.directory / "homeserver", registrations=[registration], port=port)
        await self._stack.enter_async_context(self.synapse)
        for guest in GUESTS:
            await self.synapse.register_user(guest, PASSWORD)
        self._stack.push_async_callback(self._stop_bridge)
        await self.start_bridge()

    async def _stop_bridge(self) -> None:
        self._bridge_is_wanted = False
        await self._bridge.stopped()

    async def _init(self, homeserver: str) -> None:
        """Make configuration and registration as a person does: `causeway init`, then a few lines by hand.

        It tries nothing, for Synapse starts only with the registration that it writes.
        """
        address = f"{LOOPBACK}:{self.bridge_port}"
        await self.causeway(
            *("init", "--no-ask", "--offline", "--directory", str(self.directory)),
            *("--domain", DOMAIN, "--homeserver", homeserver),
            *("--listen", address, "--url", f"http://{address}", "--workspace", self.team["domain"], "--include", "*"),
            *("--admin", f"@{GUESTS[0]}:{DOMAIN}"),
            environment={"SLACK_BOT_TOKEN": self.team["bot_token"], "SLACK_APP_TOKEN": self.team["app_token"]},
        )
        yaml = YAML()
        settings = yaml.load(self.config)
        settings["slack"]["api_url"] = self.info["api_url"]
        settings["portals"]["automatic"]["private"] = True
        settings["rooms"]["invite"] = [f"@{guest}:{DOMAIN}" for guest in GUESTS]
        settings["public"] |= {"listen": self.public, "url": f"http://{self.public}", "avatars": True}
        settings["console"] = {"listen": self.console}
        settings["catch_up"]["look_back"] = "7d"  # the seed's week
        with self.config.open("w") as file:
            yaml.dump(settings, file)
