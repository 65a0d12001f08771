"""What of a history is wanted: by channel, by kind and by time. The plan, the import and the report ask one value."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from portals.history.export import moment
from portals.ids import NO_TS, Ts, is_ts
from portals.reading.values import mapping, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from portals.events import Json
    from portals.history.export import ExportedChannel


class Selects(Protocol):
    """Whatever says of a time whether it is wanted."""

    def selects(self, ts: str) -> bool:
        """Tell whether a message of this time is wanted."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Everything, unless it says otherwise.

    `channels` holds ids and names (with `#` or without), `kinds` the kinds of channels. `since` is the first moment
    that is wanted, `until` the first one that is not any more.
    """

    channels: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    since: Ts = NO_TS
    until: Ts = NO_TS

    def selects_channel(self, channel: ExportedChannel) -> bool:
        """Tell whether a channel is wanted."""
        if self.kinds and channel.kind not in self.kinds:
            return False
        return not self.channels or not self.channels.isdisjoint((channel.id, channel.name, f"#{channel.name}"))

    def selects(self, ts: str) -> bool:
        """Tell whether a message of this time is wanted; one that tells no time only where every time is."""
        if not self.since and not self.until:
            return True
        if not is_ts(ts):
            return False
        when = moment(ts)
        return (not self.since or when >= moment(self.since)) and (not self.until or when < moment(self.until))

    def is_everything(self) -> bool:
        """Tell whether nothing is left out."""
        return self == Selection()


@dataclass(frozen=True, slots=True)
class AnyOf:
    """What at least one of several selections wants, as of imports of one source that each took a part."""

    selections: tuple[Selection, ...] = (Selection(),)

    def selects_channel(self, channel: ExportedChannel) -> bool:
        """Tell whether a channel is wanted."""
        return any(one.selects_channel(channel) for one in self.selections)

    def selects(self, ts: str) -> bool:
        """Tell whether a message of this time is wanted."""
        return any(one.selects(ts) for one in self.selections)

    def within(self, channel: ExportedChannel) -> AnyOf:
        """Return what is wanted of one channel."""
        return AnyOf(tuple(one for one in self.selections if one.selects_channel(channel)))


def meant(remembered: AnyOf, asked: Selection, channels: Iterable[ExportedChannel]) -> AnyOf:
    """Return what is to be looked at of a source, of which imports took what is `remembered`.

    What somebody asks for overrides that: a time all times, and a channel that no import took is all meant.
    """
    kept = remembered.selections
    if asked.since or asked.until:
        kept = tuple(replace(one, since=NO_TS, until=NO_TS) for one in kept)
    if asked.channels or asked.kinds:
        besides = {one.id for one in channels if asked.selects_channel(one) and not remembered.selects_channel(one)}
        kept += (Selection(channels=frozenset(besides)),) if besides else ()
    return AnyOf(kept)


def as_told(selection: Selection) -> Json:
    """Return a selection as JSON that `from_told` reads."""
    return {
        "channels": sorted(selection.channels),
        "kinds": sorted(selection.kinds),
        "since": selection.since,
        "until": selection.until,
    }


def from_told(told: object) -> Selection:
    """Return the selection that JSON tells; everything where it tells none, as earlier versions did not."""
    said = mapping(told)
    channels, kinds = (
        frozenset(one for one in found if isinstance(one, str)) if isinstance(found := said.get(name), list) else ()
        for name in ("channels", "kinds")
    )
    return Selection(
        frozenset(channels), frozenset(kinds), Ts(text_of(said.get("since"))), Ts(text_of(said.get("until")))
    )
