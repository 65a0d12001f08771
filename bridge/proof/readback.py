"""A room is read back from the homeserver, from its first event to its last, page by page.

What the bridge's own store knows of the room counts for nothing here: only what the homeserver tells, and the keys to
read it with where it is encrypted.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from portals.history.sets import Membership
from portals.history.shown import (
    Described,
    Edit,
    Entered,
    Pinned,
    Reacted,
    Redacted,
    Room,
    ShownMessage,
    Stray,
    tells,
    with_content,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.matrix.client import MatrixClient
    from bridge.proof.gathered import Gathered
    from portals.events import Json
    from portals.ids import RoomId

_PAGE = 500


class RoomReading:
    """Takes a room's events in their order, and keeps what is not about single messages."""

    def __init__(self, room: Room, gathered: Gathered, before: int = 0) -> None:
        """Begin; `before` events of other rooms come before those of this one."""
        self._room = room
        self._gathered = gathered
        self._before = before
        self.events = 0
        self.pinned: tuple[str, ...] = ()
        self.pinned_at = 0
        self.topic = ""
        self.topic_at = 0
        self.members: dict[str, Membership] = {}
        """How everybody stands to the room who ever was in it or invited."""
        self._names: dict[str, str] = {}
        """How everybody is called in the room, at the place to which it was read."""

    def take(self, event: Json) -> None:
        """Take the next event."""
        self.events += 1
        match told := tells(event, self._before + self.events, self._room):
            case ShownMessage():
                part = told.part
                name = part.name or self._names.get(part.sender, "")
                self._gathered.show(told.ts, replace(part, name=name))
            case Edit():
                self._edit(told)
            case Reacted():
                self._gathered.react(told.target, told.reaction)
            case Redacted():
                self._gathered.redact(told)
            case Stray():
                self._gathered.stray(told)
            case Pinned():
                self.pinned, self.pinned_at = told.events, told.time
            case Described():
                self.topic, self.topic_at = told.topic, told.time
            case Entered():
                self.members[told.user] = Membership(told.membership, told.time)
                self._names[told.user] = told.name or self._names.get(told.user, "")

    def _edit(self, edit: Edit) -> None:
        """Show the newest edit of an event; one by another sender is none (client-server API, "Event replacements")."""
        there = self._gathered.find(edit.target)
        if there is None or there[1].sender != edit.sender or edit.time < there[1].edited:
            return
        ts, part = there
        now = with_content(part, ts, edit.content, self._room.who)
        self._gathered.show(ts, replace(now, edited=edit.time, name=now.name or part.name))


async def read_room(
    matrix: MatrixClient, room: RoomId, reading: RoomReading, progress: Callable[[int], None] = lambda _: None
) -> None:
    """Read a whole room; raises Refused where the bot may not read it, Later where the homeserver is away."""
    start: str | None = None
    while True:
        page = await matrix.messages(room, start=start, direction="f", limit=_PAGE)
        for event in page.events:
            reading.take(await matrix.readable(event))
        progress(reading.events)
        if page.end is None or not page.events:
            return
        start = page.end
