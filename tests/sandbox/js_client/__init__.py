"""A person whose client we did not write: matrix-js-sdk with Rust crypto, as Element has it, on Node 20.

    async with JsPerson.of(homeserver, "ada") as ada:
        await ada.join(room)
        seen = await ada.until("what somebody says")
        assert seen["shield"] == NO_SHIELD

What it stands on is fetched by `npm ci` once for each version of its lock, into the user's cache; `available` says why
that cannot be, for tests to skip with.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import subprocess
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.sandbox.homeserver.synapse import Synapse

HERE = Path(__file__).parent
NO_SHIELD, GREY, RED = 0, 1, 2
"""What a client shows beside an event, `EventShieldColour`."""


@cache
def available() -> tuple[Path | None, str]:
    """Return where the client lies, ready to run, or why there is none."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        return None, "matrix-js-sdk was NOT asked: it needs node and npm, which are not installed"
    version = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()[:16]
    cached = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "causeway-tests" / version
    if not (cached / "node_modules" / "matrix-js-sdk").is_dir():
        cached.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copyfile(HERE / name, cached / name)
        ran = subprocess.run(
            [npm, "ci", "--no-audit", "--no-fund"], cwd=cached, capture_output=True, text=True, check=False
        )
        if ran.returncode:
            return None, f"matrix-js-sdk was NOT asked: npm could not fetch it: {ran.stderr.strip()[-300:]}"
    shutil.copyfile(HERE / "client.mjs", cached / "client.mjs")
    return cached, ""


@dataclass
class JsPerson:
    """Acts as one user; `seen` is the newest of what the client told of each event."""

    process: asyncio.subprocess.Process
    seen: dict[str, dict[str, Any]] = field(default_factory=dict)
    answers: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue)

    @classmethod
    @asynccontextmanager
    async def of(cls, homeserver: Synapse, name: str) -> AsyncIterator[JsPerson]:
        """Register a person and log them in, with keys by which they vouch for their device."""
        where, reason = await asyncio.to_thread(available)
        assert where is not None, reason
        await homeserver.register_user(name)
        pipe = asyncio.subprocess.PIPE
        with (homeserver.directory / f"{name}.log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                "node", "client.mjs", homeserver.url, name, "secret", cwd=where, stdin=pipe, stdout=pipe, stderr=log
            )
        person = cls(process)
        reading = asyncio.create_task(person._read(), name=f"js {name}")
        try:
            async with asyncio.timeout(60):
                ready = await person.answers.get()
            assert "ready" in ready, ready
            yield person
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            await reading

    async def _read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            told = json.loads(line)
            if "event" in told:
                self.seen[told["event"]] = told
            else:
                await self.answers.put(told)
        await self.answers.put({"failed": "the client", "error": "it ended"})

    async def _do(self, **command: str) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(command).encode() + b"\n")
        async with asyncio.timeout(30):
            answer = await self.answers.get()
        assert "done" in answer, answer
        return answer

    async def join(self, room: str) -> None:
        """Join a room."""
        await self._do(do="join", room=room)

    async def say(self, room: str, body: str) -> str:
        """Send a message; returns its event id."""
        return str((await self._do(do="say", room=room, body=body))["event_id"])

    async def exclude_insecure(self) -> None:
        """Have devices left out that their owners do not vouch for, in both directions."""
        await self._do(do="exclude_insecure")

    async def until(self, body: str, seconds: float = 60) -> dict[str, Any]:
        """Return what the client tells of the event with this body, as soon as it reads it."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    for told in self.seen.values():
                        if told["body"] == body:
                            return told
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"{body!r} is not among {list(self.seen.values())}") from None
