"""Performs on the homeserver what was decided: events, state, reading back, people and the service's own health.

Every call makes its requests once, as the given user (None: the bridge's bot), and returns or raises an error of
`bridge.errors`. Only `send` and `redact` raise Unsure (and a room made without an alias): their repeat could show twice
once the homeserver has forgotten the transaction id; whoever catches it asks `find_stamp` whether the event is there.
All other calls may be repeated freely, so where their outcome is unknown they raise Later.

No object is kept for a ghost. Rooms and membership are in `rooms`, files in `media`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from mautrix.api import Method, Path

from bridge.errors import Refused, Unsure
from bridge.matrix.accounts import Accounts
from bridge.matrix.media import Media
from bridge.matrix.rooms import Rooms
from bridge.matrix.wire import Json, Wire
from bridge.store.recent import Recent
from portals.actions import STAMP
from portals.ids import EventId, MatrixUserId, RoomId

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
    from types import TracebackType
    from typing import Self

    from aiohttp import ClientMiddlewareType
    from mautrix.api import PathBuilder

    from bridge.matrix.encryption.door import Encryption
    from bridge.matrix.media import Mxc
    from bridge.matrix.wire import Puppeting
    from portals.ids import ActionKey

_NOT_MEMBERS = '{"not_types":["m.room.member"]}'
"""The look-back leaves out members, of which one busy channel's arrival makes hundreds."""
_LEAST_PAGE = 20
_OWN = 20_000
"""Events that we sent as people and have not heard of yet; of any beyond, the ledger tells that they are ours."""
_REDACTS_BESIDE_CONTENT = frozenset(str(version) for version in range(1, 11))
"""Room versions whose redactions name their target outside of the content, where only the homeserver can write."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A user's name and picture as the homeserver knows them; None where unset."""

    displayname: str | None
    avatar_url: str | None


@dataclass(frozen=True, slots=True)
class Page:
    """Events of a room in the asked order; `end` continues the reading and is None at the end of what there is."""

    events: tuple[Json, ...]
    end: str | None


class MatrixClient:
    """Acts on one homeserver with the service's token; made inside a running event loop, closed by its owner.

    `bot_is_sender` says that the registration's `sender_localpart` is the bot's; `around` stands around every request.
    """

    def __init__(
        self,
        homeserver: str,
        as_token: str,
        bot: MatrixUserId,
        *,
        connections: int = 32,
        timeout: float = 60.0,
        verify_tls: bool = True,
        puppeting: Puppeting | None = None,
        door: Callable[[Wire], Encryption] | None = None,
        bot_is_sender: bool = True,
        around: Sequence[ClientMiddlewareType] = (),
    ) -> None:
        self.bot = bot
        self._wire = Wire(
            homeserver,
            as_token,
            connections=connections,
            timeout=timeout,
            verify_tls=verify_tls,
            puppeting=puppeting,
            nobody=None if bot_is_sender else bot,
            around=around,
        )
        self._own: Recent[str, bool] = Recent(_OWN)
        self.rooms = Rooms(self._wire, bot)
        self.media = Media(self._wire)
        self.accounts = Accounts(self._wire)
        self.encryption = door(self._wire) if door is not None else None
        """Without it, events are neither encrypted nor decrypted: for those who send none into rooms."""
        self.sealed_files = self.encryption.files(self.media) if self.encryption is not None else None

    @property
    def in_flight(self) -> int:
        """How many requests wait for their answer."""
        return self._wire.in_flight

    def is_own(self, event: str) -> bool:
        """Tell, once, whether this process sent an event as somebody's own account: true is certain, false is not."""
        known = self._own.get(event) is not None
        if known:
            self._own.forget(event)
        return known

    def _sent(self, sender: MatrixUserId | None, answer: Json) -> EventId:
        event = EventId(answer["event_id"])
        if self._wire.acts_as(sender):
            self._own.put(event, True)
        return event

    async def close(self) -> None:
        """Close all connections."""
        await self._wire.close()

    async def __aenter__(self) -> Self:
        if self.encryption is not None:
            try:
                await self.encryption.begin()
            except BaseException:
                await self.close()
                raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def is_encrypted(self, room: RoomId, sender: MatrixUserId | None) -> bool:
        """Tell whether what a sender sends into a room will be encrypted."""
        return self.encryption is not None and await self.encryption.is_encrypted(room, sender)

    async def read_keys(self, heal: Callable[[Sequence[int]], Awaitable[None]]) -> None:
        """Read the keys of encrypted rooms until cancelled; `heal` takes up parked rows that waited for one."""
        if self.encryption is not None:
            await self.encryption.run(heal, lambda: self.register(self.bot))

    # Events

    async def send(
        self,
        room: RoomId,
        sender: MatrixUserId | None,
        type: str,
        content: Mapping[str, Any],
        key: ActionKey,
        ts: int | None = None,
    ) -> EventId:
        """Send an event, stamped with its key, which is its transaction id too; `ts` is its original time in ms.

        A reaction that the sender already has on the target counts as sent: its event id is returned.
        """
        stamped = content if content.get(STAMP) == key else {**content, STAMP: key}
        if self.encryption is not None:
            type, stamped = await self.encryption.outgoing(room, sender, type, stamped)
        path = _sends(room, type)[key]
        try:
            answer = await self._wire.call(
                Method.PUT, path, stamped, user=sender, ts=ts, wants="event_id", repeatable=False
            )
        except Refused as refused:
            if refused.code != "M_DUPLICATE_ANNOTATION":
                raise
            existing = await self._existing_annotation(room, sender or self.bot, type, content)
            if existing is None:
                raise
            return existing
        except Unsure:
            if self.encryption is not None:
                self.encryption.lose_track(room)
            raise
        return self._sent(sender, answer)

    async def redact(
        self,
        room: RoomId,
        sender: MatrixUserId | None,
        event: EventId,
        key: ActionKey,
        reason: str | None = None,
        ts: int | None = None,
    ) -> EventId:
        """Redact an event, stamped with its key.

        `/redact` takes no original time, and rooms before version 11 take no redaction that is sent as an event; so the
        time is kept where the room allows it.
        """
        stamped = {STAMP: key, **({"reason": reason} if reason else {})}
        if ts is not None and await self._takes_redactions_as_events(room):
            return await self.send(room, sender, "m.room.redaction", {"redacts": event, **stamped}, key, ts)
        path = Path.v3.rooms[room].redact[event][key]
        answer = await self._wire.call(Method.PUT, path, stamped, user=sender, wants="event_id", repeatable=False)
        return self._sent(sender, answer)

    async def _takes_redactions_as_events(self, room: RoomId) -> bool:
        creation = await self.get_state(room, "m.room.create")
        return creation is not None and creation.get("room_version", "1") not in _REDACTS_BESIDE_CONTENT

    async def set_state(
        self,
        room: RoomId,
        sender: MatrixUserId | None,
        type: str,
        state_key: str,
        content: Mapping[str, Any],
        ts: int | None = None,
    ) -> EventId:
        """Set a state event; the homeserver makes no new one where the content is what it already is."""
        path = Path.v3.rooms[room].state[type][state_key]
        answer = await self._wire.call(Method.PUT, path, content, user=sender, ts=ts, wants="event_id")
        return EventId(answer["event_id"])

    async def typing(self, room: RoomId, user: MatrixUserId, typing: bool, timeout_ms: int = 30_000) -> None:
        """Show or hide that the user is typing."""
        content: dict[str, Any] = {"typing": True, "timeout": timeout_ms} if typing else {"typing": False}
        await self._wire.call(Method.PUT, Path.v3.rooms[room].typing[user], content, user=user)

    # Reading back

    async def get_state(self, room: RoomId, type: str, state_key: str = "") -> Json | None:
        """Return the content of a state event, or None where there is none."""
        return await self._unless_missing(Path.v3.rooms[room].state[type][state_key])

    async def event(self, room: RoomId, event: EventId) -> Json | None:
        """Return one event, or None where the room has none of that id; in clear where it can be decrypted."""
        found = await self._unless_missing(Path.v3.rooms[room].event[event])
        return await self.readable(found) if found is not None else None

    async def upload_for(
        self, room: RoomId, chunks: AsyncIterator[bytes], content_type: str, filename: str, size: int
    ) -> Mxc:
        """Upload a file that the bot is to show in a room: encrypted where the room is."""
        if self.sealed_files is not None and await self.is_encrypted(room, None):
            return await self.sealed_files.upload(chunks, size)
        return await self.media.upload(chunks, content_type, filename, size)

    async def showing(self, mxc: str, clear: str = "url", sealed: str = "file") -> dict[str, Any]:
        """Return what shows a file in an event: its address, or its keys as well where it is encrypted."""
        keys = await self.sealed_files.shown(mxc) if self.sealed_files is not None else None
        return {clear: mxc} if keys is None else {sealed: keys}

    async def readable(self, event: Json) -> Json:
        """Return an event in clear where it can be decrypted, else as it is."""
        return await self.encryption.readable(event) if self.encryption is not None else event

    async def messages(
        self,
        room: RoomId,
        *,
        start: str | None = None,
        direction: Literal["b", "f"] = "b",
        limit: int = 100,
        filter: str | None = None,
        reader: MatrixUserId | None = None,
    ) -> Page:
        """Return a page of the room's timeline, by default its newest events first.

        `filter` is a filter's JSON; `reader` is whose eyes to use, if not the bot's.
        """
        query = {"dir": direction, "limit": str(limit)}
        if start is not None:
            query["from"] = start
        if filter is not None:
            query["filter"] = filter
        answer = await self._wire.call(Method.GET, Path.v3.rooms[room].messages, user=reader, query=query)
        return Page(tuple(_objects(answer.get("chunk"))), answer.get("end"))

    async def find_stamp(
        self, room: RoomId, key: ActionKey, limit: int = 100, *, sender: MatrixUserId | None = None
    ) -> EventId | None:
        """Return the event that carries this key among the room's newest `limit` events (members left out), if any.

        With `sender`, only an event of that user counts, so that nobody else's stamp can pass for ours; and it is found
        even after somebody redacted it, by the transaction id that the homeserver keeps and shows to the sender alone.
        """
        if sender is not None:
            try:
                return await self._look_back(room, key, limit, sender, sender)
            except Refused:
                pass  # the sender sees nothing of the room (any more); the bot may
        return await self._look_back(room, key, limit, sender, None)

    async def _look_back(
        self, room: RoomId, key: ActionKey, limit: int, sender: MatrixUserId | None, reader: MatrixUserId | None
    ) -> EventId | None:
        seen, start = 0, None
        while seen < limit:
            page = await self.messages(
                room, start=start, limit=max(limit - seen, _LEAST_PAGE), filter=_NOT_MEMBERS, reader=reader
            )
            for event in page.events:
                if sender in (None, event.get("sender")) and _carries(event, key):
                    return EventId(event["event_id"])
            if page.end is None or not page.events:
                break
            seen, start = seen + len(page.events), page.end
        return None

    async def related(self, room: RoomId, event: EventId, relation: str, type: str = "") -> AsyncIterator[Json]:
        """Yield the events that stand in a relation to an event, newest first; of one type where it is given."""
        path = Path.v1.rooms[room].relations[event][relation]
        start: str | None = None
        while True:
            query = {"limit": "500", **({"from": start} if start else {})}
            answer = await self._wire.call(Method.GET, path[type] if type else path, query=query)
            for found in _objects(answer.get("chunk")):
                yield await self.readable(found)
            start = answer.get("next_batch")
            if start is None:
                return

    async def _existing_annotation(
        self, room: RoomId, sender: MatrixUserId, type: str, content: Mapping[str, Any]
    ) -> EventId | None:
        relation = content["m.relates_to"]
        async for event in self.related(room, relation["event_id"], "m.annotation", type):
            key = _part(_part(event, "content"), "m.relates_to").get("key")
            if event.get("sender") == sender and key == relation["key"]:
                return EventId(event["event_id"])
        return None

    # People

    async def register(self, user: MatrixUserId) -> None:
        """Make the account of a ghost; one that exists already is as good."""
        content = {
            "type": "m.login.application_service",
            "username": user[1:].partition(":")[0],
            "inhibit_login": True,
        }
        try:
            await self._wire.call(Method.POST, Path.v3.register, content)
        except Refused as refused:
            if refused.code != "M_USER_IN_USE":
                raise

    async def set_profile(
        self, user: MatrixUserId, displayname: str | None = None, avatar_url: str | None = None
    ) -> None:
        """Set what is not None of a user's profile; an empty text removes it."""
        path = Path.v3.profile[user]
        if displayname is not None:
            await self._wire.call(Method.PUT, path.displayname, {"displayname": displayname}, user=user)
        if avatar_url is not None:
            await self._wire.call(Method.PUT, path.avatar_url, {"avatar_url": avatar_url}, user=user)

    async def profile(self, user: MatrixUserId) -> Profile | None:
        """Return a user's global profile, or None where the homeserver knows nothing of it."""
        answer = await self._unless_missing(Path.v3.profile[user])
        if answer is None:
            return None
        return Profile(answer.get("displayname") or None, answer.get("avatar_url") or None)

    # The service's own health

    async def whoami(self) -> MatrixUserId:
        """Return whom the homeserver takes the token's owner for: the bridge's bot, if all is well."""
        answer = await self._wire.call(Method.GET, Path.v3.account.whoami, wants="user_id")
        return MatrixUserId(answer["user_id"])

    async def versions(self) -> tuple[str, ...]:
        """Return the versions of the specification that the homeserver speaks; needs no valid token."""
        answer = await self._wire.call(Method.GET, Path.versions)
        return tuple(version for version in answer.get("versions", ()) if isinstance(version, str))

    async def ping_appservice(self, service: str) -> int:
        """Have the homeserver call our endpoint; return how many milliseconds that took.

        `service` is the `id` of the registration. Refused says in its code and remedy why the call did not arrive.
        """
        content = {"transaction_id": f"ping-{time.time_ns()}"}
        answer = await self._wire.call(
            Method.POST, Path.v1.appservice[service].ping, content, wants="duration_ms", kind=int
        )
        duration: int = answer["duration_ms"]
        return duration

    async def _unless_missing(self, path: Any) -> Json | None:  # Any: mautrix's path builder answers every name
        try:
            return await self._wire.call(Method.GET, path)
        except Refused as refused:
            if refused.code == "M_NOT_FOUND":
                return None
            raise


@lru_cache(maxsize=1_000)
def _sends(room: RoomId, type: str) -> PathBuilder:
    """The path below which a room takes events; quoted anew it would cost with every message."""
    return Path.v3.rooms[room].send[type]


def _objects(found: object) -> Sequence[Json]:
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def _carries(event: Json, key: ActionKey) -> bool:
    return _part(event, "content").get(STAMP) == key or _part(event, "unsigned").get("transaction_id") == key


def _part(whole: Json, name: str) -> Json:
    part = whole.get(name)
    return part if isinstance(part, dict) else {}
