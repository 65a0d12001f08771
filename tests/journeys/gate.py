"""Where a bridge of this process is cut off: before or after any commit, and before or after any request that it sends.

Each of these places is a *step*. `arm(n)` chooses the n-th step from now; when it is reached the gate closes at once:
no commit and no request of this bridge passes any more, and every socket that it holds breaks. That is what a killed
process looks like to its store and to both servers; the bridge's own tasks are cancelled by whoever waits for `cut`.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

from aiohttp import web

from bridge.errors import StoreUnavailable
from tests.sandbox.homeserver.instant import InstantHomeserver
from tests.sandbox.slack import SlackSandbox

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bridge.store.database import Database, Row, Statement, Value


class Gate:
    """Counts the steps of one bridge after another, and ends a bridge at the step that was chosen."""

    def __init__(self) -> None:
        self.steps = 0
        self.requests = 0
        """Requests of the bridge that are under way."""
        self.commits = 0
        """Commits of the bridge that are under way."""
        self.answered: Counter[str] = Counter()
        """The paths of the requests of this bridge that were answered."""
        self.places: list[str] = []
        """Where bridges were cut off."""
        self.cut = asyncio.Event()
        self.on_cut: list[Callable[[], None]] = []
        self._left = 0

    def arm(self, steps: int) -> None:
        """Cut the bridge off at the n-th step from now; 0 never."""
        self._left = steps

    def open(self) -> None:
        """Let a new bridge pass; nothing is armed."""
        self._left = 0
        self.answered.clear()
        self.cut.clear()

    def close(self, place: str = "at rest") -> None:
        """Cut the bridge off here and now."""
        if self.cut.is_set():
            return
        self.places.append(place)
        self.cut.set()
        for break_off in self.on_cut:
            break_off()

    def passes(self, place: str) -> bool:
        """Count a step; returns whether the bridge may go on."""
        if self.cut.is_set():
            return False
        self.steps += 1
        if self._left:
            self._left -= 1
            if not self._left:
                self.close(place)
        return not self.cut.is_set()

    async def request(
        self, request: web.BaseRequest, serve: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Serve a request of the bridge, if it is still there to send it and to hear the answer."""
        name = f"{request.method} {request.path}"
        self.requests += 1
        try:
            if self.passes(f"before {name}"):
                answer = await serve(request)
                if self.passes(f"after {name}"):
                    self.answered[request.path] += 1
                    return answer
        finally:
            self.requests -= 1
        return _broken(request)


class GatedHomeserver(InstantHomeserver):
    """An instant homeserver behind a gate; people of this process do not come through it."""

    gate: Gate

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        return await self.gate.request(request, super()._serve)


class GatedSlack(SlackSandbox):
    """A sandbox behind a gate; the frames of an open socket are no steps."""

    gate: Gate

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path.startswith("/_sandbox/"):
            return await super()._serve(request)
        if request.path.startswith("/link/"):
            return await super()._serve(request) if self.gate.passes("before a socket") else _broken(request)
        return await self.gate.request(request, super()._serve)


def _broken(request: web.BaseRequest) -> web.StreamResponse:
    """Break the connection in place of an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


class GatedDatabase:
    """A database behind a gate: what was handed to it before the cut may be stored, as in a process that is killed."""

    def __init__(self, database: Database, gate: Gate) -> None:
        self._database = database
        self._gate = gate
        self.dialect = database.dialect
        self.serial = database.serial

    def commit(self, *unit: Statement) -> asyncio.Future[list[list[Row]]]:
        """Commit, with a step before and a step after."""
        answer: asyncio.Future[list[list[Row]]] = asyncio.get_running_loop().create_future()
        name = " ".join(unit[0].sql.split()[:3])
        if not self._gate.passes(f"before {name}"):
            answer.set_exception(StoreUnavailable("cut off"))
            return answer
        self._gate.commits += 1

        def stored(outcome: asyncio.Future[list[list[Row]]]) -> None:
            self._gate.commits -= 1
            passes = self._gate.passes(f"after {name}")
            failure = outcome.exception()
            if answer.done():
                return
            if failure is None and passes:
                answer.set_result(outcome.result())
            else:
                answer.set_exception(failure or StoreUnavailable("cut off"))

        self._database.commit(*unit).add_done_callback(stored)
        return answer

    async def fetch(self, sql: str, *values: Value) -> list[Row]:
        """Read; reading is no step."""
        if self._gate.cut.is_set():
            raise StoreUnavailable("cut off")
        return await self._database.fetch(sql, *values)

    async def own(self) -> None:
        """Become the owner."""
        await self._database.own()

    async def release(self) -> None:
        """Let another one own the database."""
        await self._database.release()

    async def close(self) -> None:
        """Let go of the database."""
        await self._database.close()
