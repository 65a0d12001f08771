"""An archive gives its own files and nothing else, whatever its names, sizes and links say; what it refuses is told."""

from __future__ import annotations

import os
import stat
import struct
import tempfile
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import BadExport
from bridge.exports import names
from bridge.exports.archive import Archive, open_archive
from bridge.exports.limits import LIMITS, Limits, Problems, Unreadable
from tests.bridge.exports.packed import unpacked, zipped

if TYPE_CHECKING:
    from collections.abc import Mapping

MORE = {"a/2024-05-02.json": b"[2]", "a/2024-05-01.json": b"[1]", "a/notes.json": b"[]", "top.json": b"{}"}


def opened(path: Path, limits: Limits = LIMITS) -> tuple[Archive, Problems]:
    problems = Problems()
    return open_archive(path, problems, limits), problems


def contents(archive: Archive) -> dict[str, bytes]:
    found = {}
    for folder in archive.folders():
        for name in (*folder.files, *archive.days(folder.path)):
            path = names.joined(folder.path, name)
            found[path] = b"".join(archive.read(path))
            assert archive.size(path) == len(found[path])
    archive.close()
    return found


@pytest.mark.parametrize("pack", [zipped, unpacked])
@pytest.mark.parametrize("files", [MORE, {}, {"a/b/c/2024-05-01.json": b"[]"}])
def test_a_zip_and_a_folder_give_the_same_files(tmp_path: Path, pack: object, files: Mapping[str, bytes]) -> None:
    target = tmp_path / "export"
    if pack is unpacked:
        target.mkdir()
    archive, problems = opened(pack(target, files))  # type: ignore[operator]
    assert (contents(archive), list(problems)) == (files, [])


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_large_file_comes_in_pieces_and_is_checked(tmp_path: Path, method: int) -> None:
    body = os.urandom(3_000_000) + bytes(2_000_000)
    archive, _ = opened(zipped(tmp_path / "x.zip", {"big.json": body}, method))
    assert b"".join(archive.read("big.json")) == body
    assert max(map(len, archive.read("big.json"))) <= 2**20
    archive.close()


def test_days_are_listed_in_order_and_counted(tmp_path: Path) -> None:
    archive, _ = opened(zipped(tmp_path / "x.zip", MORE))
    assert archive.days("a") == ["2024-05-01.json", "2024-05-02.json"]
    assert [(folder.path, folder.days, folder.size, folder.files) for folder in archive.folders()] == [
        ("", 0, 0, ("top.json",)),
        ("a", 2, 6, ("notes.json",)),
    ]
    archive.close()


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    for target in (zipped(tmp_path / "x.zip", MORE), unpacked(tmp_path / "x", MORE)):
        archive, _ = opened(target)
        for path in ("a/2024-05-03.json", "a/none.json", "top2.json"):
            with pytest.raises(Unreadable):
                list(archive.read(path))
            with pytest.raises(Unreadable):
                archive.size(path)
        archive.close()


def test_a_zip_does_not_give_what_lies_in_no_folder_of_it(tmp_path: Path) -> None:
    archive, _ = opened(zipped(tmp_path / "x.zip", MORE))
    with pytest.raises(Unreadable):
        list(archive.read("b/2024-05-01.json"))
    archive.close()


# --- names


@pytest.mark.parametrize("flagged", [True, False])
@pytest.mark.parametrize("name", ["büro", "日本語", "general"])
def test_names_are_utf_8_whether_the_zip_says_so_or_not(tmp_path: Path, name: str, flagged: bool) -> None:
    target = zipped(tmp_path / "x.zip", {f"{name}/2024-05-01.json": b"[]"})
    if not flagged:
        target.write_bytes(_without_flag(target.read_bytes()))
    archive, _ = opened(target)
    assert list(contents(archive)) == [f"{name}/2024-05-01.json"]


def _without_flag(raw: bytes) -> bytes:
    body = bytearray(raw)
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = body.find(signature)
        while place >= 0:
            body[place + offset : place + offset + 2] = b"\0\0"
            place = body.find(signature, place + 4)
    return bytes(body)


def test_a_name_of_an_old_program_is_read_in_its_code_page(tmp_path: Path) -> None:
    target = zipped(tmp_path / "x.zip", {"b#ro/2024-05-01.json": b"[]"})
    target.write_bytes(target.read_bytes().replace(b"b#ro", b"b\x81ro"))
    archive, _ = opened(target)
    assert list(contents(archive)) == ["büro/2024-05-01.json"]


def test_a_name_in_an_extra_field_is_the_right_one(tmp_path: Path) -> None:
    import zlib

    target = tmp_path / "x.zip"
    with zipfile.ZipFile(target, "w") as archive:
        found = zipfile.ZipInfo("b_ro.json")
        name = "büro.json".encode()
        value = b"\1" + struct.pack("<L", zlib.crc32(b"b_ro.json")) + name
        found.extra = struct.pack("<2H", 0x7075, len(value)) + value
        archive.writestr(found, b"[]")
    assert list(contents(opened(target)[0])) == ["büro.json"]


def test_what_a_desktop_left_behind_is_not_there(tmp_path: Path) -> None:
    files = {"__MACOSX/a/._x.json": b"", "a/.DS_Store": b"", "a/._2024-05-01.json": b"", "Thumbs.db": b"", **MORE}
    for target in (zipped(tmp_path / "x.zip", files), unpacked(tmp_path / "x", files)):
        archive, problems = opened(target)
        assert (contents(archive), list(problems)) == (MORE, [])


@pytest.mark.parametrize(
    "name",
    ["/etc/passwd", "../x.json", "a/../../x.json", "C:\\x.json", "\\\\host\\x.json", "a\\..\\..\\x", "//h/x", ".."],
)
def test_a_name_that_leads_out_is_refused_and_told(tmp_path: Path, name: str) -> None:
    archive, problems = opened(zipped(tmp_path / "x.zip", {name: b"[]", **MORE}))
    assert contents(archive) == MORE
    assert [problem.where for problem in problems] == [name]


def test_backslashes_of_windows_programs_part_folders(tmp_path: Path) -> None:
    archive, _ = opened(zipped(tmp_path / "x.zip", {"a\\2024-05-01.json": b"[]", "b\\": b""}))
    assert list(contents(archive)) == ["a/2024-05-01.json"]


def test_colons_in_a_path_are_nothing_special(tmp_path: Path) -> None:
    files = {"FC:F01:Notes/2024-05-01.json": b"[]"}
    for target in (zipped(tmp_path / "x.zip", files), unpacked(tmp_path / "x", files)):
        assert contents(opened(target)[0]) == files


@given(path=st.text(st.characters(exclude_characters="\0"), min_size=1, max_size=40) | st.text("./\\a:C", min_size=1))
def test_no_name_escapes(path: str) -> None:
    try:
        raw = path.encode()
    except UnicodeEncodeError:
        return
    with tempfile.TemporaryDirectory() as folder:
        inside = Path(folder) / "inside"
        inside.mkdir()
        (Path(folder) / "x").write_bytes(b"outside")
        target = zipped(inside / "x.zip", {raw.decode(): b"[]"})
        archive, _ = opened(target)
        for found, body in contents(archive).items():
            assert body == b"[]"
            assert (inside / found).resolve().is_relative_to(inside.resolve())


def test_names_on_a_disk_that_are_no_text_are_shown_and_read(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path) + b"/export/caf\xe9"
    os.makedirs(folder)
    Path(os.fsdecode(folder + b"/2024-05-01.json")).write_bytes(b"[1]")
    archive, _ = opened(tmp_path / "export")
    assert contents(archive) == {"caf\N{REPLACEMENT CHARACTER}/2024-05-01.json": b"[1]"}


# --- links, devices, depth


def test_links_and_pipes_are_told_and_never_followed(tmp_path: Path) -> None:
    top = unpacked(tmp_path / "x", MORE)
    (tmp_path / "secret").write_bytes(b"secret")
    (top / "a/2024-05-03.json").symlink_to(tmp_path / "secret")
    (top / "loop").symlink_to(top, target_is_directory=True)
    os.mkfifo(top / "a/2024-05-04.json")
    archive, problems = opened(top)
    assert {problem.where for problem in problems} == {"a/2024-05-03.json", "loop", "a/2024-05-04.json"}
    for name in ("a/2024-05-03.json", "a/2024-05-04.json"):
        with pytest.raises(Unreadable):
            list(archive.read(name))


@pytest.mark.parametrize(
    ("kind", "words"), [(stat.S_IFLNK, "a link"), (stat.S_IFCHR, "a device"), (stat.S_IFIFO, "pipe")]
)
def test_a_zip_holds_no_links_and_no_devices(tmp_path: Path, kind: int, words: str) -> None:
    target = zipped(tmp_path / "x.zip", MORE)
    with zipfile.ZipFile(target, "a") as archive:
        trap = zipfile.ZipInfo("a/2024-05-03.json")
        trap.create_system, trap.external_attr = 3, (kind | 0o777) << 16
        archive.writestr(trap, "/etc/passwd")
    found, problems = opened(target)
    assert contents(found) == MORE
    ((where, what),) = [(problem.where, problem.what) for problem in problems]
    assert (where, words in what) == ("a/2024-05-03.json", True)


def test_what_lies_too_deep_is_told(tmp_path: Path) -> None:
    files = {"/".join("a" * 30) + "/2024-05-01.json": b"[]", **MORE}
    for target in (zipped(tmp_path / "x.zip", files), unpacked(tmp_path / "x", files)):
        archive, problems = opened(target)
        assert contents(archive) == MORE
        assert [problem.what for problem in problems] == ["lies deeper than an export can: it is not read"]


def test_a_folder_that_may_not_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    top = unpacked(tmp_path / "x", MORE)
    scan = os.scandir

    def refused(path: str) -> object:
        if path.endswith("/a"):
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", refused)
    archive, problems = opened(top)
    assert [(one.where, one.what) for one in problems] == [("a", "cannot be read: Permission denied")]
    assert [folder.days for folder in archive.folders()] == [0, 0]


def test_a_folder_that_went_away_is_told(tmp_path: Path) -> None:
    top = unpacked(tmp_path / "x", {"a/2024-05-01.json": b"[]"})
    archive, _ = opened(top)
    (top / "a/2024-05-01.json").unlink()
    (top / "a").rmdir()
    with pytest.raises(Unreadable):
        archive.days("a")


# --- sizes

SMALL = replace(LIMITS, ratio_from=1000, one_file=50_000)


@pytest.mark.parametrize(
    ("body", "words"),
    [(bytes(40_000), "times its room unpacked"), (os.urandom(60_000), "more than an export can hold")],
)
def test_a_file_that_blows_up_is_told_and_not_unpacked(tmp_path: Path, body: bytes, words: str) -> None:
    archive, problems = opened(zipped(tmp_path / "x.zip", {"a/2024-05-03.json": body, **MORE}), SMALL)
    assert contents(archive) == MORE
    assert [(problem.where, words in problem.what) for problem in problems] == [("a/2024-05-03.json", True)]


def test_a_folder_is_not_read_without_end(tmp_path: Path) -> None:
    archive, _ = opened(unpacked(tmp_path / "x", {"a/2024-05-01.json": bytes(60_000)}), SMALL)
    with pytest.raises(Unreadable, match="more than an export can hold"):
        list(archive.read("a/2024-05-01.json"))


def test_a_file_that_is_larger_than_it_says_is_cut_off(tmp_path: Path) -> None:
    target = zipped(tmp_path / "x.zip", {"a/2024-05-01.json": bytes(5_000_000)})
    raw = bytearray(target.read_bytes())
    central = raw.rindex(b"PK\x01\x02")
    raw[central + 24 : central + 28] = struct.pack("<L", 10)
    target.write_bytes(raw)
    archive, _ = opened(target)
    seen = 0
    with pytest.raises(Unreadable):  # noqa: PT012  how much came before it was refused is the point
        for piece in archive.read("a/2024-05-01.json"):
            seen += len(piece)
    assert seen <= 10
    archive.close()


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (replace(LIMITS, all_files=5), "made to fill disks"),
        (replace(LIMITS, entries=3), "made to fill disks"),
        (replace(LIMITS, other_files=1), "no days of channels"),
    ],
)
def test_a_zip_that_was_made_to_do_harm_is_refused(tmp_path: Path, limits: Limits, words: str) -> None:
    with pytest.raises(BadExport, match=words):
        opened(zipped(tmp_path / "x.zip", MORE), limits)


def test_a_zip_whose_files_overlap_is_refused(tmp_path: Path) -> None:
    body = os.urandom(2000)
    target = zipped(tmp_path / "x.zip", {f"a/2024-05-{day:02d}.json": body for day in range(1, 9)}, zipfile.ZIP_STORED)
    raw = bytearray(target.read_bytes())
    place = raw.find(b"PK\x01\x02")
    while place >= 0:
        raw[place + 42 : place + 46] = struct.pack("<L", 0)
        raw[place + 20 : place + 28] = struct.pack("<2L", 4000, 4000)
        place = raw.find(b"PK\x01\x02", place + 4)
    target.write_bytes(raw)
    with pytest.raises(BadExport, match="made to fill disks"):
        opened(target)


# --- damage


def test_a_changed_byte_is_noticed(tmp_path: Path) -> None:
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        body = os.urandom(500)
        target = zipped(tmp_path / f"{method}.zip", {"a.json": body}, method)
        raw = bytearray(target.read_bytes())
        raw[200] ^= 0x55
        target.write_bytes(raw)
        archive, _ = opened(target)
        with pytest.raises(Unreadable, match="damaged in the zip"):
            list(archive.read("a.json"))
        archive.close()


def test_the_last_of_two_files_of_one_name_is_read(tmp_path: Path) -> None:
    target = zipped(tmp_path / "x.zip", {"a/2024-05-01.json": b"[1]", "a/2024-05-0X.json": b"[22]"})
    target.write_bytes(target.read_bytes().replace(b"0X.json", b"01.json"))
    archive, problems = opened(target)
    assert contents(archive) == {"a/2024-05-01.json": b"[22]"}
    assert [problem.where for problem in problems] == ["a/2024-05-01.json"]


@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
def test_a_zip_that_is_cut_off_says_so(tmp_path: Path, share: float) -> None:
    target = zipped(tmp_path / "x.zip", {f"a/2024-05-{day:02d}.json": os.urandom(100) for day in range(1, 29)})
    os.truncate(target, int(target.stat().st_size * share))
    with pytest.raises(BadExport, match="cut off or still being written: download or copy it again"):
        opened(target)


def test_a_zip_with_a_password_says_what_to_do(tmp_path: Path) -> None:
    target = zipped(tmp_path / "x.zip", MORE)
    raw = bytearray(target.read_bytes())
    raw[raw.find(b"PK\x01\x02") + 8] |= 1
    target.write_bytes(raw)
    with pytest.raises(BadExport, match="protected by a password: unpack it"):
        opened(target)


def test_a_part_of_a_split_zip_says_what_to_do(tmp_path: Path) -> None:
    target = zipped(tmp_path / "x.zip", MORE)
    raw = bytearray(target.read_bytes())
    raw[raw.rfind(b"PK\x05\x06") + 4] = 2
    target.write_bytes(raw)
    with pytest.raises(BadExport, match="split: join the parts"):
        opened(target)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "it is empty"),
        (b"Rar!\x1a\x07", "a RAR archive"),
        (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
        (b"<!DOCTYPE html>", "a web page"),
        (b"hello", "no zip"),
        (b"PK\3\4hello", "cut off"),
        (b"PK\5\6" + bytes(18), None),
    ],
)
def test_a_file_that_is_no_zip_says_what_to_do(tmp_path: Path, raw: bytes, words: str | None) -> None:
    target = tmp_path / "x.zip"
    target.write_bytes(raw)
    if words is None:
        assert contents(opened(target)[0]) == {}
        return
    with pytest.raises(BadExport, match=words):
        opened(target)


def test_what_is_neither_file_nor_folder_says_so(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BadExport, match="neither a file nor a folder"):
        opened(tmp_path / "pipe")


def test_a_zip_of_the_large_kind_is_read(tmp_path: Path) -> None:
    target = tmp_path / "x.zip"
    with zipfile.ZipFile(target, "w") as archive:
        for number in range(66_000):
            archive.writestr(f"{number % 100}/{2000 + number // 100}-01-01.json", b"")
        with archive.open("big.json", "w", force_zip64=True) as stream:
            stream.write(b"[]")
    found, problems = opened(target)
    assert sum(folder.days for folder in found.folders()) == 66_000
    assert (b"".join(found.read("big.json")), list(problems)) == (b"[]", [])
    found.close()


@given(st.binary(max_size=100), st.integers(0, 400), st.binary(min_size=1, max_size=8))
def test_no_bytes_in_a_zip_raise_anything_else(before: bytes, place: int, changed: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        target = zipped(Path(folder) / "x.zip", MORE)
        raw = bytearray(target.read_bytes())
        raw[place : place + len(changed)] = changed
        target.write_bytes(b"PK" + before + bytes(raw) if place % 5 == 0 else bytes(raw))
        try:
            archive, _ = opened(target)
        except BadExport:
            return
        for one in archive.folders():
            for name in (*one.files, *archive.days(one.path)):
                try:
                    list(archive.read(names.joined(one.path, name)))
                except Unreadable as refused:
                    assert refused.what  # noqa: PT017  anything else would fail
        archive.close()
