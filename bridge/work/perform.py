"""Actions are performed: this and `perform_in_slack` are where the bridge changes anything on either side.

`MatrixPerformer` and `SlackPerformer` each perform one action and return what it yields: an event id, a ts, or nothing.
An action whose earlier outcome is unknown (`unsure`) is looked for by its stamp before it is sent again; actions that
are harmless to repeat are repeated.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from bridge.errors import Refused
from bridge.work.room_state import RoomState
from bridge.work.transfers import ABSENT
from portals.actions import (
    SOURCE,
    ChangePins,
    CloseRoom,
    Note,
    RecordUnreaction,
    RedactEvent,
    SendEvent,
    SendFile,
    SetMembership,
    SetState,
)
from portals.crossing.policy import OPEN
from portals.ids import EventId, action_key
from portals.people.puppets import is_about_the_account

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bridge.matrix.client import MatrixClient
    from bridge.store.directory import Directory
    from bridge.work.eyes import Eyes
    from bridge.work.ghosts import Ghosts
    from bridge.work.puppets import Puppets
    from bridge.work.transfers import Transfers
    from portals.actions import Action
    from portals.crossing.policy import Policy
    from portals.ids import ActionKey, MatrixUserId, RoomId, TeamId

log = logging.getLogger(__name__)

BANNED = "banned"
"""The code of a refusal because moderators banned a ghost: what its person says is not shown there."""
BY_GHOST = "by_ghost"
"""The code of a refusal of something that a person's own account may not do, and their ghost has to."""
_LOOKED_AT = 300
"""How many of a room's newest events are looked at for a lost one: what ours and others wrote since."""


@dataclass(frozen=True, slots=True)
class Task:
    """One action to perform; `unsure` says that it may have been performed before, though not before `since` (s)."""

    action: Action
    unsure: bool
    since: float
    progress: str
    note_progress: Callable[[str], Awaitable[None]]
    policy: Policy = OPEN


class MatrixPerformer:
    """Performs what is to be done in rooms."""

    def __init__(
        self,
        matrix: MatrixClient,
        ghosts: Ghosts,
        puppets: Puppets,
        directory: Directory,
        transfers: Transfers,
        eyes: Eyes,
    ) -> None:
        self._matrix = matrix
        self._state = RoomState(matrix)
        self._ghosts = ghosts
        self._puppets = puppets
        self._directory = directory
        self._transfers = transfers
        self._eyes = eyes

    async def perform(self, team: TeamId, task: Task) -> str:
        """Perform one action; returns the event id that it made, or an empty text."""
        match task.action:
            case SendEvent() as action:
                return await self._spoken(action, task, partial(self._send, action))
            case SendFile() as action:
                return await self._spoken(action, task, partial(self._send_file, team, action, task.policy))
            case RedactEvent() as action:
                return await self._redacted(action, task)
            case SetState() as action:
                await self._state.show(action.room, action.type, action.state_key, action.content)
                return ""
            case ChangePins() as action:
                await self._state.pin(action.room, action.events, action.pinned)
                return ""
            case CloseRoom() as action:
                await self._state.close(action.room, action.closed)
                return ""
            case SetMembership() as action:
                await self._moved(action)
                return ""
            case Note():
                return ""
            case _:
                raise TypeError(f"{type(task.action).__name__} is no action for Matrix")

    async def _spoken(self, action: SendEvent | SendFile, task: Task, send: Callable[[], Awaitable[str]]) -> str:
        """Send as a ghost, or as a person's own account.

        Raises Refused with the code BY_GHOST where the account may not, or where its ghost has sent already.
        """
        if action.ghost is None:
            return await self._stamped(action.room, action.sender, action.key, task, send)
        if task.unsure and await self._matrix.find_stamp(action.room, action.key, _LOOKED_AT, sender=action.ghost):
            raise Refused(BY_GHOST, f"{action.ghost} has sent {action.key} already")
        try:
            return await self._stamped(action.room, action.sender, action.key, task, send, action.ghost)
        except Refused as refused:
            raise self._by_ghost(action.room, action.sender, refused) from refused

    def _by_ghost(self, room: RoomId, account: MatrixUserId, refused: Refused) -> Refused:
        """Return what to raise when an account was refused something that its ghost may do."""
        if not is_about_the_account(refused.code):
            return refused
        self._puppets.note_refusal(room, account, refused)
        return Refused(BY_GHOST, refused.detail)

    async def _moved(self, action: SetMembership) -> None:
        if self._puppets.names.is_ours(action.user):
            if action.joined:
                await self._ready(action.room, action.user)
            else:
                await self._ghosts.leave(action.room, action.user)
        elif action.joined:
            try:
                await self._puppets.bring(action.room, action.user)
            except Refused as refused:
                raise self._by_ghost(action.room, action.user, refused) from refused
            if action.ghost is not None and self._puppets.acts_as(action.user):
                await self._replace(action.room, action.ghost)
        else:
            await self._puppets.leave(action.room, action.user)

    async def _replace(self, room: RoomId, ghost: MatrixUserId) -> None:
        """Have a ghost leave a room in which its person has come in their own account."""
        if await self._directory.is_joined(room, ghost):
            await self._ghosts.leave(room, ghost)

    async def _stamped(
        self,
        room: RoomId,
        sender: MatrixUserId,
        key: ActionKey,
        task: Task,
        send: Callable[[], Awaitable[str]],
        ghost: MatrixUserId | None = None,
    ) -> str:
        if task.unsure:
            found = await self._matrix.find_stamp(room, key, _LOOKED_AT, sender=sender)
            if found is not None:
                log.info("%s was sent already: found in %s", key, room)
                return found
        await self._ready(room, sender)
        if ghost is not None:
            await self._replace(room, ghost)
        try:
            return await send()
        except Refused as refused:
            if refused.code != "M_FORBIDDEN":
                raise
            # the sender may have been removed from the room since we noted that it is there
            await self._directory.set_joined(room, sender, False)
            await self._ready(room, sender)
            return await send()

    async def _ready(self, room: RoomId, user: MatrixUserId) -> None:
        """Have a ghost or an account in the room; raises Refused with the code BANNED where it may not be."""
        try:
            if self._puppets.names.is_ours(user):
                await self._ghosts.ready(room, user)
            else:
                await self._puppets.ready(room, user)
        except Refused as refused:
            if refused.code != "M_FORBIDDEN":
                raise
            member = await self._matrix.rooms.member(room, user)
            if member is None or member.membership != "ban":
                raise
            raise Refused(BANNED, f"{user} is banned from the room") from refused

    async def _send(self, action: SendEvent) -> str:
        return await self._matrix.send(action.room, action.sender, action.type, action.content, action.key, action.ts)

    async def _redacted(self, action: RedactEvent, task: Task) -> str:
        """Redact as the event's own sender, or as the bot where that one may not: banned, or in an archived room."""

        async def redact(sender: MatrixUserId) -> str:
            if not isinstance(action.record, RecordUnreaction):
                # what an edit said stands in an event of its own
                async for edit in self._matrix.related(action.room, action.event_id, "m.replace"):
                    event_id = EventId(edit["event_id"])
                    await self._matrix.redact(action.room, sender, event_id, action_key(action.key, event_id))
            return await self._matrix.redact(action.room, sender, action.event_id, action.key, ts=action.ts)

        try:
            return await self._stamped(action.room, action.sender, action.key, task, partial(redact, action.sender))
        except Refused as refused:
            is_theirs = refused.code == BANNED or is_about_the_account(refused.code)
            if not is_theirs or action.sender == self._matrix.bot:
                raise
            bot = self._matrix.bot
            return await self._stamped(action.room, bot, action.key, task, partial(redact, bot))

    async def _send_file(self, team: TeamId, action: SendFile, policy: Policy) -> str:
        sealed = await self._matrix.is_encrypted(action.room, action.sender)
        reading = await self._eyes.of_room(action.room)
        transfers = self._transfers if reading is None else self._transfers.by(team, reading)
        try:
            mxc = await transfers.to_matrix(team, action, sealed=sealed, policy=policy)
        except Refused as refused:
            if refused.code != ABSENT:
                raise
            words = action.fallback.replace("{reason}", refused.detail)
            content = {"msgtype": "m.notice", "body": words, "m.mentions": {}}
            content |= {name: action.content[name] for name in (SOURCE, "m.relates_to") if name in action.content}
        else:
            shown = await self._matrix.showing(mxc)
            content = {**action.content, **shown}
            if "m.new_content" in action.content:
                content["m.new_content"] = {**action.content["m.new_content"], **shown}
            if action.thumbnail:
                content["info"] = await self._with_thumbnail(team, action, transfers, sealed=sealed)
        return await self._matrix.send(action.room, action.sender, "m.room.message", content, action.key, action.ts)

    async def _with_thumbnail(
        self, team: TeamId, action: SendFile, transfers: Transfers, *, sealed: bool
    ) -> dict[str, Any]:
        """Return the file's `info` with its thumbnail, if it can be had."""
        info = dict(action.content["info"])
        thumbnail = await transfers.thumbnail(team, action.file_id, action.thumbnail, sealed=sealed)
        if thumbnail is not None:
            info |= await self._matrix.showing(thumbnail, "thumbnail_url", "thumbnail_file")
        else:
            info.pop("thumbnail_info", None)
        return info
