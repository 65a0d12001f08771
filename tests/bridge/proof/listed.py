"""A history that a test lists, as a source to compare with, and the proof of a room that shows it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bridge.proof.gathered import Gathered
from bridge.proof.prove import ChannelProof, Proving, Task
from portals.history.export import ExportedChannel
from portals.history.selection import AnyOf
from tests.portals.history.mirrored import CHANNEL, TEAM, Mirrored, known

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from portals.history.export import Problem
    from portals.ids import TeamId

Json = dict[str, Any]

GENERAL = ExportedChannel(CHANNEL, "general", "public")


@dataclass(frozen=True)
class Listed:
    """A source that holds one channel."""

    messages: Sequence[Json]
    channel: ExportedChannel = GENERAL
    name: str = "export"
    problems: Sequence[Problem] = ()
    selection: AnyOf = AnyOf()  # noqa: RUF009  frozen

    @property
    def channels(self) -> Sequence[ExportedChannel]:
        return [self.channel]

    def fingerprint(self) -> str:
        return ""

    def team(self) -> TeamId | None:
        return TEAM

    def users(self) -> Iterator[Json]:
        yield from ()

    def emoji(self) -> dict[str, str]:
        return {}

    def records(self, channel: ExportedChannel) -> Iterator[tuple[str, Json]]:
        for index, record in enumerate(self.messages):
            yield f"general/day.json[{index}]", record


def task_of(*sources: Listed, **more: Any) -> Task:
    """Return what is to be proven of a room that shows the last of these sources."""
    return Task(sources[-1].channel, [], sources, known(), 100, **more)


def proof_of(room: Mirrored, *sources: Listed, others: Sequence[Mirrored] = (), **more: Any) -> ChannelProof:
    """Return the proof of a room, without a homeserver; `others` are rooms before it."""
    with Gathered() as gathered:
        proving = Proving(task_of(*sources, **more), gathered, lambda _what, _count: None)
        proving.expect()
        for one in (*others, room):
            reading = proving.reading()
            for event in one.events:
                reading.take(event)
        return proving.compared()


def told(proof: ChannelProof) -> list[tuple[str, str, str]]:
    """Return what is told, as (kind, what, ts)."""
    return [(one.kind, one.what, one.ts) for one in proof.differences]


def with_members(source: Listed, *members: str, pins: Sequence[str] = ()) -> Listed:
    """Return a source whose channel has these members and pins."""
    channel = replace(source.channel, members=tuple(members), pins=tuple(pins))  # type: ignore[arg-type]  # ids
    return replace(source, channel=channel)
