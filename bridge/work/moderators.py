"""The rooms of moderators: found and joined by their name, and looked at before anything is quoted there.

How a room is closed and encrypted is believed for a minute. A room that cannot be joined is none: what is held is then
decided about in the console or by `causeway held`, and the log says why.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from bridge.errors import Refused
from portals.crossing.moderators import ENCRYPTED, reason_to_hide
from portals.crossing.rooms import HISTORY, JOINING
from portals.crossing.waiting import Moderators
from portals.facts import PortalState

if TYPE_CHECKING:
    from bridge.matrix.client import MatrixClient
    from bridge.store.directory import Directory
    from portals.facts import Portal
    from portals.ids import RoomId

log = logging.getLogger(__name__)

_BELIEVED = 60.0


class ModeratorRooms:
    """Knows where moderators of portals are."""

    def __init__(self, directory: Directory, matrix: MatrixClient) -> None:
        self._directory = directory
        self._matrix = matrix
        self._known: dict[tuple[str, RoomId | None], tuple[float, Moderators | None]] = {}

    async def of(self, where: str, portal: Portal) -> Moderators | None:
        """Return the room of this name, with why nothing of the portal may be quoted there; raises Later."""
        if not where:
            return None
        key = (where, portal.room)
        at, found = self._known.get(key, (float("-inf"), None))
        if time.monotonic() - at > _BELIEVED:
            found = await self._look(where, portal)
            self._known[key] = (time.monotonic(), found)
        return found

    async def _look(self, where: str, portal: Portal) -> Moderators | None:
        try:
            room = await self._matrix.rooms.join(where)
            bridged = await self._directory.portal_of_room(room)
            hides = reason_to_hide(
                await self._matrix.get_state(room, JOINING),
                await self._matrix.get_state(room, HISTORY),
                is_portal=bridged is not None and bridged.state is not PortalState.REMOVED,
                is_clear=await self._matrix.get_state(room, ENCRYPTED) is None,
                from_encrypted=portal.room is not None
                and await self._matrix.get_state(portal.room, ENCRYPTED) is not None,
            )
        except Refused as refused:
            log.warning("%s: moderators are not told there what is held: %s", where, refused)
            return None
        return Moderators(room, hides)
