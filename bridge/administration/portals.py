"""Portals: which channels and rooms are joined, what waits in them, and what admins do with them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum
from typing import TYPE_CHECKING

from bridge.administration.channels import find_channel
from bridge.administration.times import moment, seconds_since
from bridge.errors import Declined
from bridge.store.audit import noted
from bridge.store.ledger import TO_MATRIX, TO_SLACK
from bridge.store.registers import Registers
from portals.facts import Direction, Portal, PortalState
from portals.ids import channel_queue

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bridge.administration.acting import Actor
    from bridge.administration.store import Store
    from bridge.slack.client import SlackClient
    from portals.ids import TeamId

    Counts = Mapping[tuple[str, str], tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits in one direction of a portal: how many rows, since when the oldest, and for how many seconds."""

    rows: int
    oldest: str | None
    seconds: int | None


@dataclass(frozen=True, slots=True)
class WaitingBothWays:
    """What waits in a portal."""

    to_matrix: Waiting
    to_slack: Waiting


@dataclass(frozen=True, slots=True)
class ShownPortal:
    """A portal as admins see it."""

    workspace: str
    team: str
    channel: str
    name: str
    private: bool
    room: str | None
    target: str
    direction: Direction
    state: PortalState
    trouble: str


@dataclass(frozen=True, slots=True)
class ListedPortal(ShownPortal):
    """A portal, whether it looked back over the last interruption (None: it need not), and what waits in it."""

    caught_up: bool | None
    waiting: WaitingBothWays


@dataclass(frozen=True, slots=True)
class HeardPortal(ListedPortal):
    """A portal, and when its newest message was written in Slack (None: there is none)."""

    last_message: str | None


class Change(StrEnum):
    """What is done to a portal that is there."""

    REMOVE = "remove"
    PAUSE = "pause"
    RESUME = "resume"


async def shown(store: Store, portal: Portal) -> ShownPortal:
    """Return a portal as admins see it."""
    return ShownPortal(
        workspace=await store.workspace_name(portal.team),
        team=portal.team,
        channel=portal.channel,
        name=portal.name,
        private=portal.private,
        room=portal.room,
        target=portal.target,
        direction=portal.direction,
        state=portal.state,
        trouble=portal.trouble,
    )


async def listed(store: Store, portals: Sequence[Portal]) -> list[ListedPortal]:
    """Return these portals with what waits in them."""
    counts = {(direction, queue): (rows, oldest) for direction, queue, rows, oldest in await store.ledger.open_counts()}
    gaps = {team: await store.directory.gap(team) for team in {portal.team for portal in portals}}
    names = {team: await store.workspace_name(team) for team in gaps}
    return [_listed(portal, names[portal.team], gaps[portal.team], counts) for portal in portals]


async def heard(store: Store, portals: Sequence[Portal]) -> list[HeardPortal]:
    """Return these portals with what waits in them, and when each was last heard of."""
    registers = Registers(store.database)
    times = [await registers.last_message(portal.id) for portal in portals]
    return [
        HeardPortal(
            **{field.name: getattr(one, field.name) for field in fields(ListedPortal)},
            last_message=moment(int(float(last) * 1000)) if last else None,
        )
        for one, last in zip(await listed(store, portals), times, strict=True)
    ]


def _listed(portal: Portal, workspace: str, gap: int, counts: Counts) -> ListedPortal:
    return ListedPortal(
        workspace=workspace,
        team=portal.team,
        channel=portal.channel,
        name=portal.name,
        private=portal.private,
        room=portal.room,
        target=portal.target,
        direction=portal.direction,
        state=portal.state,
        trouble=portal.trouble,
        caught_up=_is_caught_up(portal, gap),
        waiting=WaitingBothWays(
            _waiting(counts.get((TO_MATRIX, channel_queue(portal.team, portal.channel)))),
            _waiting(counts.get((TO_SLACK, portal.room or ""))),
        ),
    )


def _is_caught_up(portal: Portal, gap: int) -> bool | None:
    if portal.state is not PortalState.LIVE or portal.direction is Direction.TO_SLACK:
        return None
    return portal.caught_up >= gap


def _waiting(counted: tuple[int, int] | None) -> Waiting:
    if counted is None:
        return Waiting(0, None, None)
    rows, oldest = counted
    return Waiting(rows, moment(oldest), seconds_since(oldest))


# --- acts


async def add(
    store: Store,
    client: SlackClient,
    team: TeamId,
    wanted: str,
    actor: Actor,
    *,
    matrix: str | None = None,
    direction: Direction | None = None,
) -> tuple[ShownPortal, bool]:
    """Bridge a channel, given by its name or id as Slack has it now; returns the portal, and whether it was there.

    `matrix` is `create`, or the alias or id of a room that the bot may join; `client` asks Slack about the workspace
    `team`. A removed portal goes on where it was. For a portal that is there already, only its direction is changed.
    """
    found = await find_channel(client, store.directory, team, wanted)
    there = await store.directory.portal_of_channel(team, found.id)
    await _decline_another_room(store, there, matrix)
    chosen = direction or (there.direction if there else Direction.BOTH)
    target = matrix or (there.target if there else "create")
    portal = await store.directory.add_portal(
        team,
        found.id,
        name=there.name if there else found.name,  # the bridge notices a new name and tells the room
        topic=found.topic,
        purpose=found.purpose,
        private=found.private,
        direction=chosen,
        target=target,
        beside=[noted(str(actor), "add portal", channel_queue(team, found.id), f"{chosen}, {target}")],
    )
    await store.request(portal)
    return await shown(store, portal), there is not None and there.state is not PortalState.REMOVED


async def _decline_another_room(store: Store, there: Portal | None, matrix: str | None) -> None:
    """Decline a room that another portal has, and another room for a portal whose messages lie in one already."""
    if matrix in (None, "create"):
        return
    if there is not None and there.room is not None and matrix not in (there.room, there.target):
        raise Declined(
            "conflict", f"#{there.name} belongs to the room {there.room}, which holds its messages: leave --matrix out"
        )
    for other in await store.portals():
        is_other = there is None or other.id != there.id
        if is_other and other.state is not PortalState.REMOVED and matrix in (other.room, other.target):
            raise Declined("conflict", f"the room {matrix} belongs to the portal of #{other.name} already")


async def change(store: Store, portal: Portal, what: Change, actor: Actor) -> ShownPortal:
    """Remove, pause or resume a portal; returns it as it is then."""
    state = _state_after(portal, what)
    if state is not portal.state:
        entry = noted(str(actor), f"{what} portal", channel_queue(portal.team, portal.channel), f"was {portal.state}")
        await store.directory.set_state(portal.id, state, entry)
    await store.request(portal)
    changed = await store.directory.portal(portal.id)
    assert changed is not None
    return await shown(store, changed)


def _state_after(portal: Portal, what: Change) -> PortalState:
    if portal.state is PortalState.REMOVED and what is not Change.REMOVE:
        raise Declined(
            "removed",
            f'the portal of #{portal.name} was removed: take it up again with causeway portals add "#{portal.name}"',
        )
    if portal.state is PortalState.FROZEN:
        raise Declined(
            "frozen",
            f'#{portal.name} is moving to Matrix: end or undo that first, causeway cutover status "#{portal.name}"',
        )
    if portal.has_moved and what is not Change.REMOVE:
        raise Declined("moved", f"#{portal.name} has moved to Matrix for good: nothing is relayed there any more")
    if what is Change.REMOVE:
        return PortalState.REMOVED
    if what is Change.PAUSE:
        return PortalState.PAUSED
    if portal.state is PortalState.PAUSED:
        return PortalState.LIVE if portal.room else PortalState.PLANNED
    return portal.state
