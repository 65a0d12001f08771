"""Which emoji names Slack knows, besides a workspace's own."""

from __future__ import annotations

from functools import cache
from pathlib import Path


@cache
def standard_names() -> frozenset[str]:
    """The names of the standard set, from the list beside this module."""
    return frozenset(Path(__file__).with_name("emoji_names.txt").read_text("ascii").split())


def is_emoji(name: str) -> bool:
    """Whether the standard set has the name."""
    return name in standard_names()
