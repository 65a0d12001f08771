"""Rooms are watched: what departs from a policy is mended where that is configured and possible, and told otherwise.

The room is told where its messages go as well, where its policy wants that (`bridge.work.banner`).

    state that a policy speaks about, a room that was opened, a start ─▶ waiting rooms ─▶ compare ─▶ mend or tell

Every look reads the room as it is now, so a lost look is made good by the next start, and many changes at once need one
look alone. Whoever sets the same again and again is not answered for ever: after a few times within an hour the room
is told instead. A notice is remembered before it is sent, and sent under a name of its own: once, whatever happens.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from bridge.errors import BridgeError, Later, Refused
from portals.facts import PortalState
from portals.ids import PortalId, action_key
from portals.relay.content import notice

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.matrix.client import MatrixClient
    from bridge.store.departures import Departed, Departures
    from bridge.store.directory import Directory
    from bridge.work.banner import RoomBanner
    from bridge.work.room_policy import Found, RoomPolicies
    from portals.crossing.policy import Policy
    from portals.crossing.rooms import RoomPolicy
    from portals.facts import Portal
    from portals.ids import RoomId

log = logging.getLogger(__name__)

_PAGE = 500
_AGAIN = 5.0
"""Seconds until a room is looked at again that could not be."""
_MOST = 5
"""How often within `_WITHIN` seconds one thing in one room is mended."""
_WITHIN = 3600.0


class RoomWatch:
    """Holds rooms to their policies while the bridge runs; `policy_of` is None where it is not known yet."""

    def __init__(
        self,
        *,
        policy_of: Callable[[Portal], Policy | None],
        policies: RoomPolicies,
        banner: RoomBanner,
        departures: Departures,
        directory: Directory,
        matrix: MatrixClient,
    ) -> None:
        self._policy_of = policy_of
        self._policies = policies
        self._banner = banner
        self._departures = departures
        self._directory = directory
        self._matrix = matrix
        self._waiting: dict[RoomId, None] = {}
        self._news = asyncio.Event()
        self._mended: dict[tuple[RoomId, str], list[float]] = {}

    def look(self, room: RoomId) -> None:
        """Have a room looked at, soon."""
        self._waiting[room] = None
        self._news.set()

    async def run(self) -> None:
        """Look at every room once, and then at those in which something changed, until cancelled."""
        await self._begin()
        while True:
            await self._news.wait()
            self._news.clear()
            waiting, self._waiting = self._waiting, {}
            for room in waiting:
                if not await self._looked_at(room):
                    self._waiting[room] = None
            if self._waiting:
                await asyncio.sleep(_AGAIN)
                self._news.set()

    async def _begin(self) -> None:
        after = PortalId(0)
        while True:
            try:
                page = await self._directory.portals(after, _PAGE)
            except Later as later:
                log.warning("rooms cannot be looked at yet: %s", later)
                await asyncio.sleep(_AGAIN)
                continue
            for portal in page:
                if portal.room is not None:
                    self.look(portal.room)
            if not page:
                return
            after = page[-1].id

    async def _looked_at(self, room: RoomId) -> bool:
        """Look at a room; returns whether that is done with."""
        try:
            portal = await self._directory.portal_of_room(room)
            if portal is None:
                return True
            if portal.state is PortalState.REMOVED or portal.has_moved:
                await self._banner.show(portal, room, None)
                return True
            policy = self._policy_of(portal)
            if policy is None:
                return False
            await self._banner.show(portal, room, policy)
            await self._hold(portal, room, policy.room)
        except Refused as refused:
            log.warning("%s: whether it keeps to its policy cannot be told: %s", room, refused)
        except BridgeError as error:
            log.info("%s: it is looked at again: %s", room, error)
            return False
        return True

    async def _hold(self, portal: Portal, room: RoomId, policy: RoomPolicy) -> None:
        left: dict[str, tuple[Found, str]] = {}
        for one in await self._policies.compare(portal, policy):
            kind, detail = one.departure.type, one.departure.detail
            if policy.mends and self._may_mend(room, kind) and await self._policies.mend(room, one):
                log.warning("%s: mended, for %s", room, detail)
                self._mended.setdefault((room, kind), []).append(time.monotonic())
                await self._departures.mended(portal, kind, detail)
            else:
                log.warning("%s: %s", room, detail)
                left[kind] = one, detail
        untold = await self._departures.found(portal, [(kind, detail) for kind, (_, detail) in left.items()])
        for news in untold:
            await self._tell(portal, room, news, left[news.type][0])

    def _may_mend(self, room: RoomId, kind: str) -> bool:
        since = time.monotonic() - _WITHIN
        recent = [at for at in self._mended.get((room, kind), ()) if at > since]
        if recent:
            self._mended[room, kind] = recent
        else:
            self._mended.pop((room, kind), None)
        return len(recent) < _MOST

    async def _tell(self, portal: Portal, room: RoomId, news: Departed, found: Found) -> None:
        words = (
            f"This room departs from the policy of its bridge: {news.detail}. "
            f"To an admin: {found.departure.remedy(found.lacks, self._matrix.bot)}."
        )
        key = action_key("departure", portal.id, news.type, news.since)
        try:
            await self._matrix.send(room, None, "m.room.message", notice(words), key)
        except Refused as refused:
            log.warning("%s: the room cannot be told that it departs from its policy: %s", room, refused)
        await self._departures.told(portal.id, news)
