"""Day files: which one a message lies in, and how one is written.

Slack cuts at midnight in Los Angeles, whatever the workspace's own time zone.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.sandbox.slack.state import Json

SLACKS_ZONE = ZoneInfo("America/Los_Angeles")


def day_of(seconds: float) -> date:
    """The day that Slack files a moment under."""
    return datetime.fromtimestamp(seconds, UTC).astimezone(SLACKS_ZONE).date()


def end_of(day: date) -> int:
    """The second in which the day is over for Slack."""
    return int(datetime.combine(day + timedelta(days=1), time(), SLACKS_ZONE).timestamp())


def day_files(messages: Iterable[Json]) -> Iterator[tuple[str, list[Json]]]:
    """Cuts messages that come in order into days: the file's name without its folder, and what lies in it."""
    gathered: list[Json] = []
    day, over = date.min, 0
    for message in messages:
        seconds = int(message["ts"].partition(".")[0])
        if seconds >= over:
            if gathered:
                yield f"{day.isoformat()}.json", gathered
                gathered = []
            day = day_of(seconds)
            over = end_of(day)
        gathered.append(message)
    if gathered:
        yield f"{day.isoformat()}.json", gathered


def as_json(value: object, indent: bool = True) -> bytes:
    """A file's bytes; Slack indents what it exports."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 if indent else None)
