"""Moderators decide by a reaction to the notice that shows what is held: a thumb or a tick, up or down.

Whoever has the power that the policy asks for may, in that very room. What is done is in the audit log; who may not is
told so, and that is in the log too. A reaction that is walked again finds its verdict given, and does nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.administration import held as held_
from bridge.administration.acting import Actor
from bridge.errors import Declined, Later, Refused
from bridge.store.held import HeldMessages
from portals.crossing.held import verdict_of
from portals.ids import action_key
from portals.reading.power_levels import power_of
from portals.relay.content import notice

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.administration.store import Store
    from bridge.matrix.client import MatrixClient
    from portals.crossing.policy import Policy
    from portals.events import MatrixReaction
    from portals.facts import Portal


class Moderating:
    """Takes the verdicts of moderators; `policy_of` is None where it is not known yet."""

    def __init__(self, store: Store, matrix: MatrixClient, policy_of: Callable[[Portal], Policy | None]) -> None:
        self._store = store
        self._matrix = matrix
        self._policy_of = policy_of
        self._held = HeldMessages(store.database)

    async def reacted(self, reaction: MatrixReaction) -> str:
        """Take a reaction as a verdict if it is one; returns what it is, or nothing. Raises Later."""
        verdict = verdict_of(reaction.key)
        number = await self._held.shown_at(reaction.room, reaction.target) if verdict else None
        if number is None:
            return ""
        row = await held_.find(self._store, number)
        portal = await self._store.directory.portal(row.portal)
        policy = self._policy_of(portal) if portal is not None else None
        if policy is None:
            raise Later("the workspace of what is held is not connected yet", 2.0)
        actor = Actor(reaction.sender, f"a reaction in {reaction.room}")
        takes = policy.hold.power_level
        try:
            if not await self._has_power(reaction, takes):
                raise Declined("power", f"deciding here takes a power level of {takes} in this room")
            await held_.decide(self._store, row, verdict, actor)
        except Declined as declined:
            await self._store.database.commit(actor.refused(f"held {number}", declined.code))
            await self._tell(reaction, str(declined))
        return "a moderator's verdict"

    async def _has_power(self, reaction: MatrixReaction, takes: int) -> bool:
        if reaction.sender in await self._matrix.rooms.creators(reaction.room):
            return True
        levels = await self._matrix.get_state(reaction.room, "m.room.power_levels")
        return power_of(levels or {}, reaction.sender) >= takes

    async def _tell(self, reaction: MatrixReaction, words: str) -> None:
        said = {
            **notice(f"{reaction.sender}: {words}."),
            "m.relates_to": {"m.in_reply_to": {"event_id": reaction.target}},
        }
        key = action_key(reaction.source, "answer")
        try:
            await self._matrix.send(reaction.room, None, "m.room.message", said, key)
        except Refused:
            return  # it is in the audit log
