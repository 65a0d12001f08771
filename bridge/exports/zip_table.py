"""The table of contents at the end of a zip, read in pieces and trusted in nothing.

Names that lead out, links, files that are larger than they can be are told and left out; a zip that is cut off,
encrypted or made to do harm is refused as a whole, with what to do.
Source: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, sections 4.3.12 to 4.3.16, 4.5.3 and 4.6.9
"""

from __future__ import annotations

import stat
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from bridge.errors import BadExport
from bridge.exports import names
from bridge.exports.limits import MIB
from bridge.exports.zip_index import Contents, Entry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.exports.limits import Limits, Problems

STORED, DEFLATED = 0, 8
_ENCRYPTED = 0x1
_END = struct.Struct("<4s4H2LH")
_END64_PLACE = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_HEADER = struct.Struct("<4s6H3L5H2L")
_FULL16, _FULL32 = 0xFFFF, 0xFFFFFFFF
_ZIP64, _UNICODE_PATH = 0x0001, 0x7075
_LONGEST_COMMENT = 65_535
_PIECE = MIB
_CUT_OFF = (
    "it has no table of contents at its end, so it is cut off or still being written: "
    "download or copy it again (`unzip -t` tells whether a zip is whole)"
)
_DAMAGED = "its table of contents is damaged: download or copy it again (`unzip -t` tells whether a zip is whole)"
_LOCKED = "it is protected by a password: unpack it with `7z x` or on your desktop, then name the folder instead"
_HARMFUL = "it was made to fill disks, not to bring messages, and is not read: get the export from Slack itself"


@dataclass(frozen=True, slots=True)
class _Header:
    name: str
    entry: Entry
    flags: int
    mode: int


def read_contents(handle: BinaryIO, limits: Limits, problems: Problems) -> Contents:
    """Read the table of a zip; what of it may not be used becomes a problem.

    Raises BadExport where the whole zip cannot be used, with what to do.
    """
    length = handle.seek(0, 2)
    contents = Contents()
    packed = unpacked = entries = others = 0
    for header in _headers(handle, length):
        if header.flags & _ENCRYPTED:
            raise BadExport(_LOCKED)
        parts = names.parts(header.name)
        path = "/".join(parts)
        if not path or any(map(names.is_left_behind, parts)):
            continue
        if reason := names.refusal(header.name) or _refusal(header, len(parts), length, limits):
            problems.add(names.shown(header.name), reason)
            continue
        if header.name.endswith(("/", "\\")) or stat.S_ISDIR(header.mode):
            contents.folder(path)
            continue
        contents.add(path, header.entry)
        entries += 1
        packed, unpacked = packed + header.entry.packed, unpacked + header.entry.size
        others += not names.day_number(parts[-1])
        if packed > length or unpacked > limits.all_files or entries > limits.entries:
            raise BadExport(_HARMFUL)
        if others > limits.other_files:
            raise BadExport(f"more than {limits.other_files:,} of its files are no days of channels: it is no export")
    for path in contents.arrange():
        problems.add(path, "is in the zip more than once: only the last is read")
    return contents


def _refusal(header: _Header, depth: int, length: int, limits: Limits) -> str:
    entry, kind = header.entry, stat.S_IFMT(header.mode)
    if entry.offset + entry.packed > length:
        return "lies outside of the zip, which is damaged: download or copy it again"
    if depth > limits.depth:
        return "lies deeper than an export can: it is not read"
    if kind == stat.S_IFLNK:
        return "a link to another file: it is not followed"
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "a device or pipe, not a file: it is not read"
    if entry.size > limits.one_file:
        return f"takes {entry.size:,} bytes unpacked, more than an export can hold in one file: it is not read"
    if entry.size > limits.ratio_from and entry.size > limits.ratio * max(entry.packed, 1):
        return f"takes {entry.size // max(entry.packed, 1):,} times its room unpacked: it is no export's, and not read"
    return ""


# --- the table


def _headers(handle: BinaryIO, length: int) -> Iterator[_Header]:
    start, size, before = _place(handle, length)
    handle.seek(start)
    buffer, at, left = b"", 0, size
    while left or at < len(buffer):
        if len(buffer) - at < _HEADER.size + 3 * _FULL16 and left:
            piece = handle.read(min(_PIECE, left))
            if not piece:
                raise BadExport(_DAMAGED)
            buffer, at, left = buffer[at:] + piece, 0, left - len(piece)
            continue
        if len(buffer) - at < _HEADER.size:
            raise BadExport(_DAMAGED)
        fields = _HEADER.unpack_from(buffer, at)
        name_length, extra_length, comment_length = fields[10:13]
        begin = at + _HEADER.size
        at = begin + name_length + extra_length + comment_length
        if fields[0] != b"PK\1\2" or at > len(buffer):
            raise BadExport(_DAMAGED)
        name = buffer[begin : begin + name_length]
        yield _header(fields, name, buffer[begin + name_length : at - comment_length], before)


def _header(fields: tuple[int, ...], raw: bytes, extra: bytes, before: int) -> _Header:
    flags, method, crc, packed, size = fields[3], fields[4], fields[7], fields[8], fields[9]
    mode, offset = fields[15] >> 16, fields[16]
    name = names.decoded(raw)
    for kind, value in _extras(extra):
        if kind == _ZIP64:
            wide = iter(struct.unpack(f"<{len(value) // 8}Q", value[: len(value) // 8 * 8]))
            size = next(wide, size) if size == _FULL32 else size
            packed = next(wide, packed) if packed == _FULL32 else packed
            offset = next(wide, offset) if offset == _FULL32 else offset
        elif kind == _UNICODE_PATH and value[:1] == b"\1" and value[1:5] == struct.pack("<L", zlib.crc32(raw)):
            name = names.decoded(value[5:])
    return _Header(name, Entry(offset + before, packed, size, crc, method), flags, mode)


def _extras(extra: bytes) -> Iterator[tuple[int, bytes]]:
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<2H", extra)
        yield kind, extra[4 : 4 + length]
        extra = extra[4 + length :]


def _place(handle: BinaryIO, length: int) -> tuple[int, int, int]:
    """Return where the table begins, how long it is, and how much lies before the zip in the file."""
    start = max(length - _LONGEST_COMMENT - _END.size - _END64_PLACE.size, 0)
    handle.seek(start)
    tail = handle.read(length - start)
    at = tail.rfind(b"PK\5\6")
    if at < 0 or len(tail) - at < _END.size:
        raise BadExport(_CUT_OFF)
    _, disk, first_disk, _, _, size, offset, _ = _END.unpack_from(tail, at)
    end = start + at
    locator = at - _END64_PLACE.size
    if locator >= 0 and tail.startswith(b"PK\6\7", locator):
        end, size, offset = _place64(handle, length, _END64_PLACE.unpack_from(tail, locator)[2], end)
    elif disk not in (0, _FULL16) or first_disk not in (0, _FULL16):
        raise BadExport("it is one part of a zip that was split: join the parts (`zip -s 0`), or unpack all of them")
    before = end - size - offset
    if before < 0:
        raise BadExport(_CUT_OFF)
    return offset + before, size, before


def _place64(handle: BinaryIO, length: int, told: int, end: int) -> tuple[int, int, int]:
    for place in (told, end - _END64_PLACE.size - _END64.size):
        if 0 <= place <= length - _END64.size:
            handle.seek(place)
            fields = _END64.unpack(handle.read(_END64.size))
            if fields[0] == b"PK\6\6":
                return place, fields[8], fields[9]
    raise BadExport(_CUT_OFF)
