"""Intake: what both edges deliver goes into the inbox, and its lane is woken once it is committed.

Nothing is decided here. An echo of our own ghosts says nothing new and is not even stored, nor is one of a person's own
account, where this very process sent it; of any other, the ledger will tell that it is ours. Typing is weather, not
history, and is passed on at once or not at all.

What begins with the prefix of commands joins the queue of its room's commands; whether it is one is decided there.

A transaction of nothing but echoes is answered a moment later while many of our sends are under way. A homeserver has
one transaction at a time on its way to us, and each costs it two writes beside what it costs to send: answered at once,
it tells of each of our messages in a transaction of its own, and spends on that a sixth of the time in which it could
take more of them.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import orjson

from bridge.errors import BridgeError
from bridge.store.ledger import COMMANDS, TO_MATRIX, TO_SLACK, Arrival
from portals.commands.asked import is_addressed
from portals.crossing.rooms import TYPES
from portals.ids import RoomId, SlackUserId, TeamId
from portals.reading import matrix, slack

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from bridge.matrix.client import MatrixClient
    from bridge.store.directory import Directory
    from bridge.store.ledger import Ledger
    from portals.ids import GhostNames

log = logging.getLogger(__name__)

_TYPING_MS = 6_000
_MANY = 4
"""Sends under way from which on echoes are let gather."""
_GATHER = 0.1
"""Seconds for which they are; what a person says meanwhile comes that much later."""


class Intake:
    """Admits what Slack and the homeserver deliver.

    `wake` has a queue looked at, `watch` a room whose state a policy may speak about, `moved` one in which somebody
    came or went.
    """

    def __init__(
        self,
        *,
        names: GhostNames,
        ledger: Ledger,
        directory: Directory,
        matrix: MatrixClient,
        wake: Callable[[str, str], None],
        group: asyncio.TaskGroup,
        typing: bool,
        prefix: str,
        watch: Callable[[RoomId], None] = lambda _: None,
        moved: Callable[[RoomId], None] = lambda _: None,
    ) -> None:
        self._watch = watch
        self._moved = moved
        self._names = names
        self._ledger = ledger
        self._directory = directory
        self._matrix = matrix
        self._wake = wake
        self._group = group
        self._typing = typing
        self._prefix = prefix

    def from_slack(self, team: TeamId, payload: Mapping[str, Any]) -> Awaitable[None]:
        """Queue a delivered event at once; the awaitable resolves when it is committed."""
        event = payload.get("event")
        if isinstance(event, dict) and event.get("type") == "user_typing":
            self._group.create_task(self._show_typing(team, event))
            return _nothing()
        place = slack.address(payload, team)
        if place is None:
            log.info("%s: an event without a name of its own is left out: %s", team, str(payload)[:200])
            return _nothing()
        try:
            raw = orjson.dumps(payload).decode()
        except TypeError as error:  # nested deeper than anything that Slack makes
            log.warning("%s: %s cannot be stored and is left out: %s", team, place.source_key, error)
            return _nothing()
        return self._admit([Arrival(TO_MATRIX, place.queue, place.source_key, raw)])

    async def from_matrix(self, _transaction: str, events: Sequence[Mapping[str, Any]]) -> None:
        """Commit the events of a transaction; the transaction itself needs no name, for its events have theirs."""
        arrivals: list[Arrival] = []
        if self._matrix.encryption is not None:
            self._matrix.encryption.observe(events)
        for event in events:
            if (
                event.get("type") in TYPES
                and "state_key" in event
                and not self._names.is_ours(str(event.get("sender")))
            ):
                self._watch(RoomId(str(event.get("room_id"))))
            if event.get("type") == "m.room.member":
                self._moved(RoomId(str(event.get("room_id"))))
            if self._names.is_ours(event["sender"]) or self._matrix.is_own(event["event_id"]):
                continue
            place = matrix.address(event)
            if place is None:
                continue
            queue = COMMANDS if is_addressed(event, self._prefix) else TO_SLACK
            arrivals.append(Arrival(queue, place.queue, place.source_key, orjson.dumps(event).decode()))
        if arrivals:
            await self._admit(arrivals)
        elif events and self._matrix.in_flight >= _MANY:
            await asyncio.sleep(_GATHER)

    def weather(self, events: Sequence[Mapping[str, Any]]) -> None:
        """Let ephemeral events of Matrix pass: Slack takes neither typing nor receipts from an app."""
        log.debug("%d ephemeral events", len(events))

    def _admit(self, arrivals: list[Arrival]) -> Awaitable[None]:
        return self._woken(self._ledger.admit(arrivals), arrivals)

    async def _woken(self, admitted: asyncio.Future[Any], arrivals: list[Arrival]) -> None:
        await admitted
        for direction, queue in {(one.direction, one.queue) for one in arrivals}:
            self._wake(direction, queue)

    async def _show_typing(self, team: TeamId, event: Mapping[str, Any]) -> None:
        user = SlackUserId(str(event.get("user")))
        try:
            portal = await self._directory.portal_of_channel(team, str(event.get("channel")))
            if self._typing and portal and portal.room and await self._directory.shown(team, user):
                await self._matrix.typing(portal.room, self._names.ghost(team, user), True, _TYPING_MS)
        except BridgeError as error:
            log.debug("typing was not shown: %s", error)


async def _nothing() -> None:
    """Resolve at once: there is nothing to store."""
