"""Counts over the whole store, for those who watch it: what waits, what is parked, who and what there is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.store.database import Database

WAITING = "SELECT direction, COUNT(*), MIN(admitted_at) FROM inbox WHERE state < 2 GROUP BY direction"
WAY_OF = "SELECT direction FROM inbox WHERE source_key = $1 AND state < 2"
PARKED_COUNTS = "SELECT direction, COUNT(*) FROM inbox WHERE state = 3 GROUP BY direction"
HELD_COUNT = "SELECT COUNT(*) FROM held WHERE verdict = ''"
PORTAL_COUNTS = "SELECT state, COUNT(*) FROM portals GROUP BY state"
TROUBLED = "SELECT COUNT(*) FROM portals WHERE trouble <> '' AND state <> 'removed'"
DEPARTING = """
SELECT COUNT(DISTINCT departures.portal) FROM departures JOIN portals ON portals.id = departures.portal
WHERE portals.state <> 'removed'
"""
BEHIND = """
SELECT workspaces.team, SUM(CASE WHEN portals.caught_up < workspaces.gap THEN 1 ELSE 0 END) FROM workspaces
LEFT JOIN portals ON portals.team = workspaces.team AND portals.state IN ('live', 'frozen')
  AND portals.direction <> 'to_slack'
GROUP BY workspaces.team
"""
PEOPLE_COUNT = "SELECT COUNT(*) FROM people WHERE is_bot = 0"
LINKED_COUNT = "SELECT COUNT(*) FROM accounts"


@dataclass(frozen=True, slots=True)
class Tally:
    """The counts of one moment; `waiting` has rows and the time of the oldest, in ms, for each direction."""

    waiting: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    parked: Mapping[str, int] = field(default_factory=dict)
    held: int = 0
    """Messages that wait for a moderator, or for the end of quiet hours."""
    portals: Mapping[str, int] = field(default_factory=dict)
    troubled: int = 0
    departing: int = 0
    """Portals whose rooms are not as their policies want them."""
    behind: Mapping[str, int] = field(default_factory=dict)
    """Portals of each workspace that have not looked back over the last interruption yet."""
    people: int = 0
    linked: int = 0


async def way_of(database: Database, source_key: str) -> str:
    """Return the direction of a row that waits; nothing for one that does not."""
    rows = await database.fetch(WAY_OF, source_key)
    return str(rows[0][0]) if rows else ""


async def tally(database: Database) -> Tally:
    """Count; raises StoreUnavailable."""
    return Tally(
        waiting={str(way): (int(rows), int(oldest)) for way, rows, oldest in await database.fetch(WAITING)},
        parked={str(way): int(rows) for way, rows in await database.fetch(PARKED_COUNTS)},
        held=int((await database.fetch(HELD_COUNT))[0][0]),
        portals={str(state): int(rows) for state, rows in await database.fetch(PORTAL_COUNTS)},
        departing=int((await database.fetch(DEPARTING))[0][0]),
        troubled=int((await database.fetch(TROUBLED))[0][0]),
        behind={str(team): int(rows or 0) for team, rows in await database.fetch(BEHIND)},
        people=int((await database.fetch(PEOPLE_COUNT))[0][0]),
        linked=int((await database.fetch(LINKED_COUNT))[0][0]),
    )
