"""A policy: who may write across, what kinds cross, which files, links and words do. A value, with no behaviour.

The policy that says nothing lets everything cross. Patterns are globs: `*` and `?`, and nothing else; they match in
linear time, which no promise about regular expressions of other people's could keep.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from portals.crossing.quiet import LOUD, Quiet
from portals.crossing.rooms import NOTHING_ASKED, RoomPolicy
from portals.crossing.waiting import NO_HOLD, Hold


class Kind(StrEnum):
    """What can be kept from crossing; mentions and broadcasts are not withheld, they become plain words."""

    TEXT = "text"
    FILES = "files"
    LINKS = "links"
    MENTIONS = "mentions"
    BROADCASTS = "broadcasts"
    REACTIONS = "reactions"
    EDITS = "edits"
    DELETIONS = "deletions"
    TOPICS = "topics"
    PINS = "pins"


class Standing(StrEnum):
    """How somebody stands to a Slack workspace: a stranger comes from another one by Slack Connect."""

    MEMBER = "members"
    GUEST = "guests"
    BOT = "bots"
    STRANGER = "strangers"
    UNKNOWN = ""


@dataclass(frozen=True, slots=True)
class Globs:
    """Patterns of names: what matches one that is allowed and none that is denied may pass."""

    allow: tuple[str, ...] = ("*",)
    deny: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Policy:
    """What may cross in a portal."""

    name: str = "default"
    power_level: int | None = None
    """The least power that it takes in the room to write to Slack; None asks for none."""
    matrix_users: Globs = Globs()
    servers: Globs = Globs()
    standings: frozenset[Standing] = frozenset(Standing)
    slack_users: Globs = Globs()
    kinds: frozenset[Kind] = frozenset(Kind)
    file_types: Globs = Globs(("*/*",))
    file_names: Globs = Globs()
    max_file_size: int | None = None
    domains: Globs = Globs()
    words: tuple[str, ...] = ()
    line: str = ""
    """What the other side is shown in place of a message that was withheld; nothing where it is empty."""

    hold: Hold = NO_HOLD
    quiet: Quiet = LOUD
    banner: bool = False
    """Whether the room is told, in a pinned notice, where messages go."""

    room: RoomPolicy = NOTHING_ASKED
    """What the room itself must be like."""

    @property
    def holds_back(self) -> bool:
        """Whether messages may have to wait."""
        return bool(self.hold.words or self.quiet.spans)

    @property
    def looks_into_files(self) -> bool:
        """Whether the type of a file matters, so that what it really is must be found out."""
        return self.file_types != Globs(("*/*",))


OPEN = Policy()
"""Everything crosses."""
