"""The desk of the bot: what is said to it is taken, done once, and answered, on the route that every message takes.

    row ──▶ is it for the bot? ──▶ plan: ObeyCommand (commit) ──▶ who may? ──▶ do it ──▶ answer ──▶ settle (commit)

What begins with the prefix has a queue of its own for each room, so that it is heard in a paused portal and beside one
whose messages wait. An act is in the audit log by the event that asked for it: a process that dies behind the act finds
it there, and only answers. The answer's transaction id is its key, by which one that was sent is found.

Nothing is taken of who is not in the room, of the bridge's own users, or of an event that was redacted meanwhile; and
of each person only so much a minute.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from typing import TYPE_CHECKING

from bridge.commands.asker import Asker, NotYet, actor_of
from bridge.errors import Declined, Later, Refused, StoreUnavailable
from bridge.store.audit import noted
from bridge.store.recent import Recent
from portals.actions import ObeyCommand
from portals.commands import replies
from portals.commands.asked import words_alone, words_of
from portals.commands.grammar import Mistake, parse
from portals.commands.levels import Level, needed
from portals.events import Ignored
from portals.facts import PortalState
from portals.ids import action_key

if TYPE_CHECKING:
    from bridge.administration.store import Store
    from bridge.commands.acts import Acts
    from bridge.commands.moderating import Moderating
    from bridge.matrix.client import MatrixClient
    from bridge.work.perform import Task
    from portals.actions import Action
    from portals.commands.command import Command
    from portals.commands.levels import Rights
    from portals.events import MatrixMessage, MatrixReaction
    from portals.facts import Portal
    from portals.ids import MatrixUserId, RoomId, TeamId
    from portals.text import Document

log = logging.getLogger(__name__)

_MOST = 20
_WITHIN = 60.0
"""So many commands of one person in so many seconds are taken."""
_STARTING = 20.0
"""Seconds after a start in which a workspace that is not connected yet is waited for."""
_ROOMS = 10_000
_PEOPLE = 10_000
_LOOKED_AT = 300
"""How many of a room's newest events are looked at for an answer whose sending was interrupted."""


class Desk:
    """Takes commands and carries them out."""

    def __init__(
        self, rights: Rights, store: Store, matrix: MatrixClient, acts: Acts, moderating: Moderating | None = None
    ) -> None:
        self.rights = rights
        self._store = store
        self._matrix = matrix
        self._acts = acts
        self._moderating = moderating
        self._began = time.monotonic()
        self._crowded: Recent[RoomId, bool] = Recent(_ROOMS)
        """Rooms that are nobody's own with the bot, until somebody comes or goes: they are not asked each time."""
        self._asked: Recent[MatrixUserId, deque[float]] = Recent(_PEOPLE)
        """When each person asked for something of late; kept in memory only, for nothing but politeness."""

    # --- is it for the bot?

    async def decide(self, message: MatrixMessage, portal: Portal | None) -> tuple[Action, ...] | Ignored | None:
        """Return what to do about a message that asks something of the bot; None for one that does not."""
        words = words_of(message, self.rights.prefix)
        has_portal = portal is not None and portal.state is not PortalState.REMOVED
        if words is None and not has_portal and await self._is_alone(message.room, message.sender):
            words = words_alone(message)
        if words is None:
            return None
        flaw = await self._flaw_of(message)
        if flaw:
            return Ignored(flaw)
        if self._is_too_much(message.sender):
            return Ignored("more commands than one person may give in a minute")
        key = action_key(message.source, "answer")
        return (ObeyCommand(key, message.room, message.sender, message.event_id, words, message.thread_root),)

    async def _flaw_of(self, message: MatrixMessage) -> str:
        """Return why nothing is done about a command, as its room stands now; nothing where something is."""
        if self._store.names.is_ours(message.sender):
            return "a command of one of the bridge's own users"
        try:
            member = await self._matrix.rooms.member(message.room, message.sender)
            said = await self._matrix.event(message.room, message.event_id)
        except Refused as refused:
            return f"a command in a room that the bot does not see: {refused}"
        if member is None or member.membership != "join":
            return "a command of somebody who is not in the room"
        return "" if said is not None and said.get("content") else "a command that was redacted"

    async def is_own_room(self, room: RoomId, user: MatrixUserId) -> bool:
        """Tell whether a room is somebody's own with the bot."""
        return await self._is_alone(room, user)

    def forget_room(self, room: RoomId) -> None:
        """Look anew who is in a room: somebody came or went."""
        self._crowded.forget(room)

    async def _is_alone(self, room: RoomId, user: MatrixUserId) -> bool:
        if self._crowded.get(room):
            return False
        writes = self._crowded.writes
        try:
            joined = await self._matrix.rooms.joined_members(room)
        except Refused:
            return False
        is_alone = set(joined) == {self._matrix.bot, user}
        if not is_alone:
            self._crowded.keep(room, True, writes)
        return is_alone

    def _is_too_much(self, user: MatrixUserId) -> bool:
        now = time.monotonic()
        times = self._asked.get(user) or deque()
        while times and now - times[0] > _WITHIN:
            times.popleft()
        times.append(now)
        self._asked.put(user, times)
        if len(times) > _MOST:
            times.pop()
            log.warning("%s gives more than %d commands a minute", user, _MOST)
            return True
        return False

    async def reacted(self, reaction: MatrixReaction) -> str:
        """Do what somebody says by a reaction in a room that is no portal's; returns what, or nothing."""
        return await self._moderating.reacted(reaction) if self._moderating is not None else ""

    # --- doing it

    async def perform(self, _team: TeamId, task: Task) -> str:
        """Do what is asked, and answer; returns the event of the answer."""
        action = task.action
        assert isinstance(action, ObeyCommand)
        if task.unsure:
            found = await self._matrix.find_stamp(action.room, action.key, _LOOKED_AT, sender=self._matrix.bot)
            if found is not None:
                return found
        document = await self._obeyed(action, task)
        content = replies.event(document, action.event_id, action.thread)
        return await self._matrix.send(action.room, None, "m.room.message", content, action.key)

    async def _obeyed(self, action: ObeyCommand, task: Task) -> Document:
        actor = actor_of(action.sender, action.room, action.event_id)
        portal = await self._store.directory.portal_of_room(action.room)
        if portal is not None and portal.state is PortalState.REMOVED:
            portal = None
        self.forget_room(action.room)
        alone = portal is None and await self._is_alone(action.room, action.sender)
        asker = Asker(
            user=action.sender,
            level=self.rights.level(action.sender),
            room=action.room,
            event_id=action.event_id,
            key=action.key,
            portal=portal,
            alone=alone,
            prefix="" if alone else f"{self.rights.prefix} ",
            unsure=task.unsure,
            done=await self._store.audit.acted(str(actor)),
            since=task.since,
        )
        command = parse(action.words)
        takes = Level.USER if isinstance(command, Mistake) else needed(command)
        if asker.level < takes:
            await self._note_refusal(type(command).__name__, takes, asker)
            return replies.refused(asker.level, asker.prefix)
        if isinstance(command, Mistake):
            return replies.mistake(command, asker.prefix)
        log.info("%s asks for %s in %s", asker.user, type(command).__name__, asker.room)
        return await self._done(command, asker)

    async def _done(self, command: Command, asker: Asker) -> Document:
        try:
            return await self._acts.obey(command, asker)
        except Declined as declined:
            if declined.code == "not_connected" and time.monotonic() - self._began < _STARTING:
                raise Later(str(declined), 0.5) from declined
            return replies.said(replies.sentence(replies.in_matrix(str(declined), asker.prefix)))
        except (StoreUnavailable, NotYet):
            raise
        except Later as later:
            return replies.said(f"That cannot be done at present: {later}. Ask again in a while.")
        except Refused as refused:
            return replies.said(replies.sentence(str(refused)))

    async def _note_refusal(self, name: str, takes: Level, asker: Asker) -> None:
        if not asker.done:
            has = f"{name} takes the level {takes.name.lower()}, theirs is {asker.level.name.lower()}"
            await self._store.database.commit(noted(str(asker.actor), "refused command", asker.room, has))

    # --- rooms of one's own

    async def greet(self, room: RoomId, user: MatrixUserId, source: str) -> None:
        """Say hello in a room that is somebody's own with the bot; leave one whose messages the bot cannot read."""
        self.forget_room(room)
        if not await self._is_alone(room, user):
            return
        key = action_key(source, "welcome")
        try:
            if await self._matrix.find_stamp(room, key, _LOOKED_AT, sender=self._matrix.bot):
                return
            await self._matrix.send(room, None, "m.room.message", replies.welcome(self._matrix.bot), key)
        except Refused as refused:
            log.info("%s is left again: %s", room, refused)
            await self._matrix.rooms.leave(room, reason=f"{refused.detail}: invite me into a room without encryption.")
