"""`causeway cutover plan` and `status`: what a move would do and what stands against it, and how far each one is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

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
_WORDS = {
    Step.ANNOUNCE_IN_MATRIX: "a notice in the room",
    Step.ANNOUNCE_IN_SLACK: "a notice in the channel",
    Step.CLOSE: "relay nothing to Slack any more; what people still write there comes across",
    Step.TELL_MATRIX: "a notice in the room",
    Step.SET_TOPIC: "set the channel's topic",
    Step.TELL_SLACK: "a notice in the channel",
    Step.ARCHIVE: "archive the channel",
}
_MARKS = {Weight.STOP: "stops it", Weight.LOSS: "would be lost", Weight.NOTE: "note"}


def as_json(given: Circumstances, found: Readiness) -> Json:
    """Return the plan of one channel as a program reads it."""
    portal, people, slack = given.portal, given.people, given.slack
    return {
        "team": portal.team,
        "channel": portal.channel,
        "name": portal.name,
        "room": portal.room,
        "state": str(portal.state),
        "phase": str(given.phase),
        "ready": found.is_ready,
        "findings": [{"weight": str(one.weight), "what": one.what, "remedy": one.remedy} for one in found.findings],
        "waiting": {"to_matrix": given.to_matrix, "to_slack": given.to_slack},
        "parked": {"to_matrix": given.parked_to_matrix, "to_slack": given.parked_to_slack},
        "quarantined": given.quarantined,
        "people": None
        if people is None
        else {
            "members": people.members,
            "in_the_room": people.here,
            "not_in_the_room": list(people.away),
            "without_account": list(people.without),
        },
        "history": None
        if given.history is None
        else {"import": given.history.number, "state": given.history.state, "reason": given.history.reason},
        "slack": None if slack is None else {"archived": slack.archived, "bot_is_member": slack.member},
        "topic": given.topic,
        "announce": [str(step) for step in found.announcing],
        "freeze": [str(step) for step in found.freezing],
    }


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
            click.echo(f"      {_WORDS[step]}" + (f": {visible(given.topic)}" if step is Step.SET_TOPIC else ""))


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
