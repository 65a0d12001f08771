"""What a room is told of its bridge: where messages go, and what its policy keeps from going there.

The words name no mark and no person: whoever reads them learns that there are such rules, not how to get around them.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from portals.crossing.policy import Globs, Kind, Standing
from portals.crossing.quiet import DAY, DAYS, Then
from portals.crossing.rooms import DAY_MS
from portals.facts import Direction

if TYPE_CHECKING:
    from portals.crossing.policy import Policy
    from portals.crossing.quiet import Quiet, Span
    from portals.facts import Portal

_WAYS = {
    Direction.BOTH: "What is said here goes there and is kept by Slack, and what is said there comes here.",
    Direction.TO_MATRIX: "What is said there comes here; what is said here stays here.",
    Direction.TO_SLACK: "What is said here goes there and is kept by Slack; what is said there does not come here.",
}
_SEALED = "Encryption ends at the bridge: Slack reads what goes there, from an encrypted room too."
_ANYBODY = (Globs(), Globs(("@*:*",)))
_MENTIONS = frozenset({Kind.MENTIONS, Kind.BROADCASTS})


def words(portal: Portal, workspace: str, policy: Policy) -> str:
    """Return what a portal's room is told, a line for each thing."""
    lines = [
        f"This room is bridged to #{portal.name or portal.channel} of {workspace} in Slack. {_WAYS[portal.direction]}",
        _SEALED if portal.direction is not Direction.TO_MATRIX else "",
        _kinds(policy),
        "Messages with certain marks, words or links do not cross; their authors are told." if _stops(policy) else "",
        "Messages about which a moderator decides wait until then." if policy.hold.words else "",
        _quiet(policy.quiet) if policy.quiet.spans else "",
        "Not everybody here may write to Slack." if _chooses_in_matrix(policy) else "",
        "Not everybody in Slack may write here." if _chooses_in_slack(policy) else "",
        f"Messages are kept for {policy.room.keep_ms / DAY_MS:g} days." if policy.room.keep_ms else "",
    ]
    return "\n".join(line for line in lines if line)


def digest_of(said: str) -> str:
    """Name what a room is told; nothing has an empty name."""
    return hashlib.sha256(said.encode()).hexdigest()[:24] if said else ""


def _kinds(policy: Policy) -> str:
    missing = [str(kind) for kind in Kind if kind not in policy.kinds and kind not in _MENTIONS]
    return f"These do not cross: {', '.join(missing)}." if missing else ""


def _stops(policy: Policy) -> bool:
    return bool(policy.words) or policy.domains != Globs()


def _chooses_in_matrix(policy: Policy) -> bool:
    return policy.power_level is not None or policy.matrix_users not in _ANYBODY or policy.servers != Globs()


def _chooses_in_slack(policy: Policy) -> bool:
    return policy.standings != frozenset(Standing) or policy.slack_users != Globs()


def _quiet(quiet: Quiet) -> str:
    become = "wait for their end" if quiet.then is Then.WAIT else "do not cross"
    return f"Quiet hours ({quiet.place}): {'; '.join(map(_span, quiet.spans))}. Messages {become}."


def _span(span: Span) -> str:
    days = "" if len(span.days) == len(DAYS) else ", ".join(DAYS[day] for day in sorted(span.days)) + " "
    return f"{days}{_clock(span.start)} to {_clock(span.end)}"


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}" if minutes < DAY else "24:00"
