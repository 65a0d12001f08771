"""Foreign JSON by the kind that a reader needs: a value of another kind counts as absent, and nothing raises."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portals.text.document import clean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Json = Any  # Any: whatever the other side sends


def string(value: Json) -> str:
    """Return a string that is one, a number as its digits, and `""` for all else."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else ""


def integer(value: Json) -> int | None:
    """Return the whole number that a JSON number or a string of digits says, or None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        return int(value) if abs(value) < 1e15 else None
    if isinstance(value, int):
        return value if abs(value) < 10**15 else None
    if isinstance(value, str) and len(value) < 15 and value.isascii() and value.removeprefix("-").isdigit():
        return int(value)
    return None


def items(value: Json) -> Sequence[Json]:
    """Return a list that is one, else nothing."""
    return value if isinstance(value, (list, tuple)) else ()


def objects(value: Json) -> list[Mapping[str, Json]]:
    """Return the objects in a list."""
    return [item for item in items(value) if isinstance(item, dict)]


def mapping(value: Json) -> Mapping[str, Json]:
    """Return an object that is one, else an empty one."""
    return value if isinstance(value, dict) else {}


def one_line(text: str) -> str:
    """Return text with its line ends as spaces."""
    return " ".join(clean(text).split("\n"))
