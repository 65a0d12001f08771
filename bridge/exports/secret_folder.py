"""A folder that holds people's messages: only its owner may look in, and every file in it is whole or not there."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from shutil import rmtree
from typing import TYPE_CHECKING, Final

from bridge.errors import Fatal

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path

_OWNER: Final = 0o700
_OWNERS_FILE: Final = 0o600
_BESIDE: Final = ".writing."


class SecretFolder:
    """The folder at `path`. What cannot be done there raises Fatal."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def claim(self, *signs: str) -> None:
        """Make the folder, or take it where it is empty or holds one of these files from an earlier time."""
        with _told(self.path):
            self.path.mkdir(_OWNER, parents=True, exist_ok=True)
            if any(self.path.iterdir()) and not any(map(self.has, signs)):
                raise Fatal(f"{self.path} holds files of something else: name an empty folder, or a new one")
            self.path.chmod(_OWNER)

    def has(self, name: str) -> bool:
        """Tell whether a file is there."""
        return (self.path / name).exists()

    def write(self, name: str, pieces: Iterable[bytes]) -> None:
        """Write a file, which takes its place once it is whole; `name` may begin with a folder and a slash."""
        target = self.path / name
        beside = target.with_name(f"{_BESIDE}{target.name}")
        with _told(target):
            target.parent.mkdir(_OWNER, exist_ok=True)
            handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _OWNERS_FILE)
            with os.fdopen(handle, "wb") as stream:
                stream.writelines(pieces)
                stream.flush()
                os.fsync(stream.fileno())
            beside.replace(target)

    def drop(self, name: str) -> None:
        """Remove a file."""
        with _told(self.path / name):
            (self.path / name).unlink(missing_ok=True)
            self.settle()

    def keep_only(self, folder: str, names: Collection[str]) -> None:
        """Make sure that a folder is there and holds no files but these."""
        place = self.path / folder
        with _told(place):
            place.mkdir(_OWNER, exist_ok=True)
            for found in place.iterdir():
                if found.name not in names:
                    found.unlink()
            self._settle(place)

    def remove(self, folder: str) -> None:
        """Remove a folder with what is in it; one that is gone is removed already."""
        with _told(self.path / folder), suppress(FileNotFoundError):
            rmtree(self.path / folder)

    def settle(self) -> None:
        """See to it that the folder's own list of files outlives a power cut."""
        with _told(self.path):
            self._settle(self.path)

    def _settle(self, place: Path) -> None:
        handle = os.open(place, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def _told(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Fatal(f"{place} cannot be written: {error.strerror or error}") from None
