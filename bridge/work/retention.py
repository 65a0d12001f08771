"""The store keeps its promise: what a portal's policy no longer keeps is forgotten, in small batches between the work.

Every some hours each portal is gone through, oldest message first. Nothing is forgotten that a look back may still come
upon, however short the policy; nothing of a portal or a person under hold; nothing while a channel's past is brought
over or its move to Matrix is under way, for both are proven by it. Reports go after
the shortest time that any portal has.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from bridge.errors import BridgeError, Later
from bridge.store.audit import noted
from bridge.store.departures import POLICY
from bridge.store.papers import Kind, Papers
from portals.facts import PortalState
from portals.ids import NO_TS, PortalId, Ts, channel_queue

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.store.database import Database
    from bridge.store.directory import Directory
    from bridge.store.holds import Holds
    from bridge.store.retention import Retention
    from portals.crossing.policy import Policy
    from portals.facts import Portal

log = logging.getLogger(__name__)

_EVERY = 6 * 3600.0
_AGAIN = 60.0
_BREATH = 0.05
"""Seconds between two batches, for those who wait for the store."""
_PAGE = 500
_UNDER_WAY = (PortalState.IMPORTING, PortalState.FROZEN)


class Keeping:
    """Forgets what is too old; `horizon` is how far, in seconds, a look back may reach."""

    def __init__(
        self,
        *,
        database: Database,
        directory: Directory,
        retention: Retention,
        holds: Holds,
        policy_of: Callable[[Portal], Policy | None],
        horizon: float,
    ) -> None:
        self._database = database
        self._directory = directory
        self._retention = retention
        self._holds = holds
        self._policy_of = policy_of
        self._horizon = horizon

    async def run(self) -> None:
        """Go through all portals again and again, until cancelled."""
        while True:
            try:
                await self.sweep()
            except Later as later:
                log.warning("what is too old could not be forgotten yet: %s", later)
                await asyncio.sleep(_AGAIN)
                continue
            except BridgeError as error:
                log.error("what is too old could not be forgotten: %s", error)
            await asyncio.sleep(_EVERY)

    async def sweep(self) -> int:
        """Go through all portals once; returns how many messages were forgotten."""
        after, total, shortest = PortalId(0), 0, 0.0
        while page := await self._directory.portals(after, _PAGE):
            for portal in page:
                total += await self._keep(portal)
                shortest = max(shortest, self.before(portal) or 0.0)
            after = page[-1].id
        await self._keep_reports(int(shortest * 1000))
        return total

    async def _keep_reports(self, before_ms: int) -> None:
        """Forget reports, which quote messages, after the shortest time of any portal; none while something is held."""
        papers = Papers(self._database)
        if before_ms and (count := await papers.count_before(Kind.REPORT, before_ms)) and not await self._holds.all():
            await papers.drop_before(Kind.REPORT, before_ms, noted(POLICY, "forget", "reports", f"{count} of them"))

    def before(self, portal: Portal) -> float | None:
        """Return before which second what was said in a portal is too old; None where all is kept for now."""
        policy = self._policy_of(portal)
        if policy is None or not policy.room.keep_ms or portal.state in _UNDER_WAY:
            return None
        return time.time() - max(policy.room.keep_ms / 1000, self._horizon)

    async def _keep(self, portal: Portal) -> int:
        seconds, queue = self.before(portal), channel_queue(portal.team, portal.channel)
        if seconds is None or queue in await self._holds.holding(portal.team):
            return 0
        spared = await self._holds.held_names(portal.team)
        before, after, messages, records = Ts(f"{seconds:.6f}"), NO_TS, 0, 0
        while (purged := await self._retention.purge(portal, after, before, spared)).last is not None:
            messages, after = messages + purged.messages, purged.last
            await asyncio.sleep(_BREATH)
        while not spared and (
            gone := await self._retention.purge_quarantine(portal.team, portal.channel, int(seconds * 1000))
        ):
            records += gone
            await asyncio.sleep(_BREATH)
        if messages or records:
            detail = f"{messages} messages and {records} records of imports from before {before}"
            await self._database.commit(noted(POLICY, "forget", queue, detail))
            log.info("%s: forgotten: %s", queue, detail)
        return messages
