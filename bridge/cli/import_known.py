"""What the store of a bridge tells a plan: channels that are bridged, people with accounts, how fast imports were."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bridge.store.opening import open_database
from bridge.store.people import People
from portals.facts import PortalState
from portals.history.plan import Bridged, Known, Pace
from portals.ids import ChannelId, TeamId

if TYPE_CHECKING:
    from collections.abc import Sequence

    from config.settings import Settings

PORTALS = "SELECT channel, room, state FROM portals WHERE team = $1 ORDER BY channel"
WORKSPACES = "SELECT team FROM workspaces ORDER BY team"
FINISHED = """
SELECT SUM(c.admitted), i.finished_at - i.started_at FROM imports i JOIN import_channels c ON c.import = i.id
WHERE i.finished_at IS NOT NULL GROUP BY i.id, i.finished_at, i.started_at ORDER BY i.finished_at DESC
"""
"""Events and milliseconds of the imports that were finished, the last one first."""

_ENOUGH = 1_000
"""An import of fewer events tells more about its beginning than about its pace."""


def known_of(settings: Settings, teams: Sequence[TeamId]) -> tuple[Known, Pace]:
    """Return what the store tells of the workspace that an export is of; raises BridgeError."""
    return asyncio.run(_known(settings, teams))


async def _known(settings: Settings, teams: Sequence[TeamId]) -> tuple[Known, Pace]:
    database = await open_database(settings.database.url.reveal())
    try:
        workspaces = tuple(TeamId(row[0]) for row in await database.fetch(WORKSPACES))
        ours = [team for team in teams if team in workspaces]
        people = People(database)
        accounts = {user: account for team in ours for user, account in (await people.accounts(team)).items()}
        portals = [row for team in ours for row in await database.fetch(PORTALS, team)]
        finished = await database.fetch(FINISHED)
    finally:
        await database.close()
    bridged = [Bridged(ChannelId(row[0]), row[1] or "", row[2]) for row in portals if row[2] != PortalState.REMOVED]
    rates = (1000 * float(events) / took for events, took in finished if int(events) >= _ENOUGH and took > 0)
    rate = next(rates, None)
    pace = Pace() if rate is None else Pace(rate=rate, source="measured")
    return Known(accounts, tuple(bridged), workspaces), pace
