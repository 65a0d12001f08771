"""What a person sees in a room, in a form that two runs can be compared by.

Edits, redactions and reactions are applied to the message they concern; references between messages are positions in
the timeline, since event ids differ from run to run. A redacted event has lost its relation, so a redacted edit stands
as a redacted line of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.sandbox.homeserver.transport import Json

SHOWN = frozenset({"m.room.message", "m.sticker", "m.room.encrypted"})


@dataclass(frozen=True, slots=True)
class Line:
    """One message as it stands after everything that happened to it."""

    sender: str
    kind: str
    body: str
    html: str | None = None
    filename: str | None = None
    thread: int | None = None
    reply_to: int | None = None
    edited: bool = False
    redacted: bool = False
    reactions: tuple[tuple[str, str], ...] = ()


def timeline_of(events: Iterable[Json]) -> tuple[Line, ...]:
    """The lines that these events of one room, oldest first, add up to; reactions are sorted (key, sender) pairs."""
    events = list(events)
    gone = {event["event_id"] for event in events if "redacted_because" in event.get("unsigned", {})}
    shown: dict[str, Json] = {}
    edits: dict[str, Json] = {}
    reactions: dict[str, set[tuple[str, str]]] = {}
    for event in events:
        relation = relation_of(event)
        target = relation.get("event_id", "")
        if event["event_id"] in gone:
            if event["type"] in SHOWN:
                shown[event["event_id"]] = event
        elif event["type"] == "m.reaction":
            reactions.setdefault(target, set()).add((relation.get("key", ""), event["sender"]))
        elif relation.get("rel_type") == "m.replace":
            if target in shown and shown[target]["sender"] == event["sender"]:
                edits[target] = event["content"].get("m.new_content", {})
        elif event["type"] in SHOWN:
            shown[event["event_id"]] = event
    positions = {event_id: number for number, event_id in enumerate(shown)}
    return tuple(
        _line(event, edits.get(event_id), reactions.get(event_id, ()), positions, redacted=event_id in gone)
        for event_id, event in shown.items()
    )


def relation_of(event: Json) -> dict[str, Any]:
    relation = event.get("content", {}).get("m.relates_to")
    return relation if isinstance(relation, dict) else {}


def _line(
    event: Json, edit: Json | None, reactions: Iterable[tuple[str, str]], positions: dict[str, int], *, redacted: bool
) -> Line:
    if redacted:
        return Line(event["sender"], event["type"], "", redacted=True)
    content = edit if edit is not None else event["content"]
    relation = relation_of(event)
    answers = relation.get("m.in_reply_to", {}).get("event_id")
    return Line(
        sender=event["sender"],
        kind=content.get("msgtype") or event["type"],
        body=content.get("body", ""),
        html=content.get("formatted_body"),
        filename=content.get("filename"),
        thread=positions.get(relation.get("event_id", "")) if relation.get("rel_type") == "m.thread" else None,
        reply_to=None if relation.get("is_falling_back") else positions.get(answers or ""),
        edited=edit is not None,
        reactions=tuple(sorted(reactions)),
    )
