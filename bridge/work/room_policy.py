"""A room is compared with its policy, and brought in line as far as the bot has the power.

Only the state about which the policy asks something is read, and power only where something departs. Mending writes one
state event for each departure: repeated, it makes no second one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bridge.errors import Refused
from portals.crossing.rooms import CREATE, JOINING, Departure, Home, departures
from portals.reading.power_levels import power_for_state, power_of

if TYPE_CHECKING:
    from bridge.matrix.client import MatrixClient
    from bridge.store.directory import Directory
    from portals.crossing.rooms import RoomPolicy
    from portals.facts import Portal
    from portals.ids import GhostNames, RoomId


@dataclass(frozen=True, slots=True)
class Found:
    """A departure; `lacks` is the power level that the bot would need to end it, None where it has that."""

    departure: Departure
    lacks: int | None

    @property
    def may_mend(self) -> bool:
        """Whether the bot can end it."""
        return self.departure.content is not None and self.lacks is None


class RoomPolicies:
    """Compares rooms with policies, and mends them."""

    def __init__(self, names: GhostNames, directory: Directory, matrix: MatrixClient) -> None:
        self._names = names
        self._directory = directory
        self._matrix = matrix

    async def compare(self, portal: Portal, policy: RoomPolicy) -> list[Found]:
        """Return in what the room of a portal departs from a policy.

        Raises Refused where the bot may not see the room, Later where the homeserver does not answer.
        """
        if portal.room is None or not policy.types():
            return []
        asked = {*policy.types(), *((CREATE,) if JOINING in policy.types() else ())}
        state = {}
        for kind in sorted(asked):
            content = await self._matrix.get_state(portal.room, kind)
            if content is not None:
                state[kind] = content
        workspace = await self._directory.workspace(portal.team)
        found = departures(policy, state, Home(self._names.domain, workspace.space if workspace else None))
        return await self._with_power(portal.room, found) if found else []

    async def _with_power(self, room: RoomId, found: tuple[Departure, ...]) -> list[Found]:
        levels: dict[str, Any] = await self._matrix.get_state(room, "m.room.power_levels") or {}
        is_creator = self._names.bot in await self._matrix.rooms.creators(room)
        own = power_of(levels, self._names.bot)
        needed = [power_for_state(levels, one.type) for one in found]
        return [
            Found(one, None if is_creator or own >= power else power) for one, power in zip(found, needed, strict=True)
        ]

    async def mend(self, room: RoomId, one: Found) -> bool:
        """End a departure if the bot may; returns whether it did."""
        if one.departure.content is None or one.lacks is not None:
            return False
        try:
            await self._matrix.set_state(room, None, one.departure.type, "", one.departure.content)
        except Refused as refused:
            if refused.code != "M_FORBIDDEN":
                raise
            return False
        return True
