"""What was read of one channel, from either side, on disk: memory stays flat however large the channel is.

It is SQLite's own kind of temporary database, which has no name, is gone when it is closed, and of which only a few
pages are in memory. It keeps names of texts (hashes) and the excerpts that a report may show.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any, Self

import orjson

from portals.history.digest import rank
from portals.history.evidence import (
    Expected,
    ExpectedFile,
    ExpectedPart,
    Shown,
    ShownFile,
    ShownPart,
    ShownReaction,
)
from portals.ids import EventId, Ts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from portals.history.shown import Redacted, Stray

Json = dict[str, Any]  # Any: what this module itself wrote

_SCHEMA = """
PRAGMA journal_mode = OFF;
PRAGMA cache_size = -8000;
CREATE TABLE expected (rank TEXT PRIMARY KEY, source INTEGER, body BLOB) WITHOUT ROWID;
CREATE TABLE part (
  event TEXT PRIMARY KEY, rank TEXT, ts TEXT, name TEXT, position INTEGER, root TEXT, line TEXT,
  author TEXT, body BLOB
) WITHOUT ROWID;
CREATE INDEX part_rank ON part (rank, position);
CREATE INDEX part_position ON part (position);
CREATE TABLE reaction (event TEXT PRIMARY KEY, target TEXT, author TEXT, body BLOB) WITHOUT ROWID;
CREATE INDEX reaction_target ON reaction (target);
CREATE TABLE redacted (author TEXT, time INTEGER, event TEXT, at INTEGER);
CREATE TABLE stray (what TEXT, event TEXT, sender TEXT, time INTEGER, words TEXT);
"""
_PUT_EXPECTED = "INSERT OR REPLACE INTO expected VALUES (?, ?, ?)"
_PUT_PART = "INSERT OR REPLACE INTO part VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_PARTS = """
SELECT part.ts, part.body, root.ts FROM part LEFT JOIN part AS root ON root.event = part.root
ORDER BY part.rank, part.position
"""
_REACTIONS = """
SELECT part.ts, reaction.body FROM part JOIN reaction ON reaction.target = part.event ORDER BY part.rank
"""
_AT = """
SELECT part.ts, part.event, expected.body FROM part LEFT JOIN expected ON expected.rank = part.rank WHERE position = ?
"""
_LINES = "SELECT line FROM part WHERE rank >= ? AND rank <= ? ORDER BY rank, name, position"


class Gathered:
    """One channel's source and rooms; what is later replaces what is earlier."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._database.executescript(_SCHEMA)
        self._database.execute("BEGIN")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()

    # --- the source

    def expect(self, expected: Expected, source: int) -> bool:
        """Keep what is expected of a record; tells whether it is the first of its ts in this source."""
        key = rank(expected.ts)
        before = self._database.execute("SELECT source FROM expected WHERE rank = ?", (key,)).fetchone()
        self._database.execute(_PUT_EXPECTED, (key, source, orjson.dumps(expected)))
        return before is None or before[0] != source

    def expected(self) -> Iterator[Expected]:
        """Yield what is expected, in the order of time."""
        for (body,) in self._database.execute("SELECT body FROM expected ORDER BY rank"):
            yield _expected(orjson.loads(body))

    def forget(self, source: int, last: str) -> None:
        """Expect nothing any more of what only sources before this one hold, up to its last message."""
        self._database.execute("DELETE FROM expected WHERE source < ? AND rank <= ?", (source, rank(last)))

    def stands(self, ts: str) -> str | None:
        """Return the event that shows a message, empty where it is missing, None for one that is not to be shown."""
        row = self._database.execute("SELECT body FROM expected WHERE rank = ?", (rank(ts),)).fetchone()
        if row is None or orjson.loads(row[0])["absence"]:
            return None
        event = self._database.execute(
            "SELECT event FROM part WHERE rank = ? ORDER BY position", (rank(ts),)
        ).fetchone()
        return str(event[0]) if event else ""

    def span(self) -> tuple[str, str]:
        """Return the first and the last ts that the source holds, empty where it holds none."""
        first, last = self._database.execute("SELECT MIN(rank), MAX(rank) FROM expected").fetchone()
        return (first or "").lstrip("0"), (last or "").lstrip("0")

    # --- the room

    def show(self, ts: Ts, part: ShownPart) -> None:
        """Keep an event that shows a part of a message, anew where it was edited."""
        place = (part.event_id, rank(ts), ts, part.part, part.position)
        self._database.execute(_PUT_PART, (*place, part.root, part.line, part.author, orjson.dumps(part)))

    def find(self, event: str) -> tuple[Ts, ShownPart] | None:
        """Return the part that an event shows."""
        row = self._database.execute("SELECT ts, body FROM part WHERE event = ?", (event,)).fetchone()
        return (Ts(row[0]), _shown(orjson.loads(row[1]), None)) if row else None

    def react(self, target: str, reaction: ShownReaction) -> None:
        """Keep a reaction to an event."""
        self._database.execute(
            "INSERT OR REPLACE INTO reaction VALUES (?, ?, ?, ?)",
            (reaction.event_id, target, reaction.author, orjson.dumps(reaction)),
        )

    def redact(self, redacted: Redacted) -> None:
        """Keep that of an event only its place is left."""
        values = (redacted.author, redacted.time, redacted.event_id, redacted.at)
        self._database.execute("INSERT INTO redacted VALUES (?, ?, ?, ?)", values)

    def stray(self, stray: Stray) -> None:
        """Keep an event that belongs to no message."""
        values = (stray.what, stray.event_id, stray.sender, stray.time, stray.words)
        self._database.execute("INSERT INTO stray VALUES (?, ?, ?, ?, ?)", values)

    def strays(self, what: str) -> Iterator[tuple[str, str, int, str]]:
        """Yield (event id, sender, time, words) of such events."""
        yield from self._database.execute("SELECT event, sender, time, words FROM stray WHERE what = ?", (what,))

    def count_strays(self, what: str) -> int:
        """Return how many such events there are."""
        return int(self._database.execute("SELECT COUNT(*) FROM stray WHERE what = ?", (what,)).fetchone()[0])

    def redacted(self) -> dict[tuple[str, int], tuple[str, int]]:
        """Return the events of which only the place is left, as `reconcile.Circumstances` wants them."""
        found = self._database.execute("SELECT author, time, event, at FROM redacted")
        return {(author, time): (event, at) for author, time, event, at in found}

    def shown(self) -> Iterator[Shown]:
        """Yield what the room shows of each message, in the order of time."""
        parts = self._database.execute(_PARTS)
        reactions = self._database.execute(_REACTIONS)
        reaction = reactions.fetchone()
        row = parts.fetchone()
        while row is not None:
            ts, found = row[0], []
            while row is not None and row[0] == ts:
                found.append(_shown(orjson.loads(row[1]), row[2]))
                row = parts.fetchone()
            beside = []
            while reaction is not None and reaction[0] == ts:
                beside.append(ShownReaction(**orjson.loads(reaction[1])))
                reaction = reactions.fetchone()
            yield Shown(Ts(ts), tuple(found), tuple(beside))

    def authors(self) -> frozenset[str]:
        """Return the Slack ids of all who wrote or reacted."""
        found = "SELECT DISTINCT author FROM part UNION SELECT DISTINCT author FROM reaction"
        return frozenset(str(author) for (author,) in self._database.execute(found))

    def at(self, position: int) -> tuple[str, str, str]:
        """Return (ts, place in the archive, event id) of what has a position in the room."""
        ts, event, body = self._database.execute(_AT, (position,)).fetchone()
        return ts, orjson.loads(body)["place"] if body else "", event

    def lines(self, first: str, last: str) -> Iterator[str]:
        """Yield the digest's lines of what the room shows of this span, in their order."""
        for (line,) in self._database.execute(_LINES, (rank(first), rank(last))):
            yield line


def _expected(body: Json) -> Expected:
    parts = tuple(
        ExpectedPart(
            one["part"],
            tuple((form, plain, line) for form, plain, line in one["forms"]),
            one["words"],
            ExpectedFile(**one["file"]) if one["file"] else None,
            tuple(one["nameless"]),
        )
        for one in body.pop("parts")
    )
    reactions = tuple((author, key) for author, key in body.pop("reactions"))
    return Expected(**body, parts=parts, reactions=reactions)


def _shown(body: Json, thread: str | None) -> ShownPart:
    file = body.pop("file")
    body |= {"event_id": EventId(body["event_id"]), "thread": thread or ""}
    return ShownPart(**body, file=ShownFile(**file) if file else None)
