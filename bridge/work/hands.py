"""By which hand an action goes: the one place that knows who of Matrix acts in Slack by a token of their own.

    decide  ─ `of`: as whom a person writes in a channel, or None for the app
    perform ─ `acting`: what acts by that person's token, renewed before it expires
              `refused`: Slack takes it no more (the grant is broken, and the person told once), or not in this channel

What was ended, by a command, by the
command line or because a link is gone, is revoked at Slack as soon as that answers.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from typing import TYPE_CHECKING, Any

from bridge.errors import BridgeError, Later, Refused, StoreUnavailable, Unsure
from bridge.matrix.encryption.turns import Turns
from bridge.oauth.seal import WRONG_KEY
from bridge.store.grants import GrantState
from portals.ids import action_key
from portals.people.hands import BY_APP, Fault, fault_of, why, word_of_break, word_of_place
from portals.relay import content

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bridge.matrix.client import MatrixClient
    from bridge.oauth.renewal import Renewal
    from bridge.oauth.seal import Seal
    from bridge.slack.installation import Installation
    from bridge.store.directory import Directory
    from bridge.store.grants import Grant, Grants
    from bridge.store.people import People
    from portals.events import SlackTokensEnd
    from portals.ids import ChannelId, MatrixUserId, RoomId, SlackUserId, TeamId

log = logging.getLogger(__name__)

_AGAIN = 600.0
"""Seconds until a person who was refused in a channel is tried there again."""
_LOOK = 20.0


class Hands:
    """Acts in Slack as people who have connected their accounts."""

    def __init__(
        self,
        *,
        grants: Grants,
        people: People,
        directory: Directory,
        matrix: MatrixClient,
        installations: Mapping[TeamId, Installation],
        renewal: Renewal,
        seal: Seal,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._grants = grants
        self._people = people
        self._directory = directory
        self._matrix = matrix
        self._installations = installations
        self._renewal = renewal
        self._seal = seal
        self._clock = clock
        self._told: set[str] = set()
        """What this process knows to have been told; the store knows all."""
        self._turns = Turns()
        self._due = asyncio.Event()
        self._made: dict[tuple[TeamId, SlackUserId], tuple[str, Installation]] = {}
        self._refused: dict[tuple[TeamId, SlackUserId, str], float] = {}
        """When somebody was refused in a channel; kept in memory only, for nothing but politeness."""

    # --- what a decision asks

    async def of(self, team: TeamId, account: MatrixUserId | None, channel: ChannelId) -> SlackUserId | None:
        """Return as whom somebody of Matrix acts in a channel; None for the app."""
        user = (await self._people.known(team)).users.get(account) if account is not None else None
        if user is None or team not in self._installations:
            return None
        grant = await self._grants.of(team, user)
        if grant is None or grant.state is not GrantState.LIVE or grant.account != account:
            return None
        refused = self._refused.get((team, user, channel))
        return user if refused is None or self._clock() - refused >= _AGAIN else None

    async def known(self, team: TeamId) -> frozenset[SlackUserId]:
        """Return everybody of a workspace as whom the bridge acts or has acted."""
        return frozenset(user for theirs, user in await self._grants.all() if theirs == team and user)

    async def live(self, team: TeamId) -> dict[SlackUserId, Grant]:
        """Return the grants of everybody of a workspace who is connected."""
        return {
            grant.user: grant
            for grant in await self._theirs()
            if grant.team == team and grant.state is GrantState.LIVE and team in self._installations
        }

    async def user_of(self, team: TeamId, account: MatrixUserId) -> SlackUserId | None:
        """Return who somebody of Matrix is in Slack, if they are connected."""
        return next((user for user, one in (await self.live(team)).items() if one.account == account), None)

    def forget(self) -> None:
        """Read the grants anew, and look after them at once: another process has changed them."""
        self._grants.forget()
        self._due.set()

    # --- what performs

    async def acting(self, team: TeamId, user: SlackUserId) -> Installation:
        """Return what acts as somebody; raises Refused with the code BY_APP where nothing does any more."""
        async with self._turns.of(f"{team}/{user}"):
            grant = await self._grants.of(team, user)
            if grant is None or grant.state is not GrantState.LIVE:
                raise Refused(BY_APP, "its author's connection to Slack has ended")
            try:
                grant = await self._renewed(grant)
                token = self._seal.open(grant.tokens.token, team, user)
            except Refused as refused:
                if refused.code == WRONG_KEY:
                    raise Refused(BY_APP, refused.detail) from refused
                raise
            made = self._made.get((team, user))
            if made is None or made[0] != grant.tokens.token:
                made = self._made[team, user] = (grant.tokens.token, self._installations[team].by(token))
            return made[1]

    async def refused(self, team: TeamId, channel: ChannelId | None, user: SlackUserId, refused: Refused) -> Refused:
        """Return what to raise when Slack refused something to a person's own hand."""
        fault = fault_of(refused.code)
        if fault is None:
            return refused
        if fault is Fault.PLACE and channel is not None and await self._is_conversation(team, channel):
            return refused
        grant = await self._grants.of(team, user)
        words = why(refused.code)
        if grant is not None and fault is Fault.TOKEN:
            log.warning("%s/%s is not acted for any more: %s (%s)", team, user, words, refused.code)
            if await self._grants.break_(grant, words):
                await self._tell_of_breaks()
        elif grant is not None and channel is not None:
            log.info("%s/%s: the app acts in %s: %s", team, user, channel, refused)
            self._refused[team, user, channel] = self._clock()
            await self._tell_of_place(grant, channel, words)
        return Refused(BY_APP, f"{refused.detail}, as its author")

    async def _is_conversation(self, team: TeamId, channel: ChannelId) -> bool:
        portal = await self._directory.portal_of_channel(team, channel)
        return portal is not None and portal.is_conversation

    async def _renewed(self, grant: Grant) -> Grant:
        """Return a grant whose token is good for a while; whoever's is not any more is told."""
        try:
            return await self._renewal.due(grant, self._installations[grant.team].name)
        except Refused:
            await self._tell_of_breaks()
            raise

    # --- ending

    async def tokens_end(self, team: TeamId, event: SlackTokensEnd) -> None:
        """Look whether tokens of which Slack says that they end have ended: a late word may be about earlier ones."""
        for grant in await self._theirs():
            named = event.all or grant.user in event.users
            if grant.team == team and named and grant.state is GrantState.LIVE:
                await self.scopes(team, grant.user)

    async def scopes(self, team: TeamId, user: SlackUserId) -> frozenset[str] | None:
        """Return what somebody's token allows, nothing where Slack does not say; None for one that is taken no more."""
        try:
            return (await (await self.acting(team, user)).client.auth()).scopes
        except Refused as refused:
            if refused.code != BY_APP:
                await self.refused(team, None, user, refused)
            return None

    async def revoke(self, grant: Grant) -> bool:
        """Take a grant that ends back at Slack; false where Slack could not be asked now: it will be."""
        async with self._turns.of(f"{grant.team}/{grant.user}"):
            if grant.team not in self._installations:
                return False
            try:
                if 0 < grant.tokens.expires_at <= time.time_ns() // 1_000_000:
                    grant = await self._renewed(grant)
                token = self._seal.open(grant.tokens.token, grant.team, grant.user)
                if token:
                    await self._installations[grant.team].by(token).client.call("auth.revoke")
            except StoreUnavailable:
                raise
            except (Later, Unsure) as fault:
                log.warning("%s/%s: the token could not be revoked yet: %s", grant.team, grant.user, fault)
                return False
            except Refused as refused:  # it is good for nothing already, or cannot be opened any more
                log.info("%s/%s: nothing was revoked: %s", grant.team, grant.user, refused)
            self._made.pop((grant.team, grant.user), None)
            await self._grants.ended(grant)
            return True

    async def _theirs(self) -> list[Grant]:
        """Return the grants of people."""
        return [grant for grant in (await self._grants.all()).values() if not grant.is_apps]

    # --- in the background

    async def run(self) -> None:
        """Tell, revoke and renew what is due, until cancelled."""
        while True:
            try:
                await self.look()
            except BridgeError as error:
                log.warning("people's own connections are looked after again: %s", error)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK):
                    await self._due.wait()
            self._due.clear()

    async def look(self) -> None:
        """Tell, revoke and renew what is due."""
        await self._tell_of_breaks()
        for grant in await self._theirs():
            if grant.state is GrantState.LIVE and await self._is_unlinked(grant):
                await self._grants.end(grant, "the link has ended", "bridge")
            elif grant.state is GrantState.ENDING:
                await self.revoke(grant)
            elif grant.state is GrantState.LIVE and grant.tokens.expires_at and grant.team in self._installations:
                try:
                    await self.acting(grant.team, grant.user)
                except (Later, Refused) as error:
                    log.info("%s/%s: %s", grant.team, grant.user, error)

    async def _is_unlinked(self, grant: Grant) -> bool:
        return (await self._people.known(grant.team)).accounts.get(grant.user) != grant.account

    # --- telling

    async def say(self, grant: Grant, about: str, words: str) -> None:
        """Say something once to somebody who is connected, in their own room with the bot."""
        await self._tell(grant, about, grant.room, content.notice(words))

    async def _tell_of_breaks(self) -> None:
        for grant in await self._theirs():
            if grant.state is GrantState.BROKEN and grant.team in self._installations:
                name = self._installations[grant.team].name
                await self._tell(grant, "token", grant.room, content.notice(word_of_break(name, grant.reason)))

    async def _tell_of_place(self, grant: Grant, channel: ChannelId, words: str) -> None:
        portal = await self._directory.portal_of_channel(grant.team, channel)
        member = await self._directory.member(grant.account)
        if portal is not None and portal.room is not None:
            said = content.notice(word_of_place(member.name if member else grant.account, words))
            said["m.mentions"] = {"user_ids": [grant.account]}
            await self._tell(grant, channel, portal.room, said)

    async def _tell(self, grant: Grant, about: str, room: RoomId, said: dict[str, Any]) -> None:
        """Say something once: its transaction id is of this grant, and what was said is remembered."""
        key = action_key("hand", grant.team, grant.user, about, str(grant.changed_at))
        if key in self._told or await self._grants.was_told(grant, about):
            self._told.add(key)
            return
        try:
            await self._matrix.send(room, None, "m.room.message", said, key)
        except Refused as refused:
            log.warning("%s could not be told about their connection to Slack: %s", grant.account, refused)
        except BridgeError as error:
            log.info("%s is told later about their connection to Slack: %s", grant.account, error)
            return
        await self._grants.told(grant, about)
