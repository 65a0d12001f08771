"""Which policy a portal has: that which its channel's line names, else its workspace's, else the one for all."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from portals.crossing.policy import OPEN
from portals.ids import present_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portals.crossing.policy import Policy
    from portals.ids import ChannelId


@dataclass(frozen=True, slots=True)
class Policies:
    """All policies; `by_channel` names those of single channels, each by workspace (empty: any) and channel.

    `by_workspace` names those of whole workspaces.
    """

    named: Mapping[str, Policy] = field(default_factory=dict)
    by_channel: Mapping[tuple[str, str], str] = field(default_factory=dict)
    by_workspace: Mapping[str, str] = field(default_factory=dict)

    def of(self, workspace: str, channel: ChannelId) -> Policy:
        """Return the policy of a channel, or of the past of one; `workspace` is its name in the configuration."""
        present = present_of(channel)
        own = self.by_channel.get((workspace, present)) or self.by_channel.get(("", present))
        return self.named.get(own or self.by_workspace.get(workspace, OPEN.name), OPEN)
