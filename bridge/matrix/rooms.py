"""Rooms and who is in them.

All calls may be repeated: whoever is in the room already has joined, whoever is gone has left, and a room whose alias
is taken has been made. So an unknown outcome is Later here; only a room that is made without an alias is Unsure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from mautrix.api import Method, Path

from bridge.errors import Refused
from portals.ids import MatrixUserId, RoomId

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bridge.matrix.wire import Wire

_CREATOR_IS_LISTED = frozenset(str(version) for version in range(1, 12))
"""Room versions whose creator needs an entry in the power levels; from 12 on such an entry is an error."""
_CREATOR_POWER = 100
_ASSUMED_VERSION = "1"
"""What the specification has a client assume of a homeserver that states no default room version."""
_IN_USE = frozenset({"M_ROOM_IN_USE", "M_UNKNOWN"})
"""Codes of a refusal because a room has the alias; Synapse gives the second where two are made at the same time."""


@dataclass(frozen=True, slots=True)
class Member:
    """A user in one room: `membership` is join, invite, leave, ban or knock; name and picture None where unset."""

    membership: str
    displayname: str | None
    avatar_url: str | None


class Rooms:
    """Makes rooms and moves users in and out of them."""

    def __init__(self, wire: Wire, bot: MatrixUserId) -> None:
        self._wire = wire
        self._bot = bot
        self._default_version: str | None = None

    async def create_room(self, spec: Mapping[str, Any]) -> RoomId:
        """Make the room and return its id, or that of the room which already has the spec's `room_alias_name`.

        `spec` is the body of `createRoom`. Its `power_level_content_override` may leave the creator's own power to us:
        whether the creator has to be listed or must not be depends on the room version, the homeserver's default one
        where the spec names none. A homeserver that was stopped half-way leaves a room without all of its state:
        set again what matters after a room was found by its alias.
        """
        body = await self._with_creator_power(spec)
        alias = spec.get("room_alias_name")
        try:
            answer = await self._wire.call(
                Method.POST, Path.v3.createRoom, body, wants="room_id", repeatable=bool(alias)
            )
        except Refused as refused:
            if refused.code not in _IN_USE or not alias:
                raise
            room = await self.resolve_alias(f"#{alias}:{self._bot.partition(':')[2]}")
            if room is None:
                raise
            return room
        return RoomId(answer["room_id"])

    async def resolve_alias(self, alias: str) -> RoomId | None:
        """Return the room that has this full alias, or None."""
        try:
            answer = await self._wire.call(Method.GET, Path.v3.directory.room[alias], wants="room_id")
        except Refused as refused:
            if refused.code == "M_NOT_FOUND":
                return None
            raise
        return RoomId(answer["room_id"])

    async def join(self, room: str, user: MatrixUserId | None = None, via: Sequence[str] = ()) -> RoomId:
        """Join a room, by id or alias, through the servers in `via` if it is not on ours; return its id."""
        query = {"via": tuple(via), "server_name": tuple(via)} if via else None
        answer = await self._wire.call(Method.POST, Path.v3.join[room], {}, user=user, query=query, wants="room_id")
        return RoomId(answer["room_id"])

    async def ensure_joined(self, room: RoomId, user: MatrixUserId) -> None:
        """Have the user in the room; where it cannot simply join, the bot invites it first."""
        try:
            await self.join(room, user)
        except Refused as refused:
            if refused.code != "M_FORBIDDEN":
                raise
            await self.invite(room, user)
            await self.join(room, user)

    async def invite(self, room: RoomId, user: MatrixUserId, sender: MatrixUserId | None = None) -> None:
        """Invite a user; one who is in the room or invited already needs no invitation."""
        await self._move("invite", room, user, sender, {"user_id": user}, settled=("join", "invite"))

    async def leave(self, room: RoomId, user: MatrixUserId | None = None, reason: str | None = None) -> None:
        """Leave a room, or decline its invitation; whoever is not in it has left already."""
        content = {"reason": reason} if reason else {}
        try:
            await self._wire.call(Method.POST, Path.v3.rooms[room].leave, content, user=user)
        except Refused as refused:
            if refused.code not in ("M_FORBIDDEN", "M_NOT_FOUND"):
                raise

    async def kick(
        self, room: RoomId, user: MatrixUserId, reason: str | None = None, sender: MatrixUserId | None = None
    ) -> None:
        """Remove a user from a room; one who is not in it needs no removal."""
        content = {"user_id": user, **({"reason": reason} if reason else {})}
        await self._move("kick", room, user, sender, content, settled=("leave", "ban"))

    async def _move(
        self,
        call: Literal["invite", "kick"],
        room: RoomId,
        user: MatrixUserId,
        sender: MatrixUserId | None,
        content: Mapping[str, Any],
        settled: tuple[str, ...],
    ) -> None:
        try:
            await self._wire.call(Method.POST, Path.v3.rooms[room][call], content, user=sender)
        except Refused as refused:
            # The homeserver refuses what is already so with the same code as what is not allowed.
            if await self._membership(room, user) not in settled:
                raise refused from None

    async def _membership(self, room: RoomId, user: MatrixUserId) -> str:
        """Return the user's membership as far as the bot may see it."""
        try:
            member = await self.member(room, user)
        except Refused:
            return "unknown"
        return member.membership if member else "leave"

    async def member(self, room: RoomId, user: MatrixUserId) -> Member | None:
        """Return how the user stands to the room, or None for one who never was in it."""
        try:
            answer = await self._wire.call(Method.GET, Path.v3.rooms[room].state["m.room.member"][user])
        except Refused as refused:
            if refused.code == "M_NOT_FOUND":
                return None
            raise
        return Member(
            str(answer.get("membership", "leave")), answer.get("displayname") or None, answer.get("avatar_url") or None
        )

    async def joined_members(self, room: RoomId) -> dict[MatrixUserId, Member]:
        """Return everybody who is in the room."""
        answer = await self._wire.call(Method.GET, Path.v3.rooms[room].joined_members, wants="joined", kind=dict)
        return {
            MatrixUserId(user): Member("join", found.get("display_name") or None, found.get("avatar_url") or None)
            for user, found in answer["joined"].items()
            if isinstance(found, dict)
        }

    async def members(self, room: RoomId) -> list[MatrixUserId]:
        """Return everybody who is in the room or invited into it."""
        answer = await self._wire.call(Method.GET, Path.v3.rooms[room].members, wants="chunk", kind=list)
        found = [(one.get("state_key"), one.get("content")) for one in answer["chunk"] if isinstance(one, dict)]
        return [
            MatrixUserId(user)
            for user, content in found
            if isinstance(user, str) and isinstance(content, dict) and content.get("membership") in ("join", "invite")
        ]

    async def creators(self, room: RoomId) -> frozenset[MatrixUserId]:
        """Return who may do everything in a room because they made it: since room version 12, no level says so."""
        path = Path.v3.rooms[room].state["m.room.create"]
        made = await self._wire.call(Method.GET, path, query={"format": "event"})
        content = made.get("content")
        if not isinstance(content, dict) or content.get("room_version", "1") in _CREATOR_IS_LISTED:
            return frozenset()
        more = content.get("additional_creators")
        return frozenset(
            map(MatrixUserId, [str(made.get("sender")), *map(str, more if isinstance(more, list) else ())])
        )

    async def _with_creator_power(self, spec: Mapping[str, Any]) -> Mapping[str, Any]:
        levels = spec.get("power_level_content_override")
        if levels is None or "users" not in levels:
            return spec
        users = {user: power for user, power in levels["users"].items() if user != self._bot}
        version = spec.get("room_version") or await self._default_room_version()
        if version in _CREATOR_IS_LISTED:
            users[self._bot] = _CREATOR_POWER
        return {**spec, "power_level_content_override": {**levels, "users": users}}

    async def _default_room_version(self) -> str:
        if self._default_version is None:
            answer = await self._wire.call(Method.GET, Path.v3.capabilities, wants="capabilities", kind=dict)
            versions = answer["capabilities"].get("m.room_versions", {})
            self._default_version = str(versions.get("default", _ASSUMED_VERSION))
        return self._default_version
