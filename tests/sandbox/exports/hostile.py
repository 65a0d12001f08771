"""Archives made to harm or to confuse whoever opens them.

Each function writes one out of the entries of a good export and returns the name of the entry that is the trap. None
of them harms by lying there: nothing outside the archive's own place is written.
"""

from __future__ import annotations

import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from tests.sandbox.exports.damaged import Entries, first_day

Trap = Callable[[Path, Entries], str]
_CHUNK = b" " * 2**20
_BOMB_CHUNKS = 1024


def bomb(target: Path, entries: Entries) -> str:
    """A day of a gigabyte, packed into one megabyte, that is even good JSON."""
    path = first_day(entries)
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    opening = packer.compress(b"[") + packer.flush(zlib.Z_FULL_FLUSH)
    chunk = packer.compress(_CHUNK) + packer.flush(zlib.Z_FULL_FLUSH)
    closing = packer.compress(b"]") + packer.flush(zlib.Z_FINISH)
    crc = zlib.crc32(b"[")
    for _ in range(_BOMB_CHUNKS):
        crc = zlib.crc32(_CHUNK, crc)
    crc, size = zlib.crc32(b"]", crc), 2 + _BOMB_CHUNKS * len(_CHUNK)
    packed = opening + chunk * _BOMB_CHUNKS + closing
    _write_raw(target, entries, path, packed, size, crc)
    return path


def lying_size(target: Path, entries: Entries) -> str:
    """A day that says it is ten bytes long and is a hundred megabytes."""
    path = first_day(entries)
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(_CHUNK * 100) + packer.flush()
    _write_raw(target, entries, path, packed, 10, 0)
    return path


def _write_raw(target: Path, entries: Entries, path: str, packed: bytes, size: int, crc: int) -> None:
    """Writes a zip of which one entry is put in as it is: stored first, its headers corrected afterwards."""
    with zipfile.ZipFile(target, "x", zipfile.ZIP_DEFLATED) as archive:
        for name, body in entries.items():
            if name != path:
                archive.writestr(name, body)
        archive.writestr(zipfile.ZipInfo(path), packed)
    told = struct.pack("<III", crc, len(packed), size)
    data = bytearray(target.read_bytes())
    local = data.rindex(b"PK\x03\x04", 0, data.index(packed))
    central = data.rindex(b"PK\x01\x02", 0, data.rindex(path.encode()))
    for place, offset in ((local, 8), (central, 10)):
        data[place + offset : place + offset + 2] = struct.pack("<H", zipfile.ZIP_DEFLATED)
    data[local + 14 : local + 26] = data[central + 16 : central + 28] = told
    target.write_bytes(data)


def many_entries(target: Path, entries: Entries) -> str:
    """More files than the first kind of zip can count, with nothing in them."""
    more = {f"general/{number:06d}/x.json": b"[]" for number in range(70_000)}
    _write(target, more | entries, zipfile.ZIP_STORED)
    return "general/000000/x.json"


def parent_paths(target: Path, entries: Entries) -> str:
    """Names that climb out of where they are unpacked."""
    name = "../escaped.json"
    more = {name: b"[]", "general/../../escaped.json": b"[]", "..\\escaped.json": b"[]", "general/..": b"[]"}
    _write(target, entries | more)
    return name


def absolute_paths(target: Path, entries: Entries) -> str:
    """Names that say where on the disk they want to be."""
    _write(target, entries | {"/tmp/escaped.json": b"[]", "C:\\escaped.json": b"[]", "//host/escaped.json": b"[]"})
    return "/tmp/escaped.json"


def odd_paths(target: Path, entries: Entries) -> str:
    """Names that break terminals, logs and file systems."""
    name = "general/\x1b[2J\x1b[31m2026-01-01.json"
    more = ("a\nb\r/2026-01-01.json", "x" * 300 + "/2026-01-01.json", "CHANNELS.json", "general/ .json", "con/aux.json")
    _write(target, entries | {name: b"[]"} | dict.fromkeys(more, b"[]"))
    return name


def packed_link(target: Path, entries: Entries) -> str:
    """A zip in which a channel's day is a symbolic link."""
    path = first_day(entries)
    _write(target, {name: body for name, body in entries.items() if name != path})
    with zipfile.ZipFile(target, "a") as archive:
        entry = zipfile.ZipInfo(path)
        entry.create_system, entry.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
        archive.writestr(entry, "/etc/passwd")
    return path


def truncated(target: Path, entries: Entries) -> str:
    """The first half of a zip, as a broken download leaves it."""
    _write(target, entries)
    os.truncate(target, target.stat().st_size // 2)
    return ""


def encrypted(target: Path, entries: Entries) -> str:
    """A zip whose every entry says that it needs a password."""
    _write(target, entries)
    data = bytearray(target.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = data.find(signature)
        while place >= 0:
            data[place + offset] |= 1
            place = data.find(signature, place + 4)
    target.write_bytes(data)
    return ""


def corrupt_entry(target: Path, entries: Entries) -> str:
    """A day of which one byte is not what was packed."""
    path = first_day(entries)
    _write(target, entries, zipfile.ZIP_STORED)
    data = bytearray(target.read_bytes())
    data[data.index(entries[path]) + len(entries[path]) // 2] ^= 0x20
    target.write_bytes(data)
    return path


def unknown_method(target: Path, entries: Entries) -> str:
    """A day packed by a method that nobody here knows."""
    path = first_day(entries)
    packed = entries[path]
    _write_raw(target, entries, path, packed, len(packed), zlib.crc32(packed))
    data = target.read_bytes()
    place = data.rindex(b"PK\x01\x02", 0, data.rindex(path.encode()))
    target.write_bytes(data[: place + 10] + struct.pack("<H", 99) + data[place + 12 :])
    return path


def twice_packed(target: Path, entries: Entries) -> str:
    """The same day twice under one name, with different messages."""
    path = first_day(entries)
    _write(target, entries)
    other = b'[{"type": "message", "user": "U00", "text": "the other", "ts": "1700000000.000100"}]'
    _append_again(target, path, other)
    return path


def _append_again(target: Path, path: str, body: bytes) -> None:
    """Adds an entry whose name is there already: under another one of the same length, then renamed in place."""
    substitute = path[:-5] + "#json"
    with zipfile.ZipFile(target, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(substitute, body)
    target.write_bytes(target.read_bytes().replace(substitute.encode(), path.encode()))


def zip_in_zip(target: Path, entries: Entries) -> str:
    """An export that was packed once more."""
    inner = target.with_suffix(".inner")
    _write(inner, entries)
    _write(target, {"export.zip": inner.read_bytes()})
    inner.unlink()
    return "export.zip"


def no_zip(target: Path, entries: Entries) -> str:
    """A page saved in place of the download."""
    target.write_bytes(b"<!DOCTYPE html><title>Sign in | Slack</title>")
    return ""


def empty_zip(target: Path, entries: Entries) -> str:
    """A zip of nothing."""
    _write(target, {})
    return ""


def linked_folder(target: Path, entries: Entries) -> str:
    """A folder in which a day, and a whole channel, are links to what lies elsewhere."""
    path = first_day(entries)
    _lay_out(target, {name: body for name, body in entries.items() if name != path})
    (target / path).symlink_to("/etc/passwd")
    (target / "loop").symlink_to(target, target_is_directory=True)
    return path


def pipe(target: Path, entries: Entries) -> str:
    """A folder in which a day is a pipe that never says anything."""
    path = first_day(entries)
    _lay_out(target, {name: body for name, body in entries.items() if name != path})
    os.mkfifo(target / path)
    return path


def _write(target: Path, entries: Entries, method: int = zipfile.ZIP_DEFLATED) -> None:
    with zipfile.ZipFile(target, "x", method) as archive:
        for name, body in entries.items():
            archive.writestr(name, body)


def _lay_out(target: Path, entries: Entries) -> None:
    for name, body in entries.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_bytes(body)


ZIP_TRAPS: dict[str, Trap] = {
    trap.__name__: trap
    for trap in (
        bomb,
        lying_size,
        many_entries,
        parent_paths,
        absolute_paths,
        odd_paths,
        packed_link,
        truncated,
        encrypted,
        corrupt_entry,
        unknown_method,
        twice_packed,
        zip_in_zip,
        no_zip,
        empty_zip,
    )
}
"""By name: what can be wrong with a zip."""
FOLDER_TRAPS: dict[str, Trap] = {trap.__name__: trap for trap in (linked_folder, pipe)}
"""By name: what can be wrong with a folder."""
