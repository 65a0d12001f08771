"""What a repeated event is about: Slack is asked for its present state, for the event itself may be out of date."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from portals.ids import NO_TS, Ts
from portals.reading.values import mapping, text_of, ts_of

if TYPE_CHECKING:
    from portals.events import Json

REPEATED = "causeway_repeated"
"""A field that the edges add to a payload which Slack delivers again: how often it tried before."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What an event is about: one message (by its ts, in a thread), the channel's members, or the channel itself."""

    kind: Literal["message", "members", "channel"]
    ts: Ts = NO_TS
    thread_ts: Ts = NO_TS


def is_repeated(raw: str) -> bool:
    """Tell whether a payload, as it is stored, was a repetition when it came."""
    return f'"{REPEATED}":' in raw


def subject(payload: Json) -> Subject | None:
    """Return what an event is about, or None for one whose repetition cannot be out of date in a way that matters."""
    event = mapping(payload.get("event"))
    kind = text_of(event.get("type"))
    if kind in ("reaction_added", "reaction_removed"):
        return _message(mapping(event.get("item")))
    if kind in ("member_joined_channel", "member_left_channel"):
        return Subject("members")
    if kind.startswith(("channel_", "group_")):
        return Subject("channel")
    if kind != "message":
        return None
    subtype = text_of(event.get("subtype"))
    if subtype == "message_changed":
        return _message(mapping(event.get("message")))
    if subtype == "message_deleted":
        found = ts_of(event.get("deleted_ts"))
        thread = ts_of(mapping(event.get("previous_message")).get("thread_ts"))
        return Subject("message", found, thread if thread != found else NO_TS) if found else None
    if subtype.startswith(("channel_", "group_")):
        return Subject("channel")
    return _message(event)


def _message(message: Json) -> Subject | None:
    ts, thread = ts_of(message.get("ts")), ts_of(message.get("thread_ts"))
    return Subject("message", ts, thread if thread != ts else NO_TS) if ts else None
