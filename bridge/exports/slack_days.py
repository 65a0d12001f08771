"""Under which day Slack files a message: its exports are cut at midnight in Los Angeles, wherever the workspace is."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from functools import cache
from itertools import groupby
from typing import TYPE_CHECKING, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bridge.errors import Fatal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

T = TypeVar("T")

_ZONE = "America/Los_Angeles"


@cache
def _zone() -> ZoneInfo:
    try:
        return ZoneInfo(_ZONE)
    except ZoneInfoNotFoundError:
        raise Fatal(
            f"this machine does not know the time zone {_ZONE}: install the package tzdata, of the system or with pip"
        ) from None


class _Days:
    """Names the day of each time; of times that come in order only the first of a day is reckoned."""

    def __init__(self) -> None:
        self._name = ""
        self._begins = self._ends = 0

    def __call__(self, entry: tuple[str, object]) -> str:
        seconds = int(entry[0].partition(".")[0])
        if not self._begins <= seconds < self._ends:
            day = datetime.fromtimestamp(seconds, UTC).astimezone(_zone()).date()
            self._name = f"{day.isoformat()}.json"
            self._begins = int(datetime.combine(day, time(), _zone()).timestamp())
            self._ends = int(datetime.combine(day + timedelta(days=1), time(), _zone()).timestamp())
        return self._name


def by_day(entries: Iterable[tuple[str, T]]) -> Iterator[tuple[str, Iterator[tuple[str, T]]]]:
    """Cut entries that come in the order of their Slack time stamps into days: the name of each day's file, and its
    entries, to be used before the next day is asked for."""
    return groupby(entries, _Days())
