"""A folder of an archive, as both kinds of archives describe it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Folder:
    """`days` are how many day files it holds, of `size` bytes unpacked; `files` are the names of its other files."""

    path: str
    days: int
    size: int
    files: tuple[str, ...] = ()
