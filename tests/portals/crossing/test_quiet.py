"""Quiet hours stand by the clock on the wall of their place, over midnight, weekends, and when clocks are changed."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from portals.crossing.quiet import LOUD, Quiet, Span

WEEK, WORK = frozenset(range(7)), frozenset(range(5))
BERLIN = ZoneInfo("Europe/Berlin")
EVENINGS = Span(WORK, 18 * 60, 8 * 60)
WEEKEND = Span(frozenset({5, 6}), 8 * 60, 8 * 60)


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.parametrize(
    ("spans", "moment", "end"),
    [
        ((), "2026-11-24T22:00+01:00", None),
        ((EVENINGS,), "2026-11-24T12:00+01:00", None),
        ((EVENINGS,), "2026-11-24T17:59:59+01:00", None),
        ((EVENINGS,), "2026-11-24T18:00+01:00", "2026-11-25T08:00+01:00"),
        ((EVENINGS,), "2026-11-25T07:59:59+01:00", "2026-11-25T08:00+01:00"),
        ((EVENINGS,), "2026-11-25T08:00+01:00", None),
        ((EVENINGS,), "2026-11-28T09:00+01:00", None),  # a Saturday
        ((EVENINGS, WEEKEND), "2026-11-27T20:00+01:00", "2026-11-30T08:00+01:00"),
        ((Span(WEEK, 12 * 60, 24 * 60),), "2026-11-24T13:00+01:00", "2026-11-25T00:00+01:00"),
        ((Span(WEEK, 60, 150),), "2026-03-29T01:30+01:00", "2026-03-29T03:30+02:00"),  # 02:30 never comes
        ((Span(WEEK, 60, 150),), "2026-10-25T02:40+02:00", "2026-10-25T02:30+01:00"),  # 02:30 comes twice
        ((Span(WEEK, 0, 0),), "2026-11-24T13:00+01:00", "2026-12-26T00:00+01:00"),  # never ends: so far it is looked
    ],
)
def test_the_end_of_quiet(spans: tuple[Span, ...], moment: str, end: str | None) -> None:
    assert Quiet(spans, BERLIN, "Europe/Berlin").until(at(moment)) == (at(end) if end else None)


def test_a_moment_is_shown_as_it_is_read_there() -> None:
    assert Quiet((EVENINGS,), BERLIN, "Europe/Berlin").shown(at("2026-11-25T07:00Z")) == "Wed 08:00 (Europe/Berlin)"
    assert LOUD.until(0) is None
