"""A record is let out of quarantine: read anew, and admitted at its place in its channel if it can be read now."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import orjson

from bridge.store.directory import Directory
from bridge.store.imports import Imports
from bridge.store.ledger import TO_MATRIX, Ledger
from bridge.work.catch_up import arrivals_of
from bridge.work.history import WHERE
from portals.history.compare import differences
from portals.ids import NO_TS, channel_queue

if TYPE_CHECKING:
    from bridge.store.database import Database
    from bridge.store.imports import Quarantined
    from portals.ids import GhostNames


class Release:
    """Lets records out of quarantine, beside the bridge or without it."""

    def __init__(self, database: Database, names: GhostNames) -> None:
        self._ledger = Ledger(database)
        self._imports = Imports(database)
        self._directory = Directory(database, names)

    async def again(self, name: str) -> str:
        """Try a record again by its name (`q7`, `p31`); returns why it stays, or nothing."""
        number = int(name[1:])
        if name.startswith("p"):
            retried = await self._ledger.retry(number)
            if retried is None:
                return "it is not parked any more"
            await self._ledger.request(*retried)
            return ""
        one = await self._imports.quarantined_one(number)
        return "it is not in quarantine any more" if one is None else await self._read(one)

    async def _read(self, one: Quarantined) -> str:
        portal = await self._directory.portal_of_channel(one.team, one.channel)
        workspace = await self._directory.workspace(one.team)
        if portal is None or workspace is None:
            return "its channel has no portal"
        record = {**orjson.loads(one.raw), WHERE: one.place}
        unreadable: list[tuple[object, str]] = []
        news = differences(
            [record],
            [],
            [],
            channel=one.channel,
            workspace=workspace,
            gap=await self._ledger.mark(f"release:{one.id}:{time.time_ns()}"),
            since=NO_TS,
            as_of=NO_TS,
            archive=True,
            unreadable=unreadable,  # type: ignore[arg-type]  # what they are is of no interest here
        )
        if unreadable:
            return unreadable[0][1]
        queue = channel_queue(one.team, one.channel)
        place = await self._ledger.mark(f"release:{one.id}")
        await self._ledger.admit(arrivals_of(news, one.team, queue, place), beside=[self._imports.released(one.id)])
        await self._ledger.request(TO_MATRIX, queue)
        return ""
