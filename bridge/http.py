"""Listening for HTTP: one address, started and stopped in order, whatever application is mounted on it.

It promises that a started listener is bound, that `stop` lets running requests finish for a moment and then frees the
port, and that an address which cannot be bound says so in words an admin can act on. It writes no access log: paths of
old homeservers carry a token in their query. What is no HTTP is answered with 400 and seen in the log at `debug` alone,
for strangers could fill it.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from bridge.errors import Fatal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import Self

GRACE = 5.0
"""Seconds that running requests have to finish once the listener is told to stop."""

log = logging.getLogger(__name__)


async def posted(request: web.Request) -> Mapping[str, str | bytearray | bytes | web.FileField]:
    """Return the form that a request brings; raises HTTPBadRequest for what is none, which is no fault of ours."""
    try:
        return await request.post()
    except (ValueError, LookupError) as error:
        raise web.HTTPBadRequest(text="What came with this request is no form.\n") from error


class _OursAlone(logging.Filter):
    """Leaves out requests that were none: their faults are not ours, and their words are a stranger's."""

    def filter(self, record: logging.LogRecord) -> bool:
        fault = record.exc_info[1] if record.exc_info else None
        return not isinstance(fault, HttpProcessingError) or log.isEnabledFor(logging.DEBUG)


log.addFilter(_OursAlone())


class Listener:
    """Serves one aiohttp application on one host and port; port 0 takes a free one."""

    def __init__(self, app: web.Application, host: str, port: int) -> None:
        self._app = app
        self._host = host
        self._port = port
        self._runner: web.AppRunner | None = None

    @property
    def port(self) -> int:
        """The bound port once started, the wished one before."""
        if self._runner is None or not self._runner.addresses:
            return self._port
        address = self._runner.addresses[0]
        return int(address[1])

    @property
    def url(self) -> str:
        """The address as a URL without a path."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self.port}"

    async def start(self) -> None:
        """Bind and serve; raises Fatal where the address is taken or not ours. Cancelled, it leaves no port bound."""
        runner = web.AppRunner(self._app, access_log=None, logger=log, handle_signals=False, shutdown_timeout=GRACE)
        await runner.setup()
        binding = asyncio.ensure_future(web.TCPSite(runner, self._host, self._port).start())
        try:
            await asyncio.shield(binding)
        except asyncio.CancelledError:
            with suppress(OSError):
                await binding  # asyncio forgets a server whose beginning is cancelled, and not its port
            await runner.cleanup()
            raise
        except OSError as error:
            await runner.cleanup()
            raise Fatal(
                f"cannot listen on {self._host}:{self._port}: {error.strerror or error}. "
                "Choose another address or port, or stop the program that holds it"
            ) from error
        self._runner = runner

    async def stop(self) -> None:
        """Stop serving and free the port; a listener that was never started has nothing to stop."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
