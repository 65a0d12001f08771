"""The plan of an import, made by reading the whole export once, a day at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portals.history.plan import Known, Pace, Source, plan_of
from portals.history.tally import Authors, Tally
from portals.people.matching import candidates

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.exports.export import Export
    from portals.history.plan import Plan
    from portals.history.selection import Selection

NOTHING_KNOWN = Known()
COMMON_PACE = Pace()


def make_plan(
    export: Export,
    name: str,
    selection: Selection,
    known: Known = NOTHING_KNOWN,
    pace: Pace = COMMON_PACE,
    tell: Callable[[int], None] | None = None,
) -> Plan:
    """Read an export and return the plan of its import; `tell` is called with the bytes of each day, about."""
    people = candidates(export.users())
    source = Source(name, export.team_ids(), people, export.emoji(), tuple(export.unread()))
    authors, emoji, counted = Authors(person.user for person in people), set[str](), []
    chosen = [channel for channel in export.channels if selection.selects_channel(channel)]
    for channel in chosen:
        tally = Tally(channel, selection, authors, emoji)
        days, size = export.measure(channel)
        before = ""
        for day in export.days(channel):
            tally.add(day.records)
            if tell is not None and day.path != before:
                tell(size // days)
                before = day.path
        counted.append(tally.counted())
    return plan_of(
        source,
        selection,
        counted,
        authors,
        emoji,
        known,
        pace,
        not_selected=len(export.channels) - len(chosen),
        problems=export.problems,
    )
