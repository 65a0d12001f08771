"""`causeway cutover plan` and `status`: what a move would do and what stands against it, and how far each one is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from bridge.administration.move_plans import WORDS
from bridge.administration.times import moment
from bridge.cli.tables import visible
from portals.cutover import Step
from portals.readiness import Weight, readiness

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.cli.cutover_channels import Outcome
    from portals.cutover import Wish
    from portals.readiness import Circumstances, Readiness

Json = dict[str, Any]  # Any: what is printed as JSON

_FEW = 10
_MARKS = {Weight.STOP: "stops it", Weight.LOSS: "would be lost", Weight.NOTE: "note"}


def of(given: Circumstances, wish: Wish) -> Readiness:
    """Return what is to be said of a channel that is to move."""
    return readiness(given, wish)


def show(given: Circumstances, found: Readiness) -> None:
    """Print the plan of one channel for people."""
    portal, people = given.portal, given.people
    ready = "ready" if found.is_ready else "not ready"
    click.echo(
        f"#{visible(portal.name)} ({portal.channel}): {ready}; {portal.state}{_phase(given)}, {portal.room or ''}"
    )
    for one in found.findings:
        click.echo(f"  {_MARKS[one.weight]}: {visible(one.what)}")
        if one.remedy:
            click.echo(f"      -> {visible(one.remedy)}")
    if people is not None:
        click.echo(f"  people: {people.here} of {people.members} are in the room in accounts of their own")
        for label, names in (("not in the room", people.away), ("without an account", people.without)):
            if names:
                more = f" and {len(names) - _FEW} more (--json names all)" if len(names) > _FEW else ""
                click.echo(f"      {label}: {visible(', '.join(names[:_FEW]))}{more}")
    for label, steps in (("announce", found.announcing), ("freeze", found.freezing)):
        click.echo(f"  {label}:")
        for step in steps:
            click.echo(f"      {WORDS[step]}" + (f": {visible(given.topic)}" if step is Step.SET_TOPIC else ""))


def _phase(given: Circumstances) -> str:
    return f", its move is {given.phase}" if given.phase else ""


def show_status(outcomes: Sequence[Outcome]) -> None:
    """Print how far the moves are, with who did what and when."""
    for one in outcomes:
        click.echo(
            f"#{visible(one.portal.name)} ({one.portal.channel}): {one.phase or 'not begun'}; {one.portal.state}"
        )
        for row in one.steps:
            when = moment(row.done_at) if row.done_at is not None else f"begun {moment(row.begun_at)}, not done"
            part = f" ({visible(row.part)})" if row.part else ""
            click.echo(f"  {when}  {row.step}{part}, {visible(row.actor)}{_told(row.note)}")


def _told(note: Json) -> str:
    """Return what a step's note says to people."""
    words = []
    if note.get("accepted"):
        words.append(visible(str(note["accepted"])))
    if note.get("unexplained"):
        words.append(f"{note['unexplained']} differences accepted")
    if note.get("path"):
        words.append(visible(str(note["path"])))
    return f": {'; '.join(words)}" if words else ""
