"""What waits: what decisions must know of it, and the end of its waiting when the time has come.

    held ──▶ a moderator decides │ the hours end │ the time is over ──▶ a row of its own in its queue, which is woken

Once a second the store is asked what is due. It knows all; what is kept in memory is only whether anything waits at
all, so that portals whose policy has nothing wait are spared the question.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from bridge.errors import BridgeError
from bridge.store.ledger import TO_MATRIX, TO_SLACK
from portals.crossing.waiting import Waiting

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.store.held import HeldMessages
    from bridge.work.moderators import ModeratorRooms
    from portals.crossing.policy import Policy
    from portals.facts import Needs, Portal

log = logging.getLogger(__name__)

_LOOK = 1.0
_TIDY = 600


class Holding:
    """Knows what waits, and lets it go; `wake` has a queue looked at."""

    def __init__(self, held: HeldMessages, moderators: ModeratorRooms, wake: Callable[[str, str], None]) -> None:
        self._held = held
        self._moderators = moderators
        self._wake = wake
        self._has_any: bool | None = None

    async def facts(self, portal: Portal, policy: Policy, needs: Needs) -> Waiting:
        """Return what a decision must know of time and of what waits; raises Later."""
        if self._has_any is None:
            self._has_any = await self._held.has_any()
        now = time.time_ns() // 1_000_000
        if not (policy.holds_back or self._has_any):
            return Waiting(now)
        self._has_any = True
        names = (*needs.messages, *needs.events)
        says = needs.author is not None or needs.speaker is not None
        direction = TO_MATRIX if needs.author is not None else TO_SLACK
        return Waiting(
            now,
            await self._held.of(portal.id, names),
            await self._held.quiet(portal.id, direction) if says else frozenset(),
            await self._moderators.of(policy.hold.room, portal) if says and policy.hold.words else None,
        )

    async def run(self) -> None:
        """Let go what is due, again and again, until cancelled."""
        looks = 0
        while True:
            try:
                if looks % _TIDY == 0:
                    await self._held.tidy()
                self._has_any = await self._held.has_any()
                if self._has_any:
                    await self.let_go()
            except BridgeError as error:
                log.warning("what is due could not be let go yet: %s", error)
            looks += 1
            await asyncio.sleep(_LOOK)

    async def let_go(self) -> None:
        """Let go what waited for now, and refuse what nobody decided about in time."""
        now = time.time_ns() // 1_000_000
        for direction, queue in await self._held.end_quiet(now) | await self._held.end_late(now):
            self._wake(direction, queue)
