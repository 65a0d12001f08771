"""What an export holds, counted while it is written: the measure for plans, imports and reports.

`messages` are all records of a channel's day files, `thread_roots` those whose thread_ts is their ts, `replies` those
with another thread_ts. `reactions` counts each person for each emoji. `files` counts the file objects of each record
(`files`, and `file` of old ones), an id once a record, whatever is left of the file; `bytes` adds up their sizes.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING

from tests.sandbox.exports.cast import CUSTOM_EMOJI

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sandbox.slack.state import Json


@dataclass(frozen=True, slots=True)
class Counts:
    """The figures of a channel or of all."""

    messages: int = 0
    thread_roots: int = 0
    replies: int = 0
    reactions: int = 0
    files: int = 0
    bytes: int = 0
    pins: int = 0
    members: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(Counts)))


@dataclass(frozen=True, slots=True)
class ChannelTruth:
    """One channel. `kind` is public, private, im or mpim; `folder` is where its days lie in the archive."""

    id: str
    name: str
    kind: str
    folder: str
    counts: Counts


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that a later export shows otherwise; `what` is edited, deleted, tombstone, reacted or replied."""

    channel: str
    ts: str
    what: str


@dataclass(frozen=True, slots=True)
class Truth:
    """Everything. `oddities` says how often each one was made, `unlisted` which folders belong to no channel."""

    channels: tuple[ChannelTruth, ...]
    oddities: tuple[tuple[str, int], ...] = ()
    unlisted: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()

    @property
    def totals(self) -> Counts:
        """The sum over the channels."""
        return sum((channel.counts for channel in self.channels), Counts())

    def of(self, channel: str) -> ChannelTruth:
        """One channel by its id. Raises KeyError."""
        for each in self.channels:
            if each.id == channel:
                return each
        raise KeyError(channel)

    def json(self) -> Json:
        """The shape in which a plan is printed, and the oddities."""
        listed = [
            {"id": each.id, "name": each.name, "kind": each.kind, "folder": each.folder, **asdict(each.counts)}
            for each in self.channels
        ]
        return {"totals": asdict(self.totals), "channels": listed, "oddities": dict(self.oddities)}


class Tally:
    """Counts the records of one channel as they go by. `known` are the ids that users.json explains."""

    def __init__(self, oddities: Counter[str], known: frozenset[str]) -> None:
        self._oddities, self._known = oddities, known
        self._figures: Counter[str] = Counter()
        self._millisecond = ""

    def add(self, record: Json) -> None:
        """Counts one record."""
        figures = self._figures
        figures["messages"] += 1
        thread = record.get("thread_ts")
        if thread is not None:
            figures["thread_roots" if thread == record["ts"] else "replies"] += 1
        if "reactions" in record:
            figures["reactions"] += sum(len(reaction["users"]) for reaction in record["reactions"])
        if "files" in record or "file" in record:
            shown = {file["id"]: file for file in (*record.get("files", ()), *filter(None, [record.get("file")]))}
            figures["files"] += len(shown)
            figures["bytes"] += sum(file.get("size", 0) for file in shown.values())
        self._oddities.update(self._odd(record))

    def counts(self, pins: int, members: int) -> Counts:
        """The channel's figures."""
        return Counts(**self._figures, pins=pins, members=members)

    def _odd(self, record: Json) -> Iterator[str]:
        if "subtype" in record:
            yield record["subtype"]
        if record.get("user") not in self._known:
            yield "only user_profile" if "user_profile" in record else "only an id" if "user" in record else "no user"
        if not record.get("text"):
            yield from (f"empty text with {what}" for what in ("attachments", "blocks", "files") if what in record)
        if "replies" in record and record["replies"][-1]["ts"] != record["latest_reply"]:
            yield "reply_count too small"
        yield from (key for key in ("bot_profile", "edited") if key in record)
        for file in record.get("files", ()):
            if file.get("mode") != "hosted" or file.get("file_access") != "visible":
                yield f"file {file['file_access'] if file.get('mode') in (None, 'file_access') else file['mode']}"
        for reaction in record.get("reactions", ()):
            if "::" in reaction["name"]:
                yield "reaction with tone"
            elif reaction["name"] in CUSTOM_EMOJI:
                yield "reaction of its own"
        millisecond, self._millisecond = self._millisecond, record["ts"][:-3]
        if millisecond == self._millisecond:
            yield "same millisecond"
