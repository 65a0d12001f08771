"""Channels that move to Matrix for good: how far each is, and who did which step when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.administration.times import moment
from bridge.store.cutovers import Cutovers

if TYPE_CHECKING:
    from bridge.administration.store import Store
    from bridge.store.cutovers import StepRow
    from portals.facts import Portal


@dataclass(frozen=True, slots=True)
class ShownStep:
    """One step of a move; `done` is None for one that was begun and may not have been carried out."""

    step: str
    part: str
    begun: str
    done: str | None
    actor: str
    unexplained: int
    """Differences that were accepted with it."""
    accepted: str
    """What was accepted to be lost with it."""


@dataclass(frozen=True, slots=True)
class ShownMove:
    """A channel that began to move: its newest move, and the state of its portal."""

    workspace: str
    team: str
    channel: str
    name: str
    phase: str
    state: str
    begun: str
    begun_by: str
    frozen: str | None
    ended: str | None
    steps: list[ShownStep]


async def page(store: Store, start: int, limit: int) -> list[ShownMove]:
    """Return moves from the one at a place on, in the order in which the channels began to move."""
    cutovers = Cutovers(store.database)
    found = []
    for number in (await cutovers.portals())[start : start + limit]:
        portal = await store.directory.portal(number)
        if portal is not None:
            found.append(await _shown(store, cutovers, portal))
    return found


async def _shown(store: Store, cutovers: Cutovers, portal: Portal) -> ShownMove:
    move = await cutovers.newest(portal.id)
    assert move is not None
    return ShownMove(
        workspace=await store.workspace_name(portal.team),
        team=portal.team,
        channel=portal.channel,
        name=portal.name,
        phase=move.phase,
        state=portal.state,
        begun=moment(move.begun_at),
        begun_by=move.begun_by,
        frozen=moment(move.frozen_at) if move.frozen_at is not None else None,
        ended=moment(move.ended_at) if move.ended_at is not None else None,
        steps=[_step(row) for row in await cutovers.steps(move)],
    )


def _step(row: StepRow) -> ShownStep:
    return ShownStep(
        step=row.step,
        part=row.part,
        begun=moment(row.begun_at),
        done=moment(row.done_at) if row.done_at is not None else None,
        actor=row.actor,
        unexplained=int(row.note.get("unexplained") or 0),
        accepted=str(row.note.get("accepted") or ""),
    )
