"""Channels that were given another id: which they have now, and the one commit in which all that names them follows.

Slack gives a private channel a new id when it is shared with another organisation, and answers for the old one no more.
What was admitted under the old id and is not done waits in the queue of the new one from then on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.store.database import Statement
from bridge.store.ledger import TO_MATRIX
from portals.ids import ChannelId, TeamId, Ts, channel_queue, past_of

if TYPE_CHECKING:
    from bridge.store.database import Database

NAMESAKE = """
SELECT id, channel FROM portals
WHERE team = $1 AND name = $2 AND channel <> $3 AND kind = '' AND state <> 'removed' ORDER BY id LIMIT 1
"""
NEWEST = """
SELECT DISTINCT links.ts FROM links JOIN portals ON portals.id = links.portal
WHERE portals.team = $1 AND portals.channel = $2 AND links.thread_ts IS NULL AND links.origin = 'slack'
ORDER BY links.ts DESC LIMIT $3
"""
FORMER = "SELECT team, channel, now FROM former_channels"
ADD_FORMER = """
INSERT INTO former_channels (team, channel, now) VALUES ($1, $2, $3)
ON CONFLICT (team, channel) DO UPDATE SET now = excluded.now
"""
FOLLOW = "UPDATE former_channels SET now = $3 WHERE team = $1 AND now = $2"
MAKE_ROOM = """
UPDATE portals SET channel = channel || '/replaced/' || id, state = 'removed'
WHERE team = $1 AND channel = $2 AND room IS NULL
"""
MOVE_PORTAL = "UPDATE portals SET channel = $3 WHERE team = $1 AND channel = $2"
MOVE_OPEN = "UPDATE inbox SET queue = $3 WHERE direction = $1 AND queue = $2 AND state < 2"
MOVE_PARKED = "UPDATE inbox SET queue = $3 WHERE direction = $1 AND queue = $2 AND state = 3"
MOVE_HOLD = "UPDATE holds SET subject = $3 WHERE team = $1 AND subject = $2"


class ChannelIds:
    """All former ids of channels."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def former(self) -> dict[tuple[TeamId, ChannelId], ChannelId]:
        """Return the id that each channel has now whose id has changed, by its former ones."""
        rows = await self._database.fetch(FORMER)
        return {(TeamId(row[0]), ChannelId(row[1])): ChannelId(row[2]) for row in rows}

    async def namesake(self, team: TeamId, name: str, channel: ChannelId) -> ChannelId | None:
        """Return the channel of the portal that has this name already, under another id."""
        rows = await self._database.fetch(NAMESAKE, team, name, channel)
        return ChannelId(rows[0][1]) if rows else None

    async def newest(self, team: TeamId, channel: ChannelId, limit: int) -> list[Ts]:
        """Return the newest messages of a channel's time line that came from Slack, the newest first."""
        return [Ts(row[0]) for row in await self._database.fetch(NEWEST, team, channel, limit)]

    async def move(self, team: TeamId, old: ChannelId, new: ChannelId) -> None:
        """Have a channel's portals, rows that are not done and holds follow it to its new id.

        A portal of the new id that has no room yet gives way; call it for no new id whose portal has one.
        """
        unit = [Statement(FOLLOW, (team, old, new)), Statement(ADD_FORMER, (team, old, new))]
        for before, after in ((old, new), (past_of(old), past_of(new))):
            queues = (channel_queue(team, before), channel_queue(team, after))
            unit += [
                Statement(MAKE_ROOM, (team, after)),
                Statement(MOVE_PORTAL, (team, before, after)),
                *_rows(*queues),
                Statement(MOVE_HOLD, (team, *queues)),
            ]
        await self._database.commit(*unit)

    async def requeue(self, team: TeamId, old: ChannelId, new: ChannelId) -> None:
        """Have what was admitted under a former id since wait in the queue of the new one."""
        await self._database.commit(*_rows(channel_queue(team, old), channel_queue(team, new)))


def _rows(before: str, after: str) -> tuple[Statement, ...]:
    return tuple(Statement(sql, (TO_MATRIX, before, after)) for sql in (MOVE_OPEN, MOVE_PARKED))
