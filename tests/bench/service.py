"""The bridge under measurement: the real `causeway run`, a process of its own, and a view into its store."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import psutil

from bridge.store.opening import open_database
from config.loader import load
from config.registration import registration
from tests.sandbox.child import LOOPBACK, Child, free_port, listens

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bridge.store.database import Database

ROOT = Path(__file__).parents[2]
EVERY = 0.02
"""Seconds between two looks into the store: each costs time that the measured parts could use."""


class Service:
    """One bridge between one Slack workspace and one homeserver; `registration` is what the homeserver must know.

    `more` are further groups of settings.
    """

    def __init__(
        self,
        directory: Path,
        *,
        api_url: str = "",
        bot_token: str = "",
        app_token: str = "",
        store: str = "",
        more: Mapping[str, Any] | None = None,
    ) -> None:
        self.store = store or f"sqlite:///{directory / 'causeway.db'}"
        self.port = free_port()
        self.config = directory / "config.yaml"
        self.samples = directory / "samples.json"
        self.as_token, self.hs_token = "as" * 24, "hs" * 24
        own = f"http://{LOOPBACK}:{self.port}"
        self._values: dict[str, Any] = {
            "homeserver": {"domain": "localhost", "address": "http://127.0.0.1:1"},
            "appservice": {
                "as_token": self.as_token,
                "hs_token": self.hs_token,
                "listen": f"{LOOPBACK}:{self.port}",
                "url": own,
            },
            "database": {"url": self.store},
            "slack": {
                "api_url": api_url,
                "workspaces": [{"name": "bench", "bot_token": bot_token, "app_token": app_token}],
            }
            if api_url
            else {},
            "portals": {"automatic": {"include": ["*"]}},
            "rooms": {"join_rule": "public"},
            **(more or {}),
        }
        self._log = directory / "causeway.log"
        self._child = self._child_of([sys.executable, "-m", "bridge.cli", "run", "-c", self.config])
        self._view: Database | None = None
        self._write()

    @property
    def registration(self) -> dict[str, Any]:
        return registration(load(self.config, {}))

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    def between(self, homeserver_url: str) -> Self:
        """Point it at a homeserver."""
        self._values["homeserver"]["address"] = homeserver_url
        self._write()
        return self

    def sampled(self) -> Self:
        """Note where the processor time goes, in `samples`, from the start to the end."""
        self._child = self._child_of([sys.executable, "-m", "tests.bench.sampled", self.config, self.samples])
        return self

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._view is not None:
            await self._view.close()
        await self._child.stopped()

    async def start(self, core: int | None = None) -> None:
        """Start it, on one core if so wanted, and return when it listens."""
        self._child.start()
        if core is not None:
            os.sched_setaffinity(self._child.pid, {core})
        await self._child.until(lambda: listens(self.port))

    async def stop(self) -> None:
        await self._child.stopped()

    @property
    def process(self) -> psutil.Process:
        return psutil.Process(self._child.pid)

    def cpu_seconds(self) -> float:
        """Processor time that it has used so far."""
        times = self.process.cpu_times()
        return times.user + times.system

    async def count(self, sql: str) -> int:
        """Return the number that a query yields now."""
        if self._view is None:
            self._view = await open_database(self.store)
        return int((await self._view.fetch(sql))[0][0])

    async def until(self, sql: str, holds: Callable[[int], bool], seconds: float = 60) -> None:
        """Wait until the number that a query yields is as wanted; raises ChildFailed with the log when it never is."""
        deadline = asyncio.get_running_loop().time() + seconds
        while not holds(await self.count(sql)):
            if asyncio.get_running_loop().time() > deadline or not self._child.running:
                raise TimeoutError(f"{sql}: never as wanted\n{self._child.tail()}")
            await asyncio.sleep(EVERY)

    async def until_relayed(self, messages: int, seconds: float = 120) -> None:
        """Wait until so many messages are linked in all, and nothing is open any more."""
        # links are never deleted, so SQLite's newest row number is their number: to count them takes time from others
        links = "MAX(rowid)" if self.store.startswith("sqlite") else "COUNT(*)"
        await self.until(f"SELECT COALESCE({links}, 0) FROM links", lambda count: count >= messages, seconds)
        await self.until("SELECT COUNT(*) FROM inbox WHERE state < 2", lambda count: count == 0, seconds)

    def _child_of(self, command: Sequence[str | Path]) -> Child:
        return Child(command, log=self._log, directory=ROOT)

    def _write(self) -> None:
        self.config.write_text(json.dumps(self._values, indent=1))  # JSON is YAML too
        self.config.chmod(0o600)
