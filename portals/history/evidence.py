"""What the source of a channel says and what its room shows, message by message, as values that can be compared.

They are small enough to be kept outside of memory for a million messages: words are there as names (`digest.short`) and
as an excerpt for a reader. Every text is one that JSON can hold.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from portals.events import Json
    from portals.ids import EventId, SlackUserId, Ts

EXCERPT = 160
"""Characters of a message that a report shows where a message differs."""

TOMBSTONE = "deleted in Slack, where only its place is left"
"""Why a message is not shown, where replies may still stand under something in its place."""
OURS = "written in Matrix and carried to Slack by the bridge: the room holds the original"


@dataclass(frozen=True, slots=True)
class ExpectedFile:
    """A file as the source describes it; one whose bytes do not cross is told of in words, and has no size here.

    `absence` is how the notice begins that stands for it where Slack did not give it. One that is `untold` is known by
    its id alone. `name` may be anything where only words tell of it.
    """

    id: str
    name: str
    mimetype: str = ""
    size: int = 0
    absence: str = ""
    has_bytes: bool = False
    untold: bool = False


@dataclass(frozen=True, slots=True)
class ExpectedPart:
    """One event that should show a part of a message: the forms that it may have, the likeliest first.

    Each form is (msgtype and words, words without formatting, line of the digest); `words` is for a reader. `nameless`
    is what is said without the names of channels, for a part that mentions some.
    """

    part: str
    forms: tuple[tuple[str, str, str], ...]
    words: str
    file: ExpectedFile | None = None
    nameless: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Expected:
    """A message as the source has it: `absence` says why a room does not show it.

    `place` is where in the archive it stands. `name` is the name that it gives a bot. `thread` is the root's ts of a
    reply, `is_root` says that there are replies to it. `gone` counts the files of which Slack left the place alone,
    `mentioned` those that were shared elsewhere and are only spoken of (before 2018).
    `reactions` are (author, key); `unnamed` counts those of whom Slack does not say who made them, `renamed` those that
    are the same emoji by another name, `own` those that the bridge itself made. `edited` is the time of the last edit
    of what somebody said, as Slack tells it, empty where there was none. One that is `optional` may be shown or not:
    Slack's own words, which imports bring otherwise than live traffic does.
    """

    ts: Ts
    place: str
    author: SlackUserId | str = ""
    name: str = ""
    thread: str = ""
    is_root: bool = False
    parts: tuple[ExpectedPart, ...] = ()
    gone: int = 0
    mentioned: int = 0
    reactions: tuple[tuple[str, str], ...] = ()
    unnamed: int = 0
    renamed: int = 0
    own: int = 0
    absence: str = ""
    edited: str = ""
    optional: bool = False


@dataclass(frozen=True, slots=True)
class ShownFile:
    """A file as an event shows it; `sealed` is what its reader needs to decrypt it, where it is encrypted."""

    name: str
    mimetype: str
    size: int
    uri: str
    sealed: Json | None = None


@dataclass(frozen=True, slots=True)
class ShownPart:
    """An event that says it shows a part of a Slack message, as it stands after its edits.

    `author` is the Slack id of whom its sender stands for, empty where it stands for nobody, and `name` how they are
    called there. `form`, `plain`, `line` and `nameless` are names as in ExpectedPart. `root` is the event whose thread
    it is in, `thread` the Slack message that this one shows, empty where it shows none. `position` is its place in the
    order of the room, `edited` the time in ms of the edit that it shows, 0 for none.
    """

    part: str
    event_id: EventId
    sender: str
    author: str
    time: int
    position: int
    form: str
    plain: str
    line: str
    words: str
    root: str = ""
    thread: str = ""
    name: str = ""
    edited: int = 0
    notice: bool = False
    nameless: str = ""
    file: ShownFile | None = None


@dataclass(frozen=True, slots=True)
class ShownReaction:
    """A reaction in the room to a part of a message.

    One that somebody made in Matrix has as its `hand` whom they are in Slack, where they may have made it as well; one
    that was made for somebody of Slack has none.
    """

    event_id: EventId
    author: str
    sender: str
    key: str
    time: int
    hand: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """All that a room shows of one Slack message, oldest event first."""

    ts: Ts
    parts: tuple[ShownPart, ...]
    reactions: tuple[ShownReaction, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that nothing explains: what kind of thing, what is wrong with it, and where on either side it stands.

    `what` is one of missing, unexpected, twice, author, name, content, edit, time, order, thread, file,
    topic.
    """

    kind: str
    what: str
    ts: str = ""
    place: str = ""
    event_id: str = ""
    expected: str = ""
    found: str = ""


KINDS = ("messages", "threads", "reactions", "files", "pins", "members", "topics")
"""A channel's topic and purpose are one thing: a room has a topic alone."""


@dataclass(slots=True)
class Tally:
    """How many of one kind there are: `source` = `present` + `differing` + `missing` + `quarantined` + explained."""

    source: int = 0
    present: int = 0
    differing: int = 0
    missing: int = 0
    quarantined: int = 0
    unexpected: int = 0
    explained: dict[str, int] = field(default_factory=dict)
    """Why some are not there, or are there in another form, and how many."""

    def explain(self, reason: str, count: int = 1) -> None:
        """Count what is not there for a reason."""
        if count:
            self.explained[reason] = self.explained.get(reason, 0) + count

    @property
    def is_balanced(self) -> bool:
        """Whether every one of the source is accounted for."""
        counted = self.present + self.differing + self.missing + self.quarantined + sum(self.explained.values())
        return self.source == counted
