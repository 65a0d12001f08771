"""Rooms of portals: made once under a deterministic alias, or joined where they exist; and the Space that holds them.

Opening may be repeated at any point: the alias finds a room that was made before, and setting a state again is
harmless. A portal whose room cannot be opened says why in its `trouble` and is tried again.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bridge.errors import Later, Refused
from portals.crossing.rooms import GUESTS, HISTORY, JOINING, RETENTION, SERVERS, Home, conforming, server_acl
from portals.facts import Needs, PortalKind, PortalState
from portals.ids import RoomId, action_key, present_of
from portals.permalinks import matrix_address
from portals.relay.content import notice, room_name, topic
from portals.relay.naming import names_of
from portals.retry import TROUBLED
from portals.text import label_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bridge.matrix.client import MatrixClient
    from bridge.slack.installation import Installation
    from bridge.store.directory import Directory
    from bridge.work.answers import Answers
    from bridge.work.conversations import Conversations
    from portals.crossing.rooms import RoomPolicy
    from portals.facts import Portal, Workspace
    from portals.ids import GhostNames, TeamId

log = logging.getLogger(__name__)

_SERVICES = "io.element.functional_members"
_MODERATOR = 50
"""The power of the bridge's admins in its rooms: without any, nobody could set a topic or a pin there."""
_POWER = {
    **dict.fromkeys(("m.room.name", "m.room.topic", "m.room.avatar"), 50),
    **dict.fromkeys(("m.room.tombstone", "m.room.power_levels", "m.room.encryption"), 100),
    **dict.fromkeys((SERVERS, HISTORY, RETENTION), 100),
}


@dataclass(frozen=True, slots=True)
class Shape:
    """How rooms are made, as the configuration says."""

    space: bool
    space_name: str
    join_rule: str
    history_visibility: str
    federate: bool
    servers: tuple[str, ...]
    encryption: bool
    room_mentions: bool
    invite: tuple[str, ...]
    admins: tuple[str, ...]
    bot_name: str


class RoomMaker:
    """Opens the rooms of portals; `opened` is told of each, as one may not be as its policy wants it."""

    def __init__(
        self,
        *,
        names: GhostNames,
        shape: Shape,
        directory: Directory,
        answers: Answers,
        matrix: MatrixClient,
        installations: Mapping[TeamId, Installation],
        conversations: Conversations,
        opened: Callable[[RoomId], None] = lambda _: None,
    ) -> None:
        self._opened = opened
        self._names = names
        self._shape = shape
        self._directory = directory
        self._answers = answers
        self._matrix = matrix
        self._installations = installations
        self._conversations = conversations
        self._introduced = False

    async def open(self, portal: Portal) -> Portal:
        """Return the portal with its room, which is live from now on; raises Later with the reason when it cannot."""
        workspace = await self._directory.workspace(portal.team)
        if workspace is None or portal.team not in self._installations:
            raise Later(f"the workspace {portal.team} is not connected yet", 2.0)
        try:
            await self._introduce()
            await self._join_channel(portal)
            if portal.target == "create":
                room = await self._create(portal, workspace)
            else:
                room = await self._matrix.rooms.join(portal.target)
            await self._show_bridge(room, portal, workspace)
            if portal.kind is PortalKind.HISTORY:
                await self._join_past_and_present(room, portal)
            if portal.is_conversation:
                await self._conversations.gather(replace(portal, room=room))
        except Refused as refused:
            await self._directory.set_trouble(portal.id, str(refused))
            raise Later(f"the room of #{portal.name} cannot be opened: {refused}", TROUBLED) from refused
        taken = await self._directory.portal_of_room(room)
        if taken is not None and taken.id != portal.id and taken.state is not PortalState.REMOVED:
            trouble = f"the room {room} belongs to the portal of #{taken.name} already: choose another room"
            await self._directory.set_trouble(portal.id, trouble)
            raise Later(trouble, 60.0)
        await self._directory.set_room(portal.id, room)
        self._opened(room)
        log.info("%s/%s: #%s is open in %s", portal.team, portal.channel, portal.name, room)
        state = PortalState.LIVE if portal.state is PortalState.PLANNED else portal.state
        return replace(portal, room=room, state=state, trouble="")

    async def _join_past_and_present(self, past: RoomId, portal: Portal) -> None:
        """Say in the room of a channel's past where it goes on, and in that one where what came before is."""
        present = await self._directory.portal_of_channel(portal.team, present_of(portal.channel))
        if present is None or present.room is None:
            return
        for room, words, other in (
            (past, f"This is the past of #{portal.name}. It goes on here:", present.room),
            (present.room, f"What was said in #{portal.name} before is here:", past),
        ):
            key = action_key("past", portal.team, portal.channel, other)
            said = notice(words, matrix_address(other, None, self._names.domain), label=f"#{portal.name}")
            await self._matrix.send(room, None, "m.room.message", said, key)

    async def is_opening(self, room: RoomId) -> bool:
        """Tell whether a room that no portal knows is about to be one's: it was made or joined, but not yet noted."""
        planned = await self._directory.planned_portals()
        if not planned:
            return False
        try:
            said = await self._matrix.get_state(room, "m.room.canonical_alias")
        except Refused:
            return False
        names = {room, (said or {}).get("alias")}
        for portal in planned:
            target = portal.target
            if target == "create":
                target = f"#{self._names.alias_localpart(portal.team, portal.channel)}:{self._names.domain}"
            if target in names:
                return True
            if portal.target.startswith("#") and await self._matrix.rooms.resolve_alias(portal.target) == room:
                return True
        return False

    async def answer_invite(self, room: RoomId, inviter: str, *, follow: bool) -> bool:
        """Follow the invitation of somebody who may give commands, and decline others'; returns whether it is there."""
        try:
            if follow:
                await self._matrix.rooms.join(room)
                return True
            await self._matrix.rooms.leave(room, reason="Who may invite this bot stands in the bridge's configuration.")
        except Refused as refused:
            log.warning("%s: the invitation by %s could not be answered: %s", room, inviter, refused)
        return False

    async def _introduce(self) -> None:
        """Have the bot's own account exist and bear its name."""
        if not self._introduced:
            await self._matrix.register(self._names.bot)
            await self._matrix.set_profile(self._names.bot, displayname=self._shape.bot_name)
            self._introduced = True

    async def _join_channel(self, portal: Portal) -> None:
        """Have the Slack bot in the channel; into a private one only a person can invite it.

        Where it is the past that is brought over, the room is opened whether or not the bot can hear what is new.
        """
        if portal.private or portal.kind is not PortalKind.CHANNEL:
            return
        try:
            await self._installations[portal.team].client.join(portal.channel)
        except Refused as refused:
            if portal.state is not PortalState.IMPORTING:
                raise
            log.info("%s/%s: nothing new can be heard from #%s: %s", portal.team, portal.channel, portal.name, refused)

    async def _create(self, portal: Portal, workspace: Workspace) -> RoomId:
        if portal.is_conversation:
            return await self._create_conversation(portal)
        space = await self._space(workspace) if self._shape.space else None
        public = self._shape.join_rule == "public" and not portal.private
        policy = self._answers.policy(portal).room
        joining: dict[str, Any] = {"join_rule": "public" if public else "invite"}
        if space is not None and self._shape.join_rule == "space" and not portal.private:
            joining = {"join_rule": "restricted", "allow": [{"type": "m.room_membership", "room_id": space}]}
        state = self._closed(policy, self._shape.history_visibility, joining, space) + self._encryption()
        if space is not None:
            via = {"via": [self._names.domain]}
            state.append({"type": "m.space.parent", "state_key": space, "content": {**via, "canonical": True}})
        described = await self._answers.facts(Needs(description=True), portal, workspace)
        room = await self._matrix.rooms.create_room(
            {
                "name": room_name(portal.name, is_past=portal.kind is PortalKind.HISTORY),
                "topic": topic(portal.topic, portal.purpose, names_of(described)),
                "room_alias_name": self._names.alias_localpart(portal.team, portal.channel),
                "preset": "public_chat" if public else "private_chat",
                "visibility": "private",
                "invite": list(self._shape.invite),
                "creation_content": {"m.federate": self._shape.federate and policy.federates},
                "power_level_content_override": {**self._powers(), **self._moderators()},
                "initial_state": state,
            }
        )
        if space is not None:
            child = {"via": [self._names.domain], "suggested": True}
            await self._matrix.set_state(space, None, "m.space.child", room, child)
        return room

    def _powers(self) -> dict[str, Any]:
        """Return who may do what in a room; ghosts have no power, and are to notify the room where that is wanted."""
        powers: dict[str, Any] = {"events": _POWER, "invite": 50}
        return powers | ({"notifications": {"room": 0}} if self._shape.room_mentions else {})

    def _moderators(self) -> dict[str, Any]:
        """Name the bridge's admins in a room's power levels, if it has any."""
        return {"users": dict.fromkeys(self._shape.admins, _MODERATOR)} if self._shape.admins else {}

    async def _create_conversation(self, portal: Portal) -> RoomId:
        """Make the room of a conversation of two or of a few: outside the Space, and nobody else is told of it.

        Only the bot may invite anybody. It is in the room for the sake of the bridge, and clients that know of such
        members (`io.element.functional_members`) name the room after the others.
        """
        policy = self._answers.policy(portal).room
        state = self._closed(policy, "shared", {"join_rule": "invite"}) + self._encryption()
        state.append({"type": _SERVICES, "content": {"service_members": [self._names.bot]}})
        return await self._matrix.rooms.create_room(
            {
                **({"name": label_of(name)} if (name := await self._conversations.name(portal)) else {}),
                "room_alias_name": self._names.alias_localpart(portal.team, portal.channel),
                "preset": "private_chat",
                "visibility": "private",
                "is_direct": True,
                "invite": sorted(await self._conversations.accounts(portal)),
                "creation_content": {"m.federate": self._shape.federate and policy.federates},
                "power_level_content_override": self._powers(),
                "initial_state": state,
            }
        )

    def _closed(
        self, policy: RoomPolicy, visibility: str, joining: dict[str, Any], space: RoomId | None = None
    ) -> list[dict[str, Any]]:
        """Return who may be in a room and read it, as its shape says and its policy lets it."""
        home = Home(self._names.domain, space)
        state: dict[str, Any] = {
            HISTORY: {"history_visibility": visibility},
            GUESTS: {"guest_access": "forbidden"},
            JOINING: joining,
            **self._servers(home),
        }
        return [{"type": kind, "content": content} for kind, content in conforming(policy, state, home).items()]

    def _servers(self, home: Home) -> dict[str, Any]:
        """Return what closes a room to other homeservers than ours and those that may take part."""
        servers = self._shape.servers
        return {} if "*" in servers else {SERVERS: server_acl(servers, home)}

    def _encryption(self) -> list[dict[str, Any]]:
        algorithm = {"algorithm": "m.megolm.v1.aes-sha2"}
        return [{"type": "m.room.encryption", "content": algorithm}] if self._shape.encryption else []

    async def _space(self, workspace: Workspace) -> RoomId:
        if workspace.space is not None:
            return RoomId(workspace.space)
        space = await self._matrix.rooms.create_room(
            {
                "name": self._shape.space_name.format(team=workspace.name),
                "topic": f"The channels of {workspace.name} in Slack",
                "room_alias_name": self._names.space_alias_localpart(workspace.team),
                "preset": "private_chat",
                "visibility": "private",
                "invite": list(self._shape.invite),
                "creation_content": {"type": "m.space", "m.federate": self._shape.federate},
                "power_level_content_override": {"events_default": 100, "invite": 50},
                "initial_state": [
                    {"type": kind, "content": content}
                    for kind, content in self._servers(Home(self._names.domain)).items()
                ],
            }
        )
        await self._directory.set_space(workspace.team, space)
        return space

    async def _show_bridge(self, room: RoomId, portal: Portal, workspace: Workspace) -> None:
        """Say in the room's state that it is bridged, and to what (MSC2346)."""
        channel = {"id": portal.channel, "displayname": portal.name}
        if workspace.url:
            channel["external_url"] = f"{workspace.url.rstrip('/')}/archives/{portal.channel}"
        said = {
            "bridgebot": self._names.bot,
            "creator": self._names.bot,
            "protocol": {"id": "slack", "displayname": "Slack", "external_url": "https://slack.com/"},
            "network": {"id": workspace.team, "displayname": workspace.name},
            "channel": channel,
        }
        key = f"causeway://slack/{portal.team}/{portal.channel}"
        for kind in ("m.bridge", "uk.half-shot.bridge"):
            try:
                await self._matrix.set_state(room, None, kind, key, said)
            except Refused as refused:
                if portal.target == "create" or refused.code != "M_FORBIDDEN":
                    raise
                log.info("%s: the bot has no right to show there that the room is bridged", room)
                return
