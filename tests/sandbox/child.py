"""A program that we start, watch and end: its output goes to a file, and it never outlives us."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

LEASH = Path(__file__).with_name("leash.py")
LOOPBACK = "127.0.0.1"


class ChildFailed(Exception):
    """The program ended or stayed silent; the text carries the end of its output."""


_CHANCE = random.SystemRandom()


def free_port() -> int:
    """A loopback port that nobody listens on now, and that no system gives to an outgoing connection meanwhile."""
    for _ in range(1_000):
        port = _CHANCE.randrange(10_000, 32_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind((LOOPBACK, port))
            return port
    raise OSError("no port is free")


class Child:
    """One program and its whole life; it can be started again after it ended."""

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        log: Path,
        environment: Mapping[str, str] | None = None,
        directory: Path | None = None,
        uid: int = 0,
        at_our_end: signal.Signals = signal.SIGKILL,
    ) -> None:
        self.command = [str(part) for part in command]
        self.log = log
        self._environment = {**os.environ, **environment} if environment else None
        self._directory = directory
        self._uid = uid
        self._at_our_end = at_our_end
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None, "not started"
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """What it ended with; None while it runs and before its first start."""
        return self._process.poll() if self._process else None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it; its life is tied to the calling thread's, so this is no call for a thread of a pool."""
        assert not self.running, "already running"
        leash = [sys.executable, "-I", "-S", LEASH, os.getpid(), int(self._at_our_end), self._uid]
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                [str(part) for part in leash] + self.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self._environment,
                cwd=self._directory,
            )

    def send(self, number: signal.Signals) -> None:
        assert self._process is not None, "not started"
        self._process.send_signal(number)

    def kill(self) -> None:
        """End it at once, as the kernel does when memory runs out; harmless when it has ended."""
        if self._process:
            self._process.kill()
            self._process.wait()

    def stop(self, number: signal.Signals = signal.SIGTERM, grace: float = 15) -> None:
        """Ask it to end and wait for that; after `grace` seconds it is killed."""
        if not self._process:
            return
        self._process.send_signal(number)
        try:
            self._process.wait(grace)
        except subprocess.TimeoutExpired:
            self.kill()

    async def stopped(self, number: signal.Signals = signal.SIGTERM, grace: float = 15) -> None:
        """`stop`, while other tasks go on."""
        if not self._process:
            return
        self._process.send_signal(number)
        with suppress(TimeoutError):
            async with asyncio.timeout(grace):
                while self.running:
                    await asyncio.sleep(0.005)
        self.kill()

    def wait_until(self, ready: Callable[[], bool], seconds: float = 30) -> None:
        """Block until `ready()`; raises ChildFailed when the program ends or the time is up before that."""
        deadline = time.monotonic() + seconds
        while not ready():
            self._expect_running(deadline, seconds)
            time.sleep(0.005)

    async def until(self, ready: Callable[[], bool], seconds: float = 30) -> None:
        """`wait_until`, while other tasks go on."""
        deadline = time.monotonic() + seconds
        while not ready():
            self._expect_running(deadline, seconds)
            await asyncio.sleep(0.005)

    def tail(self, lines: int = 40) -> str:
        """The end of what it printed."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    def _expect_running(self, deadline: float, seconds: float) -> None:
        name = Path(self.command[0]).name
        if not self.running:
            raise ChildFailed(f"{name} ended with {self.returncode}\n{self.tail()}")
        if time.monotonic() > deadline:
            self.kill()
            raise ChildFailed(f"{name} was not ready after {seconds} s\n{self.tail()}")


def listens(port: int) -> bool:
    """Whether something accepts connections on this loopback port."""
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex((LOOPBACK, port)) == 0
