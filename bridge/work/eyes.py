"""By whose token the bridge reads in Slack: the app's in channels, in a direct conversation that of one who takes part.

    closed ─ why nothing of a conversation crosses at present: nobody may see what those who take part did not agree to
    of     ─ what reads there: Refused with the code CLOSED where nothing does
    upon   ─ around what is read: a token that Slack takes no more ends no lane, another one is tried

Whose token it was that Slack refused is asked of Slack, with each of them: nobody is disconnected on a guess.
"""

from __future__ import annotations

import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from bridge.errors import Later, Refused
from bridge.store.recent import Recent
from portals.people import conversations
from portals.people.conversations import closed_by
from portals.people.hands import BY_APP, Fault, fault_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from bridge.matrix.client import MatrixClient
    from bridge.slack.installation import Installation
    from bridge.store.conversations import ConversationStore
    from bridge.store.directory import Directory
    from bridge.store.people import People
    from bridge.work.hands import Hands
    from portals.facts import Portal
    from portals.ids import ChannelId, GhostNames, RoomId, SlackUserId, TeamId
    from portals.people.consent import Rule

log = logging.getLogger(__name__)

CLOSED = "conversation_is_closed"
"""The code of a refusal because nothing crosses in a direct conversation; its detail is the reason, for a room."""
_TAKES = frozenset({"im:history", "im:read", "mpim:history", "mpim:read"})
_ROOMS = 10_000


class Eyes:
    """Reads channels and conversations; `wanted` says whether direct conversations are carried at all."""

    def __init__(
        self,
        *,
        names: GhostNames,
        installations: Mapping[TeamId, Installation],
        directory: Directory,
        store: ConversationStore,
        people: People,
        hands: Hands,
        matrix: MatrixClient,
        rule: Rule,
        wanted: bool,
    ) -> None:
        self._names = names
        self._installations = installations
        self._directory = directory
        self.store = store
        self._people = people
        self._hands = hands
        self._matrix = matrix
        self._rule = rule
        self.wanted = wanted
        self._blind: set[tuple[TeamId, SlackUserId, int]] = set()
        """Who allowed less than it takes, by when they connected; kept in memory only: Slack is asked again."""
        self._company: Recent[RoomId, str] = Recent(_ROOMS)
        """What is wrong with who is in each room that somebody of Matrix made, until somebody comes or goes."""

    # --- may it be read?

    async def closed(self, portal: Portal) -> str:
        """Return why nothing crosses in a portal at present; nothing for a channel, and where all is well."""
        if not portal.is_conversation:
            return ""
        if not self.wanted:
            return conversations.OFF
        people = await self.store.people(portal.team, portal.channel)
        if not people:
            return conversations.UNREAD
        return await self.flaw_of(portal.team, people) or await self._flaw_of_room(portal, people)

    def is_connected(self, team: TeamId) -> bool:
        """Tell whether a workspace answers: before that nobody knows who can read in it."""
        return team in self._installations

    async def flaw_of(self, team: TeamId, people: frozenset[SlackUserId]) -> str:
        """Return why nothing of a conversation between these people may cross; nothing where it may."""
        humans = [user for user in people if not await self._is_bot(team, user)]
        agreed = await self._people.consents(team)
        return closed_by(humans, await self.readers(team, people), agreed, self._rule)

    async def readers(self, team: TeamId, people: frozenset[SlackUserId]) -> list[SlackUserId]:
        """Return those of some people by whose tokens their conversation can be read."""
        grants = await self._hands.live(team)
        return sorted(
            user for user in people if user in grants and (team, user, grants[user].changed_at) not in self._blind
        )

    async def _is_bot(self, team: TeamId, user: SlackUserId) -> bool:
        person = await self._directory.person(team, user)
        return person is not None and person.is_bot

    async def _flaw_of_room(self, portal: Portal, people: frozenset[SlackUserId]) -> str:
        """Look who is in a room that somebody of Matrix made; into those of the bridge's own nobody is let."""
        if portal.room is None or portal.target == "create":
            return ""
        known = self._company.get(portal.room)
        if known is not None:
            return known
        writes = self._company.writes
        accounts = (await self._people.known(portal.team)).accounts
        expected = {self._names.bot, *(self._names.ghost(portal.team, user) for user in people)}
        expected |= {accounts[user] for user in people if user in accounts}
        try:
            joined = await self._matrix.rooms.joined_members(portal.room)
        except Refused as refused:
            log.warning("%s: who is there is not shown to the bridge: %s", portal.room, refused)
            return conversations.STRANGER
        flaw = "" if expected.issuperset(joined) else conversations.STRANGER
        self._company.keep(portal.room, flaw, writes)
        return flaw

    def moved(self, room: RoomId) -> bool:
        """Look anew who is in a room, as somebody came or went; returns whether that matters to a conversation."""
        matters = self._company.get(room) is not None
        self._company.forget(room)
        return matters

    # --- reading

    async def of(self, team: TeamId, channel: ChannelId) -> Installation:
        """Return what reads in a channel; raises Refused with the code CLOSED where nobody may read a conversation."""
        portal = await self._directory.portal_of_channel(team, channel)
        if portal is None or not portal.is_conversation:
            return self._installations[team]
        reason = await self.closed(portal)
        if reason:
            raise Refused(CLOSED, reason)
        (first, *_) = await self.readers(team, await self.store.people(team, channel))
        return await self.acting(team, first)

    async def acting(self, team: TeamId, user: SlackUserId) -> Installation:
        """Return what reads by somebody's token; raises Later where it is another's turn."""
        try:
            return await self._hands.acting(team, user)
        except Refused as refused:
            if refused.code != BY_APP:
                raise
            raise Later(f"the token of {user} is good for nothing: {refused.detail}") from refused

    async def of_room(self, room: RoomId) -> Installation | None:
        """Return what reads in a room's conversation; None in all other rooms, and where nobody may."""
        portal = await self._directory.portal_of_room(room)
        if portal is None or not portal.is_conversation or await self.closed(portal):
            return None
        return await self.of(portal.team, portal.channel)

    async def people(self, portal: Portal) -> frozenset[SlackUserId]:
        """Return who takes part in a conversation."""
        return await self.store.people(portal.team, portal.channel)

    @asynccontextmanager
    async def upon(self, team: TeamId, channel: ChannelId) -> AsyncIterator[None]:
        """Turn the refusal of somebody's token into Later, once the token is known to be the reason."""
        try:
            yield
        except Refused as refused:
            portal = await self._directory.portal_of_channel(team, channel)
            if portal is None or not portal.is_conversation or fault_of(refused.code) is not Fault.TOKEN:
                raise
            people = await self.store.people(team, channel)
            if any([await self.is_refused(team, user) for user in await self.readers(team, people)]):
                raise Later(f"it is read by another's token now: {refused}") from refused
            raise Refused(CLOSED, refused.detail) from refused

    async def is_refused(self, team: TeamId, user: SlackUserId) -> bool:
        """Ask Slack whether somebody's token is good enough to read by; who allowed too little is told once."""
        scopes = await self._hands.scopes(team, user)
        if scopes is None:
            return True
        grant = (await self._hands.live(team)).get(user)
        if grant is None or not scopes or scopes >= _TAKES:
            return grant is None
        self._blind.add((team, user, grant.changed_at))
        await self._hands.say(grant, "direct messages", conversations.CONNECT_ANEW)
        return True
