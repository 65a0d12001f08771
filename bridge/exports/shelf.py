"""The channels of a workspace, their messages and threads, as far as a reading got with each.

A channel passes through phases, each of which is left in the same commit as what it brought last: so a reading that was
killed goes on with the next page, whatever it was. Messages come in newest first and go out oldest first, one at a
time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from bridge.exports.spool_file import packed, unpacked
from portals.history.export import whole_seconds
from portals.ids import ChannelId, Ts
from portals.reading.values import text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bridge.exports.readings import Reading
    from bridge.exports.spool_file import Row, SpoolFile
    from bridge.slack.wire import Fields
    from portals.history.export import Kind

HISTORY: Final = "history"
THREADS: Final = "threads"
ABOUT: Final = "about"
READ: Final = "read"
REFUSED: Final = "refused"
"""The phases of a channel in a reading: its history, its threads, who and what is pinned; then one of two ends."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A channel as far as reading it needs to know. `reached` is the oldest time of its history that was asked for."""

    id: ChannelId
    name: str
    kind: Kind
    archived: bool
    created: int
    phase: str = HISTORY
    reached: str = ""
    pinned: bool = True

    @property
    def shown(self) -> str:
        """Its name for people."""
        return f"#{self.name} ({self.id})" if self.name else self.id


@dataclass(frozen=True, slots=True)
class Met:
    """A message that Slack showed: `thread` is the root of a reply, `cut` tells that reactions lack some people."""

    ts: Ts
    body: Fields
    thread: str | None = None
    author: str = ""
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Root:
    """The head of a thread as Slack counts it; `reached` is the newest reply that was told already."""

    ts: Ts
    replies: int
    latest: str
    reached: str = ""


@dataclass(frozen=True, slots=True)
class Bound:
    """A channel that was read to its end, on its way into an export."""

    id: ChannelId
    name: str
    kind: Kind
    folder: str
    is_written: bool


_LISTED = "id, name, kind, archived, created, reading, phase, reached, pinned"
_UNREAD = "channel = ? AND seen = ? AND complete < seen"


class Shelf:
    """The channels in the file, as one reading sees them."""

    def __init__(self, file: SpoolFile, reading: Reading) -> None:
        self._file = file
        self._number = reading.number

    def keep_channels(self, kind: Kind, channels: Iterable[Fields]) -> None:
        """Keep a page of the list of channels of one kind."""
        with self._file.unit():
            for channel in channels:
                self._file.do(
                    "INSERT INTO channel (id, name, kind, archived, created, listing, listed)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET name = excluded.name,"
                    " kind = excluded.kind, archived = excluded.archived, created = excluded.created,"
                    " listing = excluded.listing, listed = excluded.listed",
                    channel["id"],
                    text_of(channel.get("name")),
                    kind,
                    channel.get("is_archived") is True,
                    whole_seconds(channel.get("created")),
                    packed(channel),
                    self._number,
                )

    def channels(self) -> list[Listed]:
        """Return the channels that Slack lists in this reading, by id."""
        rows = self._file.rows(f"SELECT {_LISTED} FROM channel WHERE listed = ? ORDER BY id", self._number)
        return [self._listed(row) for row in rows]

    def vanished(self) -> list[Listed]:
        """Return the channels that were read once and that Slack does not list any more, by id."""
        query = f"SELECT {_LISTED} FROM channel WHERE listed < ? AND complete > 0 ORDER BY id"
        return [self._listed(row) for row in self._file.rows(query, self._number)]

    def _listed(self, row: Row) -> Listed:
        channel_id, name, kind, archived, created, reading, phase, reached, pinned = row
        channel = Listed(ChannelId(channel_id), name, kind, bool(archived), created)
        if reading != self._number:
            return channel
        return replace(channel, phase=phase, reached=reached, pinned=bool(pinned))

    # --- a channel, phase by phase

    def keep_page(self, channel: ChannelId, met: Iterable[Met], roots: Iterable[Root], *, reached: str) -> None:
        """Keep a page of a channel's history, which goes back to `reached`, and the heads of threads on it."""
        with self._file.unit():
            self._keep(channel, met, "true")
            for root in roots:
                self._file.do(
                    "INSERT INTO thread (channel, root, replies, latest, seen) VALUES (?, ?, ?, ?, ?)"
                    " ON CONFLICT (channel, root) DO UPDATE SET replies = excluded.replies, latest = excluded.latest,"
                    " reached = iif(seen = excluded.seen, reached, ''), seen = excluded.seen",
                    channel,
                    root.ts,
                    root.replies,
                    root.latest,
                    self._number,
                )
            self._pass(channel, HISTORY, reached=reached)

    def end_history(self, channel: ChannelId, *, pinned: bool, changing_since: str) -> None:
        """Note that a channel's history is whole, and that threads which did not change need no reading.

        Those have as many replies as when they were read, and the same newest one, from before `changing_since`.
        """
        same = (
            "channel = ? AND seen = ? AND complete BETWEEN 1 AND seen - 1"
            " AND known_replies = replies AND known_latest = latest AND latest > '' AND latest < ?"
        )
        these = (channel, self._number, changing_since)
        with self._file.unit():
            self._meet_again(channel, f"SELECT root FROM thread WHERE {same}", *these)
            self._file.do(f"UPDATE thread SET complete = seen WHERE {same}", *these)
            self._pass(channel, THREADS, pinned=pinned)

    def threads(self, channel: ChannelId) -> list[Root]:
        """Return the threads of a channel that are still to be read, oldest first."""
        rows = self._file.rows(
            f"SELECT root, replies, latest, reached FROM thread WHERE {_UNREAD} ORDER BY root", channel, self._number
        )
        return [Root(*row) for row in rows]

    def keep_replies(self, channel: ChannelId, root: Ts, met: Iterable[Met], *, reached: str, whole: bool) -> None:
        """Keep a page of a thread, which goes up to `reached`; once it is whole, replies that were not met go."""
        with self._file.unit():
            # What the history of this reading showed stays: a reply that was broadcast says more there.
            self._keep(channel, met, "message.reading < excluded.reading")
            thread = "WHERE channel = ? AND root = ?"
            self._file.do(f"UPDATE thread SET reached = ? {thread}", reached, channel, root)
            if whole:
                gone = "DELETE FROM message WHERE channel = ? AND thread = ? AND reading < ?"
                self._file.do(gone, channel, root, self._number)
                known = "complete = seen, known_replies = replies, known_latest = latest"
                self._file.do(f"UPDATE thread SET {known} {thread}", channel, root)

    def leave_threads(self, channel: ChannelId) -> None:
        """Keep the replies that are there of threads which cannot be read now."""
        with self._file.unit():
            self._meet_again(channel, f"SELECT root FROM thread WHERE {_UNREAD}", channel, self._number)

    def cut(self, channel: ChannelId) -> list[Ts]:
        """Return the messages with reactions of which Slack did not name everybody."""
        return [Ts(row[0]) for row in self._file.rows("SELECT ts FROM message WHERE channel = ? AND cut", channel)]

    def keep_reactions(self, channel: ChannelId, ts: Ts, reactions: object) -> None:
        """Put whole reactions into a message; None leaves it those that it has."""
        with self._file.unit():
            (body,) = self._file.one("SELECT body FROM message WHERE channel = ? AND ts = ?", channel, ts)
            if reactions is not None:
                body = packed({**unpacked(body), "reactions": reactions})
            self._file.do("UPDATE message SET cut = 0, body = ? WHERE channel = ? AND ts = ?", body, channel, ts)

    def end_threads(self, channel: ChannelId) -> None:
        """Note that all messages of a channel are there; what this reading did not meet goes."""
        with self._file.unit():
            self._file.do("DELETE FROM message WHERE channel = ? AND reading < ?", channel, self._number)
            self._file.do("DELETE FROM thread WHERE channel = ? AND seen < ?", channel, self._number)
            self._pass(channel, ABOUT)

    def end_channel(self, channel: ChannelId, members: list[str] | None, pins: list[Fields] | None) -> None:
        """Keep who is in a channel and what is pinned there (None: nobody may know), and note that it is read."""
        with self._file.unit():
            self._pass(channel, READ, complete=self._number, members=packed(members), pins=packed(pins))

    def refuse(self, channel: ChannelId) -> None:
        """Note that a channel cannot be read in this reading; what is kept of it stays."""
        with self._file.unit():
            self._pass(channel, REFUSED)

    def counts(self) -> tuple[int, int]:
        """Return how many messages are kept, and how many of them are replies."""
        messages, replies = self._file.one("SELECT count(*), count(thread) FROM message")
        return messages, replies

    def _pass(self, channel: ChannelId, phase: str, **more: object) -> None:
        columns = {"reading": self._number, "phase": phase, **more}
        names = ", ".join(f"{name} = ?" for name in columns)
        self._file.do(f"UPDATE channel SET {names} WHERE id = ?", *columns.values(), channel)

    def _meet_again(self, channel: ChannelId, roots: str, *values: object) -> None:
        sql = f"UPDATE message SET reading = ? WHERE channel = ? AND thread IN ({roots})"
        self._file.do(sql, self._number, channel, *values)

    def _keep(self, channel: ChannelId, met: Iterable[Met], replaces: str) -> None:
        for message in met:
            self._file.do(
                "INSERT INTO message VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (channel, ts) DO UPDATE SET"
                " thread = excluded.thread, reading = excluded.reading, cut = excluded.cut, body = excluded.body"
                f" WHERE {replaces}",
                channel,
                message.ts,
                message.thread,
                self._number,
                message.cut,
                packed(message.body),
            )
            if message.author:
                self._file.do("INSERT OR IGNORE INTO author VALUES (?)", message.author)

    # --- on its way out

    def bound(self) -> list[Bound]:
        """Return the channels that were read to their end in this reading or an earlier one, by id."""
        rows = self._file.rows(
            "SELECT id, name, kind, folder, written = complete FROM channel WHERE complete > 0 ORDER BY id"
        )
        return [Bound(ChannelId(row[0]), row[1], row[2], row[3], bool(row[4])) for row in rows]

    def messages(self, channel: ChannelId) -> Iterator[tuple[str, Fields]]:
        """Return a channel's messages with their times, oldest first, one at a time."""
        query = "SELECT ts, body FROM message WHERE channel = ? AND ts > ? ORDER BY ts LIMIT ?"
        for ts, body in self._file.stream(query, channel):
            yield ts, unpacked(body)

    def about(self, channel: ChannelId) -> tuple[Fields, list[str] | None, list[Any] | None]:
        """Return how Slack lists a channel, its members and its pins."""
        listing, members, pins = self._file.one("SELECT listing, members, pins FROM channel WHERE id = ?", channel)
        return unpacked(listing), unpacked(members), unpacked(pins)

    def move(self, folders: dict[ChannelId, str]) -> None:
        """Note in which folders the days of channels belong from now on; there they are to be written anew."""
        with self._file.unit():
            for channel, folder in folders.items():
                self._file.do("UPDATE channel SET folder = ?, written = 0 WHERE id = ?", folder, channel)

    def end_days(self, channel: ChannelId) -> None:
        """Note that a channel's days are written."""
        self._file.do("UPDATE channel SET written = complete WHERE id = ?", channel)
