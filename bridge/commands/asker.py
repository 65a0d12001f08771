"""Who asks the bot for something, where, and by which event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.administration.acting import Actor
from bridge.errors import Later

if TYPE_CHECKING:
    from portals.commands.levels import Level
    from portals.facts import Portal
    from portals.ids import ActionKey, EventId, MatrixUserId, RoomId


class NotYet(Later):
    """What a command takes will be there in a moment: it is waited for, and nobody is told to ask again."""


@dataclass(frozen=True, slots=True)
class Asker:
    """A person with a level; `alone` says that nobody else reads the answer, `prefix` begins a command there.

    `unsure` says that an earlier try may have done it, not before `since` (s); `done`, that one certainly has: then it
    is only to be told.
    """

    user: MatrixUserId
    level: Level
    room: RoomId
    event_id: EventId
    key: ActionKey
    portal: Portal | None
    alone: bool
    prefix: str
    unsure: bool
    done: bool
    since: float

    @property
    def actor(self) -> Actor:
        """Return the name under which the audit log keeps it: of each command, one of its own."""
        return actor_of(self.user, self.room, self.event_id)


def actor_of(user: MatrixUserId, room: RoomId, event_id: EventId) -> Actor:
    """Return who acts by an event of a room."""
    return Actor(user, f"Matrix {room} {event_id}")
