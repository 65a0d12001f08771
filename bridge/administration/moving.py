"""Moves to Matrix, ordered from the running bridge by console or API, as the command line orders them beside it.

    order ─▶ every channel is known, and none is busy ─▶ a task each ─▶ what became of it, in the order's line

An order answers after a moment with what became of each channel; one that waits for what must still come across goes on
without whoever ordered it. The lines live in memory: after a restart, the phase of the move says how far it came, and
the same order goes on there.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bridge.administration.cutover import chosen, parts_of
from bridge.administration.move_plans import plan_of
from bridge.administration.move_proof import prover
from bridge.administration.times import moment
from bridge.errors import BridgeError, Declined
from portals.cutover import Command
from portals.ids import channel_queue

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bridge.administration.acting import Actor
    from bridge.administration.cutover import CuttingOver, Order
    from bridge.administration.store import Store
    from bridge.matrix.client import MatrixClient
    from bridge.slack.installation import Installation
    from config.settings import Settings
    from portals.cutover import Wish
    from portals.facts import Portal
    from portals.ids import PortalId, TeamId

log = logging.getLogger(__name__)

PATIENCE = 900.0
"""Seconds for which an order waits for what is away, where it does not say: as long as the command line's."""
_ANSWERS_WITHIN = 5.0
_AT_ONCE: Mapping[Command, int] = {Command.FREEZE: 8}
_KEPT = 200


@dataclass(slots=True)
class ShownOrder:
    """One order for one channel: who gave it when, and what became of it; `ended` is None while it is carried out."""

    team: str
    channel: str
    name: str
    command: str
    given: str
    given_by: str
    ended: str | None = None
    said: str = ""
    error: str = ""

    def end(self, *, said: str = "", error: str = "") -> None:
        """Note what became of it."""
        self.ended, self.said, self.error = moment(_now()), said, error


class Moving:
    """Takes orders; the tasks that carry them out belong to `group`."""

    def __init__(
        self,
        *,
        settings: Settings,
        store: Store,
        matrix: MatrixClient,
        installations: Mapping[TeamId, Installation],
        group: asyncio.TaskGroup,
    ) -> None:
        self._settings = settings
        self._store = store
        self._matrix = matrix
        self._installations = installations
        self._group = group
        self._orders: deque[ShownOrder] = deque(maxlen=_KEPT)
        self._busy: dict[PortalId, ShownOrder] = {}

    async def plan(self, channels: Sequence[str], wish: Wish) -> list[dict[str, Any]]:  # Any: as JSON
        """Return what a move of channels would do, and what stands against it; raises Declined, Refused or Later."""
        portals = await self._named(channels)
        parts = self._parts("", 0)
        await parts.looking.read()
        return [plan_of(await parts.looking.at(portal), wish) for portal in portals]

    async def order(
        self, channels: Sequence[str], order: Order, actor: Actor, *, report: bool = True, patience: float = PATIENCE
    ) -> list[ShownOrder]:
        """Have an order carried out for channels, and return what is known of it after a moment; raises Declined."""
        if order.command is Command.ANNOUNCE and not order.date:
            raise Declined("bad_request", "say when it will be")
        portals = await self._named(channels)
        for portal in portals:
            if (before := self._busy.get(portal.id)) is not None:
                words = f"#{portal.name}: {before.command}, ordered by {before.given_by}, is still carried out"
                raise Declined("busy", f"nothing was done: {words}")
        parts = self._parts(str(actor), patience)
        await parts.looking.read()
        turns = asyncio.Semaphore(_AT_ONCE.get(order.command, 1))
        lines, tasks = [], []
        for portal in portals:
            line = ShownOrder(portal.team, portal.channel, portal.name, str(order.command), moment(_now()), str(actor))
            self._orders.appendleft(line)
            self._busy[portal.id] = line
            lines.append(line)
            doing = self._carry_out(line, portal, order, actor, parts, turns, report)
            tasks.append(self._group.create_task(doing, name=f"{order.command} #{portal.name}"))
        await asyncio.wait(tasks, timeout=_ANSWERS_WITHIN)
        return lines

    def orders(self) -> list[ShownOrder]:
        """Return what was ordered since the bridge started, the newest first."""
        return list(self._orders)

    async def _named(self, channels: Sequence[str]) -> list[Portal]:
        if not channels:
            raise Declined("bad_request", "name a channel, by name or id")
        return await chosen(self._store, [("", name) for name in channels])

    def _parts(self, actor: str, patience: float) -> CuttingOver:
        clients = {team: one.client for team, one in self._installations.items()}
        return parts_of(self._settings, self._store, self._matrix, clients, actor, patience)

    async def _carry_out(
        self,
        line: ShownOrder,
        portal: Portal,
        order: Order,
        actor: Actor,
        parts: CuttingOver,
        turns: asyncio.Semaphore,
        report: bool,
    ) -> None:
        """Carry an order out for one channel; what fails there holds up no other, and not the bridge."""
        prove = prover(self._settings, self._store.database, portal, str(actor)) if report else None
        try:
            async with turns:
                line.end(said=await parts.carry_out(portal, order, prove))
        except BridgeError as error:
            log.info("#%s: %s: %s", portal.name, order.command, error)
            line.end(error=str(error))
            if isinstance(error, Declined):
                await self._note(actor, portal, order.command, error.code)
        finally:
            del self._busy[portal.id]

    async def _note(self, actor: Actor, portal: Portal, command: Command, code: str) -> None:
        """Write a refusal down; where the store is away just now, the log alone has it."""
        what = f"cutover {command} {channel_queue(portal.team, portal.channel)}"
        try:
            await self._store.database.commit(actor.refused(what, code))
        except BridgeError as error:
            log.warning("a refusal (%s: %s) could not be written down: %s", what, code, error)


def _now() -> int:
    return time.time_ns() // 1_000_000
