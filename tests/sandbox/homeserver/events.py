"""Events of an instant homeserver: sending them, state, and reading them back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from tests.sandbox.homeserver import rooms, rules
from tests.sandbox.homeserver.call import MatrixError, bad, not_found

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.sandbox.homeserver.call import Call
    from tests.sandbox.homeserver.transport import Json
    from tests.sandbox.homeserver.world import Event, Room, World

MAX_PAGE = 1000
THREAD = frozenset({"m.thread"})
# Relations that nobody sees any more when what they relate to was redacted.
LOST = frozenset({"m.replace", "m.annotation", "m.reference"})


def send(world: World, call: Call) -> Json:
    room_id, kind, _ = call.arguments
    room = rules.require_member(world.room(room_id), room_id, call.sender)
    rules.check_send(room, call.sender, kind, call.body)
    return {"event_id": world.append(room, kind, call.sender, call.body, at=_time(call)).event_id}


def redact(world: World, call: Call) -> Json:
    room_id, event_id, _ = call.arguments
    room = rules.require_member(world.room(room_id), room_id, call.sender)
    content = {**call.body, "redacts": event_id}
    rules.check_send(room, call.sender, "m.room.redaction", content)
    return {"event_id": world.append(room, "m.room.redaction", call.sender, content).event_id}


def state_put(world: World, call: Call) -> Json:
    room_id, kind, *rest = call.arguments
    key = rest[0] if rest else ""
    if kind == "m.room.member":
        return _member_put(world, call, room_id, key)
    room = rules.require_member(world.room(room_id), room_id, call.sender)
    before = room.state.get((kind, key))
    if before and before.content == call.body and before.sender == call.sender:
        return {"event_id": before.event_id}
    rules.check_send(room, call.sender, kind, call.body, key)
    return {"event_id": world.append(room, kind, call.sender, call.body, key, at=_time(call)).event_id}


def state_get(world: World, call: Call) -> Json:
    room_id, kind, *rest = call.arguments
    room = rules.require_reader(world.room(room_id), room_id, call.sender)
    event = room.state.get((kind, rest[0] if rest else ""))
    if event is None:
        raise not_found()
    return event.bare() if call.query.get("format") == "event" else event.content


def state_all(world: World, call: Call) -> list[Json]:
    (room_id,) = call.arguments
    room = rules.require_reader(world.room(room_id), room_id, call.sender)
    return [event.shown() for event in room.state.values()]


def event_get(world: World, call: Call) -> Json:
    room_id, event_id = call.arguments
    room = world.room(room_id)
    if room is None or call.sender not in room.joined or event_id not in room.by_id:
        raise not_found()
    return _bundled(room, room.by_id[event_id])


def context(world: World, call: Call) -> Json:
    room_id, event_id = call.arguments
    room = rules.require_reader(world.room(room_id), room_id, call.sender)
    event = room.event(event_id)
    limit = call.number("limit", 10)
    visible = _visible(room)
    before = [e for e in room.before(event.position - 1) if visible(e)][: limit // 2]
    after = [e for e in room.after(event.position) if visible(e)][: (limit + 1) // 2]
    return {
        "event": _bundled(room, event),
        "events_before": [_bundled(room, e) for e in before],
        "events_after": [_bundled(room, e) for e in after],
        "state": [e.shown() for e in room.state.values()],
        "start": _token((before[-1] if before else event).position - 1),
        "end": _token((after[-1] if after else event).position),
    }


def messages(world: World, call: Call) -> Json:
    (room_id,) = call.arguments
    room = rules.require_reader(world.room(room_id), room_id, call.sender)
    forwards = call.query.get("dir") == "f"
    limit = min(call.number("limit", 10), MAX_PAGE)
    start = _position(call.query["from"]) if "from" in call.query else (0 if forwards else world.position)
    end = _position(call.query["to"]) if "to" in call.query else None
    wanted, visible = _filter(call.query.get("filter")), _visible(room)
    found: list[Event] = []
    candidates: Iterable[Event] = room.after(start) if forwards else room.before(start)
    for event in candidates:
        if end is not None and (event.position > end if forwards else event.position <= end):
            break
        if wanted(event):
            found.append(event)
            if len(found) == limit:
                break
    # What is hidden counts towards the limit all the same: a page may be short without being the last.
    page: Json = {"chunk": [_bundled(room, event) for event in found if visible(event)], "start": _token(start)}
    if found:
        page["end"] = _token(found[-1].position if forwards else found[-1].position - 1)
    return page


def relations(world: World, call: Call) -> Json:
    room_id, event_id, *narrowed = call.arguments
    room = rules.require_reader(world.room(room_id), room_id, call.sender)
    target = room.event(event_id)
    forwards = call.query.get("dir", "b") == "f"
    limit = min(call.number("limit", 5), MAX_PAGE)
    found = [
        event
        for event in room.related.get(event_id, ())
        if event.relation.get("rel_type") == (narrowed[0] if narrowed else event.relation.get("rel_type"))
        and event.type == (narrowed[1] if len(narrowed) > 1 else event.type)
        and event.relation.get("rel_type") in (THREAD if target.redacted else {*THREAD, *LOST})
    ]
    if not forwards:
        found.reverse()
    if "from" in call.query:
        at = _position(call.query["from"])
        found = [event for event in found if (event.position > at if forwards else event.position <= at)]
    page: Json = {"chunk": [_bundled(room, event) for event in found[:limit]]}
    if len(found) > limit:
        last = found[limit - 1].position
        page["next_batch"] = _token(last if forwards else last - 1)
    return page


def event_at(world: World, call: Call) -> Json:
    """The event closest to a time."""
    (room_id,) = call.arguments
    room = rules.require_reader(world.room(room_id), room_id, call.sender)
    at = call.number("ts", 0)
    forwards = call.query.get("dir", "f") == "f"
    events = room.events if forwards else room.before(world.position)
    for event in events:
        if event.at >= at if forwards else event.at <= at:
            return {"event_id": event.event_id, "origin_server_ts": event.at}
    raise not_found(f"Unable to find event from {at} in direction Direction.{'FORWARDS' if forwards else 'BACKWARDS'}")


def _member_put(world: World, call: Call, room_id: str, target: str) -> Json:
    room = rules.require_room(world, room_id)
    content = dict(call.body)
    membership = content.pop("membership", None)
    if membership == "join" and target == call.sender:
        rooms.join_user(world, room, target, content)
    elif membership == "invite":
        rules.require_member(room, room_id, call.sender)
        rooms.invite_user(world, room, call.sender, target, content)
    else:
        raise MatrixError(501, "M_UNRECOGNIZED", "the instant homeserver takes join and invite here")
    return {"event_id": room.state["m.room.member", target].event_id}


def _bundled(room: Room, event: Event) -> Json:
    """An event as a reader gets it: with its last edit and its thread folded into `unsigned`."""
    shown = event.shown()
    related = room.related.get(event.event_id)
    if not related:
        return shown
    bundle: Json = {}
    edits = [e for e in related if e.relation.get("rel_type") == "m.replace" and e.sender == event.sender]
    if edits and not event.redacted:
        bundle["m.replace"] = edits[-1].shown()
    thread = [e for e in related if e.relation.get("rel_type") == "m.thread"]
    if thread:
        bundle["m.thread"] = {"count": len(thread), "latest_event": thread[-1].shown()}
    if bundle:
        shown["unsigned"]["m.relations"] = bundle
    return shown


def _visible(room: Room) -> Callable[[Event], bool]:
    """Redactions of events that nobody knows stay hidden."""

    def visible(event: Event) -> bool:
        return event.type != "m.room.redaction" or event.content.get("redacts") in room.by_id

    return visible


def _filter(text: str | None) -> Callable[[Event], bool]:
    """The part of Matrix's event filters that bridges use; anything else is refused rather than ignored."""
    if not text:
        return lambda _: True
    chosen: dict[str, Any] = orjson.loads(text)
    unknown = set(chosen) - {"types", "not_types", "senders", "not_senders", "lazy_load_members", "limit"}
    if unknown:
        raise MatrixError(501, "M_UNRECOGNIZED", f"the instant homeserver knows no filter {sorted(unknown)}")

    def wanted(event: Event) -> bool:
        return (
            ("types" not in chosen or event.type in chosen["types"])
            and ("senders" not in chosen or event.sender in chosen["senders"])
            and event.type not in chosen.get("not_types", ())
            and event.sender not in chosen.get("not_senders", ())
        )

    return wanted


def _time(call: Call) -> int | None:
    """Only an application service may say when something happened."""
    return call.number("ts", 0) if call.service and "ts" in call.query else None


def _token(position: int) -> str:
    return f"t{position}"


def _position(token: str) -> int:
    if token[:1] not in {"t", "s"} or not token[1:].isdigit():
        raise bad("Invalid stream token", "M_INVALID_PARAM")
    return int(token[1:])
