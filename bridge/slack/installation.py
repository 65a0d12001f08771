"""One workspace as the bridge is installed in it: its client and its files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bridge.slack.client import SlackClient
    from bridge.slack.files import SlackFiles


@dataclass(frozen=True, slots=True)
class Installation:
    """What acts in one workspace; `name` is the workspace's name in the configuration."""

    name: str
    client: SlackClient
    files: SlackFiles
