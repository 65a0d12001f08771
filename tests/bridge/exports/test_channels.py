"""Which channels an export has and whose the days in its folders are, however it was packed and whatever is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.errors import BadExport
from bridge.exports.export import open_export
from tests.bridge.exports.packed import USERS, an_export, entry, problems_in, said, times_in, unpacked, zipped

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

T1, T2, T3 = "1714550400.000100", "1714636800.000100", "1714723200.000100"
DAY = "2024-05-01.json"
GOOD = {"C0GENERAL": [T1, T2, "1714636800.000200"]}


@pytest.mark.parametrize("pack", [zipped, unpacked])
@pytest.mark.parametrize("around", ["", "Export/", "a/b/c/", "my export (1)/"])
def test_an_export_is_found_however_deep_it_was_packed(
    tmp_path: Path, pack: Callable[[Path, Mapping[str, object]], Path], around: str
) -> None:
    files = {f"{around}{path}": value for path, value in an_export().items()}
    files["__MACOSX/._x"] = b""
    assert times_in(pack(tmp_path / "x", files)) == GOOD


def test_an_organisations_workspaces_lie_below_teams(tmp_path: Path) -> None:
    files: dict[str, object] = {
        "channels.json": [entry("C0ALL", "general")],
        "mpims.json": [entry("C0GROUP", "mpdm-a--b-1")],
        "org_users.json": USERS,
        f"general/{DAY}": said(T1),
        f"mpdm-a--b-1/{DAY}": said(T1),
    }
    for team in ("One", "Two"):
        files[f"teams/{team}/channels.json"] = [entry(f"C0{team.upper()}", "general")]
        files[f"teams/{team}/users.json"] = [{"id": "U0ANN", "team_id": f"T0{team.upper()}"}]
        files[f"teams/{team}/general/{DAY}"] = said(T2)
    target = zipped(tmp_path / "x.zip", files)
    assert times_in(target) == {"C0ALL": [T1], "C0GROUP": [T1], "C0ONE": [T2], "C0TWO": [T2]}
    with open_export(target) as export:
        told = {str(channel.id): (channel.team, channel.folder) for channel in export.channels}
    assert told["C0ONE"] == ("T0ONE", "teams/One/general")
    assert told["C0ALL"] == ("", "general")


def test_only_teams_may_be_there(tmp_path: Path) -> None:
    files = {f"teams/One/{path}": value for path, value in an_export().items()}
    assert times_in(zipped(tmp_path / "x.zip", files)) == GOOD


def test_a_channel_may_be_named_teams(tmp_path: Path) -> None:
    files = an_export() | {"channels.json": [entry("C0TEAMS", "teams")], f"teams/{DAY}": said(T3)}
    assert times_in(zipped(tmp_path / "x.zip", files))["C0TEAMS"] == [T3]


def test_a_channel_of_an_organisation_may_have_its_days_in_a_workspace(tmp_path: Path) -> None:
    files: dict[str, object] = {
        "channels.json": [entry("C0ALL", "everybody")],
        "teams/One/channels.json": [],
        f"teams/One/everybody/{DAY}": said(T1),
    }
    assert times_in(zipped(tmp_path / "x.zip", files)) == {"C0ALL": [T1]}


def test_the_days_of_a_channel_that_two_workspaces_have_come_together(tmp_path: Path) -> None:
    files: dict[str, object] = {}
    for team, ts in (("One", T2), ("Two", T1)):
        files[f"teams/{team}/channels.json"] = [entry("C0SHARED", "shared")]
        files[f"teams/{team}/shared/{DAY}"] = said(ts)
    files["teams/Two/shared/2024-05-03.json"] = said(T3)
    target = zipped(tmp_path / "x.zip", files)
    assert times_in(target) == {"C0SHARED": [T1, T2, T3]}
    with open_export(target) as export:
        (channel,) = export.channels
        assert export.measure(channel)[0] == 3
        assert next(export.days(channel)).path == f"teams/One/shared/{DAY} + teams/Two/shared/{DAY}"


def test_a_folder_bears_the_name_or_the_id(tmp_path: Path) -> None:
    files = an_export() | {
        "dms.json": [entry("D0DIRECT", members=["U0ANN", "U0BEN"])],
        "groups.json": [entry("G0SECRET", "secret")],
        f"D0DIRECT/{DAY}": said(T1),
        f"G0SECRET/{DAY}": said(T2),
    }
    found = times_in(zipped(tmp_path / "x.zip", files))
    assert (found["D0DIRECT"], found["G0SECRET"]) == ([T1], [T2])


@pytest.mark.parametrize(
    "folder", ["büro", "bu\u0308ro", "büro".encode().decode("cp437"), "büro".encode().decode("cp1252")]
)
def test_a_name_is_known_however_it_was_spelled_by_who_unpacked_it(tmp_path: Path, folder: str) -> None:
    files = {"channels.json": [entry("C0BURO", "büro")], "users.json": USERS, f"{folder}/{DAY}": said(T1)}
    assert times_in(unpacked(tmp_path / "x", files)) == {"C0BURO": [T1]}


def test_two_channels_of_one_name_are_both_there_and_the_days_are_private(tmp_path: Path) -> None:
    files = an_export() | {"groups.json": [entry("G0TWIN", "general")]}
    target = zipped(tmp_path / "x.zip", files)
    assert times_in(target) == {"C0GENERAL": [], "G0TWIN": GOOD["C0GENERAL"]}
    assert "all are given to G0TWIN (private)" in problems_in(target)["general"]


def test_two_channels_of_one_name_are_told_apart_by_an_id(tmp_path: Path) -> None:
    files = an_export() | {"groups.json": [entry("G0TWIN", "general")], f"G0TWIN/{DAY}": said(T3)}
    found = times_in(zipped(tmp_path / "x.zip", files))
    assert T3 in found["G0TWIN"]


def test_a_folder_that_no_list_has_is_a_channel_where_its_name_or_its_records_tell_the_id(tmp_path: Path) -> None:
    files = an_export() | {f"D0LOST/{DAY}": said(T1), f"old-name/{DAY}": said(T2, channel="C0FOUND")}
    target = zipped(tmp_path / "x.zip", files)
    found = times_in(target)
    assert (found["D0LOST"], found["C0FOUND"]) == ([T1], [T2])
    with open_export(target) as export:
        kinds = {str(channel.id): (channel.kind, channel.listed) for channel in export.channels}
    assert (kinds["D0LOST"], kinds["C0FOUND"]) == (("dm", False), ("private", False))
    assert {"D0LOST", "old-name"} <= problems_in(target).keys()


def test_a_folder_whose_records_name_a_known_channel_is_that_channels(tmp_path: Path) -> None:
    files = an_export() | {f"before-renaming/{DAY}": said("1714550300.000100", channel="C0GENERAL")}
    assert times_in(zipped(tmp_path / "x.zip", files)) == {"C0GENERAL": ["1714550300.000100", *GOOD["C0GENERAL"]]}


def test_a_folder_that_tells_no_channel_is_left_out_and_told(tmp_path: Path) -> None:
    files = an_export() | {f"nobodys/{DAY}": said(T1), f"FC:F01:Notes/{DAY}": said(T1)}
    target = zipped(tmp_path / "x.zip", files)
    assert times_in(target) == GOOD
    problems = problems_in(target)
    assert "the messages of 1 day files are left out" in problems["nobodys"]
    assert "beside a canvas or another file" in problems["FC:F01:Notes"]


def test_days_that_lie_where_no_channel_can_be_are_told(tmp_path: Path) -> None:
    files = an_export() | {DAY: said(T1), f"general/deeper/{DAY}": said(T1), "general/2024-05-01 (1).json": said(T1)}
    problems = problems_in(zipped(tmp_path / "x.zip", files))
    assert "where no channel's folder can be" in problems["general/deeper"]
    assert "beside the lists of channels" in problems["."]
    assert "named almost like a day" in problems["general/2024-05-01 (1).json"]


def test_a_file_in_a_channels_folder_that_is_no_day_holds_no_messages(tmp_path: Path) -> None:
    files = an_export() | {"general/canvas_in_the_conversation.json": said(T3), "general/notes.txt": b"x"}
    target = zipped(tmp_path / "x.zip", files)
    assert (times_in(target), problems_in(target)) == (GOOD, {})


def test_a_channel_that_is_listed_twice_is_there_once(tmp_path: Path) -> None:
    files = an_export() | {
        "channels.json": [entry("C0GENERAL", "general"), entry("C0GENERAL", "again")],
        "groups.json": [entry("C0GENERAL", "general")],
    }
    target = zipped(tmp_path / "x.zip", files)
    assert times_in(target) == GOOD
    problems = problems_in(target)
    assert "is listed before already" in problems["channels.json[1]"]
    with open_export(target) as export:
        assert [channel.kind for channel in export.channels] == ["private"]


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"readme.txt": b"x"}, "holds no export of Slack"),
        ({"a/x.txt": b"x", "b/y.txt": b"y"}, "holds no export of Slack"),
        ({"export.zip": b"PK"}, "another zip: unpack it and name export.zip"),
        (
            {"one/channels.json": [], "two/channels.json": []},
            "several folders that may be exports: name one of one, two",
        ),
        ({f"general/{DAY}": said(T1)}, "put channels.json back"),
    ],
)
def test_what_is_no_export_says_what_to_do(tmp_path: Path, files: Mapping[str, object], words: str) -> None:
    with pytest.raises(BadExport, match=words.replace("(", "\\(")):
        open_export(zipped(tmp_path / "x.zip", files))


def test_a_zip_beside_the_lists_is_told(tmp_path: Path) -> None:
    assert "unpack it" in problems_in(zipped(tmp_path / "x.zip", an_export() | {"more.zip": b"PK"}))["more.zip"]


def test_an_export_without_any_channel_is_an_export(tmp_path: Path) -> None:
    assert times_in(zipped(tmp_path / "x.zip", {"channels.json": [], "users.json": []})) == {}
