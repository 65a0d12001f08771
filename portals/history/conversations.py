"""What the room of a conversation is called, which has no name in Slack."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_MOST = 5


def name_of(people: Sequence[str]) -> str:
    """Return the names of those who talk, the first few of many; nothing where none is known."""
    shown = ", ".join(sorted(people)[:_MOST])
    return f"{shown} and {len(people) - _MOST} more" if len(people) > _MOST else shown
