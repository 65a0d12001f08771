"""Slack's JSON as it comes off the wire: an object that can be stored again, or nothing.

JSON may spell half a surrogate pair (`"\\ud83d"`), which is no text: no database and no encoder takes it. Such halves
become question marks here, so that nothing behind this door has to think of them.
"""

from __future__ import annotations

import json
from typing import Any

import orjson

Fields = dict[str, Any]  # foreign JSON: its door is `portals.reading`, here it only passes through


def parsed(text: str | bytes) -> Fields | None:
    """The object that the text spells; None when it spells none."""
    try:
        data = orjson.loads(text)
    except ValueError:
        try:
            data = storable(json.loads(text))
        except (ValueError, RecursionError):
            return None
    return data if isinstance(data, dict) else None


def storable(data: Any) -> Any:
    """The same data, with halves of surrogate pairs replaced; costs an encoding."""
    try:
        orjson.dumps(data)
    except TypeError:
        return orjson.loads(json.dumps(data, ensure_ascii=False).encode("utf-8", "replace"))
    return data
