"""A real browser without a window, spoken to in its own protocol: pages are opened, scripts run, pictures taken.

Found as `CHROMIUM`, or under one of the names that distributions give it; `binary` is None where there is none.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import tempfile
from base64 import b64decode
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import aiohttp
import orjson

if TYPE_CHECKING:
    from types import TracebackType

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
_PATIENCE = 30.0


def binary() -> str | None:
    """Return the path of a browser."""
    wanted = (os.environ.get("CHROMIUM", ""), *NAMES)
    return next((found for name in wanted if name and (found := shutil.which(name))), None)


@dataclass
class Chromium:
    """One browser with one page."""

    path: str
    errors: list[str] = field(default_factory=list)
    """What the page's console was told: scripts and styles that its policy refused, and errors of its own."""
    _stack: contextlib.AsyncExitStack = field(default_factory=contextlib.AsyncExitStack)
    _process: asyncio.subprocess.Process | None = None
    _socket: aiohttp.ClientWebSocketResponse | None = None
    _count: int = 0
    _page: str = ""
    _seen: list[dict[str, Any]] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        home = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True))
        options = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run")
        self._process = await asyncio.create_subprocess_exec(
            self.path,
            *options,
            "--remote-debugging-port=0",
            f"--user-data-dir={home}",
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            async with asyncio.timeout(_PATIENCE):
                while not (told := Path(home, "DevToolsActivePort")).exists() or len(told.read_text().split()) < 2:
                    await asyncio.sleep(0.05)
            port, where = told.read_text().split()[:2]
            session = await self._stack.enter_async_context(aiohttp.ClientSession())
            self._socket = await session.ws_connect(f"ws://127.0.0.1:{port}{where}", max_msg_size=0)
            target = (await self._call("Target.createTarget", url="about:blank"))["targetId"]
            attached = await self._call("Target.attachToTarget", targetId=target, flatten=True)
            self._page = attached["sessionId"]
            for domain in ("Page", "Runtime", "Log"):
                await self._call(f"{domain}.enable")
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._socket is not None:
            await self._socket.close()
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
        await self._stack.aclose()

    async def open(self, url: str) -> None:
        """Go to an address, and wait until it is loaded."""
        self._seen.clear()
        await self._call("Page.navigate", url=url)
        await self.loaded()

    async def loaded(self) -> None:
        """Wait until the page that is under way is loaded."""
        async with asyncio.timeout(_PATIENCE):
            while not any(one.get("method") == "Page.loadEventFired" for one in self._seen):
                self._take(await self._next())

    async def run(self, script: str) -> Any:
        """Run a script in the page, and return what it, or its promise, comes to."""
        told = await self._call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in told:
            raise AssertionError(str(told["exceptionDetails"])[:2000])
        return told["result"].get("value")

    async def press(self, selector: str) -> None:
        """Click what a selector names, and wait for the page to which that leads."""
        self._seen.clear()
        await self.run(f"document.querySelector({orjson.dumps(selector).decode()}).click()")
        await self.loaded()

    async def prefer(self, scheme: str) -> None:
        """Prefer `light` or `dark`."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        await self._call("Emulation.setEmulatedMedia", features=features)

    async def without_scripts(self) -> None:
        """Run no script of any page."""
        await self._call("Emulation.setScriptExecutionDisabled", value=True)

    async def narrow(self, width: int) -> None:
        """Show pages as a screen of so many pixels does."""
        await self._call(
            "Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=False
        )

    async def picture(self) -> bytes:
        """Return the page as a PNG."""
        return b64decode((await self._call("Page.captureScreenshot", captureBeyondViewport=True))["data"])

    async def _call(self, method: str, **params: Any) -> dict[str, Any]:
        assert self._socket is not None
        self._count += 1
        number = self._count
        message: dict[str, Any] = {"id": number, "method": method, "params": params}
        if self._page:
            message["sessionId"] = self._page
        await self._socket.send_str(orjson.dumps(message).decode())
        async with asyncio.timeout(_PATIENCE):
            while (answer := await self._next()).get("id") != number:
                self._take(answer)
        if "error" in answer:
            raise AssertionError(f"{method}: {answer['error']}")
        result: dict[str, Any] = answer["result"]
        return result

    async def _next(self) -> dict[str, Any]:
        assert self._socket is not None
        message: dict[str, Any] = orjson.loads(await self._socket.receive_str())
        return message

    def _take(self, event: dict[str, Any]) -> None:
        self._seen.append(event)
        if event.get("method") == "Log.entryAdded" and event["params"]["entry"]["level"] == "error":
            self.errors.append(event["params"]["entry"]["text"])
        if event.get("method") == "Runtime.exceptionThrown":
            self.errors.append(str(event["params"]["exceptionDetails"].get("text")))
