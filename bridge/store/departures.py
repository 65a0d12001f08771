"""In what rooms depart from their policies, as they were found last; each begin and end is in the audit log too."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.store.audit import noted
from bridge.store.database import Statement

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bridge.store.database import Database
    from portals.facts import Portal
    from portals.ids import PortalId

DEPARTURES = "SELECT type, detail, since, told FROM departures WHERE portal = $1 ORDER BY type"
ADD_DEPARTURE = """
INSERT INTO departures (portal, type, detail, since) VALUES ($1, $2, $3, $4)
ON CONFLICT (portal, type) DO UPDATE SET detail = excluded.detail, since = excluded.since, told = 0
"""
END_DEPARTURE = "DELETE FROM departures WHERE portal = $1 AND type = $2"
DEPARTURE_TOLD = "UPDATE departures SET told = 1 WHERE portal = $1 AND type = $2 AND since = $3"
POLICY = "policy"
"""Who acts in the audit log where the configuration alone decides."""


@dataclass(frozen=True, slots=True)
class Departed:
    """A departure; `since` in milliseconds, `told` says whether the room has its notice."""

    type: str
    detail: str
    since: int
    told: bool


class Departures:
    """Remembers departures; one process at a time does so for a portal."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, portal: PortalId) -> list[Departed]:
        """Return in what a portal's room departs from its policy."""
        rows = await self._database.fetch(DEPARTURES, portal)
        return [Departed(str(kind), str(detail), int(since), bool(told)) for kind, detail, since, told in rows]

    async def found(self, portal: Portal, details: Iterable[tuple[str, str]]) -> list[Departed]:
        """Remember all departures that there are now, each (type, detail); returns those the room is to be told of."""
        known, now = {one.type: one for one in await self.of(portal.id)}, dict(details)
        unit = []
        for kind, detail in now.items():
            if kind not in known or known[kind].detail != detail:
                unit.append(Statement(ADD_DEPARTURE, (portal.id, kind, detail, time.time_ns() // 1_000_000)))
                unit.append(noted(POLICY, "room departs", str(portal.room), f"{kind}: {detail}"))
        for kind, one in known.items():
            if kind not in now:
                unit.append(Statement(END_DEPARTURE, (portal.id, kind)))
                unit.append(noted(POLICY, "room in line", str(portal.room), f"{kind}, no more: {one.detail}"))
        if unit:
            await self._database.commit(*unit)
        return [one for one in await self.of(portal.id) if not one.told]

    async def mended(self, portal: Portal, kind: str, detail: str, actor: str = POLICY) -> None:
        """Write down that a room was brought in line."""
        await self._database.commit(
            Statement(END_DEPARTURE, (portal.id, kind)),
            noted(actor, "room mended", str(portal.room), f"{kind}: {detail}"),
        )

    async def told(self, portal: PortalId, one: Departed) -> None:
        """Remember that the room has the notice of a departure."""
        await self._database.commit(Statement(DEPARTURE_TOLD, (portal, one.type, one.since)))
