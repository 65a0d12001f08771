"""Direct conversations of people who have connected their accounts of Slack: which have a portal, and who is there.

    somebody says something in Slack ─ consider ─▶ a portal, once its people agreed (`bridge.work.eyes`)
    somebody begins one in Matrix    ─ begin    ─▶ conversations.open by their own hand ─▶ the same portal
    its room is opened               ─ gather   ─▶ accounts of who is connected, ghosts of the others; nobody else
    somebody connects, ends, agrees or no longer does ─ look ─▶ its room is told once that it stops, or goes on

Slack tells of what is said on behalf of those who agreed to that. What it told while nobody heard is looked for after
each gap: a call for two hundred conversations of each connected person, and one for each that has no portal yet.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.errors import BridgeError, Declined, Later, Refused
from bridge.store.conversations import Told
from bridge.store.ledger import TO_MATRIX
from bridge.store.recent import Recent
from portals.facts import PortalKind, PortalState
from portals.history.conversations import name_of
from portals.ids import ChannelId, SlackUserId, action_key, channel_queue, is_slack_id
from portals.people.conversations import GOES_ON, MOST_OTHERS, NAMES, is_private_to_slack, word_of_close
from portals.relay import content

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from typing import Any

    from bridge.matrix.client import MatrixClient
    from bridge.slack.client import SlackClient
    from bridge.store.directory import Directory
    from bridge.store.grants import Grant
    from bridge.store.people import People
    from bridge.work.answers import Answers
    from bridge.work.eyes import Eyes
    from bridge.work.ghosts import Ghosts
    from bridge.work.hands import Hands
    from bridge.work.puppets import Puppets
    from portals.facts import Portal
    from portals.ids import GhostNames, MatrixUserId, RoomId, TeamId

log = logging.getLogger(__name__)

_LOOK = 2.0
_MET = 10_000


@dataclass(frozen=True, slots=True)
class Parts:
    """What direct conversations rest on."""

    names: GhostNames
    directory: Directory
    people: People
    hands: Hands
    eyes: Eyes
    answers: Answers
    ghosts: Ghosts
    puppets: Puppets
    matrix: MatrixClient


class Conversations:
    """Makes portals of direct conversations, and sees to who is in their rooms."""

    def __init__(self, parts: Parts, wake: Callable[[str, str], None]) -> None:
        self._names = parts.names
        self._directory = parts.directory
        self._store = parts.eyes.store
        self._people = parts.people
        self._hands = parts.hands
        self._eyes = parts.eyes
        self._answers = parts.answers
        self._ghosts = parts.ghosts
        self._puppets = parts.puppets
        self._matrix = parts.matrix
        self._wake = wake
        self._met: Recent[tuple[TeamId, ChannelId], tuple[PortalKind, frozenset[SlackUserId]]] = Recent(_MET)
        """Who takes part in conversations that have no portal; kept in memory only."""
        self._seen: object = None
        """Who was connected and agreed when it was looked last."""
        self._looks: dict[tuple[TeamId, SlackUserId], tuple[int, int]] = {}
        """What the store remembers of looks through people's conversations."""
        self._due = asyncio.Event()

    # --- which have a portal

    async def consider(self, team: TeamId, channel: ChannelId, told: Iterable[SlackUserId]) -> Portal | None:
        """Return the portal that a conversation is to have of which Slack told on behalf of these people, if any."""
        if not self._eyes.wanted:
            return None
        connected = await self._hands.live(team)
        for user in told:
            if user in connected:
                return await self._take_up(team, channel, user)
        return None

    async def talk(self, team: TeamId, account: MatrixUserId, others: Collection[SlackUserId]) -> Portal:
        """Return the portal of the conversation of somebody of Matrix with others; raises what `begin` does."""
        if not self._eyes.wanted:
            raise Declined("no_conversations", "direct messages are not carried between Matrix and Slack here")
        user = await self._hands.user_of(team, account)
        if user is None:
            raise Declined(
                "not_connected_yourself",
                "that takes your own account of Slack, which is not connected: `connect` first",
            )
        for other in others:
            if await self._answers.person(team, other) is None:
                raise Declined("not_found", f"nobody in Slack has the id {other}")
        return await self.begin(team, user, others)

    async def begin(
        self, team: TeamId, user: SlackUserId, others: Collection[SlackUserId], target: str = "create"
    ) -> Portal:
        """Return the portal of the conversation of somebody with others, opened in Slack by their own hand.

        `target` is where a new one's room comes from. Raises Declined where it may not be, Refused by Slack, Later.
        """
        everybody = frozenset({user, *others})
        if len(everybody) > MOST_OTHERS + 1:
            raise Declined("too_many", f"Slack has no conversation with more than {MOST_OTHERS} others")
        workspace = await self._directory.workspace(team)
        if workspace is None or is_private_to_slack(everybody, workspace.bot_user):
            raise Declined("no_conversation", "a direct conversation is one with other people of Slack")
        if reason := await self._eyes.flaw_of(team, everybody):
            raise Declined("conversation_is_closed", reason)
        acting = await self._eyes.acting(team, user)
        opened = await acting.client.call("conversations.open", users=",".join(sorted(everybody - {user})))
        found = opened.get("channel")
        channel = str(found.get("id") or "") if isinstance(found, dict) else ""
        if not is_slack_id(channel):
            raise Later("conversations.open: the answer names no conversation")
        portal = await self._take_up(team, ChannelId(channel), user, target)
        if portal is None:
            raise Declined("removed", "an admin has ended the portal of this conversation")
        return portal

    async def _take_up(
        self, team: TeamId, channel: ChannelId, user: SlackUserId, target: str = "create"
    ) -> Portal | None:
        """Return the portal of a conversation in which somebody takes part, made where its people agreed."""
        known = await self._directory.portal_of_channel(team, channel)
        if known is not None and known.state is PortalState.REMOVED:
            return None
        if known is not None and await self._store.people(team, channel):
            return known
        kind, people = await self._meet(team, channel, user)
        workspace = await self._directory.workspace(team)
        if workspace is None or is_private_to_slack(people, workspace.bot_user) or kind is PortalKind.CHANNEL:
            return None
        if await self._eyes.flaw_of(team, people):
            return None
        await self._store.learn(team, channel, people)
        if known is not None:  # an import made it
            self._look_anew()
            return known
        portal = await self._directory.add_portal(
            team, channel, name=NAMES[kind], private=True, kind=kind, target=target
        )
        log.info("%s/%s: a %s becomes a portal", team, channel, NAMES[kind])
        self._wake(TO_MATRIX, channel_queue(team, channel))
        return portal

    async def _meet(
        self, team: TeamId, channel: ChannelId, user: SlackUserId
    ) -> tuple[PortalKind, frozenset[SlackUserId]]:
        """Return who takes part in a conversation, asked as one of them; its kind is CHANNEL where it is none."""
        known = self._met.get((team, channel))
        if known is None:
            try:
                client = (await self._eyes.acting(team, user)).client
                found = await client.channel(channel)
                met = await _people_of(client, channel, found, user)
            except Refused as refused:
                if await self._eyes.is_refused(team, user):
                    raise Later(f"the token of {user} is good for nothing: {refused}") from refused
                log.info("%s/%s: not bridged: %s", team, channel, refused)
                return PortalKind.CHANNEL, frozenset()
            known = met
            self._met.put((team, channel), known)
            for one in known[1]:
                await self._answers.person(team, one)
        return known

    # --- who is in its room

    async def name(self, portal: Portal) -> str:
        """Return what the room of a conversation is called: nothing for one of two, which clients name for each."""
        if portal.name not in NAMES.values():
            return portal.name
        if portal.kind is PortalKind.DM:
            return ""
        people = await self._store.people(portal.team, portal.channel)
        found = [await self._answers.person(portal.team, user) for user in people]
        return name_of([person.name for person in found if person is not None])

    async def accounts(self, portal: Portal) -> dict[MatrixUserId, SlackUserId]:
        """Return the accounts of those who take part and are connected; of nobody while it is closed."""
        if await self._eyes.closed(portal):
            return {}
        people, connected = await self._eyes.people(portal), await self._hands.live(portal.team)
        return {connected[user].account: user for user in people if user in connected}

    async def gather(self, portal: Portal) -> None:
        """Have those who take part in a conversation's room: by accounts who is connected, by ghosts the others."""
        room, accounts = portal.room, await self.accounts(portal)
        if room is None or not accounts:
            return
        others = await self._eyes.people(portal) - set(accounts.values())
        for user in sorted(others):
            try:
                await self._ghosts.ready(room, self._names.ghost(portal.team, user))
            except Refused as refused:
                log.warning("%s: the ghost of %s cannot be there: %s", room, user, refused)
        for account, user in accounts.items():
            try:
                await self._bring(room, account)
                if self._puppets.acts_as(account):
                    await self._mark_direct(portal, account, user)
            except Refused as refused:
                log.warning("%s: %s cannot be there: %s", room, account, refused)

    async def _bring(self, room: RoomId, account: MatrixUserId) -> None:
        """Have an account come, or be invited once; a second invitation would no longer say that the room is direct."""
        if not self._puppets.acts_as(account) and not await self._directory.is_joined(room, account):
            member = await self._matrix.rooms.member(room, account)
            if member is not None and member.membership in ("invite", "join"):
                await self._directory.set_joined(room, account, True)
        await self._puppets.bring(room, account)

    async def _mark_direct(self, portal: Portal, account: MatrixUserId, user: SlackUserId) -> None:
        """Have an account's clients show the room among those of the people whom it is with."""
        assert portal.room is not None
        others = await self._eyes.people(portal) - {user}
        await self._matrix.accounts.add_direct(
            account, [self._names.ghost(portal.team, other) for other in sorted(others)], portal.room
        )

    # --- in the background

    def moved(self, room: RoomId) -> None:
        """Look at a conversation again in whose room somebody came or went."""
        if self._eyes.moved(room):
            self._look_anew()

    def hurry(self) -> None:
        """Look now: another process may have changed who is connected."""
        self._due.set()

    def _look_anew(self) -> None:
        self._seen = None
        self._due.set()

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while self._eyes.wanted:
            try:
                await self.look()
            except BridgeError as error:
                log.warning("direct conversations are looked after again: %s", error)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK):
                    await self._due.wait()
            self._due.clear()

    async def look(self) -> None:
        """Tell the rooms of conversations what has changed, and look for those of which nobody was told."""
        known = await self._standing()
        if known != self._seen:
            self._seen = known
            try:
                for team, channel in await self._store.all():
                    portal = await self._directory.portal_of_channel(team, channel)
                    is_there = portal is not None and portal.state is not PortalState.REMOVED
                    if portal is not None and is_there and portal.room and self._eyes.is_connected(team):
                        await self._settle(portal)
            except BridgeError:
                self._seen = None
                raise
        for team in await self._people.workspaces():
            newest = await self._directory.gap(team)
            for user, grant in (await self._hands.live(team)).items():
                known_look = self._looks.get((team, user)) or await self._store.look(team, user)
                gap, at = self._looks[team, user] = known_look
                if gap < newest or at < grant.changed_at:
                    await self._look_through(team, grant, newest, max(at, grant.changed_at))

    async def _standing(self) -> object:
        """Return a value that is another one whenever it may be that a conversation stops or goes on."""
        teams = [team for team in await self._people.workspaces() if self._eyes.is_connected(team)]
        return [(team, dict(await self._hands.live(team)), await self._people.consents(team)) for team in teams]

    async def _settle(self, portal: Portal) -> None:
        """Tell a room once that its conversation stops, or goes on; bring in who is connected by now."""
        reason = await self._eyes.closed(portal)
        told = await self._store.told(portal.team, portal.channel)
        if reason != told.reason:
            assert portal.room is not None
            key = action_key("conversation", portal.team, portal.channel, str(told.changes))
            said = content.notice(word_of_close(reason) if reason else GOES_ON)
            try:
                await self._matrix.send(portal.room, None, "m.room.message", said, key)
            except Refused as refused:
                log.warning("%s could not be told about their conversation: %s", portal.room, refused)
            await self._store.set_told(portal.team, portal.channel, Told(reason, told.changes + 1))
            self._directory.forget_portals()
            self._wake(TO_MATRIX, channel_queue(portal.team, portal.channel))
        if not reason:
            await self.gather(portal)

    async def _look_through(self, team: TeamId, grant: Grant, gap: int, since: int) -> None:
        """Make portals of somebody's conversations in which something was said meanwhile; others wait until it is."""
        began = time.time_ns() // 1_000_000
        try:
            client = (await self._eyes.acting(team, grant.user)).client
            async for page in client.channels("im,mpim"):
                for found in page:
                    channel = str(found.get("id") or "") if isinstance(found, dict) else ""
                    if is_slack_id(channel) and await self._is_news(client, team, ChannelId(channel), since):
                        await self._take_up(team, ChannelId(channel), grant.user)
        except Refused as refused:
            if not await self._eyes.is_refused(team, grant.user):
                log.warning("%s/%s: the conversations are not to be seen: %s", team, grant.user, refused)
        except Later as later:
            log.info("%s/%s: the conversations are looked through later: %s", team, grant.user, later)
            return
        await self._store.set_look(team, grant.user, gap, began)
        self._looks[team, grant.user] = (gap, began)

    async def _is_news(self, client: SlackClient, team: TeamId, channel: ChannelId, since: int) -> bool:
        """Tell whether something was said in a conversation without a portal, or whether an import made its portal."""
        portal = await self._directory.portal_of_channel(team, channel)
        if portal is not None:
            return not await self._store.people(team, channel)
        async for page in client.history(channel, f"{since / 1000:.6f}", limit=1):
            return bool(page)
        return False


async def _people_of(
    client: SlackClient, channel: ChannelId, found: Mapping[str, Any], user: SlackUserId
) -> tuple[PortalKind, frozenset[SlackUserId]]:
    """Return who takes part in what Slack describes; CHANNEL for what is no conversation."""
    if found.get("is_im") is True:
        other = str(found.get("user") or "")
        return PortalKind.DM, frozenset({user, SlackUserId(other)} if is_slack_id(other) else {user})
    if found.get("is_mpim") is not True:
        return PortalKind.CHANNEL, frozenset()
    people = {SlackUserId(one) async for page in client.members(channel) for one in page if is_slack_id(str(one))}
    return PortalKind.GROUP_DM, frozenset(people)
