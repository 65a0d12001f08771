"""Whole workspaces made from a number, written as exports of any size and kind.

    truth = Generated(seed=7, messages=20_000).write(Path("export.zip"), "full")

The same values make the same bytes. Days are written one by one, so a million messages need little memory. Every
oddity that real exports show is in them; `Truth.oddities` tells how often.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING

from tests.sandbox.exports.announced import IN_ANY, IN_PRIVATE, IN_PUBLIC, fitting
from tests.sandbox.exports.archive import Archive, Packing
from tests.sandbox.exports.attached import Files
from tests.sandbox.exports.cast import cast_of, slack_id
from tests.sandbox.exports.days import as_json, day_files
from tests.sandbox.exports.messages import Speech
from tests.sandbox.exports.revision import Revision
from tests.sandbox.exports.rooms import Room, rooms_of
from tests.sandbox.exports.stream import Stream
from tests.sandbox.exports.talk import phrases
from tests.sandbox.exports.trail import with_trail
from tests.sandbox.exports.truth import ChannelTruth, Tally, Truth
from tests.sandbox.slack.state import micros, stamp

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.sandbox.exports.cast import Cast
    from tests.sandbox.exports.from_sandbox import Kind
    from tests.sandbox.slack.state import Json

END = int(datetime(2026, 6, 30, 12, tzinfo=UTC).timestamp())
LISTS = {"public": "channels.json", "private": "groups.json", "im": "dms.json", "mpim": "mpims.json"}
_HOMES = ("Zentrale", "Zweigstelle")


@dataclass(frozen=True, slots=True)
class Generated:
    """A workspace. `messages` are shared by all its conversations, `channels` of them, direct ones included.

    `days` is how long it has existed until summer 2026; by default so long that a day file holds a few messages.
    With `trail` a full export also holds the records of edits and deletions, as some do.
    `team` is its id, one of its own by default. `host` is where file links lead and `token` what they carry; no file
    is larger than `largest` bytes.
    """

    seed: int = 1
    messages: int = 1000
    channels: int = 12
    people: int = 40
    days: int | None = None
    emails: bool = True
    team: str = ""
    host: str = "https://files.slack.com"
    token: str = "xoxe-1111111111-2222222222-3333333333-0123456789abcdef"
    largest: int = 20_000_000
    indent: bool = True
    trail: bool = False
    revised: float = 0.0

    def later(self, share: float = 0.01) -> Generated:
        """The same workspace two weeks on: so large a share each was edited, deleted, reacted to, and answered since.

        There are new messages, leavers, a renamed channel and another token in the links to files. What it did to the
        past is in `Truth.changes` of what it writes.
        """
        if self.revised or not 0 < share < 0.25:
            raise ValueError("a workspace is revised once, by a share between 0 and 0.25")
        return replace(self, revised=share, token=f"{self.token[:-4]}beef")

    @property
    def start(self) -> int:
        """The second in which it began."""
        usual = min(1500, max(20, self.messages // (self.channels * 4)))
        return END - 86_400 * (self.days or usual)

    def moment(self, share: float) -> str:
        """A ts so far along its history (0 to 1), to cut date ranges with."""
        return stamp(int((self.start + (END - self.start) * share) * 1_000_000))

    def files(self) -> Files:
        """The files of its exports: what is in them, by their ids."""
        return Files(self.host, self.token, self.cast().team, "firma", self.largest)

    def write(
        self,
        target: Path,
        kind: Kind = "full",
        *,
        date_range: tuple[str, str] | None = None,
        packing: Packing = Packing(),  # noqa: B008  frozen
    ) -> Truth:
        """Writes an export and tells what is in it. A standard one leaves out what is private.

        `date_range` is from one ts up to, not including, another.
        """
        with Archive(target, packing) as archive:
            return _Writing(self, archive, kind, date_range).whole()

    def cast(self) -> Cast:
        """Its people and bots."""
        return cast_of(self.seed, self.people, leavers=2 if self.revised else 0, emails=self.emails, team=self.team)


class _Writing:
    """One export on its way into an archive."""

    def __init__(self, spec: Generated, archive: Archive, kind: Kind, date_range: tuple[str, str] | None) -> None:
        self._spec, self._archive, self._kind = spec, archive, kind
        self._range = tuple(micros(edge) for edge in date_range) if date_range else None
        self._cast = spec.cast()
        self._known = frozenset(user["id"] for user in self._cast.users())
        self._oddities: Counter[str] = Counter()
        self._revision = Revision(f"{spec.seed}/revised", spec.revised) if spec.revised else None
        self._listed: dict[str, list[Json]] = {}
        self._channels: list[ChannelTruth] = []
        self._unlisted: list[str] = []

    def whole(self) -> Truth:
        """Writes everything; lists come last, because only then is it known who was active and what is pinned."""
        spec, cast = self._spec, self._cast
        rooms = rooms_of(
            spec.seed, cast, spec.channels, spec.messages, spec.start, END, self._kind == "grid", bool(spec.revised)
        )
        random = Random(f"{spec.seed}/phrases")
        people = [person.id for person in (*cast.members, *cast.unknown)]
        pool = phrases(random, people, [room.id for room in rooms], slack_id(random, "S"))
        speech = Speech(cast, pool, spec.files())
        left = [*IN_ANY, *IN_PUBLIC, *IN_PRIVATE]
        for room in rooms:
            musts = [] if room.archived else fitting(left, room.kind)[: room.messages // 5]
            left = [subtype for subtype in left if subtype not in musts]
            if room.kind == "public" or self._kind != "standard":
                self._write_room(room, Stream(spec.seed, room, speech, musts, self._revision))
        self._write_lists()
        self._write_oddities(speech.files)
        changes = tuple(self._revision.changes) if self._revision else ()
        return Truth(tuple(self._channels), tuple(sorted(self._oddities.items())), tuple(self._unlisted), changes)

    def _write_room(self, room: Room, stream: Stream) -> None:
        inside = f"teams/{room.home}/" if room.home else ""
        tally, folder = Tally(self._oddities, self._known), f"{inside}{room.folder}"
        records = with_trail(stream.records()) if self._spec.trail and self._kind != "standard" else stream.records()
        for name, messages in day_files(self._in_range(records, tally)):
            self._put(f"{folder}/{name}", messages)
        members = room.members
        counts = tally.counts(len(stream.pins) if room.kind != "im" else 0, len(members))
        listed = self._listed.setdefault(inside + LISTS[room.kind], [])
        # A date-range export lists what was active, and (almost) nothing else.
        if (
            self._range is not None
            and not counts.messages
            and any(each.counts.messages == 0 for each in self._channels)
        ):
            return
        listed.append(room.listed(stream.pins))
        self._channels.append(ChannelTruth(room.id, room.name, room.kind, folder, counts))

    def _in_range(self, records: Iterator[Json], tally: Tally) -> Iterator[Json]:
        for record in records:
            if self._range is None or self._range[0] <= micros(record["ts"]) < self._range[1]:
                tally.add(record)
                yield record

    def _write_lists(self) -> None:
        kinds = ("public",) if self._kind == "standard" else tuple(LISTS)
        homes = ["", *(f"teams/{home}/" for home in _HOMES)] if self._kind == "grid" else [""]
        for inside in homes:
            for kind in kinds if not inside else ("public", "private"):
                self._put(f"{inside}{LISTS[kind]}", self._listed.get(inside + LISTS[kind], []))
            if inside or self._kind != "grid":
                self._put(f"{inside}users.json", self._cast.users())
            self._put(f"{inside}integration_logs.json", self._integrations())
            self._put(f"{inside}canvases.json", [])
        if self._kind == "grid":
            self._put("org_users.json", self._cast.users())
            self._put("content_flags.json", [])

    def _write_oddities(self, files: Files) -> None:
        """What lies in an export beside channels, days and lists."""
        for name in ("huddle_transcripts.json", "lists.json"):
            self._put(name, [""])
        self._put("file_conversations.json", [])
        random = Random(f"{self._spec.seed}/oddities")
        user, file_id = self._cast.members[0].id, slack_id(random, "F")
        canvas = files.body(file_id, user, END - 86_400, "Notes", "application/vnd.slack-docs", "quip", "Canvas")
        filled = [channel.folder for channel in self._channels if channel.counts.messages]
        for folder in filled[:2]:
            self._put(f"{folder}/canvas_in_the_conversation.json", [canvas])
        folder = f"FC:{file_id}:Notes"
        said: Json = {"type": "message", "user": user, "text": "A remark on a canvas", "ts": f"{END - 86_000}.000100"}
        self._put(f"{folder}/2026-06-29.json", [said])
        self._unlisted.append(folder)

    def _integrations(self) -> list[Json]:
        return [
            {
                "user_id": self._cast.members[0].id,
                "user_name": self._cast.members[0].name,
                "date": str(END - 900_000 * number),
                "change_type": change,
                "app_type": "Firma CI",
                "app_id": "A0FIRMACI",
                "scope": "incoming-webhook",
            }
            for number, change in enumerate(("updated", "added", "removed", "added"))
        ]

    def _put(self, path: str, value: object) -> None:
        self._archive.put(path, as_json(value, self._spec.indent))
