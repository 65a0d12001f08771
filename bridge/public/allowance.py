"""How much strangers may ask for: so many things at once, and so many a second after that."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Callable


class Allowance:
    """What is left of `burst` things, of which `rate` come back each second."""

    def __init__(self, rate: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._left = burst
        self._at = clock()

    def spend(self) -> web.Response | None:
        """Take one and return None, or return the answer for whoever must come again later."""
        now = self._clock()
        self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            return web.Response(status=429, text="Too many questions; try again.\n", headers={"Retry-After": "5"})
        self._left -= 1
        return None
