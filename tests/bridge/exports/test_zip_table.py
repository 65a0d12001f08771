"""The table of a large zip is read as the specification has it, and a damaged one is told."""

from __future__ import annotations

import struct
from io import BytesIO
from typing import TYPE_CHECKING

import pytest

from bridge.errors import BadExport
from bridge.exports.limits import LIMITS, Problems
from bridge.exports.zip_table import read_contents
from tests.bridge.exports.packed import zipped

if TYPE_CHECKING:
    from pathlib import Path

FULL = 0xFFFFFFFF
DAY = "a/2024-05-01.json"


def parted(target: Path) -> tuple[bytes, bytes, bytes]:
    """The files of a zip, its table and its end."""
    raw = zipped(target, {DAY: b"[1]"}, 0).read_bytes()
    table, end = raw.index(b"PK\x01\x02"), raw.index(b"PK\x05\x06")
    return raw[:table], raw[table:end], raw[end:]


def end64(files: bytes, table: bytes, end: bytes, *, told: int | None = None) -> bytes:
    """A whole zip whose end is of the large kind; `told` is where it says that end lies."""
    place = len(files) + len(table)
    large = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, len(table), len(files))
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, place if told is None else told, 1)
    return files + table + large + locator + end[:12] + struct.pack("<2L", FULL, FULL) + end[20:]


def test_sizes_of_a_large_file_stand_in_its_extra_field(tmp_path: Path) -> None:
    files, table, end = parted(tmp_path / "x.zip")
    extra = struct.pack("<2H3Q", 1, 24, 3, 3, 0) + b"\x99\x99\x00"
    table = table[:20] + struct.pack("<2L", FULL, FULL) + table[28:30] + struct.pack("<H", len(extra)) + table[32:42]
    table += struct.pack("<L", FULL) + DAY.encode() + extra
    contents = read_contents(BytesIO(end64(files, table, end)), LIMITS, Problems())
    entry = contents.find(DAY)
    assert entry is not None
    assert (entry.offset, entry.packed, entry.size) == (0, 3, 3)


def test_what_lies_before_a_zip_moves_everything(tmp_path: Path) -> None:
    files, table, end = parted(tmp_path / "x.zip")
    contents = read_contents(BytesIO(b"PK before" + files + table + end), LIMITS, Problems())
    entry = contents.find(DAY)
    assert entry is not None
    assert entry.offset == len(b"PK before")


def test_the_large_end_is_found_although_it_moved(tmp_path: Path) -> None:
    raw = end64(*parted(tmp_path / "x.zip"), told=5)
    assert len(read_contents(BytesIO(raw), LIMITS, Problems())) == 1


def test_a_large_end_that_is_missing_is_told(tmp_path: Path) -> None:
    files, table, end = parted(tmp_path / "x.zip")
    raw = end64(files, table, end).replace(b"PK\x06\x06", b"PK\x00\x00")
    with pytest.raises(BadExport, match="cut off"):
        read_contents(BytesIO(raw), LIMITS, Problems())


@pytest.mark.parametrize(("size", "words"), [(40, "damaged"), (10_000, "cut off")])
def test_a_table_of_another_length_is_told(tmp_path: Path, size: int, words: str) -> None:
    files, table, end = parted(tmp_path / "x.zip")
    raw = files + table + end[:12] + struct.pack("<L", size) + end[16:]
    with pytest.raises(BadExport, match=words):
        read_contents(BytesIO(raw), LIMITS, Problems())


def test_a_file_that_lies_behind_the_end_is_told(tmp_path: Path) -> None:
    files, table, end = parted(tmp_path / "x.zip")
    problems = Problems()
    raw = files + table[:42] + struct.pack("<L", 10_000) + table[46:] + end
    assert len(read_contents(BytesIO(raw), LIMITS, problems)) == 0
    assert [problem.where for problem in problems] == [DAY]


def test_days_out_of_order_are_put_in_order(tmp_path: Path) -> None:
    days = {f"{folder}/2024-05-{day:02d}.json": b"x" * day for folder in "ba" for day in (3, 1, 2)}
    raw = zipped(tmp_path / "x.zip", days).read_bytes()
    contents = read_contents(BytesIO(raw), LIMITS, Problems())
    assert contents.days(contents.folders["a"]) == ["2024-05-01.json", "2024-05-02.json", "2024-05-03.json"]
    found = {path: entry.size for path in days if (entry := contents.find(path)) is not None}
    assert found == {path: len(body) for path, body in days.items()}
