"""An export is read day by day: nothing of it is held, nothing that is wrong stops it, and everything wrong is told."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import orjson
import pytest

from bridge.errors import BadExport
from bridge.exports.export import open_export
from bridge.exports.limits import LIMITS, Problems
from portals.history.export import Problem
from tests.bridge.exports.packed import (
    an_export,
    days_of,
    entry,
    problems_in,
    said,
    times_in,
    times_of,
    unpacked,
    zipped,
)

if TYPE_CHECKING:
    from pathlib import Path

T1, T2, T3 = "1714550400.000100", "1714636800.000100", "1714636800.000200"


def test_days_come_in_order_with_their_place(tmp_path: Path) -> None:
    with open_export(zipped(tmp_path / "x.zip", an_export())) as export:
        days = days_of(export, "C0GENERAL")
        (channel,) = export.channels
        assert [day.path for day in days] == ["general/2024-05-01.json", "general/2024-05-02.json"]
        assert times_of(days) == [T1, T2, T3]
        assert export.measure(channel) == (2, sum(len(orjson.dumps(day.records)) for day in days))
        assert export.problems == []


def test_what_is_wrong_with_a_day_stands_in_it_and_in_the_export_once(tmp_path: Path) -> None:
    files = an_export() | {"general/2024-05-01.json": [*said(T1), "", {"text": "when?"}]}
    with open_export(zipped(tmp_path / "x.zip", files)) as export:
        for _ in range(2):
            first = days_of(export, "C0GENERAL")[0]
            assert [problem.where for problem in first.problems] == [f"{first.path}[1]", f"{first.path}[2]"]
            assert len(first.records) == 2
        assert export.problems == first.problems


@pytest.mark.parametrize("body", [b"", b"not json", b'[{"ts": "1.0"}, {"ts', b"{}", b"\xff\xfe\xff"])
def test_a_day_that_cannot_be_read_is_told_and_the_others_are_read(tmp_path: Path, body: bytes) -> None:
    target = zipped(tmp_path / "x.zip", an_export() | {"general/2024-05-01.json": body})
    assert times_in(target) == {"C0GENERAL": [T2, T3]}
    assert list(problems_in(target)) == ["general/2024-05-01.json"]


def test_a_long_day_comes_in_parts_of_one_place(tmp_path: Path) -> None:
    times = [f"17145504{number:02d}.000100" for number in range(60)]
    target = zipped(tmp_path / "x.zip", an_export() | {"general/2024-05-01.json": [*said(*times), "odd"]})
    with open_export(target, replace(LIMITS, at_once=1000)) as export:
        days = days_of(export, "C0GENERAL")
        assert len(days) > 5
        assert {day.path for day in days[:-1]} == {"general/2024-05-01.json"}
        assert times_of(days) == [*times, T2, T3]
        assert export.problems == [Problem("general/2024-05-01.json[60]", "a text stands where a message should be")]


def test_days_that_are_out_of_order_are_told(tmp_path: Path) -> None:
    files = an_export() | {"general/2024-04-30.json": said("1714999999.000100")}
    target = zipped(tmp_path / "x.zip", files)
    assert times_in(target) == {"C0GENERAL": ["1714999999.000100", T1, T2, T3]}
    assert [place for place, what in problems_in(target).items() if "out of order" in what] == [
        "general/2024-05-01.json",
        "general/2024-05-02.json",
    ]


def test_days_of_one_date_in_two_folders_stay_apart_where_they_are_long(tmp_path: Path) -> None:
    files: dict[str, object] = {}
    for team, ts in (("One", T2), ("Two", T1)):
        files[f"teams/{team}/channels.json"] = [entry("C0SHARED", "shared")]
        files[f"teams/{team}/shared/2024-05-01.json"] = said(ts)
    target = zipped(tmp_path / "x.zip", files)
    assert times_in(target, replace(LIMITS, at_once=10)) == {"C0SHARED": [T2, T1]}


def test_people_are_there_once_and_nobody_stops_the_others(tmp_path: Path) -> None:
    people = [{"id": "U0ANN"}, "", {"name": "nobody"}, {"id": "U0ANN"}, {"id": "U0BEN"}]
    target = zipped(tmp_path / "x.zip", an_export() | {"users.json": people, "org_users.json": [{"id": "U0CAT"}]})
    with open_export(target) as export:
        assert [user["id"] for user in export.users()] == ["U0ANN", "U0BEN", "U0CAT"]
        assert [problem.where for problem in export.problems] == ["users.json[1]", "users.json[2]"]


def test_an_export_without_a_list_of_people_says_so(tmp_path: Path) -> None:
    files = {path: value for path, value in an_export().items() if path != "users.json"}
    assert "has no users.json" in problems_in(zipped(tmp_path / "x.zip", files))["."]


def test_workspaces_are_told_by_people_else_by_messages(tmp_path: Path) -> None:
    people = [{"id": f"U0{number}", "team_id": "T01" if number else "T02"} for number in range(3)]
    with open_export(zipped(tmp_path / "x.zip", an_export() | {"users.json": people})) as export:
        assert export.team_ids() == ("T01", "T02")
        assert [channel.team for channel in export.channels] == ["T01"]
    files = an_export() | {"users.json": [], "general/2024-05-01.json": said(T1, team="T03")}
    with open_export(zipped(tmp_path / "y.zip", files)) as export:
        assert export.team_ids() == ("T03",)
        assert [channel.team for channel in export.channels] == ["T03"]
    with open_export(zipped(tmp_path / "z.zip", an_export() | {"users.json": []})) as export:
        assert export.team_ids() == ()


@pytest.mark.parametrize(
    ("listed", "found"),
    [
        ({"emoji": {"logo": "https://x/y.png", "odd": 5}}, {"logo": "https://x/y.png"}),
        ({"logo": "https://x/y.png"}, {"logo": "https://x/y.png"}),
        ([{"name": "logo", "url": "https://x/y.png"}, {"url": "nameless"}], {"logo": "https://x/y.png"}),
        ("nothing", {}),
        (b"{", {}),
        (None, {}),
    ],
)
def test_custom_emoji_are_read_in_every_form(tmp_path: Path, listed: object, found: dict[str, str]) -> None:
    more = {} if listed is None else {"emoji.json": listed}
    with open_export(zipped(tmp_path / "x.zip", an_export() | more)) as export:
        assert export.emoji() == found
        assert [problem.where for problem in export.problems] == (["emoji.json"] if listed == b"{" else [])


def test_files_that_are_not_used_are_told_and_strings_in_them_harm_nobody(tmp_path: Path) -> None:
    target = zipped(tmp_path / "x.zip", an_export() | {"lists.json": [""], "canvases.json": [], "SOURCE.txt": b"x"})
    with open_export(target) as export:
        assert list(export.unread()) == [("canvases.json", 2), ("lists.json", 4)]
        assert export.problems == []


def test_a_list_of_channels_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    files = an_export() | {"groups.json": b"[", "dms.json": [""]}
    assert problems_in(zipped(tmp_path / "x.zip", files)).keys() == {"groups.json", "dms.json[0]"}


def test_a_folder_that_goes_away_while_it_is_read_is_told(tmp_path: Path) -> None:
    top = unpacked(tmp_path / "x", an_export())
    with open_export(top) as export:
        for path in (top / "general").iterdir():
            path.unlink()
        (top / "general").rmdir()
        assert days_of(export, "C0GENERAL") == []
        assert [problem.where for problem in export.problems] == ["general"]


def test_an_error_names_the_archive(tmp_path: Path) -> None:
    with pytest.raises(BadExport, match=r"nothing\.zip cannot be used: it holds no export"):
        open_export(zipped(tmp_path / "nothing.zip", {}))
    with pytest.raises(BadExport, match=r"gone\.zip is neither a file nor a folder"):
        open_export(tmp_path / "gone.zip")


def test_problems_are_bounded_and_the_rest_is_counted() -> None:
    problems = Problems(most=2)
    for where in ("a", "b", "a", "c", "d"):
        problems.add(where, "is wrong")
    assert ([problem.where for problem in problems], problems.left_out, len(problems)) == (["a", "b"], 2, 2)


def test_the_number_of_problems_that_are_not_listed_is_told(tmp_path: Path) -> None:
    files = an_export() | {"general/2024-05-01.json": [""] * 10_005}
    with open_export(zipped(tmp_path / "x.zip", files)) as export:
        days_of(export, "C0GENERAL")
        assert len(export.problems) == 10_001
        assert export.problems[-1] == Problem(".", "5 more problems, which are not listed")
