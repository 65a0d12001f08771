"""A cohort: the channels that move together, as a file names them, one a line; `#` and a space begin a comment.

A channel's own name may begin with `#`, as people write it, so that a comment in a line of its own needs the space.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_COMMENT = re.compile(r"(?:^|\s)#(?:\s.*|)$")


@dataclass(frozen=True, slots=True)
class Named:
    """A channel by its name or id, and the number of its line."""

    line: int
    channel: str


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that names no channel, and why."""

    line: int
    why: str


def read(text: str) -> tuple[list[Named], list[BadLine]]:
    """Return the channels of a cohort's file, and the lines that cannot be used."""
    named: dict[str, Named] = {}
    bad: list[BadLine] = []
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        channel = _COMMENT.sub("", line).strip()
        if not channel:
            continue
        if len(channel.split()) > 1:
            bad.append(BadLine(number, f"{channel[:80]!r} is more than one channel: write one a line"))
        elif (known := named.get(channel.removeprefix("#"))) is not None:
            bad.append(BadLine(number, f"{channel} stands in line {known.line} already"))
        else:
            named[channel.removeprefix("#")] = Named(number, channel)
    return list(named.values()), bad
