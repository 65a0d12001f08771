"""Whose the messages in a folder are that several channels of one name may claim, by what the messages themselves tell.

Slack exports folders by name, and a public channel may be named like a private one. What is private must not become
public by a guess: the folder is given to the channel that fewer people may see, unless something speaks clearly
against it. Every channel begins with its creator's coming, so one whose beginning should be in the folder and is not,
has no messages there; nor has one to which most of those who wrote do not belong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portals.ids import Ts, is_ts
from portals.people.links import is_person
from portals.reading.values import text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from portals.events import Json
    from portals.history.export import ExportedChannel, Kind

PRIVACY: dict[Kind, int] = {"public": 0, "private": 1, "group_dm": 2, "dm": 3}
"""How few may see a channel of each kind."""

_NOBODY = frozenset({"USLACKBOT", "U00"})
_A_MINUTE = 60
_FEWEST = 3
"""So many must have written before who they are says anything."""
_AT_HOME = 0.5


def owner_of(claimants: Sequence[ExportedChannel], records: Iterable[Json]) -> ExportedChannel:
    """Return whose the records of a folder are; every one of them is looked at, in any order."""
    authors: set[str] = set()
    begun: set[str] = set()
    pinned: set[str] = set()
    first, last = 2**62, 0
    pins = {ts: one.id for one in claimants for ts in one.pins}
    for record in records:
        user, ts = text_of(record.get("user")), text_of(record.get("ts"))
        if not is_ts(ts):
            continue
        second = int(ts.partition(".")[0])
        first, last = min(first, second), max(last, second)
        if is_person(user) and user not in _NOBODY:
            authors.add(user)
        begun.update(one.id for one in claimants if one.creator == user and abs(one.created - second) <= _A_MINUTE)
        if ts in pins:
            pinned.add(pins[Ts(ts)])
    there = begun | pinned

    def is_elsewhere(channel: ExportedChannel) -> bool:
        if channel.id in there:
            return False
        return first < channel.created < last or _is_foreign(channel, authors)

    by_privacy = sorted(claimants, key=lambda one: -PRIVACY[one.kind])
    return next((one for one in by_privacy if not is_elsewhere(one)), by_privacy[0])


def _is_foreign(channel: ExportedChannel, authors: set[str]) -> bool:
    """Tell whether those who wrote are strangers to a channel; an archived one has lost its members."""
    if channel.archived or not channel.members or len(authors) < _FEWEST:
        return False
    return len(authors.intersection(channel.members)) < _AT_HOME * len(authors)
