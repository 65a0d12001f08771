"""A plan as one JSON object: for programs, and for the page that people read."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from portals.history.plan import Plan
    from portals.history.tally import Counted
    from portals.ids import Ts

Fields = dict[str, Any]  # Any: whatever JSON can hold

_LAST_SECOND = 253_402_300_799
"""Of the year 9999: no calendar goes further."""


def as_json(plan: Plan) -> Fields:
    """Return the object that `causeway import --dry-run --json` prints."""
    selection = plan.selection
    return {
        "source": plan.source,
        "teams": list(plan.teams),
        "selection": {
            "channels": sorted(selection.channels),
            "kinds": sorted(selection.kinds),
            "since": moment_of(selection.since),
            "until": moment_of(selection.until),
            "channels_left_out": plan.not_selected,
        },
        "totals": {"channels": len(plan.channels), **asdict(plan.totals), **_span(plan)},
        "channels": [_channel(one) for one in plan.channels],
        "people": asdict(plan.people),
        "custom_emoji": list(plan.custom_emoji),
        "decisions": [asdict(decision) for decision in plan.decisions],
        "estimate": {
            "seconds": plan.estimate.seconds,
            "events": plan.estimate.events,
            "event_seconds": plan.estimate.event_seconds,
            "file_seconds": plan.estimate.file_seconds,
            "events_per_second": plan.estimate.pace.rate,
            "rate_from": plan.estimate.pace.source,
            "megabytes_per_second": plan.estimate.pace.bandwidth,
        },
        "not_imported": [{"where": where, "bytes": size} for where, size in plan.unread],
        "problems": [asdict(problem) for problem in plan.problems],
    }


def moment_of(ts: Ts) -> str | None:
    """Return a time stamp as ISO 8601 has it, in UTC and whole seconds; None for none."""
    seconds = int(ts.partition(".")[0] or -1)
    if not 0 <= seconds <= _LAST_SECOND:
        return None
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _channel(one: Counted) -> Fields:
    channel = one.channel
    return {
        "id": channel.id,
        "name": channel.name,
        "kind": channel.kind,
        "team": channel.team,
        "folder": channel.folder,
        "archived": channel.archived,
        "listed": channel.listed,
        **asdict(one.figures),
        "first": moment_of(one.first),
        "last": moment_of(one.last),
    }


def _span(plan: Plan) -> Fields:
    first = [found for one in plan.channels if (found := moment_of(one.first)) is not None]
    last = [found for one in plan.channels if (found := moment_of(one.last)) is not None]
    return {"first": min(first, default=None), "last": max(last, default=None)}
