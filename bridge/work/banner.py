"""A pinned notice in each room says where its messages go, where the policy wants one.

It is sent once, edited when what it says changes, sent anew where somebody took it away, and taken away where it is not
wanted any more. Its name is made of how often it changed: a process that dies between sending it and remembering that
finds it in the room. Whoever takes the pin off wants it off, until it says something else.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from bridge.errors import Refused
from bridge.store.banners import Banner
from bridge.work.room_state import RoomState
from portals.actions import STAMP
from portals.crossing.banner import digest_of, words
from portals.facts import PortalKind
from portals.ids import action_key
from portals.relay import content

if TYPE_CHECKING:
    from bridge.matrix.client import MatrixClient
    from bridge.store.banners import Banners
    from bridge.store.directory import Directory
    from portals.crossing.policy import Policy
    from portals.facts import Portal
    from portals.ids import ActionKey, EventId, RoomId

log = logging.getLogger(__name__)

_LOOKED_AT = 300


class RoomBanner:
    """Tells rooms where their messages go."""

    def __init__(self, banners: Banners, directory: Directory, matrix: MatrixClient) -> None:
        self._banners = banners
        self._directory = directory
        self._matrix = matrix
        self._state = RoomState(matrix)

    async def show(self, portal: Portal, room: RoomId, policy: Policy | None) -> None:
        """Have a room told what its policy wants it to be; nothing where that is None. Raises Later."""
        known = await self._banners.of(portal.id)
        is_wanted = policy is not None and policy.banner and portal.kind is not PortalKind.HISTORY
        said = await self._words(portal, policy) if policy is not None and is_wanted else ""
        try:
            if known is not None and (not said or known.room != room):
                await self._take_away(portal, known)
                known = None
            if said and not await self._stands(known, digest_of(said)):
                await self._tell(portal, room, said, known)
        except Refused as refused:
            log.warning("%s: the room is not told where its messages go: %s", room, refused)

    async def _words(self, portal: Portal, policy: Policy) -> str:
        workspace = await self._directory.workspace(portal.team)
        return words(portal, workspace.name if workspace is not None else portal.team, policy)

    async def _stands(self, known: Banner | None, digest: str) -> bool:
        """Tell whether a room is told this already, and nobody took it away."""
        return known is not None and known.digest == digest and await self._is_there(known)

    async def _is_there(self, known: Banner) -> bool:
        event = await self._matrix.event(known.room, known.event_id)
        return event is not None and bool(event.get("content"))

    async def _tell(self, portal: Portal, room: RoomId, said: str, known: Banner | None) -> None:
        changes = known.changes + 1 if known is not None else 0
        key = action_key("banner", portal.id, room, changes, digest_of(said))
        shown = content.notice(said)
        if known is not None and await self._is_there(known):
            await self._send(room, content.edit(shown, known.event_id), key)
            event = known.event_id
        else:
            event = await self._send(room, shown, key)
        await self._state.pin(room, [event], True)
        await self._banners.shown(portal.id, Banner(room, event, digest_of(said), changes))

    async def _send(self, room: RoomId, shown: content.Content, key: ActionKey) -> EventId:
        sent = await self._matrix.find_stamp(room, key, _LOOKED_AT, sender=self._matrix.bot)
        if sent is not None:
            return sent
        return await self._matrix.send(room, None, "m.room.message", {**shown, STAMP: key}, key)

    async def _take_away(self, portal: Portal, known: Banner) -> None:
        key = action_key("no banner", portal.id, known.event_id)
        try:
            await self._state.pin(known.room, [known.event_id], False)
            await self._matrix.redact(known.room, self._matrix.bot, known.event_id, key)
        except Refused as refused:
            log.info("%s: the notice of the bridge cannot be taken away: %s", known.room, refused)
        await self._banners.ended(portal.id)
