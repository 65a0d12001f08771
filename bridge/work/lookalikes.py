"""Who of a workspace looks like a name: the skeletons of all names that Slack shows, gathered every some minutes.

They live in memory alone, for a name that changed counts a little later without harm.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from portals.ids import SlackUserId
from portals.people.confusable import skeletons

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bridge.store.database import Database
    from portals.ids import TeamId

NAMES = "SELECT user_id, name FROM people WHERE team = $1"
_GATHERED = 300.0
"""Seconds after which the names are gathered anew."""


class Lookalikes:
    """Tells who looks like a name; `clock` tells the time in seconds."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._clock = clock
        self._known: dict[TeamId, tuple[float, Mapping[str, frozenset[SlackUserId]]]] = {}

    async def of(self, team: TeamId, name: str) -> frozenset[SlackUserId]:
        """Return the people of a workspace whose names can be confused with this one."""
        known = self._known.get(team)
        if known is None or known[0] < self._clock() - _GATHERED:
            rows = await self._database.fetch(NAMES, team)
            people = [(SlackUserId(row[0]), str(row[1])) for row in rows]
            known = (self._clock(), await asyncio.to_thread(_by_skeleton, people))
            self._known[team] = known
        return frozenset().union(*(known[1].get(one, frozenset()) for one in skeletons(name)))


def _by_skeleton(people: list[tuple[SlackUserId, str]]) -> dict[str, frozenset[SlackUserId]]:
    found: dict[str, set[SlackUserId]] = {}
    for user, name in people:
        for skeleton in skeletons(name):
            found.setdefault(skeleton, set()).add(user)
    return {skeleton: frozenset(users) for skeleton, users in found.items()}
