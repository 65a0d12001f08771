"""A room's state is changed by the bot: name and topic, pins, who may speak, who may join.

Each change reads what is so, and writes only what differs, keeping everything else that the state says: so it may be
performed any number of times, and makes no event where a person set the same. In a room that is not ours the bot may
lack the power: then the room stays as its owners want it, and the log says so.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from bridge.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bridge.matrix.client import MatrixClient
    from portals.ids import EventId, RoomId

log = logging.getLogger(__name__)

_BEFORE = "dev.causeway.events_default"
"""The field of closed power levels that keeps what they were, so that they can be given back."""
_READ_ONLY = 50
"""Who may still speak in a closed room: its moderators, as in Slack nobody but they could open it again."""


class RoomState:
    """Brings the state of rooms to what it should be."""

    def __init__(self, matrix: MatrixClient) -> None:
        self._matrix = matrix

    async def show(self, room: RoomId, type: str, state_key: str, content: Mapping[str, Any]) -> None:
        """Have a state event say at least this; it may say more, as the topic that a client wrote does."""
        await self._change(room, type, state_key, lambda now: None if content.items() <= now.items() else dict(content))

    async def pin(self, room: RoomId, events: Sequence[EventId], pinned: bool) -> None:
        """Have a message pinned by one of its events, or by none; the other pins stay in their order."""

        def changed(now: Mapping[str, Any]) -> dict[str, Any] | None:
            found = now.get("pinned")
            shown = found if isinstance(found, list) else []
            if any(event in shown for event in events) is pinned:
                return None
            wanted = [*shown, events[0]] if pinned else [event for event in shown if event not in events]
            return {**now, "pinned": wanted}

        await self._change(room, "m.room.pinned_events", "", changed)

    async def close(self, room: RoomId, closed: bool) -> None:
        """Let only moderators speak, or those again who could before; a level that others set meanwhile stays."""

        def changed(now: Mapping[str, Any]) -> dict[str, Any] | None:
            level = now.get("events_default", 0)
            if closed is (_BEFORE in now):
                return None
            if closed:
                return {**now, _BEFORE: level, "events_default": max(level, _READ_ONLY)}
            before = now[_BEFORE]
            kept = {name: value for name, value in now.items() if name != _BEFORE}
            return {**kept, "events_default": before} if level == max(before, _READ_ONLY) else kept

        await self._change(room, "m.room.power_levels", "", changed)

    async def _change(
        self, room: RoomId, type: str, state_key: str, changed: Callable[[Mapping[str, Any]], dict[str, Any] | None]
    ) -> None:
        try:
            wanted = changed(await self._matrix.get_state(room, type, state_key) or {})
            if wanted is not None:
                await self._matrix.set_state(room, None, type, state_key, wanted)
        except Refused as refused:
            if refused.code != "M_FORBIDDEN":
                raise
            log.warning("%s: %s stays as it is: %s", room, type, refused)
