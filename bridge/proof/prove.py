"""One channel is proven: its source and its rooms are read, compared, and their digests made.

    source(s) ──▶ expected ┐
                           ├──▶ gathered on disk ──▶ compared in the order of time ──▶ ChannelProof
    homeserver ─▶ shown    ┘                                    └──▶ files' bytes, where asked

Several sources are one history: what a later one holds replaces what an earlier one held, and where a later one begins
no later than the first message of all, what it leaves out up to its end was deleted in Slack meanwhile.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bridge.errors import Refused
from bridge.matrix.encryption.attachments import opened
from bridge.proof.gathered import Gathered
from bridge.proof.readback import RoomReading, read_room
from portals.crossing.subjects import PIN
from portals.history import sets
from portals.history.digest import Digest, rank
from portals.history.evidence import Difference
from portals.history.expected import Expecting
from portals.history.reconcile import DELETIONS, Circumstances, Reconciliation, files, reaction_words
from portals.history.selection import AnyOf, Selection
from portals.history.shown import ELSEWHERE, ENCRYPTED, NO_MESSAGE, WRITTEN, Room
from portals.ids import Ts, ts_to_ms
from portals.reading.values import text_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence

    from bridge.matrix.client import MatrixClient
    from bridge.proof.source import Source
    from portals.crossing.subjects import Subject
    from portals.history.evidence import ShownFile, Tally
    from portals.history.expected import Known
    from portals.history.export import ExportedChannel
    from portals.ids import ChannelId, RoomId

REPEATED = "the source holds them twice"
_STRAYS = (
    (NO_MESSAGE, "an event of a Slack person's that names no message of Slack's"),
    (ELSEWHERE, "it says that it shows a message of another channel"),
)
MOST_TOLD = 10_000
"""Differences that are told of a channel: with more, its room is another one."""
_FILE_LIMIT = 16 * 1024**3


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be proven of one channel.

    `rooms` are the rooms that hold its history, oldest first. `live` says that messages go on coming, `until` (ms) how
    far the sources know. `quarantined` are reasons by the record's place, or by its ts.
    """

    channel: ExportedChannel
    rooms: Sequence[RoomId]
    sources: Sequence[Source]
    known: Known
    member_limit: int
    selection: Selection = field(default_factory=Selection)
    describes: bool = False
    """Whether the topic of the last room is the channel's."""
    live: bool = False
    until: int = 0
    quarantined: Mapping[str, str] = field(default_factory=dict)
    former: frozenset[ChannelId] = frozenset()
    """The ids that the channel had before."""
    withheld: Sequence[tuple[Subject, str]] = ()
    """What policies kept from crossing, each with the rule."""
    checksums: Callable[[Sequence[str]], Awaitable[Mapping[str, str]]] | None = None
    """Where files are to be fetched: returns the SHA-256 of those that are known to have come from Slack."""


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A record that is set aside, with the reason."""

    ts: str
    place: str
    reason: str


@dataclass(slots=True)
class ChannelProof:
    """What came out for one channel."""

    channel: ExportedChannel
    rooms: tuple[RoomId, ...] = ()
    first: str = ""
    last: str = ""
    events: int = 0
    tallies: Mapping[str, Tally] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)
    untold: int = 0
    """How many more differences there are than are told."""
    quarantined: list[Quarantined] = field(default_factory=list)
    newer: int = 0
    kept: int = 0
    """Messages that are deleted in Slack, and shown because deletions do not cross."""
    written_in_matrix: int = 0
    checked_files: int = 0
    source_digest: Digest = field(default_factory=Digest)
    room_digest: Digest = field(default_factory=Digest)
    absent_because: str = ""
    """Why the channel has no room, where it is known."""

    @property
    def unexplained(self) -> int:
        """How much nothing explains."""
        return len(self.differences) + self.untold

    def tell(self, differences: Iterable[Difference]) -> None:
        """Add differences: those beyond MOST_TOLD are counted alone, so that memory stays flat."""
        for one in differences:
            if len(self.differences) < MOST_TOLD:
                self.differences.append(one)
            else:
                self.untold += 1


async def prove(
    matrix: MatrixClient, task: Task, progress: Callable[[str, int], None] = lambda _what, _count: None
) -> ChannelProof:
    """Prove one channel; raises Refused where the bot may not read a room, Later where the homeserver is away."""
    with Gathered() as gathered:
        proving = Proving(task, gathered, progress)
        await asyncio.to_thread(proving.expect)
        for room in task.rooms:
            await read_room(matrix, room, proving.reading(), lambda count: progress("reading the room", count))
        proof = await asyncio.to_thread(proving.compared)
        if task.checksums is not None:
            await _check_files(matrix, task.checksums, gathered, proof, progress)
        return proof


class Proving:
    """One channel's proof in the making: `expect`, then what `reading` returns is filled for each room, `compared`."""

    def __init__(self, task: Task, gathered: Gathered, progress: Callable[[str, int], None]) -> None:
        self._task = task
        self._gathered = gathered
        self._progress = progress
        known = task.known
        self._room = Room(known.workspace.team, task.channel.id, known.names, known.who, task.former, known.hands)
        self._readings: list[RoomReading] = []
        self._unreadable: Counter[str] = Counter()
        self._found = ChannelProof(task.channel, tuple(task.rooms))
        self._meant = AnyOf(())

    def expect(self) -> None:
        """Read the sources, in their order."""
        earliest = ""
        for number, source in enumerate(self._task.sources):
            exported = next((one for one in source.channels if one.id == self._task.channel.id), None)
            if exported is None or not source.selection.selects_channel(exported):
                continue
            first, last = self._expect(number, source, exported)
            if first and earliest and rank(first) <= rank(earliest):
                self._gathered.forget(number, last)
            earliest = min(earliest or first, first or earliest, key=rank)
        self._unreadable = +self._unreadable

    def _expect(self, number: int, source: Source, exported: ExportedChannel) -> tuple[str, str]:
        """Read a channel of one source; returns its first and last ts."""
        expecting, task = Expecting(exported.id, self._task.known), self._task
        meant = source.selection.within(exported)
        self._meant = AnyOf((*self._meant.selections, *meant.selections))
        first = last = ""
        for count, (place, record) in enumerate(source.records(exported), 1):
            ts = text_of(record.get("ts"))
            if not (task.selection.selects(ts) and meant.selects(ts)):
                continue
            expected = expecting.of(record, place)
            reason = task.quarantined.get(place) or task.quarantined.get(expected.ts)
            if reason is not None:
                self._found.quarantined.append(Quarantined(expected.ts, place, reason))
            if not expected.ts:
                self._unreadable[expected.absence] += reason is None
                continue
            first = min(first or expected.ts, expected.ts, key=rank)
            last = max(last, expected.ts, key=rank)
            self._unreadable[REPEATED] += not self._gathered.expect(expected, number)
            if count % 1000 == 0:
                self._progress(f"reading {source.name}", count)
        return first, last

    def selects(self, ts: str) -> bool:
        """Tell whether a message of this time is meant, by who asks and by the imports."""
        return self._task.selection.selects(ts) and self._meant.selects(ts)

    def reading(self) -> RoomReading:
        """Return what takes the events of the next room."""
        reading = RoomReading(self._room, self._gathered, sum(one.events for one in self._readings))
        self._readings.append(reading)
        return reading

    def compared(self) -> ChannelProof:
        """Compare both sides."""
        found, gathered = self._found, self._gathered
        found.events = sum(one.events for one in self._readings)
        found.first, found.last = gathered.span()
        given = Circumstances(
            until=self._task.until or (ts_to_ms(Ts(found.last)) if found.last else 0),
            live=self._task.live,
            quarantined={one.ts: one.reason for one in found.quarantined if one.ts},
            withheld=self._withheld(),
            kept={subject.ts for subject, rule in self._task.withheld if rule == DELETIONS},
            redacted=gathered.redacted(),
            selection=self,
        )
        compared = Reconciliation(given, gathered.at)
        found.tallies = compared.tallies
        found.tell(compared.differences(gathered.expected(), gathered.shown()))
        messages = compared.tallies["messages"]
        for reason, count in self._unreadable.items():
            messages.source += count
            messages.explain(reason, count)
        nameless = sum(not one.ts for one in found.quarantined)
        messages.source += nameless
        messages.quarantined += nameless
        found.quarantined = [one for one in found.quarantined if not (one.ts and gathered.stands(one.ts))]
        found.newer, found.kept = compared.newer, compared.kept
        found.source_digest = compared.digest
        found.room_digest = Digest(gathered.lines(found.first, found.last))
        for others in (self._strays(), self._members(given), self._pins(given), self._topic(given)):
            found.tell(others)
        return found

    def _withheld(self) -> dict[tuple[str, str], str]:
        key = Expecting(self._task.channel.id, self._task.known).key
        found: dict[tuple[str, str], str] = {}
        for subject, rule in self._task.withheld:
            if rule == DELETIONS:
                continue
            reaction = subject.reaction
            part = reaction_words(key(reaction[0]), reaction[1]) if reaction else subject.part
            found[subject.ts, part] = rule
        return found

    # --- what is not about single messages

    def _strays(self) -> Iterator[Difference]:
        self._found.written_in_matrix = self._gathered.count_strays(WRITTEN)
        encrypted = self._gathered.count_strays(ENCRYPTED)
        if encrypted:
            self._found.tallies["messages"].unexpected += encrypted
            yield Difference("messages", "unexpected", found=f"{encrypted} encrypted events, which cannot be read back")
        for what, words in _STRAYS:
            for event_id, sender, _, said in self._gathered.strays(what):
                self._found.tallies["messages"].unexpected += 1
                yield Difference("messages", "unexpected", event_id=event_id, expected=words, found=f"{sender}: {said}")

    def _members(self, given: Circumstances) -> Iterator[Difference]:
        there = {
            author: membership
            for room in self._readings
            for user, membership in room.members.items()
            if (author := self._room.who(user))
        }
        authors = self._gathered.authors()
        yield from sets.members(
            self._task.channel.members,
            there,
            self._found.tallies["members"],
            own=self._task.known.workspace.bot_user,
            limit=self._task.member_limit,
            wrote=lambda user: user in authors,
            is_newer=given.is_newer,
        )

    def _pins(self, given: Circumstances) -> Iterator[Difference]:
        events = [event for room in self._readings for event in room.pinned]
        shown = ((event, self._gathered.find(event)) for event in events)
        yield from sets.pins(
            self._task.channel.pins,
            {found[0]: event for event, found in shown if found is not None},
            self._found.tallies["pins"],
            stands=self._gathered.stands,
            is_newer=given.is_newer(max((room.pinned_at for room in self._readings), default=0)),
            kept_back=lambda ts: given.kept_back(ts, PIN),
        )

    def _topic(self, given: Circumstances) -> Iterator[Difference]:
        if not (self._task.describes and self._task.channel.listed and self._readings):
            return
        wanted = Expecting(self._task.channel.id, self._task.known).topics(self._task.channel)
        room = self._readings[-1]
        is_newer = given.is_newer(room.topic_at)
        yield from sets.topic(wanted, room.topic, self._found.tallies["topics"], is_newer=is_newer)


# --- the bytes of files


async def _check_files(
    matrix: MatrixClient,
    checksums: Callable[[Sequence[str]], Awaitable[Mapping[str, str]]],
    gathered: Gathered,
    proof: ChannelProof,
    progress: Callable[[str, int], None],
) -> None:
    """Fetch every file from the homeserver, each address once, and compare its bytes with what came from Slack."""
    seen: dict[str, tuple[str, int]] = {}
    tally = proof.tallies["files"]
    wrong = {one.event_id for one in proof.differences if one.kind == "files"}
    for expected, file, part, shown in files(gathered.expected(), gathered.shown()):
        known = (await checksums([file.id])).get(file.id, "")
        if shown.uri not in seen:
            seen[shown.uri] = await _fetched(matrix, shown)
        sha256, size = seen[shown.uri]
        proof.checked_files += 1
        progress("fetching files", proof.checked_files)
        if (sha256 == known) if known else (size == file.size or (file.untold and bool(sha256))):
            continue
        if part.event_id not in wrong:
            tally.differing += 1
            tally.present -= 1
        wanted = f"sha256 {known}" if known else f"{file.size} bytes"
        has = f"sha256 {sha256}, {size} bytes" if sha256 else "the homeserver does not have it"
        proof.differences.append(
            Difference("files", "checksum", expected.ts, expected.place, part.event_id, wanted, has)
        )


async def _fetched(matrix: MatrixClient, file: ShownFile) -> tuple[str, int]:
    """Return the SHA-256 and the size of a file, or nothing and -1 where the homeserver does not have it whole."""
    found, size = hashlib.sha256(), 0
    try:
        async with matrix.media.download(file.uri, _FILE_LIMIT) as download:
            async for chunk in opened(download.chunks, file.sealed) if file.sealed else download.chunks:
                found.update(chunk)
                size += len(chunk)
    except Refused:
        return "", -1
    return found.hexdigest(), size
