"""What may go wrong between a client and an instant homeserver, on request."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tests.sandbox.homeserver.call import MatrixError

if TYPE_CHECKING:
    from tests.sandbox.homeserver.call import Call

Kind = Literal["refuse", "drop", "lose", "hang"]


class Dropped(Exception):
    """The connection is cut, without an answer or in the middle of one."""

    def __init__(self, *, half: bool = False) -> None:
        super().__init__("the connection is cut")
        self.half = half


@dataclass(slots=True)
class Fault:
    """What happens to the next `times` requests whose method and path match.

    refuse: answer `error`, do nothing. drop: cut the connection, do nothing. lose: do it, then cut the connection
    in the middle of the answer. hang: neither do nor answer until `release`.
    """

    kind: Kind
    method: re.Pattern[str]
    path: re.Pattern[str]
    times: int
    error: MatrixError | None = None


class Faults:
    """The faults in force, first come first served; `seen` counts those that struck."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._held = asyncio.Event()
        self.seen = 0

    def clear(self) -> None:
        """All is well again; hanging requests go through."""
        self._faults.clear()
        self.release()

    def release(self) -> None:
        self._held.set()
        self._held = asyncio.Event()

    def refuse(self, status: int, code: str = "M_UNKNOWN", *, times: int = 1, method: str = "", path: str = "") -> None:
        """Answer with an error (500, 502, 503, 403, ...)."""
        error = MatrixError(status, code, f"fault on request: {status}")
        self._add("refuse", times, method, path, error)

    def limit(self, retry_after_ms: int, *, times: int = 1, method: str = "", path: str = "") -> None:
        """Answer 429 and say when to come back."""
        error = MatrixError(429, "M_LIMIT_EXCEEDED", "Too Many Requests", retry_after_ms=retry_after_ms)
        self._add("refuse", times, method, path, error)

    def drop(self, *, times: int = 1, method: str = "", path: str = "") -> None:
        """Cut the connection before anything is done.

        aiohttp's client repeats a PUT by itself, once, when the connection that it lost had been used before: to be
        noticed by it, a drop must strike twice.
        """
        self._add("drop", times, method, path)

    def lose_answer(self, *, times: int = 1, method: str = "", path: str = "") -> None:
        """Do what is asked, then cut the connection in the middle of the answer."""
        self._add("lose", times, method, path)

    def hang(self, *, times: int = 1, method: str = "", path: str = "") -> None:
        """Keep the request waiting until `release` or `clear`."""
        self._add("hang", times, method, path)

    async def before(self, call: Call) -> bool:
        """Strike before the request is carried out; returns whether its answer is to be lost afterwards."""
        if not self._faults:
            return False
        for fault in self._faults:
            if fault.method.search(call.method) and fault.path.search(call.path):
                break
        else:
            return False
        fault.times -= 1
        self.seen += 1
        if not fault.times:
            self._faults.remove(fault)
        if fault.error:
            raise fault.error
        if fault.kind == "drop":
            raise Dropped
        if fault.kind == "hang":
            await self._held.wait()
        return fault.kind == "lose"

    def _add(self, kind: Kind, times: int, method: str, path: str, error: MatrixError | None = None) -> None:
        """`method` and `path` are regular expressions; an empty one matches all, `times` 0 means for ever."""
        self._faults.append(Fault(kind, re.compile(method), re.compile(path), times, error))
