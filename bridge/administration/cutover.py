"""A move to Matrix as admins order it: its parts, built on a store, and what each order does to one channel."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bridge.errors import BridgeError, Declined
from bridge.store.cutovers import Cutovers
from bridge.store.held import HeldMessages
from bridge.work.cutover import CutOver
from bridge.work.cutover_look import Looking
from portals.cutover import Command, Phase, Wish, Words
from portals.facts import PortalKind
from portals.readiness import readiness

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from bridge.administration.store import Store
    from bridge.matrix.client import MatrixClient
    from bridge.slack.client import SlackClient
    from bridge.work.cutover_steps import Proven
    from config.settings import Settings
    from portals.facts import Portal
    from portals.ids import TeamId


@dataclass(frozen=True, slots=True)
class Order:
    """One command for a channel; each of its words concerns some commands alone."""

    command: Command
    date: str = ""
    wish: Wish = field(default=Wish())
    anyway: bool = False
    accept_differences: bool = False


@dataclass(frozen=True, slots=True)
class CuttingOver:
    """The parts of a move."""

    store: Store
    cutovers: Cutovers
    cutover: CutOver
    looking: Looking

    async def freeze(self, portal: Portal, wish: Wish, *, anyway: bool) -> None:
        """Freeze a channel that is ready; what would be lost must be accepted. Raises what `CutOver.freeze` raises."""
        found = readiness(await self.looking.at(portal, people=False), wish)
        if words := found.refusal():
            raise Declined("not_ready", words)
        _, phase = await self.cutover.phase(portal)
        losses = "" if phase is Phase.FROZEN else found.losses()
        if losses and not anyway:
            raise Declined("losses", f"{losses}; causeway cutover plan says more, and --anyway freezes it all the same")
        await self.cutover.freeze(portal, wish, f"although {losses}" if losses else "")

    async def carry_out(
        self, portal: Portal, order: Order, prove: Callable[[], Awaitable[Proven]] | None = None
    ) -> str:
        """Do what is ordered, and return what became of the channel; raises what `CutOver` raises."""
        match order.command:
            case Command.ANNOUNCE:
                await self.cutover.announce(portal, order.date)
                return f"is announced for {order.date}, in Slack and in its room"
            case Command.FREEZE:
                await self.freeze(portal, order.wish, anyway=order.anyway)
                return "is frozen: it lives in Matrix now; causeway cutover finish ends the move, revert undoes it"
            case Command.FINISH:
                await self.cutover.finish(portal, prove, accept_differences=order.accept_differences)
                return "has moved to Matrix for good"
            case Command.REVERT:
                is_new = await self.cutover.revert(portal)
                return "goes on in Slack as before" if is_new else "was reverted already"


def parts_of(
    settings: Settings,
    store: Store,
    matrix: MatrixClient,
    clients: Mapping[TeamId, SlackClient],
    actor: str,
    patience: float,
) -> CuttingOver:
    """Build the parts of a move; `patience` is how long an order waits for what is away (s)."""
    told, cutovers, domain = settings.cutover, Cutovers(store.database), settings.homeserver.domain
    cutover = CutOver(
        cutovers=cutovers,
        directory=store.directory,
        ledger=store.ledger,
        matrix=matrix,
        clients=clients,
        words=Words(
            announcement=told.announcement,
            announcement_in_matrix=told.announcement_in_matrix,
            topic=told.topic,
            notice=told.notice,
            notice_in_matrix=told.notice_in_matrix,
            recall=told.recall,
            recall_in_matrix=told.recall_in_matrix,
        ),
        domain=domain,
        actor=actor,
        patience=patience,
    )
    looking = Looking(
        cutover=cutover,
        directory=store.directory,
        ledger=store.ledger,
        imports=store.imports,
        held=HeldMessages(store.database),
        accounts=store.people,
        matrix=matrix,
        clients=clients,
        topic=told.topic,
        domain=domain,
    )
    return CuttingOver(store, cutovers, cutover, looking)


async def chosen(store: Store, named: Sequence[tuple[str, str]], problems: Sequence[str] = ()) -> list[Portal]:
    """Return the portals that are named, each once; a name stands behind where it was written, as `first.txt:3: `.

    Raises Declined with every name that means none, and with other `problems`: nothing is done for some alone.
    """
    found: dict[int, Portal] = {}
    wrong = list(problems)
    for where, name in named:
        try:
            portal = await store.find(name)
            if portal.kind is PortalKind.HISTORY:
                raise Declined("history", f"{name} holds the past of a channel alone: name the channel itself")
        except BridgeError as error:
            wrong.append(f"{where}{error}")
            continue
        found[portal.id] = portal
    if wrong:
        words = "nothing was done, for not every channel is known:"
        raise Declined("not_found", "\n  ".join([words, *wrong]))
    return list(found.values())
