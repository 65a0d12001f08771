"""What an account keeps for itself on the homeserver: push rules, direct rooms, and how far it has read.

All calls may be repeated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mautrix.api import Method, Path

from bridge.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from bridge.matrix.wire import Json, Wire
    from portals.ids import EventId, MatrixUserId, RoomId

_KIND = "override"
"""The rules that come before all others: those of the kind `room` stand behind the rules for mentions."""


class Accounts:
    """Reads and writes for an account as the account itself."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def push_rule(self, user: MatrixUserId, name: str) -> Json | None:
        """Return an overriding push rule of the account, or None where it has none of this name."""
        try:
            return await self._wire.call(Method.GET, Path.v3.pushrules["global"][_KIND][name], user=user)
        except Refused as refused:
            if refused.code == "M_NOT_FOUND":
                return None
            raise

    async def set_push_rule(self, user: MatrixUserId, name: str, rule: Mapping[str, Any]) -> None:
        """Make an overriding push rule of the account, before all others, or change it."""
        await self._wire.call(Method.PUT, Path.v3.pushrules["global"][_KIND][name], rule, user=user)

    async def switch_push_rule(self, user: MatrixUserId, name: str, *, on: bool) -> None:
        """Switch an overriding push rule on or off."""
        path = Path.v3.pushrules["global"][_KIND][name].enabled
        await self._wire.call(Method.PUT, path, {"enabled": on}, user=user)

    async def remove_push_rule(self, user: MatrixUserId, name: str) -> None:
        """Take an overriding push rule away; one that is not there is gone already."""
        try:
            await self._wire.call(Method.DELETE, Path.v3.pushrules["global"][_KIND][name], user=user)
        except Refused as refused:
            if refused.code != "M_NOT_FOUND":
                raise

    async def add_direct(self, user: MatrixUserId, others: Sequence[MatrixUserId], room: RoomId) -> None:
        """Have the account's clients show a room as one for talking directly with others (`m.direct`)."""
        path = Path.v3.user[user].account_data["m.direct"]
        try:
            known = await self._wire.call(Method.GET, path, user=user)
        except Refused as refused:
            if refused.code != "M_NOT_FOUND":
                raise
            known = {}
        wanted = dict(known)
        for other in others:
            rooms = known.get(other)
            there = list(rooms) if isinstance(rooms, list) else []
            wanted[other] = there if room in there else [*there, room]
        if wanted != known:
            await self._wire.call(Method.PUT, path, wanted, user=user)

    async def read_up_to(self, room: RoomId, user: MatrixUserId, event: EventId) -> None:
        """Mark a room as read by the account up to an event, for all to see and for itself."""
        content = {"m.fully_read": event, "m.read": event}
        await self._wire.call(Method.POST, Path.v3.rooms[room].read_markers, content, user=user)
