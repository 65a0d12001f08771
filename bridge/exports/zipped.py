"""An export in a zip: read file by file, in pieces; nothing is written to a disk and the zip is never in memory."""

from __future__ import annotations

import struct
import threading
import zlib
from typing import TYPE_CHECKING, BinaryIO

from bridge.exports.folder import Folder
from bridge.exports.limits import MIB, Unreadable
from bridge.exports.zip_table import DEFLATED, STORED, read_contents

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.exports.limits import Limits, Problems
    from bridge.exports.zip_index import Entry

_LOCAL = struct.Struct("<4s5H3L2H")
_ROOM_FOR_HEADER = 512
"""A local header with a name and extra fields of common length: most files come in one read."""
_PIECE = MIB
_DAMAGED = "is damaged in the zip: download or copy the export again"
_OTHER_METHOD = (
    "is packed in a way that few programs know (method {}): pack the export again as a common zip, "
    "or unpack it and name the folder"
)


class ZipArchive:
    """The files of a zip; several threads may read at once."""

    def __init__(self, handle: BinaryIO, limits: Limits, problems: Problems) -> None:
        """Read the table of contents; raises BadExport. The archive closes the handle."""
        self._handle = handle
        self._turn = threading.Lock()
        self._contents = read_contents(handle, limits, problems)

    def close(self) -> None:
        self._handle.close()

    def folders(self) -> Iterator[Folder]:
        """Yield every folder."""
        contents = self._contents
        for path, number in contents.folders.items():
            yield Folder(path, *contents.measure(number), tuple(sorted(contents.others.get(number, ()))))

    def days(self, folder: str) -> list[str]:
        """Return the names of the day files in a folder, in order."""
        return self._contents.days(self._contents.folders[folder])

    def size(self, path: str) -> int:
        """Return the bytes of a file; raises Unreadable."""
        return self._entry(path).size

    def read(self, path: str) -> Iterator[bytes]:
        """Yield the bytes of a file in pieces; raises Unreadable, also at its end, where they are wrong."""
        entry = self._entry(path)
        size = crc = 0
        for piece in self._unpacked(entry):
            size, crc = size + len(piece), zlib.crc32(piece, crc)
            if size > entry.size:
                break
            yield piece
        if (size, crc) != (entry.size, entry.crc):
            raise Unreadable(_DAMAGED)

    def _entry(self, path: str) -> Entry:
        entry = self._contents.find(path)
        if entry is None:
            raise Unreadable("is not in the zip")
        return entry

    def _unpacked(self, entry: Entry) -> Iterator[bytes]:
        if entry.method == STORED:
            yield from self._packed(entry)
        elif entry.method == DEFLATED:
            inflate = zlib.decompressobj(-zlib.MAX_WBITS)
            try:
                for packed in self._packed(entry):
                    yield inflate.decompress(packed, _PIECE)
                    while inflate.unconsumed_tail and not inflate.eof:  # behind its end, it would never be consumed
                        yield inflate.decompress(inflate.unconsumed_tail, _PIECE)
                yield inflate.flush()
            except zlib.error:
                raise Unreadable(_DAMAGED) from None
        else:
            raise Unreadable(_OTHER_METHOD.format(entry.method))

    def _packed(self, entry: Entry) -> Iterator[bytes]:
        head = self._bytes(entry.offset, min(_LOCAL.size + _ROOM_FOR_HEADER + entry.packed, _PIECE))
        if len(head) < _LOCAL.size or not head.startswith(b"PK\3\4"):
            raise Unreadable(_DAMAGED)
        name_length, extra_length = _LOCAL.unpack_from(head)[9:11]
        begin = _LOCAL.size + name_length + extra_length
        piece = head[begin : begin + entry.packed]
        at, left = entry.offset + begin + len(piece), entry.packed - len(piece)
        yield piece
        while left:
            piece = self._bytes(at, min(_PIECE, left))
            if not piece:
                raise Unreadable(_DAMAGED)
            at, left = at + len(piece), left - len(piece)
            yield piece

    def _bytes(self, at: int, length: int) -> bytes:
        try:
            with self._turn:
                self._handle.seek(at)
                return self._handle.read(length)
        except OSError as error:
            raise Unreadable(f"cannot be read: {error.strerror or error}") from None
