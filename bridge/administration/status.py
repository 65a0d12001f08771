"""How the bridge does, in one look: workspaces, what waits, what is parked, and how far imports are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.administration.times import moment, seconds_since
from bridge.store.ledger import COMMANDS, TO_MATRIX, TO_SLACK
from bridge.store.tally import tally

if TYPE_CHECKING:
    from bridge.administration.office import Office


@dataclass(frozen=True, slots=True)
class WorkspaceStatus:
    """A workspace of the configuration; `last_event` is when Slack last delivered something."""

    name: str
    team: str | None
    is_up: bool
    sockets: int
    sockets_wanted: int
    last_event: str | None
    trouble: str
    catching_up: int
    """Portals that are to look back over the last interruption."""


@dataclass(frozen=True, slots=True)
class DirectionStatus:
    """One direction: rows that wait, since when the oldest does, and rows that are parked."""

    waiting: int
    oldest: str | None
    seconds: int
    parked: int


@dataclass(frozen=True, slots=True)
class Status:
    """The whole bridge at one moment."""

    ready: bool
    problems: list[str]
    workspaces: list[WorkspaceStatus]
    to_matrix: DirectionStatus
    to_slack: DirectionStatus
    commands: DirectionStatus
    """What was said to the bot and waits for its answer."""
    held: int
    """Messages that wait for a moderator, or for the end of quiet hours."""
    portals: dict[str, int]
    portals_in_trouble: int
    portals_off_policy: int
    """Portals whose rooms are not as their policies want them."""
    people: int
    people_linked: int


async def status(office: Office) -> Status:
    """Look at everything; raises StoreUnavailable."""
    now = await tally(office.store.database)
    problems = await office.health.problems()

    def direction(name: str) -> DirectionStatus:
        rows, oldest = now.waiting.get(name, (0, 0))
        parked = now.parked.get(name, 0)
        return DirectionStatus(rows, moment(oldest) if rows else None, seconds_since(oldest) if rows else 0, parked)

    return Status(
        ready=not problems,
        problems=problems,
        workspaces=[
            WorkspaceStatus(
                one.name,
                one.team,
                one.is_up,
                one.connected,
                one.wanted,
                moment(int(one.last_event * 1000)) if one.last_event is not None else None,
                one.trouble,
                now.behind.get(one.team or "", 0),
            )
            for one in office.health.workspaces()
        ],
        to_matrix=direction(TO_MATRIX),
        to_slack=direction(TO_SLACK),
        commands=direction(COMMANDS),
        held=now.held,
        portals=dict(now.portals),
        portals_in_trouble=now.troubled,
        portals_off_policy=now.departing,
        people=now.people,
        people_linked=now.linked,
    )
