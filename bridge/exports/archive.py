"""An archive: a zip or a folder, of which only files are known, not yet what they mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from bridge.errors import BadExport
from bridge.exports.limits import LIMITS, Limits, Problems
from bridge.exports.unpacked import FolderArchive
from bridge.exports.zipped import ZipArchive

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bridge.exports.folder import Folder

_OTHER_KINDS = {
    b"Rar!": "a RAR archive",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"\x1f\x8b": "a gzip archive",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"\x28\xb5\x2f\xfd": "a Zstandard archive",
    b"<": "a web page, perhaps Slack's login page",
    b"{": "JSON",
    b"[": "JSON",
}
_HEAD = 8


class Archive(Protocol):
    """What a zip and a folder have in common. Paths are relative, with `/`; none leads out. Threads may share it."""

    def folders(self) -> Iterator[Folder]:
        """Yield every folder, the top one too."""

    def days(self, folder: str) -> list[str]:
        """Return the names of the day files in a folder, in order; raises Unreadable."""

    def size(self, path: str) -> int:
        """Return the bytes of a file; raises Unreadable."""

    def read(self, path: str) -> Iterator[bytes]:
        """Yield the bytes of a file in pieces; raises Unreadable."""

    def close(self) -> None: ...


def open_archive(path: Path, problems: Problems, limits: Limits = LIMITS) -> Archive:
    """Open a zip or a folder; raises BadExport where it is neither or cannot be read, with what to do."""
    try:
        if path.is_dir():
            return FolderArchive(path, limits, problems)
        if not path.is_file():
            raise BadExport(f"{path} is neither a file nor a folder: name the zip that Slack made, or what was in it")
        handle = path.open("rb", buffering=0)
    except OSError as error:
        raise BadExport(f"{path} cannot be read: {error.strerror or error}") from None
    try:
        head = handle.read(_HEAD)
        kind = next((kind for start, kind in _OTHER_KINDS.items() if head.startswith(start)), "")
        if not head:
            raise BadExport("it is empty: download or copy it again")
        if not head.startswith(b"PK"):
            raise BadExport(f"it is {kind or 'no zip'}: name the zip that Slack made, or unpack it and name the folder")
        return ZipArchive(handle, limits, problems)
    except BadExport as error:
        handle.close()
        raise BadExport(f"{path} cannot be used: {error}") from None
    except OSError as error:
        handle.close()
        raise BadExport(f"{path} cannot be read: {error.strerror or error}") from None
