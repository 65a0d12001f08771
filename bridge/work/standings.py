"""How people stand to a workspace: members, guests, bots, strangers. Slack is asked, and remembered for some minutes.

What was asked lives in memory alone: after a restart it is asked again. What Slack does not tell is unknown, which a
policy that tells people apart takes for a refusal.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from bridge.errors import Later, Refused
from portals.crossing.policy import Standing
from portals.reading.standing import standing_of
from portals.retry import TROUBLED, is_installation_trouble

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bridge.slack.installation import Installation
    from portals.ids import SlackUserId, TeamId

log = logging.getLogger(__name__)

_REMEMBERED = 600.0
"""Seconds for which an answer counts: so long may somebody who became a guest still pass for a member."""
_MOST = 10_000


class Standings:
    """Tells how people stand to the workspaces; `clock` tells the time in seconds."""

    def __init__(
        self, installations: Mapping[TeamId, Installation], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._installations = installations
        self._clock = clock
        self._known: dict[tuple[TeamId, SlackUserId], tuple[float, Standing]] = {}

    async def of(self, team: TeamId, user: SlackUserId) -> Standing:
        """Return how somebody stands to a workspace; raises Later when Slack would know and is busy."""
        if user.startswith("B"):
            return Standing.BOT
        known = self._known.get((team, user))
        if known is not None and known[0] > self._clock() - _REMEMBERED:
            return known[1]
        try:
            standing = standing_of(await self._installations[team].client.user(user), team)
        except Refused as refused:
            if is_installation_trouble(refused.code) and refused.code != "missing_scope":
                raise Later(str(refused), TROUBLED) from refused
            log.info("%s: Slack does not tell how %s stands to the workspace: %s", team, user, refused)
            return Standing.UNKNOWN
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[team, user] = (self._clock(), standing)
        return standing
