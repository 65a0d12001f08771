"""Which channels become portals, by the mapping and the patterns of the configuration."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from portals.facts import Direction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portals.ids import ChannelId


@dataclass(frozen=True, slots=True)
class SeenChannel:
    """A channel as Slack describes it; `member` says whether the bot is in it."""

    id: ChannelId
    name: str
    topic: str = ""
    purpose: str = ""
    private: bool = False
    archived: bool = False
    member: bool = False


@dataclass(frozen=True, slots=True)
class Mapped:
    """One line of the mapping: `slack` is `#name` or an id, `workspace` empty where any will do."""

    workspace: str
    slack: str
    matrix: str
    direction: Direction


@dataclass(frozen=True, slots=True)
class Patterns:
    """Channels that are bridged by their names, with `*` and `?`."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    private: bool = False


@dataclass(frozen=True, slots=True)
class Wish:
    """How a channel is to be bridged; `target` is `create`, an alias or a room id."""

    direction: Direction
    target: str


def wish(workspace: str, channel: SeenChannel, mapping: Sequence[Mapped], patterns: Patterns) -> Wish | None:
    """Return how a channel is to be bridged, or None; the mapping comes before the patterns."""
    for line in mapping:
        if line.workspace in ("", workspace) and line.slack in (channel.id, f"#{channel.name}"):
            return Wish(line.direction, line.matrix)
    if channel.archived or (channel.private and not (patterns.private and channel.member)):
        return None
    if any(fnmatchcase(channel.name, pattern.removeprefix("#")) for pattern in patterns.exclude):
        return None
    if any(fnmatchcase(channel.name, pattern.removeprefix("#")) for pattern in patterns.include):
        return Wish(Direction.BOTH, "create")
    return None
