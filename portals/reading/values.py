"""Values of foreign JSON, each as the kind that a reader wants or as that kind's nothing; none raises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from portals.ids import NO_TS, Ts, is_ts

if TYPE_CHECKING:
    from portals.events import Json


def mapping(value: object) -> Json:
    """Return an object, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def objects(value: object) -> tuple[Json, ...]:
    """Return the objects of a list, else none."""
    if not isinstance(value, Sequence) or isinstance(value, str | bytes):
        return ()
    return tuple(item for item in value if isinstance(item, Mapping))


def text_of(value: object) -> str:
    """Return a text, else an empty one."""
    return value if isinstance(value, str) else ""


def number(value: object) -> int:
    """Return a whole number that JSON can hold exactly and that is not below 0, else 0."""
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 2**53 else 0


_PICTURES = ("image_192", "image_512", "image_72", "image_48")


def picture_of(icons: Json) -> str:
    """Return the address of the best picture of an object that lists a picture's sizes, or an empty text."""
    found = (text_of(icons.get(size)) for size in _PICTURES)
    return next((url for url in found if url.startswith("http")), "")


def ts_of(value: object) -> Ts:
    """Return a Slack time stamp, else `NO_TS`."""
    return Ts(value) if isinstance(value, str) and is_ts(value) else NO_TS
