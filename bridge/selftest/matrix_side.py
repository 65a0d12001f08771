"""The room of a trial: what its person of Matrix does there, and what the bridge's bot sees of it."""

from __future__ import annotations

import time
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING, Any

from mautrix.api import Method, Path

from bridge.errors import Refused
from bridge.matrix.media import Media
from bridge.matrix.rooms import Rooms
from portals.ids import ActionKey, EventId

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from bridge.matrix.client import MatrixClient
    from bridge.matrix.wire import Wire
    from portals.events import Json
    from portals.ids import MatrixUserId, RoomId

_PAGE = 100
_MOST = 10_000_000


class MatrixSide:
    """`reader` is the bridge's bot; `wire` carries the token of a person, if one is there to speak."""

    def __init__(self, room: RoomId, reader: MatrixClient, wire: Wire | None = None) -> None:
        self.room = room
        self.user: MatrixUserId | None = None
        self._reader = reader
        self._wire = wire
        self._numbers = count(time.time_ns())
        self._came = False
        self._made: list[EventId] = []

    # --- the person

    async def enter(self) -> None:
        """Find out who the person is and let them into the room; raises Refused where that cannot be."""
        wire = self._speaker()
        answer = await wire.call(Method.GET, Path.v3.account.whoami, wants="user_id")
        self.user = user = answer["user_id"]
        member = await self._reader.rooms.member(self.room, user)
        if member is not None and member.membership == "join":
            return
        with suppress(Refused):  # the room may let everybody in
            await self._reader.rooms.invite(self.room, user)
        await Rooms(wire, user).join(self.room)
        self._came = True

    async def leave(self) -> None:
        """Leave the room if the trial was why the person came."""
        if self._came:
            await Rooms(self._speaker(), self._person()).leave(self.room)
            self._came = False

    async def say(self, content: Mapping[str, Any]) -> EventId:
        """Send a message."""
        event = await self._send("m.room.message", content)
        self._made.append(event)
        return event

    async def react(self, event: EventId, key: str) -> EventId:
        """React to an event."""
        relation = {"rel_type": "m.annotation", "event_id": event, "key": key}
        return await self._send("m.reaction", {"m.relates_to": relation})

    async def share(self, name: str, content: bytes) -> EventId:
        """Send a file."""

        async def chunks() -> AsyncIterator[bytes]:
            yield content

        kind = "application/octet-stream"
        mxc = await Media(self._speaker()).upload(chunks(), kind, name, len(content))
        info = {"mimetype": kind, "size": len(content)}
        return await self.say({"msgtype": "m.file", "body": name, "filename": name, "url": mxc, "info": info})

    async def redact(self, event: EventId) -> EventId:
        """Take an own event back."""
        path = Path.v3.rooms[self.room].redact[event][f"selftest-{next(self._numbers)}"]
        return EventId((await self._speaker().call(Method.PUT, path, {}, wants="event_id"))["event_id"])

    async def withdraw(self) -> bool:
        """Take back everything that the person said; returns whether there was anything."""
        said = bool(self._made)
        while self._made:
            await self.redact(self._made.pop())
        return said

    async def _send(self, type: str, content: Mapping[str, Any]) -> EventId:
        path = Path.v3.rooms[self.room].send[type][f"selftest-{next(self._numbers)}"]
        return EventId((await self._speaker().call(Method.PUT, path, content, wants="event_id"))["event_id"])

    def _speaker(self) -> Wire:
        assert self._wire is not None
        return self._wire

    def _person(self) -> MatrixUserId:
        assert self.user is not None
        return self.user

    # --- what is seen

    async def events(self) -> list[Json]:
        """Return the newest events of the room, newest first."""
        return list((await self._reader.messages(self.room, limit=_PAGE)).events)

    async def find(self, holds: Callable[[Json, Json], bool]) -> Json | None:
        """Return the newest event that a condition on it and its content holds for."""
        for event in await self.events():
            content = event.get("content")
            if isinstance(content, dict) and holds(event, content):
                return event
        return None

    async def is_redacted(self, event: str) -> bool | None:
        """Return True once an event has been redacted, None before."""
        found = await self._reader.event(self.room, EventId(event))
        return True if found is None or not found.get("content") else None

    async def file(self, mxc: str) -> bytes:
        """Return the bytes of a file."""
        async with self._reader.media.download(mxc, _MOST) as found:
            return b"".join([chunk async for chunk in found.chunks])

    async def left(self, mark: str) -> list[Json]:
        """Return what is there of trials."""
        return [event for event in await self.events() if mark in str((event.get("content") or {}).get("body"))]

    async def clear(self, mark: str) -> int:
        """Redact whatever is left of trials, as the bot; returns how much it was."""
        left = await self.left(mark)
        for event in left:
            key = ActionKey(f"selftest-{time.time_ns()}-{next(self._numbers)}")
            await self._reader.redact(self.room, None, EventId(event["event_id"]), key)
        return len(left)
