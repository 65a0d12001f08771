"""Times as admins read them; the store has them in milliseconds since the epoch."""

from __future__ import annotations

import time

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))


def seconds_since(then_ms: int) -> int:
    """Return how many seconds ago a time was."""
    return max(int(time.time()) - then_ms // 1000, 0)


def age(seconds: int) -> str:
    """Return a span of time in its largest unit."""
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def moment(then_ms: int) -> str:
    """Return a time as ISO 8601 has it, in UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(then_ms // 1000))
