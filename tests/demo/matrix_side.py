"""The Matrix side as one of its people sees it: rooms folded from the events that their client is given.

The same fold serves the live view (from `/sync`) and the reading back at the end (from `/messages`).
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.sandbox.homeserver.timeline import SHOWN, relation_of
from tests.sandbox.homeserver.transport import RequestRefused

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.homeserver.person import Person

Json = dict[str, Any]  # Any: JSON of Matrix's


@dataclass(slots=True)
class Shown:
    """One message as it stands: `content` is that of its last edit."""

    event_id: str
    sender: str
    content: Json
    thread: str | None
    replies_to: str | None
    edited: bool = False
    redacted: bool = False
    reactions: dict[str, tuple[str, str]] = field(default_factory=dict)
    """(key, sender) by the event id of the reaction."""

    @property
    def body(self) -> str:
        """Its words without markup."""
        return str(self.content.get("body", ""))

    @property
    def html(self) -> str:
        """Its words with markup, where it has any."""
        return str(self.content.get("formatted_body", ""))

    @property
    def kind(self) -> str:
        """Its msgtype."""
        return str(self.content.get("msgtype", ""))


@dataclass(slots=True)
class Room:
    """A room, folded from its events in order."""

    room_id: str
    messages: dict[str, Shown] = field(default_factory=dict)
    state: dict[tuple[str, str], Json] = field(default_factory=dict)
    typing: set[str] = field(default_factory=set)
    typed: set[str] = field(default_factory=set)
    """Whoever was seen typing at any time."""

    def fold(self, event: Json) -> None:
        """Take one event in."""
        kind, content = event["type"], event["content"]
        if "state_key" in event:
            self.state[kind, event["state_key"]] = content
        elif kind == "m.room.redaction":
            self._redact(event.get("redacts") or content.get("redacts", ""))
        elif kind == "m.reaction":
            relation = relation_of(event)
            target = self.messages.get(relation.get("event_id", ""))
            if target is not None:
                target.reactions[event["event_id"]] = (relation.get("key", ""), event["sender"])
        elif relation_of(event).get("rel_type") == "m.replace":
            self._replace(event)
        elif kind in SHOWN:
            self._show(event)

    def name_of(self, user_id: str) -> str:
        """What a member is called here."""
        return self.state.get(("m.room.member", user_id), {}).get("displayname") or user_id

    def is_joined(self, user_id: str) -> bool:
        """Whether somebody is in the room."""
        return self.state.get(("m.room.member", user_id), {}).get("membership") == "join"

    @property
    def name(self) -> str:
        """The room's name."""
        return str(self.state.get(("m.room.name", ""), {}).get("name", ""))

    @property
    def topic(self) -> str:
        """The room's topic."""
        return str(self.state.get(("m.room.topic", ""), {}).get("topic", ""))

    def find(self, words: str) -> Shown | None:
        """The newest message whose body has these words."""
        return next((one for one in reversed(self.messages.values()) if words in one.body), None)

    def _show(self, event: Json) -> None:
        relation = relation_of(event)
        in_reply_to = relation.get("m.in_reply_to") or {}
        self.messages[event["event_id"]] = Shown(
            event_id=event["event_id"],
            sender=event["sender"],
            content=event["content"],
            thread=relation.get("event_id") if relation.get("rel_type") == "m.thread" else None,
            replies_to=None if relation.get("is_falling_back") else in_reply_to.get("event_id"),
            redacted="redacted_because" in event.get("unsigned", {}),
        )

    def _replace(self, event: Json) -> None:
        target = self.messages.get(relation_of(event).get("event_id", ""))
        if target is not None and target.sender == event["sender"]:
            target.content = event["content"].get("m.new_content", {})
            target.edited = True

    def _redact(self, event_id: str) -> None:
        if event_id in self.messages:
            self.messages[event_id].redacted = True
        for message in self.messages.values():
            message.reactions.pop(event_id, None)


class MatrixSide:
    """What `viewer` sees; joins whatever room they are invited to."""

    def __init__(self, viewer: Person, alias: Callable[[str], str]) -> None:
        self.viewer = viewer
        self.rooms: dict[str, Room] = {}
        self._alias = alias
        self._ids: dict[str, str] = {}

    def room(self, channel: str) -> Room:
        """The room of a channel, by the name that the channel had at the start; an empty one while there is none."""
        return self.rooms.get(self._ids.get(channel, "")) or Room("")

    def message(self, channel: str, event_id: str) -> Shown | None:
        """One message of a channel's room."""
        return self.room(channel).messages.get(event_id)

    def find(self, channel: str, words: str) -> Shown | None:
        """The newest message with these words in a channel's room."""
        return self.room(channel).find(words)

    async def locate(self, channels: list[str]) -> bool:
        """Find the rooms of channels by their aliases; returns whether all of them are there and joined."""
        for channel in channels:
            if channel not in self._ids:
                try:
                    self._ids[channel] = await self.viewer.resolve(self._alias(channel))
                except RequestRefused:
                    continue
        return all(self._ids.get(channel) in self.rooms for channel in channels)

    async def until_located(self, channel: str, seconds: float) -> None:
        """Wait for the room of a new channel, though not longer than this."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not await self.locate([channel]):
                    await asyncio.sleep(0.1)

    def channel_of(self, room_id: str) -> str:
        """The channel of a room, or nothing for another room."""
        return next((channel for channel, known in self._ids.items() if known == room_id), "")

    async def follow(self, tell: Callable[[Room, Json, str], None]) -> None:
        """Sync for ever; `tell` hears of each event before it is folded, with the body of the message it concerns."""
        since: str | None = None
        while True:
            answer = await self.viewer.sync(since, milliseconds=10_000 if since else 0)
            since = answer["next_batch"]
            rooms = answer.get("rooms", {})
            for room_id in rooms.get("invite", {}):
                await self.viewer.join(room_id)
            for room_id, news in rooms.get("join", {}).items():
                await self._take(room_id, news, tell)

    async def _take(self, room_id: str, news: Json, tell: Callable[[Room, Json, str], None]) -> None:
        room = self.rooms.get(room_id)
        timeline = news["timeline"]
        if room is None or timeline.get("limited"):
            room = await self.read_back(room_id)
            self.rooms[room_id] = room
        else:
            events = [*news.get("state", {}).get("events", ()), *timeline["events"]]
            for event in events:
                target = room.messages.get(relation_of(event).get("event_id") or event.get("redacts") or "")
                tell(room, event, target.body if target else "")
                room.fold(event)
            if any("state_key" in event for event in events):
                # Events made at the same time fork a room, and then the order of a sync may not tell how it stands.
                room.state = await self._state(room_id)
        for event in news.get("ephemeral", {}).get("events", ()):
            if event["type"] == "m.typing":
                room.typing = set(event["content"]["user_ids"])
                room.typed |= room.typing

    async def read_back(self, room_id: str) -> Room:
        """A room from its state and its whole history, as a client that comes anew reads it."""
        room = Room(room_id)
        for event in await self.viewer.events(room_id):
            if "redacted_because" not in event.get("unsigned", {}) or event["type"] in SHOWN:
                room.fold(event)
        room.state = await self._state(room_id)
        return room

    async def _state(self, room_id: str) -> dict[tuple[str, str], Json]:
        events = (await self.viewer.get("rooms", room_id, "state"))["list"]
        return {(event["type"], event["state_key"]): event["content"] for event in events}
