"""Invitations from Matrix: of the bot, into rooms where it is given commands, and of ghosts, to talk directly.

    a ghost is invited ─▶ is who invites connected, and may the two talk here?   no ─▶ it says why, and leaves
                                                                               yes ─▶ it comes, and has the bot come
    the first message  ─▶ who is in the room? ─▶ conversations.open by its author's hand ─▶ the room becomes the portal

The conversation begins with what is said first: by then all whom somebody wants to talk with are in the room. Whom they
talk with already keeps the room that they have: another is led there, and left.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from bridge.errors import BridgeError, Declined, Later, Refused, Unsure
from portals.commands.levels import Level
from portals.ids import action_key
from portals.people import conversations
from portals.people.conversations import word_of_refusal
from portals.permalinks import matrix_address
from portals.relay import content

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from typing import Any

    from bridge.commands.desk import Desk
    from bridge.work.conversations import Conversations, Parts
    from bridge.work.rooms import RoomMaker
    from portals.events import MatrixMembership, MatrixMessage
    from portals.facts import Portal
    from portals.ids import MatrixUserId, SlackUserId, TeamId

    Admit = Callable[[str, Sequence[Mapping[str, Any]]], Awaitable[None]]

log = logging.getLogger(__name__)

_SAID = ("m.room.message", "m.room.encrypted")
_STARTING = 60.0
"""Seconds after a start in which a workspace that is not connected yet is waited for."""
_BEHIND = 100
"""How many events behind an invitation are looked at: it is taken up at once."""


class Invitations:
    """Takes up invitations, and begins conversations in the rooms into which ghosts were invited.

    `admit` takes events as a transaction's are taken.
    """

    def __init__(self, parts: Parts, conversations: Conversations, desk: Desk, rooms: RoomMaker, admit: Admit) -> None:
        self._names = parts.names
        self._directory = parts.directory
        self._store = parts.eyes.store
        self._people = parts.people
        self._hands = parts.hands
        self._eyes = parts.eyes
        self._ghosts = parts.ghosts
        self._matrix = parts.matrix
        self._conversations = conversations
        self._desk = desk
        self._rooms = rooms
        self._admit = admit
        self._began = time.monotonic()

    async def take_up(self, said: MatrixMembership) -> bool:
        """Take up what a membership in a room without a portal asks for; false where it asks for nothing."""
        self._desk.forget_room(said.room)
        if said.membership != "invite":
            return False
        if said.user == self._matrix.bot:
            may = self._desk.rights.level(said.sender) > Level.NONE
            if await self._rooms.answer_invite(said.room, said.sender, follow=may):
                await self._desk.greet(said.room, said.sender, said.source)
            return True
        author = self._names.slack_author(said.user)
        if author is None or not said.is_direct:
            return False
        await self._invited(said, *author)
        return True

    # --- a ghost is invited

    async def _invited(self, said: MatrixMembership, team: TeamId, user: SlackUserId) -> None:
        if await self._directory.person(team, user) is None:
            log.info("%s: %s stands for nobody who is known", said.room, said.user)
            return
        reason = await self._flaw_of(said.sender, team, user)
        try:
            if not reason:
                await self._ghosts.ready(said.room, said.user)
                await self._matrix.rooms.invite(said.room, self._matrix.bot, said.user)
                await self._matrix.rooms.join(said.room)
                await self._store.add_room(said.room, team)
                await self._hear(said)
                return
        except Refused as refused:
            log.info("%s: %s cannot talk there: %s", said.room, said.user, refused)
            reason = f"the bot of the bridge cannot come into this room: invite {self._matrix.bot} first, then me again"
        await self._leave(said, word_of_refusal(reason))

    async def _hear(self, said: MatrixMembership) -> None:
        """Admit what was said behind the invitation: a homeserver tells of nothing before the ghost has come."""
        behind: list[Mapping[str, Any]] = []
        page = await self._matrix.messages(said.room, limit=_BEHIND)
        for event in page.events:
            if f"matrix:{event.get('event_id')}" == said.source:
                await self._admit(f"said to {said.user}", behind[::-1])
                return
            if event.get("type") in _SAID and not self._names.is_ours(str(event.get("sender"))):
                behind.append({**event, "room_id": said.room})
        log.warning("%s: what was said before %s came is not known", said.room, said.user)

    async def _flaw_of(self, account: MatrixUserId, team: TeamId, user: SlackUserId) -> str:
        """Return why somebody cannot talk directly with a person of Slack here; nothing where they can."""
        if not self._eyes.wanted:
            return "direct messages are not carried between Matrix and Slack here"
        if not self._is_connected(team):
            return "the bridge is not connected to Slack at the moment: invite me again later"
        me = await self._hands.user_of(team, account)
        if me is None:
            return (
                "that takes your own account of Slack. To connect it, write `connect` to "
                f"{self._matrix.bot}, in a room of your own with it, and invite me again"
            )
        return await self._eyes.flaw_of(team, frozenset({me, user}))

    def _is_connected(self, team: TeamId) -> bool:
        """Tell whether a workspace answers; raises Later where that may be so in a moment."""
        if not self._eyes.is_connected(team) and time.monotonic() - self._began < _STARTING:
            raise Later(f"the workspace {team} is not connected yet", 0.5)
        return self._eyes.is_connected(team)

    async def _leave(self, said: MatrixMembership, words: str) -> None:
        """Have a ghost say why it does not stay.

        In an encrypted room it says so by the reason of its leaving alone; likewise to those who may ask nothing of the
        bridge, into whose rooms it does not go.
        """
        try:
            if self._desk.rights.level(said.sender) > Level.NONE:
                await self._ghosts.ready(said.room, said.user)
                if not await self._matrix.is_encrypted(said.room, said.user):
                    key = action_key(said.source, "declined")
                    await self._matrix.send(said.room, said.user, "m.room.message", content.notice(words), key)
            await self._matrix.rooms.leave(said.room, said.user, words)
        except (Refused, Unsure) as fault:
            log.info("%s: %s could not say why it leaves: %s", said.room, said.user, fault)
        await self._directory.set_joined(said.room, said.user, False)

    # --- the first message

    async def begin(self, said: MatrixMessage) -> bool:
        """Make a conversation's portal of the room in which somebody says the first thing to ghosts; tells whether."""
        team = await self._store.room(said.room)
        if team is None or self._names.is_ours(said.sender):
            return False
        try:
            portal = await self._begun(said, team)
        except (Declined, Refused) as refused:
            reason = refused.detail if isinstance(refused, Refused) else str(refused)
            await self._say(said, f"This did not reach Slack: {reason}.")
            return False
        if portal is None:
            return False
        if portal.room in (None, said.room) and portal.target == said.room:
            await self._store.remove_room(said.room)
            return True
        await self._lead_on(said, portal)
        return False

    async def _begun(self, said: MatrixMessage, team: TeamId) -> Portal | None:
        """Return the portal of the conversation of those who are in a room."""
        if not self._is_connected(team):
            raise Declined("not_connected", "the bridge is not connected to Slack at the moment")
        me = await self._hands.user_of(team, said.sender)
        if me is None:
            raise Declined("not_connected", conversations.NOT_CONNECTED)
        users = (await self._people.known(team)).users
        others: set[SlackUserId] = set()
        for member in await self._matrix.rooms.members(said.room):
            author = self._names.slack_author(member)
            if member in (said.sender, self._matrix.bot):
                continue
            if author is not None and author[0] == team:
                others.add(author[1])
            elif member in users:
                others.add(users[member])
            else:
                raise Declined("stranger", f"{member} is in the room, and has no account of Slack that is known here")
        if not others - {me}:
            return None
        return await self._conversations.begin(team, me, others - {me}, said.room)

    async def _lead_on(self, said: MatrixMessage, portal: Portal) -> None:
        """Lead whoever talks with these people already to the room in which they do, and leave this one."""
        if portal.room is None:
            raise Later("the room of this conversation is not open yet", 0.5)
        await self._matrix.rooms.invite(portal.room, said.sender)
        link = matrix_address(portal.room, None, self._names.domain)
        words = "This did not reach Slack: this conversation has a room already, into which you are invited."
        await self._say(said, words, link)
        for member in await self._matrix.rooms.members(said.room):
            if self._names.slack_author(member) is not None:
                await self._matrix.rooms.leave(said.room, member)
                await self._directory.set_joined(said.room, member, False)
        await self._store.remove_room(said.room)
        await self._matrix.rooms.leave(said.room)

    async def _say(self, said: MatrixMessage, words: str, link: str = "") -> None:
        answer = content.notice(words, link, label="its room") if link else content.notice(words)
        answer["m.relates_to"] = {"m.in_reply_to": {"event_id": said.event_id}}
        try:
            await self._matrix.send(
                said.room, None, "m.room.message", answer, action_key(said.source, "no conversation")
            )
        except BridgeError as error:
            log.warning("%s could not be told why nothing begins there: %s", said.room, error)
