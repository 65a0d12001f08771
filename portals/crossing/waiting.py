"""What it is to be held back on the way: values, with no behaviour, for policies, facts and decisions."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from portals.ids import EventId, RoomId, Ts


class Wait(StrEnum):
    """What a message waits for."""

    MODERATOR = "moderator"
    QUIET = "quiet"


class Verdict(StrEnum):
    """How the waiting ended: a moderator decided, nobody did in time, or the quiet hours are over."""

    NONE = ""
    APPROVED = "approved"
    REFUSED = "refused"
    EXPIRED = "expired"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Hold:
    """Which words have a message wait for a moderator, who those are, and for how long they have time (ms)."""

    words: tuple[str, ...] = ()
    room: str = ""
    """Where moderators see and decide it, as an id or an alias; nothing where they do so elsewhere."""
    power_level: int = 50
    """The power that it takes in that room to decide."""
    within_ms: int = 24 * 3600 * 1000


NO_HOLD = Hold()


@dataclass(frozen=True, slots=True)
class Held:
    """A message that is held; `source` names the row that stands for it, `thread` is its thread in Slack if known."""

    name: str
    source: str
    wait: Wait
    author: str
    verdict: Verdict = Verdict.NONE
    by: str = ""
    """Who decided."""
    approved: bool = False
    """Whether a moderator let it through, whatever it waits for now."""
    digest: str = ""
    thread: Ts | None = None
    room: RoomId | None = None
    notice: EventId | None = None
    """Where moderators are shown it."""

    @property
    def is_approved(self) -> bool:
        """Whether a moderator let it through as it is."""
        return self.approved or self.verdict is Verdict.APPROVED


@dataclass(frozen=True, slots=True)
class Moderators:
    """The room of moderators; `hides` says why nothing of what is held may be quoted there, and is empty if it may."""

    room: RoomId
    hides: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a decision knows of time and of what is held: of the messages that it asked for, and the quiet as a whole.

    `now` is in ms since the epoch.
    """

    now: int = 0
    held: tuple[Held, ...] = ()
    quiet: frozenset[tuple[str, int]] = frozenset()
    """Whose messages of this direction wait for the end of quiet hours, and when that is."""
    moderators: Moderators | None = None


NOTHING_WAITS = Waiting()
