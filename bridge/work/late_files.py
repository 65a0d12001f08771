"""Files that were given up and came after all: each message that shows a notice in the place of one is to show it.

What is noted in the store is undone in the commit that admits the rows and asks for a look at them, so that none is
forgotten and none comes twice.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import orjson

from bridge.store.ledger import TO_MATRIX, Arrival
from portals.events import SlackFile
from portals.ids import channel_queue, present_of
from portals.reading.late_files import file_came

if TYPE_CHECKING:
    from bridge.store.files import Files, KnownFile
    from bridge.store.ledger import Ledger
    from bridge.store.links import Links
    from portals.ids import ChannelId, Ts

_PAGE = 50
_LOOK = 0.1
_PATIENCE = 60.0


class LateFiles:
    """Tells the lanes of files that came late."""

    def __init__(self, files: Files, links: Links, ledger: Ledger) -> None:
        self._files = files
        self._links = links
        self._ledger = ledger
        self._told: dict[str, int] = {}
        """Up to which place something was put into a queue that is perhaps not shown yet."""
        self._turn = asyncio.Lock()
        """Whoever finds nothing left to tell is to know of all that somebody else told, whose commit may be on."""

    async def tell(self) -> None:
        """Admit what shows the late files in their messages; raises StoreUnavailable."""
        async with self._turn:
            while found := await self._files.late(_PAGE):
                for file in found:
                    await self._tell(file)

    async def _tell(self, file: KnownFile) -> None:
        places = await self._links.showing(file.team, file.id)
        arrivals = [_arrival(file, channel, ts) for channel, ts in places]
        looks = self._ledger.looking(one.queue for one in arrivals)
        results = await self._ledger.admit(arrivals, beside=[*self._files.told(file), *looks])
        self._told |= {one.queue: int(row[0]) for one, rows in zip(arrivals, results, strict=False) for row in rows}

    async def shown(self) -> None:
        """Return when what was told is shown, or after a while: who waits for an admin keeps nobody else waiting."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                while self._told:
                    queue, place = next(iter(self._told.items()))
                    if await self._ledger.open_before(queue, place):
                        await asyncio.sleep(_LOOK)
                    else:
                        del self._told[queue]


def _arrival(file: KnownFile, channel: ChannelId, ts: Ts) -> Arrival:
    queue = channel_queue(file.team, channel)
    came = SlackFile(file.id, file.name, file.mimetype, file.seen, "")
    payload = file_came(file.team, present_of(channel), ts, came)
    return Arrival(TO_MATRIX, queue, f"file:{queue}/{ts}/{file.id}/{file.mxc}", orjson.dumps(payload).decode())
