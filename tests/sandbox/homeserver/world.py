"""Everything that an instant homeserver remembers: accounts, rooms, events, media.

It stores and indexes; whether something is allowed is decided in `rules`, before it gets here.
"""

from __future__ import annotations

import secrets
import time
from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.sandbox.homeserver.call import not_found

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tests.sandbox.homeserver.transport import Json

ROOM_VERSION = "12"
STRIPPED = ("m.room.create", "m.room.join_rules", "m.room.canonical_alias", "m.room.avatar", "m.room.name")
SURVIVES_REDACTION: dict[str, tuple[str, ...]] = {
    "m.room.member": ("membership",),
    "m.room.join_rules": ("join_rule",),
    "m.room.history_visibility": ("history_visibility",),
    "m.room.redaction": ("redacts",),
}


@dataclass(slots=True)
class Event:
    """One event of a room; `position` orders it among all events of the homeserver, `at` is when it is said to be."""

    event_id: str
    room_id: str
    type: str
    sender: str
    content: Json
    at: int
    arrived: int
    position: int
    state_key: str | None = None
    unsigned: Json = field(default_factory=dict)

    def bare(self) -> Json:
        """As `?format=event` shows it."""
        shown: Json = {
            "type": self.type,
            "sender": self.sender,
            "content": self.content,
            "event_id": self.event_id,
            "room_id": self.room_id,
            "origin_server_ts": self.at,
            "unsigned": {"age": _now() - self.arrived, **self.unsigned},
        }
        shown["unsigned"].pop("invite_room_state", None)
        if self.state_key is not None:
            shown["state_key"] = self.state_key
        if self.type == "m.room.redaction":
            shown["redacts"] = self.content.get("redacts")
        return shown

    def shown(self) -> Json:
        """As clients get it: Synapse repeats some of `unsigned` on top."""
        shown = self.bare()
        unsigned = shown["unsigned"]
        shown["user_id"] = self.sender
        for key in ("age", "prev_content", "replaces_state", "redacted_because"):
            if key in unsigned:
                shown[key] = unsigned[key]
        return shown

    def pushed(self) -> Json:
        """As application services get it: an invitation carries what it shows of the room."""
        shown = self.shown()
        if "invite_room_state" in self.unsigned:
            shown["invite_room_state"] = self.unsigned["invite_room_state"]
            shown["unsigned"]["invite_room_state"] = self.unsigned["invite_room_state"]
        return shown

    @property
    def relation(self) -> Json:
        relation = self.content.get("m.relates_to")
        return relation if isinstance(relation, dict) else {}

    @property
    def redacted(self) -> bool:
        return "redacted_because" in self.unsigned


@dataclass(slots=True)
class Room:
    """One room: its events in order, and what follows from them."""

    room_id: str
    creator: str
    events: list[Event] = field(default_factory=list)
    by_id: dict[str, Event] = field(default_factory=dict)
    state: dict[tuple[str, str], Event] = field(default_factory=dict)
    related: dict[str, list[Event]] = field(default_factory=lambda: defaultdict(list))
    annotations: dict[tuple[str, str, str], str] = field(default_factory=dict)
    typing: list[str] = field(default_factory=list)
    joined: dict[str, None] = field(default_factory=dict)

    def membership(self, user_id: str) -> str:
        member = self.state.get(("m.room.member", user_id))
        return member.content["membership"] if member else "leave"

    def content(self, kind: str, key: str = "") -> Json:
        """The content of a state event, empty where there is none."""
        event = self.state.get((kind, key))
        return event.content if event else {}

    def event(self, event_id: str) -> Event:
        if event_id not in self.by_id:
            raise not_found()
        return self.by_id[event_id]

    def before(self, position: int) -> Iterator[Event]:
        """Events up to a position, newest first."""
        return reversed(self.events[: self._index(position)])

    def after(self, position: int) -> list[Event]:
        return self.events[self._index(position) :]

    def stripped_state(self, *members: str) -> list[Json]:
        """What an invitation shows of the room."""
        keys = [(kind, "") for kind in (*STRIPPED, "m.room.topic")] + [("m.room.member", member) for member in members]
        return [
            {"type": event.type, "state_key": event.state_key, "sender": event.sender, "content": event.content}
            for key in keys
            if (event := self.state.get(key))
        ]

    def _index(self, position: int) -> int:
        return bisect_right(self.events, position, key=lambda event: event.position)


@dataclass(slots=True)
class Account:
    password: str = ""
    profile: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Media:
    data: bytes
    content_type: str
    filename: str | None


class World:
    """All of it, and who wants to hear of news: `on_event` and `on_ephemeral` are called in order, at once."""

    def __init__(self, server_name: str) -> None:
        self.server_name = server_name
        self.accounts: dict[str, Account] = {}
        self.tokens: dict[str, str] = {}
        self.rooms: dict[str, Room] = {}
        self.aliases: dict[str, tuple[str, str]] = {}
        self.media: dict[str, Media] = {}
        self.max_upload = 50 * 1024 * 1024
        self.account_data: dict[tuple[str, str, str], Json] = {}
        self.push_rules: dict[str, dict[str, Json]] = {}
        """By account and name: the rules that override all others."""
        self.position = 0
        self.on_event: list[Callable[[Room, Event], None]] = []
        self.on_ephemeral: list[Callable[[Room, Json], None]] = []

    def user_id(self, name: str) -> str:
        return name if name.startswith("@") else f"@{name}:{self.server_name}"

    def room(self, room_id: str) -> Room | None:
        return self.rooms.get(room_id)

    def new_token(self, user_id: str) -> str:
        token = f"syt_{secrets.token_urlsafe(24)}"
        self.tokens[token] = user_id
        return token

    def new_room(self, creator: str, content: Json) -> Room:
        """A room of version 12, whose id is that of its first event."""
        name = secrets.token_urlsafe(32)
        room = Room(f"!{name}", creator)
        self.rooms[room.room_id] = room
        self.append(room, "m.room.create", creator, content, "", event_id=f"${name}")
        return room

    def append(
        self,
        room: Room,
        kind: str,
        sender: str,
        content: Json,
        state_key: str | None = None,
        *,
        at: int | None = None,
        event_id: str | None = None,
        unsigned: Json | None = None,
    ) -> Event:
        """Store what was allowed, update what follows from it, tell whoever listens."""
        self.position += 1
        now = _now()
        event = Event(
            event_id=event_id or f"${secrets.token_urlsafe(32)}",
            room_id=room.room_id,
            type=kind,
            sender=sender,
            content=content,
            at=now if at is None else at,
            arrived=now,
            position=self.position,
            state_key=state_key,
            unsigned=unsigned or {},
        )
        room.events.append(event)
        room.by_id[event.event_id] = event
        if state_key is not None:
            self._become_state(room, event, state_key)
        elif kind == "m.room.redaction":
            redact(room, event)
        relation = event.relation
        if target := relation.get("event_id"):
            room.related[target].append(event)
            if relation.get("rel_type") == "m.annotation":
                room.annotations[target, relation.get("key", ""), sender] = event.event_id
        for listener in self.on_event:
            listener(room, event)
        return event

    def ephemeral(self, room: Room, kind: str, content: Json) -> None:
        event: Json = {"type": kind, "room_id": room.room_id, "content": content}
        for listener in self.on_ephemeral:
            listener(room, event)

    def rooms_of(self, user_id: str) -> Iterable[Room]:
        return [room for room in self.rooms.values() if user_id in room.joined]

    def _become_state(self, room: Room, event: Event, state_key: str) -> None:
        before = room.state.get((event.type, state_key))
        if before:
            event.unsigned["prev_content"] = before.content
            event.unsigned["prev_sender"] = before.sender
            event.unsigned["replaces_state"] = before.event_id
        room.state[event.type, state_key] = event
        if event.type == "m.room.member":
            room.joined.pop(state_key, None)
            if event.content.get("membership") == "join":
                room.joined[state_key] = None


def redact(room: Room, redaction: Event) -> None:
    """Take the content from the event that `redaction` names, if the room has it and it still has any."""
    target = room.by_id.get(redaction.content.get("redacts", ""))
    if target is None or target.redacted:
        return
    relation = target.relation
    if relation.get("rel_type") == "m.annotation":
        room.annotations.pop((relation.get("event_id", ""), relation.get("key", ""), target.sender), None)
    if relation.get("event_id"):
        room.related[relation["event_id"]].remove(target)
    kept = SURVIVES_REDACTION.get(target.type, ())
    target.content = {key: value for key, value in target.content.items() if key in kept}
    target.unsigned["redacted_by"] = redaction.event_id
    target.unsigned["redacted_because"] = redaction.shown()


def _now() -> int:
    return time.time_ns() // 1_000_000
