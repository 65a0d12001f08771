"""The files of a zip, kept small: forty bytes for each day file.

Python's zipfile keeps an object of 700 bytes for each entry, which for half a million day files is more memory than an
import may take. Here a file is a row of numbers, and a day file has no name but its folder and its date.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from itertools import islice, pairwise
from operator import gt
from typing import TYPE_CHECKING, NamedTuple

from bridge.exports import names

if TYPE_CHECKING:
    from collections.abc import Iterator

_DATE = 0xFFFFFFFF


class Entry(NamedTuple):
    """Where the bytes of a file lie in the zip, and how they are packed."""

    offset: int
    packed: int
    size: int
    crc: int
    method: int


class Contents:
    """The files of a zip in columns, by folder; a day file is a number, every other file a name."""

    def __init__(self) -> None:
        self.folders: dict[str, int] = {"": 0}
        self.others: dict[int, dict[str, Entry]] = {}
        self._columns = [array("Q"), array("Q"), array("Q"), array("I"), array("H")]
        self._keys = array("Q")
        """Folder and date in one number; columns are in the order of these once the table was read."""

    def __len__(self) -> int:
        return len(self._keys) + sum(map(len, self.others.values()))

    def folder(self, path: str) -> int:
        """Return the number of a folder; its parents are folders too."""
        known = self.folders.get(path)
        if known is None:
            self.folder(path.rpartition("/")[0])
            known = self.folders[path] = len(self.folders)
        return known

    def add(self, path: str, entry: Entry) -> None:
        above, _, name = path.rpartition("/")
        folder, day = self.folder(above), names.day_number(name)
        if not day:
            self.others.setdefault(folder, {})[name] = entry
            return
        for column, value in zip(self._columns, entry, strict=True):
            column.append(value)
        self._keys.append(folder << 32 | day)

    def arrange(self) -> Iterator[str]:
        """Put the days in order, once all are there; yields the paths of those that are there twice."""
        keys = self._keys
        if any(map(gt, keys, islice(keys, 1, None))):  # Slack writes them in order, which saves the memory of sorting
            order = array("Q", sorted(range(len(keys)), key=keys.__getitem__))
            for column in (*self._columns, keys):
                column[:] = array(column.typecode, map(column.__getitem__, order))
        paths = list(self.folders)
        for before, key in pairwise(keys):
            if before == key:
                yield names.joined(paths[key >> 32], names.day_name(key & _DATE))

    def days(self, folder: int) -> list[str]:
        """Return the names of a folder's day files in order."""
        first, last = self._span(folder)
        dates = dict.fromkeys(key & _DATE for key in self._keys[first:last])
        return [names.day_name(date) for date in dates]

    def measure(self, folder: int) -> tuple[int, int]:
        """Return how many day files a folder has, and their bytes."""
        first, last = self._span(folder)
        return last - first, sum(self._columns[2][first:last])

    def _span(self, folder: int) -> tuple[int, int]:
        return bisect_left(self._keys, folder << 32), bisect_left(self._keys, (folder + 1) << 32)

    def find(self, path: str) -> Entry | None:
        """Return where a file lies; the last of several of one name, which is what an update of a zip adds."""
        above, _, name = path.rpartition("/")
        folder, day = self.folders.get(above), names.day_number(name)
        if folder is None:
            return None
        if not day:
            return self.others.get(folder, {}).get(name)
        key = folder << 32 | day
        place = bisect_right(self._keys, key) - 1
        if place < 0 or self._keys[place] != key:
            return None
        return Entry(*(column[place] for column in self._columns))
