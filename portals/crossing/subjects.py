"""How the audit log names what a policy kept from crossing, so that a report can find it again.

    C0123 1700000000.000100 F0456 (the name of the event that was withheld)

The channel, the time of the message where there is one, and which part of it: nothing for all of it, the id of a file,
an emoji and who put it there, or the pin.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from portals.ids import ChannelId, Ts

PIN = "pin"
_SUBJECT = re.compile(r"(?P<channel>\S+)(?: (?P<ts>\d+\.\d+)(?: (?P<part>.+?))?)? \(.*\)", re.DOTALL)
_REACTION = re.compile(r":(?P<name>\S+): by (?P<user>\S+)")


@dataclass(frozen=True, slots=True)
class Subject:
    """A part of a message that was withheld."""

    channel: ChannelId
    ts: Ts
    part: str = ""

    @property
    def reaction(self) -> tuple[str, str] | None:
        """The name of the emoji and who put it there, if this is a reaction."""
        found = _REACTION.fullmatch(self.part)
        return (found["name"], found["user"]) if found else None


def subject_of(channel: ChannelId, source: str, ts: str = "", part: str = "") -> str:
    """Return how something is named; what belongs to no message has no `ts`."""
    return " ".join(filter(None, (channel, ts, part if ts else ""))) + f" ({source})"


def reaction_of(name: str, user: str) -> str:
    """Return the part that a reaction is."""
    return f":{name}: by {user}"


def read_subject(subject: str) -> Subject | None:
    """Return the part of a message that a name is about; None where it is about something else."""
    found = _SUBJECT.fullmatch(subject)
    if found is None or not found["ts"]:
        return None
    return Subject(ChannelId(found["channel"]), Ts(found["ts"]), found["part"] or "")
