"""The settings of what has to wait: for a moderator, or for the end of quiet hours."""

# No `from __future__ import annotations`: pydantic evaluates these annotations while the classes are made.
import re
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator

from config.section import Section
from config.values import Count, Duration, Kind, pattern, read_duration, shown, wrong

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = 24 * 60
_HOURS = re.compile(r"(?:(?P<days>[A-Za-z,-]+)\s+)?(?P<start>\d\d?:\d\d)\s*-\s*(?P<end>\d\d?:\d\d)")

_WORDS = AfterValidator(
    pattern(r"(?s).*[^\W_].*", "a word", "write a word or a phrase, with * for any letters, such as VS-NfD or secret*")
)
Words = Annotated[str, _WORDS, Kind("text")]


def read_hours(text: str) -> tuple[frozenset[int], int, int]:
    """Read `Mon-Fri 18:00-08:00`, `Sat,Sun 08:00-08:00` or `22:00-06:00` as days (Monday is 0) and minutes.

    A span that does not end later on its day ends on the next one.
    """
    found = _HOURS.fullmatch(text.strip())
    days = _days(found["days"]) if found is not None else frozenset()
    start, end = (_minutes(found["start"]), _minutes(found["end"])) if found is not None else (_DAY, 0)
    if not days or start >= _DAY or end > _DAY:
        raise wrong(f"{shown(text)} is not a span of hours", 'write it like "Mon-Fri 18:00-08:00" or "22:00-06:00"')
    return days, start, end


def _minutes(text: str) -> int:
    hours, _, minutes = text.partition(":")
    return int(hours) * 60 + int(minutes) if int(minutes) < 60 else _DAY + 1


def _days(text: str | None) -> frozenset[int]:
    """Return the days of a list such as `Mon-Wed,Fri`, all where none are named, none where one cannot be read."""
    if text is None:
        return frozenset(range(7))
    days: set[int] = set()
    for part in text.lower().split(","):
        first, _, last = part.partition("-")
        if first not in _DAYS or (last or first) not in _DAYS:
            return frozenset()
        start, end = _DAYS.index(first), _DAYS.index(last or first)
        days |= {day % 7 for day in range(start, end + 1 + (7 if end < start else 0))}
    return frozenset(days)


def _hours(text: str) -> str:
    read_hours(text)
    return text


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (LookupError, ValueError, OSError):
        hint = "write it like Europe/Berlin; where this machine knows no zones, install its tzdata"
        raise wrong(f"{shown(text)} is not a time zone that this machine knows", hint) from None
    return text


Hours = Annotated[str, AfterValidator(_hours), Kind("hours")]
Zone = Annotated[str, AfterValidator(_zone), Kind("time zone")]
Room = Annotated[
    str,
    AfterValidator(
        pattern(r"[#!][^\s]+", "a Matrix room", 'write an alias such as "#moderators:example.org" or an id')
    ),
    Kind("room"),
]


class PolicyHold(Section):
    """Which messages wait for a moderator before they cross, in both directions."""

    words: Annotated[tuple[Words, ...], Kind("list of words", literal=False)] = Field(
        default=(), description="Words, phrases and marks about which a moderator decides, in any case and spelling."
    )
    room: Annotated[Room | None, Kind("room")] = Field(
        default=None,
        description="Where moderators see what waits and decide by a reaction; blank leaves console, API and command.",
    )
    power_level: Count = Field(default=50, description="The power level that it takes in that room to decide.")
    within: Duration = Field(
        default=read_duration("24h"), description="How long a message waits; then it is refused, and its author told."
    )

    @model_validator(mode="after")
    def _somebody_has_time(self) -> Self:
        if not self.within:
            raise wrong("gives nobody any time", "write how long a message may wait, such as 24h", at=("within",))
        return self


class PolicyQuiet(Section):
    """When messages do not cross, in both directions; deletions, edits and reactions do."""

    hours: Annotated[tuple[Hours, ...], Kind("list of hours", literal=False)] = Field(
        default=(),
        description='Spans such as "Mon-Fri 18:00-08:00" (until the next day) and "Sat,Sun 08:00-08:00".',
    )
    zone: Zone = Field(default="UTC", description="The time zone of these hours, such as Europe/Berlin.")
    then: Literal["wait", "refuse"] = Field(
        default="wait", description="What becomes of messages: they `wait` and go when the hours end, or are refused."
    )

    @model_validator(mode="after")
    def _it_ends(self) -> Self:
        quiet = {
            (day * _DAY + minute) % (7 * _DAY)
            for days, start, end in map(read_hours, self.hours)
            for day in days
            for minute in range(start, end if end > start else end + _DAY)
        }
        if len(quiet) == 7 * _DAY:
            raise wrong("never end", "leave hours in which messages cross, or pause the portal", at=("hours",))
        return self
