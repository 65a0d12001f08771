"""How much an archive may make us read, and what is said of a file that cannot be read.

An export comes from somebody's disk: it may be damaged, and it may have been made to do harm. Every bound is far above
what an export of Slack needs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from portals.history.export import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MIB = 1024 * 1024


class Unreadable(Exception):
    """A file of an archive cannot be read, or no further; says why. The rest of the archive can be read."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds; sizes are in bytes, unpacked unless said otherwise."""

    ratio: int = 200
    """Deflate reaches 1,032 to 1 with nothing but zeros; the most monotonous bot's messages stay below 100."""
    ratio_from: int = 16 * MIB
    """What is smaller than this may be packed as tightly as it likes: it does no harm."""
    one_file: int = 4096 * MIB
    """A list of a million people takes 2 GiB."""
    all_files: int = 1024 * 1024 * MIB
    """A hundred times the exports that are called large."""
    entries: int = 5_000_000
    """Files in a zip: a thousand channels over thirteen years. The index takes 40 bytes for each."""
    other_files: int = 200_000
    """Files in a zip that are no days; the index keeps their names."""
    one_record: int = 32 * MIB
    """One message, channel or person. A channel of 300,000 members takes 5 MiB; messages stay below 1 MiB."""
    at_once: int = 8 * MIB
    """Longer files are read in parts of about this size, since JSON takes eight times its room in memory."""
    depth: int = 12
    """Folders within folders; an export needs five, wherever it was packed."""


LIMITS = Limits()


class Problems:
    """What was found wrong, each thing once, in the order in which it was found; bounded, the rest is counted."""

    def __init__(self, most: int = 10_000) -> None:
        self._most = most
        self._found: dict[Problem, None] = {}
        self.left_out = 0

    def add(self, where: str, what: str) -> None:
        self.extend([Problem(where, what)])

    def extend(self, problems: Iterable[Problem]) -> None:
        for problem in problems:
            if problem in self._found:
                continue
            if len(self._found) < self._most:
                self._found[problem] = None
            else:
                self.left_out += 1

    def __iter__(self) -> Iterator[Problem]:
        return iter(tuple(self._found))

    def __len__(self) -> int:
        return len(self._found)
