"""Direct conversations: who takes part in each, which are closed, and the rooms in which people of Matrix begin one.

Who takes part never changes: Slack makes another conversation where somebody is added. That is asked for with every
message, so all of it is kept in memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from bridge.store.database import Statement
from portals.ids import ChannelId, SlackUserId, TeamId

if TYPE_CHECKING:
    from collections.abc import Collection

    from bridge.store.database import Database
    from portals.ids import RoomId

ALL_PEOPLE = "SELECT team, channel, user_id FROM conversation_people"
ADD_PERSON = """
INSERT INTO conversation_people (team, channel, user_id) VALUES ($1, $2, $3)
ON CONFLICT (team, channel, user_id) DO NOTHING
"""
CLOSED = "SELECT reason, changes FROM closed_conversations WHERE team = $1 AND channel = $2"
SET_CLOSED = """
INSERT INTO closed_conversations (team, channel, reason, changes) VALUES ($1, $2, $3, $4)
ON CONFLICT (team, channel) DO UPDATE SET reason = excluded.reason, changes = excluded.changes
"""
LOOK_BACK_ANEW = "UPDATE portals SET caught_up = 0 WHERE team = $1 AND channel = $2"
ADD_ROOM = "INSERT INTO direct_rooms (room, team) VALUES ($1, $2) ON CONFLICT (room) DO NOTHING"
ROOM = "SELECT team FROM direct_rooms WHERE room = $1"
REMOVE_ROOM = "DELETE FROM direct_rooms WHERE room = $1"
LOOK = "SELECT gap, looked_at FROM conversation_looks WHERE team = $1 AND user_id = $2"
SET_LOOK = """
INSERT INTO conversation_looks (team, user_id, gap, looked_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (team, user_id) DO UPDATE SET gap = excluded.gap, looked_at = excluded.looked_at
"""


class Told(NamedTuple):
    """What a room was told last: why its conversation is closed, or nothing; `changes` counts what was told."""

    reason: str = ""
    changes: int = 0


class ConversationStore:
    """The direct conversations of all workspaces."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._people: dict[tuple[TeamId, ChannelId], frozenset[SlackUserId]] | None = None

    # --- who takes part

    async def people(self, team: TeamId, channel: ChannelId) -> frozenset[SlackUserId]:
        """Return who takes part in a conversation; nobody where that is not known."""
        return (await self._all()).get((team, channel), frozenset())

    async def all(self) -> list[tuple[TeamId, ChannelId]]:
        """Return every conversation of which it is known who takes part."""
        return sorted(await self._all())

    async def _all(self) -> dict[tuple[TeamId, ChannelId], frozenset[SlackUserId]]:
        if self._people is None:
            found: dict[tuple[TeamId, ChannelId], set[SlackUserId]] = {}
            for team, channel, user in await self._database.fetch(ALL_PEOPLE):
                found.setdefault((TeamId(team), ChannelId(channel)), set()).add(SlackUserId(user))
            read = {place: frozenset(people) for place, people in found.items()}
            self._people = self._people or read  # another one may have asked, and learned more, meanwhile
        return self._people

    async def learn(self, team: TeamId, channel: ChannelId, people: Collection[SlackUserId]) -> None:
        """Remember who takes part in a conversation."""
        known = await self._all()
        await self._database.commit(*(Statement(ADD_PERSON, (team, channel, user)) for user in sorted(people)))
        known[team, channel] = frozenset(people)

    # --- open or closed

    async def told(self, team: TeamId, channel: ChannelId) -> Told:
        """Return what a conversation's room was told last."""
        rows = await self._database.fetch(CLOSED, team, channel)
        return Told(str(rows[0][0]), int(rows[0][1])) if rows else Told()

    async def set_told(self, team: TeamId, channel: ChannelId, told: Told) -> None:
        """Remember what its room was told; one that goes on looks back over all that was said meanwhile."""
        unit = [Statement(SET_CLOSED, (team, channel, told.reason, told.changes))]
        if not told.reason:
            unit.append(Statement(LOOK_BACK_ANEW, (team, channel)))
        await self._database.commit(*unit)

    # --- rooms that people of Matrix made

    async def add_room(self, room: RoomId, team: TeamId) -> None:
        """Remember that a ghost of a workspace took up an invitation into a room."""
        await self._database.commit(Statement(ADD_ROOM, (room, team)))

    async def room(self, room: RoomId) -> TeamId | None:
        """Return of which workspace the ghosts are that took up an invitation; None for any other room."""
        rows = await self._database.fetch(ROOM, room)
        return TeamId(rows[0][0]) if rows else None

    async def remove_room(self, room: RoomId) -> None:
        """Forget a room in which no conversation begins any more."""
        await self._database.commit(Statement(REMOVE_ROOM, (room,)))

    # --- conversations of which no event told

    async def look(self, team: TeamId, user: SlackUserId) -> tuple[int, int]:
        """Return the gap behind which somebody's conversations were looked through last, and when (ms); 0 for never."""
        rows = await self._database.fetch(LOOK, team, user)
        return (int(rows[0][0]), int(rows[0][1])) if rows else (0, 0)

    async def set_look(self, team: TeamId, user: SlackUserId, gap: int, at: int) -> None:
        """Remember that somebody's conversations were looked through, and when that began."""
        await self._database.commit(Statement(SET_LOOK, (team, user, gap, at)))
