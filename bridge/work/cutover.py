"""A channel is moved to Matrix, step by step: `portals.cutover` says which steps there are, here they are carried out.

    begin (commit) ──▶ carry out ──▶ done, with the entry of the audit log (commit) ──▶ the next step

Killed at any point, the same command goes on at the first step that is not done, as one that may have been carried out.
A freeze begins with what is still to come across (the *final delta*): the lane looks back over Slack's history once
more, and both queues are walked up to where they ended when the command was given. That is the bridge's work, which
runs in another process or in this one.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from bridge.errors import Declined, Later
from bridge.store.database import Statement
from bridge.store.ledger import TO_MATRIX, TO_SLACK
from bridge.store.links import END_TROUBLE
from bridge.work.cutover_steps import NOTHING, Asked, Steps
from bridge.work.patience import patiently
from portals.cutover import (
    STEPS_IN_SLACK,
    Command,
    InSlack,
    Phase,
    Step,
    Wish,
    announcing,
    begun_by,
    finishing,
    freezing,
    portal_refusal,
    refusal,
    reverting,
)
from portals.facts import Direction, PortalKind, PortalState
from portals.ids import channel_queue

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from bridge.matrix.client import MatrixClient
    from bridge.slack.client import SlackClient
    from bridge.store.cutovers import Cutover, Cutovers, StepRow
    from bridge.store.directory import Directory
    from bridge.store.ledger import Ledger
    from bridge.work.cutover_steps import Outcome, Proven
    from portals.cutover import Words
    from portals.facts import Portal
    from portals.ids import TeamId

log = logging.getLogger(__name__)

_LOOK = 0.2
WITHOUT_TOPIC = frozenset({PortalKind.DM, PortalKind.GROUP_DM})
"""Direct messages have no topic, and nobody archives them."""


class CutOver:
    """Moves channels; `clients` are the workspaces that have a token, `patience` is how long a command waits (s)."""

    def __init__(
        self,
        *,
        cutovers: Cutovers,
        directory: Directory,
        ledger: Ledger,
        matrix: MatrixClient,
        clients: Mapping[TeamId, SlackClient],
        words: Words,
        domain: str,
        actor: str,
        patience: float,
    ) -> None:
        self._cutovers = cutovers
        self._directory = directory
        self._ledger = ledger
        self._matrix = matrix
        self._clients = clients
        self._words = words
        self._domain = domain
        self._actor = actor
        self._patience = patience

    async def phase(self, portal: Portal) -> tuple[Cutover | None, Phase]:
        """Return the latest move of a portal and how far it is: not begun where the last one is over and done with."""
        found = await self._cutovers.newest(portal.id)
        if found is None:
            return None, Phase.NONE
        is_anew = found.phase is Phase.FINISHED and portal.state is not PortalState.ARCHIVED
        return found, Phase.NONE if is_anew else found.phase

    # --- the commands; each raises Declined, Refused, Later or Unsure, and may be given again

    async def announce(self, portal: Portal, date: str) -> None:
        """Tell both sides that the channel will move, at once; for the same date, once."""
        _, phase = await self._may(Command.ANNOUNCE, portal)
        slack = await self.in_slack(portal)
        cutover = await self._cutovers.begin(portal.id, Phase.ANNOUNCED, self._actor)
        await self._carry_out(cutover, portal, announcing(slack), date)
        log.info("#%s: announced; it was %s", portal.name, phase or "not")

    async def freeze(self, portal: Portal, wish: Wish, accepted: str = "") -> None:
        """Bring across what is left, then have the portal relay nothing more to Slack, and tell the channel so."""
        _, phase = await self._may(Command.FREEZE, portal)
        slack = await self.in_slack(portal)
        cutover = await self._cutovers.begin(portal.id, Phase.FREEZING, self._actor)
        if phase is not Phase.FROZEN:
            await self._cutovers.set_phase(cutover, begun_by(Command.FREEZE, phase))
        steps = freezing(wish, slack)
        if not await self._is_done(cutover, Step.CLOSE):
            await self.bring_the_rest(portal)
            await self._carry_out(cutover, portal, steps[:1], asked=Asked(accepted=accepted))
        await self._taken_up(portal)
        await self._carry_out(cutover, portal, steps[1:])
        await self._cutovers.set_phase(cutover, Phase.FROZEN)

    async def finish(
        self, portal: Portal, prove: Callable[[], Awaitable[Proven]] | None, *, accept_differences: bool = False
    ) -> None:
        """Prove what was brought over, attach the report to the room, and have the portal relay nothing more."""
        found, phase = await self._may(Command.FINISH, portal)
        assert found is not None
        if phase is not Phase.FINISHED:
            await self._cutovers.set_phase(found, Phase.FINISHING)
            if not await self._is_done(found, Step.PROVE):
                await self.bring_the_rest(portal)
        asked = Asked(prove=prove, accept_differences=accept_differences)
        await self._carry_out(found, portal, finishing(report=prove is not None), asked=asked)
        await self._ask_the_bridge(portal)

    async def revert(self, portal: Portal) -> bool:
        """Undo all that was done; returns whether there was anything. What Matrix said meanwhile stays there."""
        found, phase = await self._may(Command.REVERT, portal)
        assert found is not None
        if phase is Phase.REVERTED:
            return False
        await self._cutovers.set_phase(found, Phase.REVERTING)
        begun = {row.step for row in await self._cutovers.steps(found)}
        for step in reverting(begun):
            await self._carry_out(found, portal, (step,))
            if step is Step.REOPEN:
                await self._ask_the_bridge(portal)
        return True

    async def _may(self, command: Command, portal: Portal) -> tuple[Cutover | None, Phase]:
        found, phase = await self.phase(portal)
        if portal.state is PortalState.REMOVED or portal.kind is PortalKind.HISTORY:
            raise Declined("no_portal", "it has no portal that could move")
        if phase is Phase.REVERTED and command in (Command.ANNOUNCE, Command.FREEZE):
            phase = Phase.NONE
        words = refusal(command, phase)
        if not words and phase in (Phase.NONE, Phase.ANNOUNCED):
            words = portal_refusal(command, portal.state, portal.room is not None)
        if words:
            raise Declined("not_now", words)
        return found, phase

    # --- steps

    async def in_slack(self, portal: Portal) -> InSlack | None:
        """Return what can be changed in Slack; None where the workspace is known by its export alone."""
        client = self._clients.get(portal.team)
        if client is None:
            workspace = await self._directory.workspace(portal.team)
            if workspace is not None and not workspace.bot_user:
                return None
            raise Declined("not_connected", f"no bot token in the configuration is for the workspace {portal.team}")
        info = await patiently(lambda _: client.channel(portal.channel), self._patience)
        return InSlack(info.get("is_archived") is True, portal.kind not in WITHOUT_TOPIC)

    async def _is_done(self, cutover: Cutover, step: Step) -> bool:
        row = await self._cutovers.step(cutover, step)
        return row is not None and row.done_at is not None

    async def _carry_out(
        self, cutover: Cutover, portal: Portal, steps: Sequence[Step], date: str = "", asked: Asked = NOTHING
    ) -> None:
        """Carry out steps that are not done yet, one after the other."""
        performing = Steps(
            cutovers=self._cutovers,
            matrix=self._matrix,
            client=self._clients.get(portal.team),
            words=self._words,
            domain=self._domain,
            cutover=cutover,
            portal=portal,
            asked=asked,
        )
        for step in steps:
            known = await self._cutovers.step(cutover, step, date)
            if known is not None and known.done_at is not None:
                continue
            await self._cutovers.begin_step(cutover, step, date, self._actor)
            row = known or await self._cutovers.step(cutover, step, date)
            assert row is not None
            if step in STEPS_IN_SLACK and portal.team not in self._clients:
                raise Declined("not_connected", f"no bot token in the configuration is for {portal.team}")
            outcome = await self._performed(performing, row, unsure=known is not None)
            await self._cutovers.done(
                cutover,
                portal,
                row,
                actor=self._actor,
                note=outcome.note,
                detail=outcome.detail,
                beside=outcome.beside,
            )
            self._directory.forget_portals()
            log.info("#%s: %s: done", portal.name, step)

    async def _performed(self, steps: Steps, row: StepRow, *, unsure: bool) -> Outcome:
        return await patiently(lambda again: steps.perform(row, unsure=unsure or again), self._patience)

    # --- what the bridge does meanwhile

    async def bring_the_rest(self, portal: Portal) -> None:
        """Return when all that was said until now is across; raises Later with what is not, at the end of patience."""
        hears = portal.direction is not Direction.TO_SLACK and not portal.archived
        is_connected = portal.team in self._clients
        place = await self._ledger.mark(f"cutover:{portal.id}:{time.time_ns()}")
        if hears and is_connected:
            await self._ledger.keep((Statement(END_TROUBLE, (portal.id,)),))  # and looks back once more
        await self._ask_the_bridge(portal)
        until = time.monotonic() + self._patience
        while why := await self._left(portal, place, hears and is_connected):
            if time.monotonic() > until:
                raise Later(f"not all is across yet: {why}. Give the command again, or with a longer --wait")
            await asyncio.sleep(_LOOK)

    async def _left(self, portal: Portal, place: int, hears: bool) -> str:
        """Return what is still to come across, in words; nothing when all is."""
        now = await self._directory.portal(portal.id)
        assert now is not None
        if hears:
            if now.caught_up < await self._directory.gap(portal.team):
                return "Slack's history is still looked over"
            if now.trouble:
                raise Declined("trouble", f"it is in trouble: {now.trouble}")
        queue = channel_queue(portal.team, portal.channel)
        from_slack = await self._ledger.open_before(queue, place, TO_MATRIX)
        from_matrix = await self._ledger.open_before(portal.room or "", place, TO_SLACK)
        if from_slack or from_matrix:
            return f"{from_slack} from Slack and {from_matrix} from Matrix wait"
        return ""

    async def _ask_the_bridge(self, portal: Portal) -> None:
        """Have the bridge read the portal anew and look at both of its queues."""
        await self._ledger.request(TO_MATRIX, channel_queue(portal.team, portal.channel))
        if portal.room is not None:
            await self._ledger.request(TO_SLACK, portal.room)

    async def _taken_up(self, portal: Portal) -> None:
        """Return when the bridge knows what changed: before that, it would take Slack's new topic for the room's."""
        await self._ask_the_bridge(portal)
        until = time.monotonic() + self._patience
        while await self._ledger.is_asked():
            if time.monotonic() > until:
                raise Later("the bridge does not take up what changed: is it running?")
            await asyncio.sleep(_LOOK)
