"""A talk, the room that shows it, ways to damage the room, and what a comparison of both tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from portals.history.evidence import KINDS
from portals.history.expected import Expecting
from portals.history.reconcile import Circumstances, Reconciliation
from tests.portals.history.mirrored import CHANNEL, NOW, Mirrored, file, known, record, shown

if TYPE_CHECKING:
    from portals.history.evidence import Tally
    from portals.ids import ChannelId

Json = dict[str, Any]
Damage = Callable[[Mirrored], object]
NO_CHANNELS: Mapping[ChannelId, str] = {}
NO_HANDS: Mapping[str, str] = {}


def ts(number: int) -> str:
    """Return the ts of the n-th message."""
    return f"17000000{number:02d}.000100"


def history() -> list[Json]:
    """Return a talk with a thread, reactions, a file, an edit, a bot, and a message that shows nothing but a file."""
    return [
        record(ts(1), "U1", "hello <@U2>", thread_ts=ts(1)),
        record(ts(2), "U2", "hi *there*", reactions=[{"name": "tada", "users": ["U1", "U3"], "count": 2}]),
        record(ts(3), "U3", "an answer", thread_ts=ts(1)),
        record(ts(4), "U1", "the plan", files=[file("F1")]),
        record(ts(5), "U2", "another answer", thread_ts=ts(1), edited={"user": "U2", "ts": "1700000099.000000"}),
        {"ts": ts(6), "subtype": "bot_message", "bot_id": "B1", "username": "CI", "text": "passed", "type": "message"},
        record(ts(7), "U1", "", files=[file("F2", "a.txt", 5)]),
        record(ts(8), "U2", "everybody", thread_ts=ts(1), subtype="thread_broadcast"),
        record(ts(9), "U1", "the end"),
    ]


class Compared:
    """What came out of a comparison."""

    def __init__(
        self,
        records: Sequence[Json],
        room: Mirrored,
        channels: Mapping[ChannelId, str] = NO_CHANNELS,
        hands: Mapping[str, str] = NO_HANDS,
        **given: Any,
    ) -> None:
        expecting = Expecting(CHANNEL, known(channels=channels))
        expected = [expecting.of(one, f"general/day.json[{n}]") for n, one in enumerate(records)]
        there = shown(room.events, hands)
        positions = {part.position: (one.ts, "", part.event_id) for one in there for part in one.parts}
        compared = Reconciliation(Circumstances(**given), positions.__getitem__)
        self.differences = list(compared.differences(expected, there))
        self.tallies = compared.tallies
        self.newer = compared.newer
        self.kept = compared.kept
        self.digest = str(compared.digest)
        for kind in KINDS[:4]:
            assert self.tallies[kind].is_balanced, kind

    @property
    def told(self) -> list[tuple[str, str, str]]:
        """What is told, as (kind, what, ts)."""
        return [(one.kind, one.what, one.ts) for one in self.differences]


def room(records: Sequence[Json] | None = None) -> Mirrored:
    return Mirrored().show(records if records is not None else history())


def figures(tally: Tally) -> tuple[int, int, int, int, int]:
    return tally.source, tally.present, tally.differing, tally.missing, tally.unexpected


def lose(ts: str, part: str = "") -> Damage:
    return lambda room: room.events.remove(room.event_of(ts, part))


def content(ts: str, part: str = "", /, **changed: Any) -> Damage:
    def damage(room: Mirrored) -> None:
        event = room.event_of(ts, part)
        event["content"] = {**event["content"], **changed}

    return damage


def sender(ts: str, user: str) -> Damage:
    return lambda room: room.event_of(ts).update(sender=user)


def again(ts: str, part: str = "") -> Damage:
    return lambda room: room.events.append({**room.event_of(ts, part), "event_id": "$again"})


def later(ts: str) -> Damage:
    def damage(room: Mirrored) -> None:
        event = room.event_of(ts)
        room.events.remove(event)
        room.events.append(event)

    return damage


def outside(ts: str, root: str = "") -> Damage:
    def damage(room: Mirrored) -> None:
        event = room.event_of(ts)
        event["content"] = {name: value for name, value in event["content"].items() if name != "m.relates_to"}
        if root:
            target = room.event_of(root)["event_id"] if root.startswith("17") else root
            event["content"]["m.relates_to"] = {"rel_type": "m.thread", "event_id": target}

    return damage


def reaction(user: str = "", key: str = "") -> Damage:
    """Lose the first reaction; or have another person make another one."""

    def damage(room: Mirrored) -> None:
        event = next(event for event in room.events if event["type"] == "m.reaction")
        if not user:
            room.events.remove(event)
            return
        relation = {**event["content"]["m.relates_to"], "key": key}
        room.add("m.reaction", user, {"m.relates_to": relation}, NOW)

    return damage
