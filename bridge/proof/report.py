"""The report: every channel's proof in one value, as JSON for programs and as one page for an auditor.

The page needs nothing but itself: no script, no address outside, and every foreign text in it is text.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from bridge import pages
from bridge.administration.times import moment
from bridge.cli.tables import visible
from portals.history.evidence import KINDS, Tally
from portals.ids import Ts, ts_to_ms

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bridge.proof.prove import ChannelProof
    from bridge.proof.tasks import LeftOut
    from portals.history.export import Problem

Json = dict[str, Any]  # Any: what is printed as JSON

COLUMNS = ("source", "present", "differing", "missing", "quarantined", "explained", "unexpected")


@dataclass(frozen=True, slots=True)
class SourceNote:
    """A source, as an auditor finds it again."""

    name: str
    sha256: str
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """What was proven, of what, when and by what."""

    at: str
    versions: Mapping[str, str]
    homeserver: str
    sources: Sequence[SourceNote]
    proofs: Sequence[ChannelProof]
    left_out: Sequence[LeftOut] = field(default_factory=tuple)

    @property
    def unexplained(self) -> int:
        """How much nothing explains: every difference, and every channel that should have a room and has none."""
        return sum(proof.unexplained for proof in self.proofs) + sum(not one.known for one in self.left_out)

    def totals(self) -> dict[str, Tally]:
        """Return the tallies of all channels together."""
        return {kind: _sum(proof.tallies[kind] for proof in self.proofs) for kind in KINDS}


def _sum(tallies: Iterable[Tally]) -> Tally:
    found = Tally()
    for one in tallies:
        for name in ("source", "present", "differing", "missing", "quarantined", "unexpected"):
            setattr(found, name, getattr(found, name) + getattr(one, name))
        for reason, count in one.explained.items():
            found.explain(reason, count)
    return found


def as_json(report: Report) -> Json:
    """Return the report as one object."""
    return {
        "at": report.at,
        "versions": dict(report.versions),
        "homeserver": report.homeserver,
        "sources": [
            {"name": one.name, "sha256": one.sha256, "problems": [asdict(problem) for problem in one.problems]}
            for one in report.sources
        ],
        "unexplained": report.unexplained,
        "totals": {kind: _tally(tally) for kind, tally in report.totals().items()},
        "channels": [_channel(proof) for proof in report.proofs],
        "left_out": [
            {"id": one.channel.id, "name": one.channel.name, "reason": one.reason, "explained": one.known}
            for one in report.left_out
        ],
    }


def _channel(proof: ChannelProof) -> Json:
    channel = proof.channel
    return {
        "id": channel.id,
        "name": channel.name,
        "kind": channel.kind,
        "rooms": list(proof.rooms),
        "events": proof.events,
        "first": proof.first,
        "last": proof.last,
        "counts": {kind: _tally(tally) for kind, tally in proof.tallies.items()},
        "newer": proof.newer,
        "kept": proof.kept,
        "written_in_matrix": proof.written_in_matrix,
        "checked_files": proof.checked_files,
        "digest": {
            "source": str(proof.source_digest),
            "room": str(proof.room_digest),
            "source_lines": proof.source_digest.lines,
            "room_lines": proof.room_digest.lines,
            "equal": is_equal(proof),
        },
        "unexplained": proof.unexplained,
        "differences": [asdict(one) for one in proof.differences],
        "untold": proof.untold,
        "quarantined": [asdict(one) for one in proof.quarantined],
    }


def _tally(tally: Tally) -> Json:
    return {**{name: value(tally, name) for name in COLUMNS}, "reasons": dict(sorted(tally.explained.items()))}


def value(tally: Tally, column: str) -> int:
    """Return a figure of a tally by the name of its column."""
    return sum(tally.explained.values()) if column == "explained" else int(getattr(tally, column))


def is_equal(proof: ChannelProof) -> bool:
    """Tell whether both digests are the same."""
    return str(proof.source_digest) == str(proof.room_digest)


def page(report: Report) -> str:
    """Return the report as one page of HTML."""
    return pages.page(
        "report",
        report=report,
        kinds=KINDS,
        columns=COLUMNS,
        totals=report.totals(),
        value=value,
        is_equal=is_equal,
        visible=visible,
        day=_day,
    )


def _day(ts: str) -> str:
    return moment(ts_to_ms(Ts(ts))).replace("T", " ").replace("Z", " UTC")


def outcome_of(report: Report) -> str:
    """Return what came out, in one line."""
    count = report.unexplained
    return f"{count:,} {'thing is' if count == 1 else 'things are'} unexplained" if count else "Nothing is unexplained"
