"""An export in a folder: only its own plain files are read; links and devices are told and left where they are."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from bridge.exports import names
from bridge.exports.folder import Folder
from bridge.exports.limits import MIB, Unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bridge.exports.limits import Limits, Problems

_PIECE = MIB
_READ_ONLY = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)  # a file that became a link meanwhile
    | getattr(os, "O_NONBLOCK", 0)  # a pipe would wait for whoever writes into it
    | getattr(os, "O_BINARY", 0)
)


class FolderArchive:
    """The files below a folder; several threads may read at once."""

    def __init__(self, top: Path, limits: Limits, problems: Problems) -> None:
        self._top = str(top)
        self._limits = limits
        self._real: dict[str, str] = {"": self._top}
        self._folders = [folder for _, folder in sorted(self._walk("", problems, 0))]

    def close(self) -> None:
        """Nothing is held open."""

    def folders(self) -> Iterator[Folder]:
        """Yield every folder."""
        yield from self._folders

    def days(self, folder: str) -> list[str]:
        """Return the names of the day files in a folder, in order; raises Unreadable."""
        try:
            return sorted(filter(names.day_number, os.listdir(self._real[folder])))
        except OSError as error:
            raise Unreadable(_words(error)) from None

    def size(self, path: str) -> int:
        """Return the bytes of a file; raises Unreadable."""
        try:
            return os.lstat(self._place(path)).st_size
        except OSError as error:
            raise Unreadable(_words(error)) from None

    def read(self, path: str) -> Iterator[bytes]:
        """Yield the bytes of a file in pieces; raises Unreadable."""
        try:
            handle = os.open(self._place(path), _READ_ONLY)
            try:
                found = os.fstat(handle)
                if not stat.S_ISREG(found.st_mode):
                    raise Unreadable("is no plain file: it is not read")
                if found.st_size > self._limits.one_file:
                    raise Unreadable(f"has {found.st_size:,} bytes, more than an export can hold in one file")
                while piece := os.read(handle, _PIECE):
                    yield piece
            finally:
                os.close(handle)
        except OSError as error:
            raise Unreadable(_words(error)) from None

    def _place(self, path: str) -> str:
        folder, _, name = path.rpartition("/")
        return os.path.join(self._real[folder], name)

    def _walk(self, path: str, problems: Problems, depth: int) -> Iterator[tuple[str, Folder]]:
        """Yield every folder below one, and itself; names that are no text are known by what is shown of them."""
        days = size = 0
        files: list[str] = []
        below: list[str] = []
        try:
            with os.scandir(self._real[path]) as entries:
                for entry in entries:
                    if names.is_left_behind(entry.name):
                        continue
                    inside = names.joined(path, names.shown(entry.name))
                    if entry.is_symlink():
                        problems.add(inside, "a link to another file: it is not followed")
                    elif entry.is_dir(follow_symlinks=False):
                        below.append(entry.name)
                    elif not entry.is_file(follow_symlinks=False):
                        problems.add(inside, "a device or pipe, not a file: it is not read")
                    elif names.day_number(entry.name):
                        days, size = days + 1, size + entry.stat(follow_symlinks=False).st_size
                    else:
                        files.append(names.shown(entry.name))
        except OSError as error:
            problems.add(path or self._top, _words(error))
        yield path, Folder(path, days, size, tuple(sorted(files)))
        for name in below:
            inside = names.joined(path, names.shown(name))
            if depth == self._limits.depth:
                problems.add(inside, "lies deeper than an export can: it is not read")
            else:
                self._real[inside] = os.path.join(self._real[path], name)
                yield from self._walk(inside, problems, depth + 1)


def _words(error: OSError) -> str:
    return f"cannot be read: {error.strerror or error}"
