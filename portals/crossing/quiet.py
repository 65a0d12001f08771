"""Quiet hours: from when until when messages do not cross, by the clock of the place that a policy names.

Pure: the moment is handed in, and the zone comes with the policy. A span stands by the clock on the wall, so where that
is set forth or back it begins when the clock first shows its beginning and ends when it last shows its end.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
DAY = 24 * 60
"""The minutes of a day."""
_MOST_SPANS = 32
"""How many spans may follow each other without a gap; a policy that is never loud is refused where it is read."""


class Then(StrEnum):
    """What becomes of a message within quiet hours: it waits for their end, or is refused."""

    WAIT = "wait"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Span:
    """From one minute of the day to another on these days (Monday is 0); one that is not later is of the next day."""

    days: frozenset[int]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Quiet:
    """The quiet hours of a policy; without spans there are none."""

    spans: tuple[Span, ...] = ()
    zone: tzinfo = UTC
    place: str = "UTC"
    """What the zone is called."""
    then: Then = Then.WAIT

    def until(self, at: int) -> int | None:
        """Return when the quiet ends in which a moment lies, both in ms since the epoch; None where it is in none."""
        moment = at
        for _ in range(_MOST_SPANS):
            ends = [end for start, end in self._around(moment) if start <= moment < end]
            if not ends:
                break
            moment = max(ends)
        return moment if moment > at else None

    def shown(self, at: int) -> str:
        """Return a moment as people of the place read it, such as `Mon 08:00 (Europe/Berlin)`."""
        there = datetime.fromtimestamp(at / 1000, self.zone)
        return f"{DAYS[there.weekday()]} {there:%H:%M} ({self.place})"

    def _around(self, moment: int) -> Iterator[tuple[int, int]]:
        """Yield the spans that may hold a moment: those that begin on its day or on the one before."""
        today = datetime.fromtimestamp(moment / 1000, self.zone).date()
        for day in (today - timedelta(days=1), today):
            for span in self.spans:
                if day.weekday() in span.days:
                    more = 0 if span.end > span.start else DAY
                    yield min(self._moments(day, span.start)), max(self._moments(day, span.end + more))

    def _moments(self, day: date, minutes: int) -> tuple[int, int]:
        """Return when the clock shows a time, which may be twice, or what it would have shown if it is set over it."""
        local = datetime.combine(day, time()) + timedelta(minutes=minutes)
        first, second = (local.replace(tzinfo=self.zone, fold=fold).timestamp() for fold in (0, 1))
        return int(first * 1000), int(second * 1000)


LOUD = Quiet()
"""No quiet hours."""
