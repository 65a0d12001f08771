"""A stage with the real things: `causeway run` as a process of its own, a Synapse, and the sandbox in this process."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Self

import orjson

from config.loader import load
from config.registration import double_puppet, registration
from tests.journeys.stage import QUICK, REST, WORK, groups_for, link
from tests.sandbox.child import Child, ChildFailed, free_port, listens
from tests.sandbox.homeserver.synapse import Synapse
from tests.sandbox.homeserver.transport import RequestRefused
from tests.sandbox.slack import Limits, SlackSandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tests.sandbox.homeserver.person import Person
    from tests.sandbox.slack import DeliveryTimes, Workspace


@dataclass
class ProcessStage:
    """The three of them; the bridge is killed with SIGKILL and started anew, its SQLite file outlives it."""

    directory: Path
    template: Path
    seed: Callable[[SlackSandbox], object]
    more: dict[str, Any] = field(default_factory=dict)
    times: DeliveryTimes = QUICK
    environment: Mapping[str, str] = field(default_factory=dict)
    slack: SlackSandbox = field(init=False)
    homeserver: Synapse = field(init=False)
    bridge: Child = field(init=False)
    kills: int = 0
    pace: ClassVar[float] = 0.05
    _port: int = field(default_factory=free_port)
    _people: dict[str, Person] = field(default_factory=dict)
    _witness: Person | None = None
    _stack: contextlib.AsyncExitStack = field(default_factory=contextlib.AsyncExitStack)

    async def __aenter__(self) -> Self:
        self.slack = await self._stack.enter_async_context(
            SlackSandbox(self.seed, limits=Limits.off(), times=self.times)
        )
        config = self.directory / "config.yaml"
        homeserver_port = free_port()
        address = f"http://127.0.0.1:{homeserver_port}"
        groups = groups_for(self.slack, address, f"sqlite:///{self.store}", self._port, **self.more)
        config.write_bytes(orjson.dumps(groups))
        settings = load(config, {})
        self.homeserver = Synapse(
            self.directory / "synapse",
            registrations=[one for one in (registration(settings), double_puppet(settings)) if one is not None],
            template=self.template,
            port=homeserver_port,
        )
        await self._stack.enter_async_context(self.homeserver)
        self.bridge = Child(
            [sys.executable, "-m", "bridge.cli", "run", "-c", config],
            log=self.directory / "bridge.log",
            environment=self.environment,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        self.bridge.kill()
        await self._stack.aclose()

    @property
    def store(self) -> Path:
        """The file of the store."""
        return self.directory / "causeway.db"

    @property
    def workspace(self) -> Workspace:
        """The one Slack workspace."""
        return self.slack.team()

    @property
    def is_running(self) -> bool:
        """Whether the bridge runs."""
        return self.bridge.running

    async def start(self, *, steps: int = 0) -> None:
        """Start the bridge and wait until it listens."""
        assert not steps, "a process is killed at any moment, not at a step"
        kills = self.kills
        self.bridge.start()
        try:
            await self.bridge.until(lambda: listens(self._port))
        except ChildFailed:
            if kills == self.kills:
                raise

    async def kill(self, seconds: float) -> None:
        """End the bridge by SIGKILL, so long after it was started or after the call, whichever is later."""
        while not self.bridge.running:
            await asyncio.sleep(self.pace)
        await asyncio.sleep(seconds)
        self.kills += 1
        self.bridge.kill()

    def raise_its_failure(self) -> None:
        """A process that ended by itself is started anew; why it ended is in its log."""

    # --- what a world asks of its stage

    async def newcomer(self, name: str) -> Person:
        """Return a new person of Matrix."""
        person = await self.homeserver.person(name)
        self._witness = self._witness or person
        return person

    async def link(self, name: str) -> Person:
        """Give somebody of Slack an account of the same name, and have the store know it; returns them in Matrix."""
        person = await self.homeserver.person(name)
        await link(f"sqlite:///{self.store}", self.workspace, name, person.user_id)
        return person

    async def find_room(self, channel: str) -> str:
        """Return the room that mirrors a channel; nothing while there is none."""
        assert self._witness is not None
        alias = f"#slack_{self.workspace.id}_{self.workspace.channel(channel).id}:localhost".lower()
        try:
            return await self._witness.resolve(alias)
        except RequestRefused:
            return ""

    async def events(self, room: str) -> list[dict[str, Any]]:
        """Return the events of a room, oldest first."""
        assert self._witness is not None
        return await self._witness.events(room)

    async def media(self, address: str) -> bytes:
        """Return a file of the homeserver's."""
        assert self._witness is not None
        return await self._witness.download(address)

    async def unsettled(self) -> str:
        """Return what is still under way, as far as it can be seen from outside."""
        if self.slack.delivery.open:
            return f"{len(self.slack.delivery.open)} envelopes"
        return "; ".join(self._rows(WORK))

    async def left_over(self) -> list[str]:
        """Return what the store holds although all is done."""
        return self._rows(REST)

    def _rows(self, queries: Mapping[str, str]) -> list[str]:
        with contextlib.closing(sqlite3.connect(self.store, timeout=5)) as connection:
            return [f"{what} {row}" for what, sql in queries.items() for row in connection.execute(sql).fetchall()]
