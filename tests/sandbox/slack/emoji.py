"""Which emoji names Slack knows, besides a workspace's own.

The list beside this module has a line for each name: the name, the first name of the same emoji, its code points. It
is made from the emoji-datasource package of Cal Henderson (MIT licence), whose names are Slack's.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path


@cache
def _table() -> dict[str, tuple[str, str]]:
    lines = Path(__file__).with_name("emoji_names.txt").read_text("ascii").splitlines()
    return {name: (first, points) for name, first, points in map(str.split, lines)}


def is_emoji(name: str) -> bool:
    """Whether the standard set has the name."""
    return name in _table()


def first_name(name: str) -> str:
    """The first of an emoji's names (thumbsup is +1); a name that is not standard is its own."""
    return _table().get(name, (name, ""))[0]


def code_points(name: str, tone: int | None = None) -> str:
    """The code points as Slack writes them (1f44b-1f3fc), or nothing for what is not standard."""
    points = _table().get(name, ("", ""))[1]
    if not points or tone is None:
        return points
    head, dash, rest = points.partition("-")
    return f"{head}-{0x1F3F9 + tone:x}{dash}{rest}"
