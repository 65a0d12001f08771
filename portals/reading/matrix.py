"""Matrix's JSON becomes events: the one door for what the homeserver delivers in transactions.

As with Slack's: `address` names an event and its queue at once, `read` understands it when its turn comes, nothing
foreign raises. Sources: the client-server API v1.x, "Room events", "Instant messaging", "Relationships".
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from portals.events import (
    Ignored,
    Json,
    MatrixEvent,
    MatrixFile,
    MatrixMembership,
    MatrixMessage,
    MatrixPins,
    MatrixPollEnd,
    MatrixReaction,
    MatrixRedaction,
    MatrixTopic,
)
from portals.ids import EventId, MatrixUserId, RoomId
from portals.reading.polls import ENDS, STARTS, poll_of
from portals.reading.slack import Address
from portals.reading.values import mapping, number, text_of

if TYPE_CHECKING:
    from collections.abc import Callable

_FILES = frozenset({"m.image", "m.file", "m.audio", "m.video"})
_MEMBERSHIPS = frozenset({"join", "leave", "invite", "ban", "knock"})


def address(event: Json) -> Address | None:
    """Return where to keep an event of a transaction, or None when it can never concern the bridge."""
    room, event_id, sender = (text_of(event.get(name)) for name in ("room_id", "event_id", "sender"))
    if not (room and event_id and sender and text_of(event.get("type")) in _READERS):
        return None
    return Address(room, f"matrix:{event_id}")


def read(event: Json, source: str) -> MatrixEvent | Ignored:
    """Return what an event tells; `source` is the name under which it is kept."""
    room, event_id, sender = (text_of(event.get(name)) for name in ("room_id", "event_id", "sender"))
    if not (room and event_id and sender):
        return Ignored("an event without room, id or sender")
    kind = text_of(event.get("type"))
    reader = _READERS.get(kind)
    if reader is None:
        return Ignored(f"events of type {kind[:60]!r} are not relayed")
    if kind in _STATES and event.get("state_key") != "":
        return Ignored("an event with the type of a state that is not the room's")
    if kind not in _STATES and kind != "m.room.member" and "state_key" in event:
        return Ignored("a state event with the type of a message")
    return reader(event, mapping(event.get("content")), source, RoomId(room), EventId(event_id), MatrixUserId(sender))


def subject(event: Json) -> EventId:
    """Return the event that a word about this one should answer: a reaction's, edit's or redaction's object, or itself.

    Only a message can be answered so that clients show what is meant.
    """
    content = mapping(event.get("content"))
    relation = mapping(content.get("m.relates_to"))
    related = relation.get("event_id") if relation.get("rel_type") in ("m.annotation", "m.replace") else None
    found = (related, event.get("redacts"), content.get("redacts"), event.get("event_id"))
    return EventId(next(filter(None, map(text_of, found)), ""))


def edited_by(event: Json) -> EventId:
    """Return the event that this one replaces, an empty id for none."""
    relation = mapping(mapping(event.get("content")).get("m.relates_to"))
    return EventId(text_of(relation.get("event_id")) if relation.get("rel_type") == "m.replace" else "")


def _message(
    event: Json, content: Json, source: str, room: RoomId, event_id: EventId, sender: MatrixUserId
) -> MatrixEvent | Ignored:
    relation = mapping(content.get("m.relates_to"))
    kind = text_of(relation.get("rel_type"))
    target = EventId(text_of(relation.get("event_id")))
    reply = EventId(text_of(mapping(relation.get("m.in_reply_to")).get("event_id"))) or None
    edits = thread = None
    shown = content
    if kind == "m.replace":
        if not target:
            return Ignored("an edit of nothing")
        edits, shown, reply = target, mapping(content.get("m.new_content")) or content, None
    elif kind == "m.thread" and target:
        thread = target
        if relation.get("is_falling_back") is True:
            reply = None
    encrypted = event.get("type") == "m.room.encrypted"
    if not content:
        return Ignored("a message without content (redacted before its turn came)")
    if event.get("type") == "m.sticker":
        shown = {**shown, "msgtype": "m.image"}
    poll = poll_of(shown) if event.get("type") in STARTS else None
    if event.get("type") in STARTS and poll is None:
        return Ignored("a poll without a question")
    if not encrypted and poll is None and not isinstance(shown.get("msgtype"), str):
        return Ignored("a message without a msgtype")
    if shown.get("msgtype") == "m.key.verification.request":
        return Ignored("a verification of keys, which is between two clients")
    file = _file(shown) if poll is None else None
    if file is not None and event.get("type") == "m.sticker":
        file = replace(file, alt=text_of(shown.get("body")))
    return MatrixMessage(source, room, event_id, sender, shown, file, edits, thread, reply, encrypted, poll)


def _file(content: Json) -> MatrixFile | None:
    if text_of(content.get("msgtype")) not in _FILES:
        return None
    encryption = mapping(content.get("file")) if not text_of(content.get("url")) else {}
    uri = text_of(content.get("url")) or text_of(encryption.get("url"))
    if not uri.startswith("mxc://"):
        return None
    info = mapping(content.get("info"))
    return MatrixFile(
        uri=uri,
        name=text_of(content.get("filename")) or text_of(content.get("body")) or "file",
        mimetype=text_of(info.get("mimetype")) or "application/octet-stream",
        size=number(info.get("size")),
        encryption=encryption or None,
    )


def _poll_end(
    event: Json, content: Json, source: str, room: RoomId, event_id: EventId, sender: MatrixUserId
) -> MatrixEvent | Ignored:
    poll = text_of(mapping(content.get("m.relates_to")).get("event_id"))
    if not poll:
        return Ignored("the end of no poll")
    return MatrixPollEnd(source, room, event_id, sender, EventId(poll), number(event.get("origin_server_ts")))


def latest(event: Json, source: str) -> MatrixMessage | None:
    """Return a message as it stands now, with the edit that the homeserver folds into it; None for what is none."""
    content = mapping(event.get("content"))
    edit = mapping(mapping(mapping(event.get("unsigned")).get("m.relations")).get("m.replace"))
    new = mapping(mapping(edit.get("content")).get("m.new_content"))
    for said in ({**new, "m.relates_to": content.get("m.relates_to")} if new else content, content):
        found = read({**event, "content": said}, source)
        if isinstance(found, MatrixMessage):
            return found
    return None


def _reaction(
    event: Json, content: Json, source: str, room: RoomId, event_id: EventId, sender: MatrixUserId
) -> MatrixEvent | Ignored:
    relation = mapping(content.get("m.relates_to"))
    target, key = text_of(relation.get("event_id")), text_of(relation.get("key"))
    if relation.get("rel_type") != "m.annotation" or not target or not key:
        return Ignored("a reaction to nothing")
    shortcode = text_of(content.get("shortcode")) or text_of(content.get("com.beeper.reaction.shortcode"))
    return MatrixReaction(source, room, event_id, sender, EventId(target), key, shortcode.strip(":"))


def _redaction(
    event: Json, content: Json, source: str, room: RoomId, event_id: EventId, sender: MatrixUserId
) -> MatrixEvent | Ignored:
    target = text_of(event.get("redacts")) or text_of(content.get("redacts"))
    return (
        MatrixRedaction(source, room, event_id, sender, EventId(target))
        if target
        else Ignored("a redaction of nothing")
    )


def _membership(
    event: Json, content: Json, source: str, room: RoomId, event_id: EventId, sender: MatrixUserId
) -> MatrixEvent | Ignored:
    user, membership = text_of(event.get("state_key")), text_of(content.get("membership"))
    if not user or membership not in _MEMBERSHIPS:
        return Ignored("a membership of nobody")
    name, avatar = text_of(content.get("displayname")), text_of(content.get("avatar_url"))
    is_direct = content.get("is_direct") is True
    return MatrixMembership(source, room, sender, MatrixUserId(user), membership, name, avatar, is_direct)


def _pins(
    event: Json, content: Json, source: str, room: RoomId, event_id: EventId, sender: MatrixUserId
) -> MatrixEvent | Ignored:
    """Compare with what was pinned before: where the homeserver does not tell, nothing was taken off."""
    before = _event_ids(mapping(mapping(event.get("unsigned")).get("prev_content")).get("pinned"))
    now = _event_ids(content.get("pinned"))
    added = tuple(one for one in now if one not in before)
    removed = tuple(one for one in before if one not in now)
    if not added and not removed:
        return Ignored("pins that stay as they were")
    return MatrixPins(source, room, event_id, sender, now, added, removed)


def _event_ids(value: object) -> tuple[EventId, ...]:
    found = value if isinstance(value, list | tuple) else ()
    return tuple(dict.fromkeys(EventId(one) for one in found if isinstance(one, str) and one))


def _topic(
    event: Json, content: Json, source: str, room: RoomId, event_id: EventId, sender: MatrixUserId
) -> MatrixEvent | Ignored:
    return MatrixTopic(source, room, event_id, sender, text_of(content.get("topic")))


_STATES = frozenset({"m.room.pinned_events", "m.room.topic"})
_READERS: dict[str, Callable[[Json, Json, str, RoomId, EventId, MatrixUserId], MatrixEvent | Ignored]] = {
    "m.room.message": _message,
    "m.sticker": _message,
    **dict.fromkeys(STARTS, _message),
    **dict.fromkeys(ENDS, _poll_end),
    "m.room.encrypted": _message,
    "m.reaction": _reaction,
    "m.room.redaction": _redaction,
    "m.room.member": _membership,
    "m.room.pinned_events": _pins,
    "m.room.topic": _topic,
}
