from __future__ import annotations

import json
import stat
import zipfile
from typing import TYPE_CHECKING

import pytest

from tests.sandbox.exports import BROKEN, UNREADABLE, broken
from tests.sandbox.exports.damaged import DAMAGES
from tests.sandbox.exports.hostile import FOLDER_TRAPS, ZIP_TRAPS
from tests.sandbox.exports_tests.reading import entries, parsed

if TYPE_CHECKING:
    from pathlib import Path

NO_JSON = ("cut_off", "empty_file", "in_latin_1", "in_utf_16", "marked_utf_8", "deep_nesting", "huge_numbers")
OUTSIDE_A_ZIP = ("truncated", "no_zip")


def test_every_way_to_be_broken_has_a_name(tmp_path: Path) -> None:
    assert {*BROKEN} == {*DAMAGES, *ZIP_TRAPS, *FOLDER_TRAPS} > {*UNREADABLE}
    with pytest.raises(KeyError):
        broken("in no way", tmp_path)


@pytest.mark.parametrize("as_zip", [True, False])
@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_export_is_wrong_where_it_says(tmp_path: Path, name: str, as_zip: bool) -> None:
    export = broken(name, tmp_path, as_zip=as_zip)
    files = entries(export.path)
    assert export.path.suffix == (".zip" if as_zip else "")
    if name not in ("no_channels", "no_users"):
        assert any(path.startswith(export.at) for path in files)
    if name in NO_JSON:
        with pytest.raises((ValueError, RecursionError)):
            json.loads(files[export.at].decode("utf-8"))
    else:
        assert parsed(export.path)


@pytest.mark.parametrize("name", [name for name in ZIP_TRAPS if name not in OUTSIDE_A_ZIP])
def test_a_hostile_zip_opens_and_has_its_trap(tmp_path: Path, name: str) -> None:
    export = broken(name, tmp_path)
    with zipfile.ZipFile(export.path) as archive:
        assert not export.at or export.at in archive.namelist()
    assert export.path.stat().st_size < 20_000_000


@pytest.mark.parametrize("name", OUTSIDE_A_ZIP)
def test_what_is_no_zip_does_not_open(tmp_path: Path, name: str) -> None:
    with pytest.raises(zipfile.BadZipFile):
        zipfile.ZipFile(broken(name, tmp_path).path)


def test_a_bomb_is_small_on_disk_and_good_json_beyond_measure(tmp_path: Path) -> None:
    export = broken("bomb", tmp_path)
    assert export.path.stat().st_size < 4_000_000
    with zipfile.ZipFile(export.path) as archive:
        assert archive.getinfo(export.at).file_size > 2**30
        size, last = 0, b""
        with archive.open(export.at) as opened:
            while chunk := opened.read(2**24):  # reading to the end also checks its checksum
                size, last = size + len(chunk), chunk
        assert (size, last[-1:]) == (archive.getinfo(export.at).file_size, b"]")


def test_a_zip_may_lie_about_sizes_checksums_passwords_and_methods(tmp_path: Path) -> None:
    with zipfile.ZipFile((export := broken("lying_size", tmp_path)).path) as archive:
        assert archive.getinfo(export.at).file_size == 10
        assert archive.getinfo(export.at).compress_size > 50_000
    with zipfile.ZipFile((export := broken("corrupt_entry", tmp_path)).path) as archive:
        assert archive.testzip() == export.at
    with zipfile.ZipFile(broken("encrypted", tmp_path).path) as archive:
        assert all(entry.flag_bits & 1 for entry in archive.infolist())
        with pytest.raises(RuntimeError, match="password"):
            archive.read("channels.json")
    with zipfile.ZipFile((export := broken("unknown_method", tmp_path)).path) as archive:
        with pytest.raises(NotImplementedError):
            archive.read(export.at)
        assert archive.read("channels.json")


def test_one_name_may_stand_twice_and_a_day_may_be_a_link_or_a_pipe(tmp_path: Path) -> None:
    with zipfile.ZipFile((export := broken("twice_packed", tmp_path)).path) as archive:
        assert archive.namelist().count(export.at) == 2
        first, second = [archive.read(entry) for entry in archive.infolist() if entry.filename == export.at]
        assert first != second
    with zipfile.ZipFile((export := broken("packed_link", tmp_path)).path) as archive:
        assert stat.S_ISLNK(archive.getinfo(export.at).external_attr >> 16)
    linked = broken("linked_folder", tmp_path)
    assert (linked.path / linked.at).is_symlink()
    piped = broken("pipe", tmp_path)
    assert (piped.path / piped.at).is_fifo()
