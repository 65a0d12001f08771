"""An import that stands still says so: after a minute in which nothing was shown or fetched, and then every ten.

It goes on waiting: what it waits for may come back. What is said tells whether any bridge works on the store at all,
for one that ended while another process imports is not missed by anything else.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from bridge.errors import BridgeError, StoreTaken

if TYPE_CHECKING:
    from bridge.store.database import Database
    from portals.history.progress import Progress

log = logging.getLogger(__name__)

STILL = 60.0
_AGAIN = 600.0


class Stillness:
    """Watches one import; `patience` is how long nothing may happen before that is said (s)."""

    def __init__(self, database: Database, patience: float = STILL) -> None:
        self._database = database
        self._patience = patience
        self._seen: tuple[int, ...] = ()
        self._since = 0.0
        self._said: float | None = None

    async def look(self, progress: Progress, now: float) -> None:
        """Look at how far the import is at a moment (s), and say so where it has stood still for long."""
        files = progress.files
        seen = (
            *(progress.shown, progress.quarantined, sum(one.taken for one in progress.channels)),
            *(files.came, files.here, files.absent, sum(one.state == "done" for one in progress.channels)),
        )
        if seen != self._seen:
            self._seen, self._since, self._said = seen, now, None
            return
        if now - self._since < self._patience or (self._said is not None and now - self._said < _AGAIN):
            return
        self._said = now
        log.warning("%s", await self._words(progress, round((now - self._since) / 60)))

    async def _words(self, progress: Progress, minutes: int) -> str:
        if progress.state == "paused":
            return f"import {progress.number} is paused: causeway import resume {progress.number} lets it go on"
        still = f"import {progress.number} has stood still for {'a minute' if minutes < 2 else f'{minutes} minutes'}"
        if await self._is_ownerless():
            return (
                f"{still}: no bridge works on the store any more, so nothing that was read is shown. Start it (causeway"
                " run), or stop this command and give it again: then it runs the bridge itself. Nothing is lost"
            )
        return (
            f"{still}: the log of the bridge says what it waits for, causeway import status {progress.number} where, "
            "and causeway portals list whether a portal is in trouble. It goes on as soon as that is mended"
        )

    async def _is_ownerless(self) -> bool:
        try:
            await self._database.own()
        except StoreTaken:
            return False
        except BridgeError as error:
            log.info("whether a bridge works on the store cannot be told: %s", error)
            return False
        await self._database.release()
        return True
