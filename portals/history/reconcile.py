"""The source of a channel against its room: what is there, what is missing, and what nothing explains.

Both sides come as streams in the order of time; what is kept of them is one number a message (its place in the room,
for the order) and a few for each thread. A difference is told once, where it lies: of a message that is missing, its
files, reactions and place in a thread are counted as missing and not told again.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from portals.crossing.policy import Kind
from portals.history.digest import Digest, rank
from portals.history.evidence import KINDS, TOMBSTONE, Difference, Tally
from portals.history.order import longest_rise
from portals.history.parts import (
    calls_a_channel_otherwise,
    explained_absence,
    file_differences,
    lacks_mark,
    mark_differences,
    matched,
    text_differences,
)
from portals.history.selection import Selection
from portals.ids import ts_to_ms

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from portals.history.evidence import Expected, ExpectedFile, ExpectedPart, Shown, ShownFile, ShownPart
    from portals.history.parts import Matched
    from portals.history.selection import Selects

    At = Callable[[int], tuple[str, str, str]]
    """Returns (ts, place in the archive, event id) of the message whose first event has a position in the room."""

NEWER = "newer than the source: the channel is mirrored, and went on"
IN_THE_PLACE = "something stands in the place of a deleted message, so that its thread has a beginning"
UNNAMED = "Slack counts more people than it names"
RENAMED = "the same person's same emoji under another of its names"
BY_THE_BRIDGE = "the bridge's own, which stand for reactions in Matrix"
GONE_FILES = "Slack keeps no more than their place"
CALLED_OTHERWISE = "a channel that they mention is called by the name of that time"
MENTIONED = "spoken of, and shared elsewhere"
_ON_ABSENT = "on messages that are not shown"
_OF_ABSENT = "of messages that are not shown"
BEFORE_THE_EDIT = "edits do not cross here: the room shows what was said before"
WITHOUT_MARK = "edited before the bridge saw them: their last words came at once, without the mark of an edit"
SHOWN_LIVE = "Slack's own words, which live traffic shows and imports leave out"
SHOWN_BY_IMPORTS = "Slack's own words, which imports show and live traffic leaves out"
KEPT = "deleted in Slack, and shown all the same: deletions do not cross here"
_EDITS = f"kinds: {Kind.EDITS}"
DELETIONS = f"kinds: {Kind.DELETIONS}"
_WITHIN = 1
"""Milliseconds by which an event's time may differ from Slack's, which has more digits."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What else must be known to judge a channel.

    `quarantined` are the reasons by ts. With `live`, what is newer than the source (`until`, in ms) is no difference.
    `redacted` are the events of which only the place is left, as (event id, time of the redaction) by (author, time).
    `withheld` says by which rule of a policy something was kept back: (ts, "") a message, (ts, id) a file, and (ts,
    words) a reaction as `reaction_words` has it, or a pin. `kept` are the messages whose deletion it kept back.
    Nothing is said of what `selection` leaves out.
    """

    until: int = 0
    live: bool = False
    quarantined: Mapping[str, str] = field(default_factory=dict)
    redacted: Mapping[tuple[str, int], tuple[str, int]] = field(default_factory=dict)
    withheld: Mapping[tuple[str, str], str] = field(default_factory=dict)
    kept: Collection[str] = frozenset()
    selection: Selects = field(default_factory=Selection)

    def is_newer(self, time: int) -> bool:
        """Tell whether something of this time can be unknown to the source."""
        return self.live and time > self.until

    def kept_back(self, ts: str, part: str = "") -> str:
        """Return, in words, that a policy kept something back; nothing where none did."""
        rule = self.withheld.get((ts, part))
        return f"withheld by the policy ({rule})" if rule is not None else ""


@dataclass(slots=True)
class _Thread:
    replies: int = 0
    present: int = 0
    wrong: int = 0
    quarantined: int = 0
    first: str = ""
    """The first reply that the room shows."""


class Reconciliation:
    """Compares one channel: `differences` once, then the tallies and digests."""

    def __init__(self, circumstances: Circumstances, at: At) -> None:
        self._given = circumstances
        self._at = at
        self.tallies = {kind: Tally() for kind in KINDS}
        self.newer = 0
        """Things in the room that the source is too old for."""
        self.kept = 0
        """Messages in the room that are deleted in Slack, and stay because deletions do not cross."""
        self.digest = Digest()
        """What the room's digest is to be: that of the source, with the room's own line where the difference between
        them is explained."""
        self._threads: dict[str, _Thread] = {}
        self._roots: set[str] = set()
        """The roots of threads that the room shows."""
        self._uncounted: set[str] = set()
        """The messages that are there and are not counted as present."""
        self._positions = array("q")
        self._between: list[str] = []
        """Lines of such messages behind the last one of the source: the digest ends where the source does."""

    def differences(self, expected: Iterable[Expected], shown: Iterable[Shown]) -> Iterator[Difference]:
        """Yield everything that nothing explains; both sides are in the order of `digest.rank` and name no ts twice."""
        for source, room in _paired(expected, shown):
            if source is not None:
                self._add_kept()
                yield from self._message(source, room)
            else:
                assert room is not None
                yield from self._unexpected(room)
        yield from self._order()
        self._count_threads()

    # --- messages

    def _unexpected(self, room: Shown) -> Iterator[Difference]:
        if not self._given.selection.selects(room.ts):
            return
        if room.ts in self._given.kept:
            self.kept += 1
            self._between += _lines(room)
            return
        if self._given.is_newer(ts_to_ms(room.ts)):
            self.newer += 1
            return
        self.tallies["messages"].unexpected += 1
        yield _surplus("messages", "unexpected", room.ts, room.parts[0])

    def _add_kept(self) -> None:
        if self.tallies["messages"].source:
            for line in self._between:
                self.digest.add(line)
        self._between.clear()

    def _message(self, source: Expected, room: Shown | None) -> Iterator[Difference]:
        tally = self.tallies["messages"]
        tally.source += 1
        files, reactions = self.tallies["files"], self.tallies["reactions"]
        count = sum(part.file is not None for part in source.parts)
        files.source += count + source.gone + source.mentioned
        files.explain(GONE_FILES, source.gone)
        files.explain(MENTIONED, source.mentioned)
        reactions.source += len(source.reactions) + source.unnamed + source.renamed + source.own
        reactions.explain(UNNAMED, source.unnamed)
        reactions.explain(RENAMED, source.renamed)
        reactions.explain(BY_THE_BRIDGE, source.own)
        if source.absence:
            files.explain(_OF_ABSENT, count)
            yield from self._absent(source, room)
            return
        thread = self._threads.setdefault(source.thread, _Thread()) if source.thread else None
        if thread is not None:
            thread.replies += 1
        if room is None or not room.parts:
            yield from self._missing(source, count, thread)
            return
        if source.is_root:
            self._roots.add(source.ts)
        found = matched(source, room)
        told = list(self._compared(source, found, thread))
        explained = self._otherwise(source, found)
        if any(one.kind == "messages" and one.what not in ("twice", "unexpected") for one in told):
            tally.differing += 1
            self._uncounted.add(source.ts)
        elif explained:
            tally.explain(explained)
            self._uncounted.add(source.ts)
        else:
            tally.present += 1
        yield from told
        yield from self._reactions(source, room)

    def _otherwise(self, source: Expected, found: Matched) -> str:
        """Return why a message is there in another form than that of the source, where that is as it should be."""
        if any(part is not None and calls_a_channel_otherwise(wanted, part) for wanted, part in found.pairs):
            return CALLED_OTHERWISE
        if self._is_kept(source) and any(
            part is not None and all(form != part.form for form, _, _ in wanted.forms) for wanted, part in found.pairs
        ):
            return BEFORE_THE_EDIT
        return WITHOUT_MARK if self._given.live and not self._is_kept(source) and lacks_mark(source, found) else ""

    def _is_kept(self, source: Expected) -> bool:
        """Tell whether what a message said before stays, because its edits do not cross."""
        return self._given.withheld.get((source.ts, "")) == _EDITS

    def _absent(self, source: Expected, room: Shown | None) -> Iterator[Difference]:
        """Tell of a message that is rightly not shown, and is shown all the same."""
        tally, reactions = self.tallies["messages"], self.tallies["reactions"]
        reactions.explain(_ON_ABSENT, len(source.reactions))
        if room is None or not room.parts:
            is_set_aside = source.ts in self._given.quarantined
            tally.quarantined += is_set_aside
            tally.explain(source.absence, not is_set_aside)
            return
        self._roots.add(source.ts)
        first = room.parts[0]
        explained = SHOWN_LIVE if source.optional else ""
        if source.absence == TOMBSTONE and not explained:
            explained = KEPT if source.ts in self._given.kept else ""
            explained = IN_THE_PLACE if all(part.notice for part in room.parts) else explained
        if explained:
            tally.explain(explained)
            for line in _lines(room):
                self.digest.add(line)
            return
        tally.explain(source.absence)
        tally.unexpected += 1
        yield _surplus("messages", "unexpected", source.ts, first, source.place, source.absence)

    def _missing(self, source: Expected, files: int, thread: _Thread | None) -> Iterator[Difference]:
        tally, given = self.tallies["messages"], self._given
        reason = given.quarantined.get(source.ts)
        event_id, at = given.redacted.get((source.author, ts_to_ms(source.ts)), ("", 0))
        if reason is not None:
            tally.quarantined += 1
            self.tallies["files"].quarantined += files
            self.tallies["reactions"].quarantined += len(source.reactions)
            if thread is not None:
                thread.quarantined += 1
            return
        withheld = given.kept_back(source.ts) or (SHOWN_BY_IMPORTS if source.optional else "")
        if withheld or (event_id and given.is_newer(at)):
            tally.explain(withheld or NEWER)
            self.tallies["files"].explain(_OF_ABSENT, files)
            self.tallies["reactions"].explain(_ON_ABSENT, len(source.reactions))
            if thread is not None:
                thread.replies -= 1
            return
        self._add_lines({part.part: part.forms[0][2] for part in source.parts if part.forms})
        tally.missing += 1
        self.tallies["files"].missing += files
        self.tallies["reactions"].missing += len(source.reactions)
        words = source.parts[0].words if source.parts else ""
        found = "its event was redacted" if event_id else ""
        yield Difference("messages", "missing", source.ts, source.place, event_id, f"{source.author}: {words}", found)

    def _compared(self, source: Expected, found: Matched, thread: _Thread | None) -> Iterator[Difference]:
        given = self._given
        for extra in found.surplus:
            if not given.is_newer(extra.time):
                what = "twice" if extra.part in found.names else "unexpected"
                kind = "files" if extra.part.startswith("F") else "messages"
                self.tallies[kind].unexpected += 1
                yield _surplus(kind, what, source.ts, extra, source.place)
        lines: dict[str, str] = {}
        is_said = True
        for wanted, part in found.pairs:
            told = list(self._part(source, wanted, part))
            is_said = is_said and not told
            accepted = [line for _, _, line in wanted.forms]
            if part is not None and (part.line in accepted or not told):
                lines[wanted.part] = part.line
            elif accepted:
                lines[wanted.part] = accepted[0]
            yield from told
        self._add_lines(lines)
        first = found.first
        if first is None:
            return
        if is_said and not self._is_kept(source):
            yield from mark_differences(source, found, given.is_newer, may_lack_it=given.live)
        if abs(first.time - ts_to_ms(source.ts)) > _WITHIN:
            wanted_time, shown = str(ts_to_ms(source.ts)), str(first.time)
            yield Difference("messages", "time", source.ts, source.place, first.event_id, wanted_time, shown)
        self._positions.append(first.position)
        if thread is not None:
            yield from self._place_in_thread(source, first, thread)

    def _add_lines(self, lines: Mapping[str, str]) -> None:
        for part in sorted(lines):
            self.digest.add(lines[part])

    def _part(self, source: Expected, wanted: ExpectedPart, part: ShownPart | None) -> Iterator[Difference]:
        if wanted.file is not None:
            yield from self._file(source, wanted, part)
            return
        for one in text_differences(source, wanted, part):
            if one.what == "content" and part is not None and self._given.is_newer(part.edited):
                self.newer += 1
            elif one.what != "content" or not self._is_kept(source):
                yield one

    def _file(self, source: Expected, wanted: ExpectedPart, part: ShownPart | None) -> Iterator[Difference]:
        files = self.tallies["files"]
        told, absence = list(file_differences(source, wanted, part)), explained_absence(wanted, part)
        withheld = self._given.kept_back(source.ts, wanted.part)
        if part is None and withheld:
            files.explain(withheld)
            return
        if part is None:
            files.missing += 1
        elif told:
            files.differing += 1
        elif absence:
            files.explain(absence)
        else:
            files.present += 1
        yield from told

    # --- threads

    def _place_in_thread(self, source: Expected, part: ShownPart, thread: _Thread) -> Iterator[Difference]:
        first, thread.first = thread.first, thread.first or source.ts
        right = part.thread == source.thread
        if not right and source.thread not in self._roots:
            # the thread begins with its first reply, or with a message of Matrix
            right = part.thread == first if part.thread else bool(part.root) or not first
        if right:
            thread.present += 1
            return
        thread.wrong += 1
        where = f"in the thread of {part.thread or part.root}" if part.root else "in no thread"
        expected = f"in the thread of {source.thread}"
        yield Difference("threads", "thread", source.ts, source.place, part.event_id, expected, where)

    def _count_threads(self) -> None:
        tally = self.tallies["threads"]
        for thread in self._threads.values():
            if not thread.replies:
                continue
            tally.source += 1
            if thread.present == thread.replies:
                tally.present += 1
            elif thread.quarantined and thread.present + thread.quarantined == thread.replies:
                tally.quarantined += 1
            elif thread.present or thread.wrong:
                tally.differing += 1
            else:
                tally.missing += 1

    # --- reactions

    def _reactions(self, source: Expected, room: Shown) -> Iterator[Difference]:
        tally, given = self.tallies["reactions"], self._given
        there = {(one.hand or one.author, one.key) for one in room.reactions}
        for author, key in source.reactions:
            if (author, key) in there:
                tally.present += 1
                continue
            words = reaction_words(key, author)
            if withheld := given.kept_back(source.ts, words):
                tally.explain(withheld)
                continue
            tally.missing += 1
            yield Difference("reactions", "missing", source.ts, source.place, room.parts[0].event_id, words)
        wanted = set(source.reactions)
        for reaction in room.reactions:
            is_expected = bool(reaction.hand) or (reaction.author, reaction.key) in wanted
            if not is_expected and not given.is_newer(reaction.time):
                tally.unexpected += 1
                words = reaction_words(reaction.key, reaction.author)
                yield Difference("reactions", "unexpected", source.ts, source.place, reaction.event_id, found=words)

    # --- the order

    def _order(self) -> Iterator[Difference]:
        """Tell of the fewest messages that would have to move for the room to be in the order of time."""
        if all(before < after for before, after in zip(self._positions, self._positions[1:], strict=False)):
            return
        kept = longest_rise(self._positions)
        tally = self.tallies["messages"]
        for index, position in enumerate(self._positions):
            if index not in kept:
                ts, place, event_id = self._at(position)
                yield Difference("messages", "order", ts, place, event_id)
                tally.differing += ts not in self._uncounted
                tally.present -= ts not in self._uncounted


def reaction_words(key: str, author: str) -> str:
    """Return how a reaction is told of."""
    return f"{key} by {author}"


def files(
    expected: Iterable[Expected], shown: Iterable[Shown]
) -> Iterator[tuple[Expected, ExpectedFile, ShownPart, ShownFile]]:
    """Yield every file of which both sides have the bytes, for whoever compares these."""
    for source, room in _paired(expected, shown):
        if source is None or room is None or source.absence:
            continue
        for wanted, part in matched(source, room).pairs:
            if wanted.file is not None and wanted.file.has_bytes and part is not None and part.file is not None:
                yield source, wanted.file, part, part.file


def _lines(room: Shown) -> list[str]:
    """Return the digest's lines of what a room shows of a message, in their order."""
    return [part.line for part in sorted(room.parts, key=lambda part: part.part)]


def _surplus(kind: str, what: str, ts: str, part: ShownPart, place: str = "", expected: str = "") -> Difference:
    return Difference(kind, what, ts, place, part.event_id, expected, f"{part.author or part.sender}: {part.words}")


def _paired(expected: Iterable[Expected], shown: Iterable[Shown]) -> Iterator[tuple[Expected | None, Shown | None]]:
    left, right = iter(expected), iter(shown)
    source, room = next(left, None), next(right, None)
    while source is not None or room is not None:
        if room is None or (source is not None and rank(source.ts) < rank(room.ts)):
            yield source, None
            source = next(left, None)
        elif source is None or rank(room.ts) < rank(source.ts):
            yield None, room
            room = next(right, None)
        else:
            yield source, room
            source, room = next(left, None), next(right, None)
