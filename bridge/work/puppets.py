"""People's own accounts: which of them the bridge may act as, and bringing them into rooms without a sound.

The homeserver lets the bridge act as its accounts by a second registration. What it refuses to an account in a room is
told once in the log; the person's ghost speaks there for a while, then the account is tried again. An account that the
bridge may not act as is invited instead, and joins when its owner likes.

While history is brought into a room, the room is muted for each account that writes in it, mentions as well. When all
of it is in, the room is as its owner had set it, and read to the end. What was muted is kept in the store: a bridge
that is killed meanwhile ends it later.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

import orjson

from bridge.errors import BridgeError, Refused
from portals.facts import Account, PortalState
from portals.ids import EventId
from portals.people.puppets import is_puppet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bridge.matrix.client import MatrixClient
    from bridge.matrix.wire import Puppeting
    from bridge.store.directory import Directory
    from bridge.store.people import People
    from portals.facts import Portal
    from portals.ids import GhostNames, MatrixUserId, RoomId, SlackUserId

log = logging.getLogger(__name__)

_LOOK = 5.0
_AGAIN = 3600.0
"""Seconds until an account that was refused in a room is tried there again."""


class Puppets:
    """Acts as people's own accounts, as far as `puppeting` lets it: as nobody's where that is None."""

    def __init__(
        self,
        names: GhostNames,
        puppeting: Puppeting | None,
        people: People,
        directory: Directory,
        matrix: MatrixClient,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.names = names
        self._patterns = puppeting.accounts if puppeting is not None else ()
        self._people = people
        self._directory = directory
        self._matrix = matrix
        self._clock = clock
        self._refused: dict[tuple[RoomId, MatrixUserId], float] = {}
        """When an account was refused in a room; kept in memory only, for nothing but politeness."""
        self._told: set[tuple[MatrixUserId, str]] = set()
        self._quiet: set[tuple[RoomId, MatrixUserId]] = set()
        """The rooms of which this process knows that they are muted."""

    def acts_as(self, account: MatrixUserId) -> bool:
        """Tell whether the bridge may act as an account."""
        return not self.names.is_ours(account) and is_puppet(account, self._patterns, self.names.domain)

    async def accounts(
        self, portal: Portal, users: Iterable[SlackUserId], members: Iterable[MatrixUserId]
    ) -> dict[SlackUserId, Account]:
        """Return the accounts of these Slack people, and those of these members that are somebody's in Slack."""
        known = await self._people.known(portal.team)
        asked = {*users, *(known.users[member] for member in members if member in known.users)}
        found = {user: known.accounts[user] for user in asked if user in known.accounts}
        return {user: Account(account, self._may_act(portal.room, account)) for user, account in found.items()}

    def _may_act(self, room: RoomId | None, account: MatrixUserId) -> bool:
        if room is None or not self.acts_as(account):
            return False
        refused = self._refused.get((room, account))
        return refused is None or self._clock() - refused >= _AGAIN

    def note_refusal(self, room: RoomId, account: MatrixUserId, refused: Refused) -> None:
        """Have the ghost speak in this room for a while; the log says so once for each account and reason."""
        self._refused[room, account] = self._clock()
        if (account, refused.code) not in self._told:
            self._told.add((account, refused.code))
            log.warning("%s may not act in %s, so the ghost does: %s", account, room, refused)

    # --- rooms

    async def ready(self, room: RoomId, account: MatrixUserId) -> None:
        """Have an account in a room, to act there."""
        portal = await self._directory.portal_of_room(room)
        if portal is not None and portal.state is PortalState.IMPORTING and (room, account) not in self._quiet:
            await self.quiet(room, account)
            self._quiet.add((room, account))
        if not await self._directory.is_joined(room, account):
            await self._matrix.rooms.ensure_joined(room, account)
            await self._directory.set_joined(room, account, True)

    async def bring(self, room: RoomId, account: MatrixUserId) -> None:
        """Have an account join, or be invited where the bridge may not act as it; whoever left again stays away."""
        if self.acts_as(account):
            await self.ready(room, account)
        elif not await self._directory.is_joined(room, account):
            await self._matrix.rooms.invite(room, account)
            await self._directory.set_joined(room, account, True)

    async def leave(self, room: RoomId, account: MatrixUserId) -> None:
        """Have an account leave that was brought; where the bridge may not act as it, the bot takes it out."""
        if not await self._directory.is_joined(room, account):
            return
        try:
            if self.acts_as(account):
                await self._matrix.rooms.leave(room, account)
            else:
                await self._matrix.rooms.kick(room, account, "not in the Slack channel any more")
        except Refused as refused:
            log.warning("%s stays in %s: %s", account, room, refused)
        await self._directory.set_joined(room, account, False)

    # --- without a sound

    async def run(self) -> None:
        """Have rooms ring again whose history is in, until cancelled."""
        while True:
            try:
                await self.end_quiet()
            except BridgeError as error:
                log.info("muted rooms are looked at again: %s", error)
            await asyncio.sleep(_LOOK)

    async def end_quiet(self) -> None:
        """Have those rooms ring again into which no history is being brought."""
        for room, account in await self._people.all_quieted():
            portal = await self._directory.portal_of_room(room)
            if portal is not None and portal.state is PortalState.IMPORTING:
                continue
            newest = (await self._matrix.messages(room, limit=1)).events
            await self.loud(room, account, EventId(newest[0]["event_id"]) if newest else None)

    async def quiet(self, room: RoomId, account: MatrixUserId) -> None:
        """Mute a room for an account, until `loud`; does nothing for one that the bridge may not act as.

        What the account's owner had set for the room is kept, through any kill. Mentions are muted as well, which the
        rules for rooms (client-server API, "Push rules") would let through.
        """
        if not self.acts_as(account):
            return
        try:
            if await self._people.quieted(room, account) is None:
                before = await self._matrix.accounts.push_rule(account, room)
                await self._people.add_quieted(room, account, orjson.dumps(before).decode() if before else "")
            muted = {"conditions": [{"kind": "event_match", "key": "room_id", "pattern": room}], "actions": []}
            await self._matrix.accounts.set_push_rule(account, room, muted)
            await self._matrix.accounts.switch_push_rule(account, room, on=True)
        except Refused as refused:
            log.warning("%s could not be muted for %s: %s", room, account, refused)

    async def loud(self, room: RoomId, account: MatrixUserId, last: EventId | None) -> None:
        """Have a room be as it was for an account before `quiet`, and read up to its last event."""
        before = await self._people.quieted(room, account)
        if before is None:
            return
        try:
            if last is not None:
                await self._matrix.accounts.read_up_to(room, account, last)
            if before:
                rule = orjson.loads(before)
                kept = {name: rule[name] for name in ("conditions", "actions") if name in rule}
                await self._matrix.accounts.set_push_rule(account, room, kept)
                await self._matrix.accounts.switch_push_rule(account, room, on=rule.get("enabled") is not False)
            else:
                await self._matrix.accounts.remove_push_rule(account, room)
        except Refused as refused:
            log.warning("%s stays muted for %s, who can change it in any client: %s", room, account, refused)
        await self._people.remove_quieted(room, account)
        self._quiet.discard((room, account))
