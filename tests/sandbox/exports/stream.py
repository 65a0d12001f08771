"""The records of one conversation, oldest first, made one by one.

A thread is planned when its root is said, so that the root can count its replies; what is planned waits in a heap and
is all that is held. Two streams of the same seed draw the same chances, whatever a `Revision` changes or leaves out.
"""

from __future__ import annotations

import heapq
import zlib
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from tests.sandbox.exports.announced import USUAL, announced, archiving
from tests.sandbox.exports.cast import GHOSTLY_ID, slack_id
from tests.sandbox.exports.messages import count_thread, place_reply
from tests.sandbox.slack.state import SLACKBOT, stamp

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.sandbox.exports.cast import Person
    from tests.sandbox.exports.messages import Speech
    from tests.sandbox.exports.revision import Revision
    from tests.sandbox.exports.rooms import Room
    from tests.sandbox.slack.state import Json

_MOST_REPLIES = 40
_MOST_LATE = 5000
_DAY = 86_400_000_000
_LATER = 14 * _DAY


@dataclass(frozen=True, slots=True, order=True)
class Planned:
    """A reply that will be said, and the root that it answers."""

    at: int
    root: Json = field(compare=False)
    speaker: Person = field(compare=False)


class Stream:
    """One conversation as it goes on. `musts` are subtypes that have to occur.

    After the last record, `pins` is what the list of channels shows.
    """

    def __init__(self, seed: int, room: Room, speech: Speech, musts: Sequence[str], revision: Revision | None) -> None:
        self.pins: list[Json] = []
        self._seed, self._room, self._speech, self._revision = seed, room, speech, revision
        self._random = Random(f"{seed}/{room.id}")
        self._heap: list[Planned] = []
        self._late: list[Planned] = []
        self._taken: set[int] = set()
        self._taken_late: set[int] = set()
        self._last = self._end = 0
        self._musts = list(musts)

    def records(self) -> Iterator[Json]:
        """Each record."""
        room = self._room
        if not room.messages:
            return
        yield from self._phase(room.messages - int(room.archived), room.created * 1_000_000, room.end * 1_000_000)
        if room.archived:
            members = [person.id for person in room.speakers]
            yield {**archiving(room.kind, members[0], members), "ts": stamp(self._end + 1)}
        elif self._revision is not None:
            if room.name != room.was:
                renamed = {"type": "message", "subtype": "channel_name", "user": GHOSTLY_ID, "ts": stamp(self._end)}
                yield renamed | {"old_name": room.was, "name": room.name, "text": "has renamed the channel"}
            self._random = Random(f"{self._revision.seed}/{self._seed}/{room.id}/later")
            self._heap, self._revision = sorted(self._late), None
            self._taken = self._taken_late
            new = 1 + int(room.messages * 0.03)
            yield from self._phase(new + len(self._heap), self._end, self._end + _LATER)

    def _phase(self, left: int, start: int, end: int) -> Iterator[Json]:
        self._last, self._end, upcoming = start, end, 0
        while left > 0:
            if not upcoming and left > len(self._heap):
                upcoming = self._next(left)
            if self._heap and (not upcoming or self._heap[0].at < upcoming):
                planned = heapq.heappop(self._heap)
                self._taken.discard(planned.at)
                self._last = planned.at
                record = self._reply(planned)
            else:
                self._last, upcoming = upcoming, 0
                record = self._main(self._last, left - 1 - len(self._heap))
            left -= 1
            if record is not None:
                yield record

    def _next(self, left: int) -> int:
        """When the next message outside threads is said: often soon after the last, now and then much later."""
        random, last = self._random, self._last
        chance, time_left = random.random(), self._end - last
        if chance < 0.03:
            at = last + random.randrange(1, 9)
        elif chance < 0.5:
            at = last + int(min(random.randrange(2_000_000, 90_000_000), time_left / left))
        else:
            at = last + int(time_left * min(0.9, random.expovariate(1.0) * 2.8 / (left + 2)))
        at = max(last + 1, min(at, self._end - 1_000_000))
        while at in self._taken:
            at += 1
        return at

    def _main(self, at: int, room_for: int) -> Json | None:
        random, room, ts = self._random, self._room, stamp(at)
        if self._musts and random.random() < 0.4:
            return self._announce(self._musts.pop(), at)
        if random.random() < 0.07 and room.kind in ("public", "private"):
            group = "group" if room.kind == "private" else "channel"
            return self._announce(f"{group}_{random.choice(USUAL)}", at)
        if random.random() < room.bots:
            record = self._speech.by_integration(random, ts)
        else:
            record = self._speech.by_person(random, self._speaker(), ts)
        has_thread, is_buried, pin_chance = random.random() < 0.12, random.random() < 0.03, random.random()
        replies = self._plan_thread(at, record, room_for) if has_thread else []
        if replies and is_buried:
            _bury(record)
        if self._revision is not None:
            revised = self._revise(self._revision, record, replies)
            if revised is None:
                return None
            replies = revised
        if replies:
            count_thread(record, [(stamp(reply.at), reply.speaker.id) for reply in replies])
        if pin_chance < 4 / (room.messages + 30) + 0.0003 and len(self.pins) < 90:
            owner: Json = {"owner": record["user"]} if "user" in record else {}
            by = room.speakers[0].id
            self.pins.append({"id": ts, "type": "C", "created": at // 1_000_000 + 60, "user": by, **owner})
        return record

    def _revise(self, revision: Revision, record: Json, replies: list[Planned]) -> list[Planned] | None:
        """What is left of a thread, and what became of its root; None when that is gone too."""
        room, ts = self._room, record["ts"]
        kept = [reply for reply in replies if revision.fate(room.id, stamp(reply.at)) != "deleted"]
        is_buried = record.get("subtype") == "tombstone"
        fate = "" if is_buried else revision.fate(room.id, ts)
        if not kept and (is_buried or fate == "deleted"):
            revision.note(room.id, ts, "deleted")
            return None
        if fate == "deleted":
            _bury(record)
            revision.note(room.id, ts, "tombstone")
        elif fate == "replied" and not room.archived and len(self._late) < _MOST_LATE:
            revision.note(room.id, ts, "replied")
            kept.append(self._answer_late(record))
        elif fate:
            revision.alter(room.id, record, fate, room.speakers)
        return kept

    def _answer_late(self, root: Json) -> Planned:
        number = zlib.crc32(root["ts"].encode())
        at = self._end + 1_000_000 * (1 + number % 1_000_000)
        while at in self._taken_late:
            at += 1
        self._taken_late.add(at)
        reply = Planned(at, root, self._room.speakers[number % len(self._room.speakers)])
        self._late.append(reply)
        return reply

    def _plan_thread(self, at: int, root: Json, room_for: int) -> list[Planned]:
        random = self._random
        planned: list[Planned] = []
        for _ in range(min(room_for, _MOST_REPLIES, 1 + int(random.expovariate(0.28)))):
            is_soon = random.random() < 0.96
            wait = random.expovariate(1 / 600) * 1_000_000 if is_soon else random.random() * 60 * _DAY
            at += 1 + int(min(wait, (self._end - at) * random.random()))
            while at in self._taken:
                at += 1
            self._taken.add(at)
            planned.append(Planned(at, root, self._speaker()))
            heapq.heappush(self._heap, planned[-1])
        return planned

    def _reply(self, planned: Planned) -> Json | None:
        room, ts = self._room, stamp(planned.at)
        record = self._speech.by_person(self._random, planned.speaker, ts)
        place_reply(record, planned.root)
        if self._revision is not None:
            fate = self._revision.fate(room.id, ts)
            if fate == "deleted":
                self._revision.note(room.id, ts, "deleted")
                return None
            self._revision.alter(room.id, record, fate, room.speakers)
        return record

    def _announce(self, subtype: str, at: int) -> Json:
        user, other, file_id = self._speaker().id, self._speaker().id, slack_id(self._random, "F")
        record = announced(subtype, user, other, self._room.was, at // 1_000_000, self._speech.files, file_id)
        return {**record, "ts": stamp(at)}

    def _speaker(self) -> Person:
        random, speakers, cast = self._random, self._room.speakers, self._speech.cast
        chance = random.random()
        if chance < 0.025:
            return random.choice(cast.strangers)
        if chance < 0.032:
            return random.choice(cast.unknown)
        if chance < 0.07:
            return random.choice(cast.bots)
        return speakers[int(len(speakers) * random.random() ** 2)]


def _bury(record: Json) -> None:
    """Leaves of a deleted root what Slack leaves."""
    ts = record["ts"]
    record.clear()
    record |= {"type": "message", "subtype": "tombstone", "text": "This message was deleted.", "user": SLACKBOT}
    record |= {"hidden": True, "ts": ts}
