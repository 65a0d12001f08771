"""One after the other: what works on the same ratchet waits for whoever is at it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Turns:
    """Turns by name; nothing is kept for a name that nobody waits for."""

    def __init__(self) -> None:
        self._taken: dict[str, asyncio.Event] = {}

    @asynccontextmanager
    async def of(self, name: str) -> AsyncIterator[None]:
        """Hold the turn of this name."""
        while (other := self._taken.get(name)) is not None:
            await other.wait()
        mine = self._taken[name] = asyncio.Event()
        try:
            yield
        finally:
            del self._taken[name]
            mine.set()
