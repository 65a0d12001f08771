"""A room is read back from the homeserver, from its first event to its last, page by page.

What the bridge's own store knows of the room counts for nothing here: only what the homeserver tells.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from portals.history.sets import Membership
from portals.history.shown import (
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
    from portals.history.shown import Tells
    from portals.ids import RoomId

_PAGE = 500


@dataclass(slots=True)
class ReadRoom:
    """What is not about single messages: how many events there are, what is pinned, and who is there."""

    events: int = 0
    pinned: tuple[str, ...] = ()
    pinned_at: int = 0
    members: dict[str, Membership] = field(default_factory=dict)
    """How everybody stands to the room who ever was in it or invited."""
    names: dict[str, str] = field(default_factory=dict)
    """How everybody is called in the room."""


async def read_room(
    matrix: MatrixClient,
    room_id: RoomId,
    room: Room,
    gathered: Gathered,
    *,
    before: int = 0,
    progress: Callable[[int], None] = lambda _: None,
) -> ReadRoom:
    """Read a whole room into what was gathered; `before` events of other rooms come before it.

    Raises Refused where the bot may not read it, Later where the homeserver is away.
    """
    found = ReadRoom()
    start: str | None = None
    while True:
        page = await matrix.messages(room_id, start=start, direction="f", limit=_PAGE)
        for event in page.events:
            found.events += 1
            told = tells(event, before + found.events, room)
            if told is not None:
                _take(told, room, gathered, found)
        progress(found.events)
        if page.end is None or not page.events:
            return found
        start = page.end


def _take(told: Tells, room: Room, gathered: Gathered, found: ReadRoom) -> None:
    match told:
        case ShownMessage():
            gathered.show(told.ts, told.part)
        case Edit():
            _edit(told, room, gathered)
        case Reacted():
            gathered.react(told.target, told.reaction)
        case Redacted():
            gathered.redact(told)
        case Stray():
            gathered.stray(told)
        case Pinned():
            found.pinned, found.pinned_at = told.events, told.time
        case Entered():
            found.members[told.user] = Membership(told.membership, told.time)
            if told.name:
                found.names[told.user] = told.name


def _edit(edit: Edit, room: Room, gathered: Gathered) -> None:
    """Show the newest edit of an event; an edit by another sender is none (client-server API, "Event replacements")."""
    there = gathered.find(edit.target)
    if there is None or there[1].sender != edit.sender or edit.time < there[1].edited:
        return
    ts, part = there
    gathered.show(ts, replace(with_content(part, ts, edit.content, room.who), edited=edit.time))
