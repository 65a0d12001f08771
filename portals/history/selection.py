"""What of a history is wanted: by channel, by kind and by time. The plan and the import ask the same value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from portals.history.export import moment
from portals.ids import NO_TS, is_ts

if TYPE_CHECKING:
    from portals.history.export import ExportedChannel
    from portals.ids import Ts


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
