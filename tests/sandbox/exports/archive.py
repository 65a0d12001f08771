"""Where an export is written: a folder, or a zip as Slack or somebody's desktop packed it.

Entries are written one after the other and never held, so an export of any size needs no memory. The same entries make
the same bytes.
"""

from __future__ import annotations

import unicodedata
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

_PACKED_AT = (2026, 1, 5, 9, 30, 0)
_DESKTOP_STORE = b"\x00\x00\x00\x01Bud1\x00\x00\x10\x00\x00\x00\x08\x00" + bytes(64)
_RESOURCE_FORK = b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        " + bytes(40)


@dataclass(frozen=True, slots=True)
class Packing:
    """How the entries are packed; a target that ends in .zip becomes a zip, any other a folder.

    `nested` is a folder that everything lies in, `junk` adds what a Mac leaves behind, `decomposed` takes accents off
    their letters (NFD), as an older Mac does to names. Without `utf8_flag` names are
    UTF-8 all the same, but the zip does not say so, which is what Slack does. `level` is deflate's, 0 stores.
    """

    nested: str = ""
    junk: bool = False
    decomposed: bool = False
    utf8_flag: bool = False
    level: int = 6


class Archive:
    """Takes entries by their path inside the export. Raises FileExistsError where something lies already."""

    def __init__(self, target: Path, packing: Packing = Packing()) -> None:
        self._root, self._packing = target, packing
        self._prefix = f"{packing.nested}/" if packing.nested else ""
        self._folders: set[str] = set()
        self._zip: zipfile.ZipFile | None = None
        if target.suffix == ".zip":
            self._zip = zipfile.ZipFile(target, "x", zipfile.ZIP_DEFLATED if packing.level else zipfile.ZIP_STORED)
        else:
            target.mkdir(parents=True, exist_ok=True)
            if any(target.iterdir()):
                raise FileExistsError(f"{target} is not empty")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._packing.junk and error is None:
            self._write("__MACOSX/._.DS_Store", _RESOURCE_FORK)
        if self._zip is not None:
            self._zip.close()

    def put(self, path: str, body: bytes) -> None:
        """Writes one entry."""
        path = self._named(path)
        folder = path.rpartition("/")[0]
        if folder not in self._folders:
            self._begin(folder)
        self._write(self._prefix + path, body)

    def add_folder(self, path: str) -> None:
        """Makes a folder although nothing lies in it."""
        path = self._named(path)
        if path not in self._folders:
            self._begin(path)

    def _named(self, path: str) -> str:
        return unicodedata.normalize("NFD", path) if self._packing.decomposed else path

    def _begin(self, folder: str) -> None:
        self._folders.add(folder)
        inside = f"{self._prefix}{folder}/" if folder else self._prefix
        if self._zip is None:
            (self._root / inside).mkdir(parents=True, exist_ok=True)
        elif inside:
            self._zip.writestr(self._entry(inside), b"")
        if self._packing.junk:
            self._write(f"{inside}.DS_Store", _DESKTOP_STORE)
            self._write(f"__MACOSX/{inside}._.DS_Store", _RESOURCE_FORK)

    def _write(self, path: str, body: bytes) -> None:
        if self._zip is not None:
            self._zip.writestr(self._entry(path), body, compresslevel=self._packing.level or None)
            return
        place = self._root / path
        if path.startswith("__MACOSX"):
            place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(body)

    def _entry(self, path: str) -> zipfile.ZipInfo:
        entry = zipfile.ZipInfo(path, _PACKED_AT) if self._packing.utf8_flag else _Unflagged(path, _PACKED_AT)
        entry.external_attr = (0o40755 << 16 | 0x10) if path.endswith("/") else 0o100644 << 16
        entry.compress_type = zipfile.ZIP_DEFLATED if self._packing.level else zipfile.ZIP_STORED
        return entry


class _Unflagged(zipfile.ZipInfo):
    """An entry whose name is UTF-8 without the flag that says so; zipfile itself would always set it."""

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:
        return self.filename.encode(), self.flag_bits
