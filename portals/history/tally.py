"""Counting the records of an export, channel by channel, without keeping any.

What is counted, exactly: every record of a day file is a message. One whose `thread_ts` is its own `ts` is the root of
a thread; one with another `thread_ts` is a reply. A reaction is one person with one emoji on one message. A file is a
file object on a message; one that was shared twice counts twice.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from portals.history.export import files_in, moment
from portals.ids import NO_TS, Ts, is_ts
from portals.reading.slack_messages import SAID
from portals.reading.values import mapping, number, text_of
from portals.text.emoji import unicode_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from portals.events import Json
    from portals.history.export import ExportedChannel
    from portals.history.selection import Selection

_NO_BYTES = frozenset({"tombstone", "hidden_by_limit"})
_DENIED = frozenset({"access_denied", "file_not_found"})


@dataclass(frozen=True, slots=True)
class Figures:
    """What there is in a channel, or in several; `bytes` are those of the files, where Slack tells them."""

    messages: int = 0
    thread_roots: int = 0
    replies: int = 0
    reactions: int = 0
    files: int = 0
    bytes: int = 0
    pins: int = 0
    members: int = 0
    orphans: int = 0
    """Replies whose root is not among the messages."""
    system: int = 0
    """Slack's own words: who joined, what was renamed, which message was deleted."""
    bots: int = 0
    edited: int = 0
    files_gone: int = 0
    """Files of which Slack gives no bytes any more."""

    def __add__(self, other: Figures) -> Figures:
        return Figures(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))


@dataclass(frozen=True, slots=True)
class Counted:
    """A channel and what it holds; `first` and `last` are the times of its oldest and its newest message."""

    channel: ExportedChannel
    figures: Figures
    first: Ts
    last: Ts


class Authors:
    """Who wrote or reacted, and how strangers are called: only their own messages tell."""

    def __init__(self, listed: Iterable[str] = ()) -> None:
        self._listed = frozenset(listed)
        self.messages: Counter[str] = Counter()
        self.reacted: set[str] = set()
        self.bots: set[str] = set()
        self.names: dict[str, str] = {}

    def wrote(self, user: str, record: Json) -> None:
        self.messages[user] += 1
        if user not in self._listed and not self.names.get(user):
            profile = mapping(record.get("user_profile"))
            self.names[user] = text_of(profile.get("display_name")) or text_of(profile.get("real_name"))


class Tally:
    """Counts one channel."""

    def __init__(self, channel: ExportedChannel, selection: Selection, authors: Authors, emoji: set[str]) -> None:
        self._channel, self._selection, self._authors, self._emoji = channel, selection, authors, emoji
        self._everything = not selection.since and not selection.until
        self._roots: set[str] = set()
        self._first = self._last = NO_TS
        self._messages = self._root_count = self._replies = self._orphans = self._reactions = 0
        self._files = self._bytes = self._gone = self._system = self._bots = self._edited = 0

    def add(self, records: Sequence[Json]) -> None:
        """Count the records of a day, or of a part of one."""
        times = []
        for record in records:
            ts = text_of(record.get("ts"))
            if self._everything or self._selection.selects(ts):
                times.append(ts)
                self._count(record, ts)
        ends = [*filter(None, (self._first, self._last)), *filter(is_ts, times[:1] + times[-1:])]
        if ends:
            self._first, self._last = Ts(min(ends, key=moment)), Ts(max(ends, key=moment))

    def _count(self, record: Json, ts: str) -> None:
        self._messages += 1
        thread = record.get("thread_ts")
        if thread and thread != ts:
            self._replies += 1
            self._orphans += not (isinstance(thread, str) and thread in self._roots)
        elif thread:
            self._root_count += 1
            self._roots.add(ts)
        user, bot = record.get("user"), record.get("bot_id")
        if isinstance(user, str) and user:
            self._authors.wrote(user, record)
        if bot:
            self._bots += 1
            self._authors.bots.add(text_of(bot))
        if (subtype := record.get("subtype")) is not None and text_of(subtype) not in SAID:
            self._system += 1
        if record.get("edited"):
            self._edited += 1
        if reactions := record.get("reactions"):
            self._react(reactions)
        if "files" in record or "file" in record:
            self._share(record)

    def _react(self, reactions: object) -> None:
        for reaction in reactions if isinstance(reactions, list) else ():
            users = mapping(reaction).get("users")
            people = {user for user in users if isinstance(user, str)} if isinstance(users, list) else set()
            self._reactions += len(people)
            self._authors.reacted |= people
            name = text_of(mapping(reaction).get("name"))
            if name and name not in self._emoji and unicode_of(name) is None:
                self._emoji.add(name)

    def _share(self, record: Json) -> None:
        for file in files_in(record):
            self._files += 1
            self._bytes += number(file.get("size"))
            access = file.get("file_access")
            gone = text_of(file.get("mode")) in _NO_BYTES or (isinstance(access, str) and access in _DENIED)
            self._gone += gone

    def counted(self) -> Counted:
        """Return what was counted."""
        channel = self._channel
        return Counted(
            channel,
            Figures(
                messages=self._messages,
                thread_roots=self._root_count,
                replies=self._replies,
                reactions=self._reactions,
                files=self._files,
                bytes=self._bytes,
                pins=len(channel.pins),
                members=len(channel.members),
                orphans=self._orphans,
                system=self._system,
                bots=self._bots,
                edited=self._edited,
                files_gone=self._gone,
            ),
            self._first,
            self._last,
        )
