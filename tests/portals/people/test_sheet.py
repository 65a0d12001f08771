"""A sheet goes out safe for any spreadsheet, and comes back whole or with the lines that cannot stand."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portals.ids import GhostNames, MatrixUserId, SlackUserId
from portals.people.links import How, Wanted
from portals.people.sheet import COLUMNS, read, written

NAMES = GhostNames("example.org", "causeway", "slack_{team}_{user}", "slack_{team}_{channel}")
PEOPLE = frozenset(map(SlackUserId, ("U1", "U2", "U3")))
HEAD = "slack_id,name,email,matrix_id,how\n"


def wanted(text: str) -> list[tuple[str, str, int]]:
    found, problems = read(text, PEOPLE, NAMES)
    assert problems == ()
    return [(one.user, one.account, one.line) for one in found]


def problems(text: str) -> list[str]:
    found, told = read(text, PEOPLE, NAMES)
    assert found == ()
    return [str(problem) for problem in told]


@pytest.mark.parametrize(
    "name", ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", "|calc", "%x", "'quoted", "＝1+1", "＠SUM(A1)"]
)
def test_no_cell_is_a_formula(name: str) -> None:
    rows = list(csv.reader(io.StringIO(written([("U1", name, "", "@ada:example.org", "hand")]), newline="")))
    assert tuple(rows[0]) == COLUMNS
    assert rows[1] == ["U1", f"'{name}", "", "'@ada:example.org", "hand"]


@pytest.mark.parametrize("name", ["\t=1", "\r\n=1", " =1", "\0=1"])
def test_nothing_that_is_not_seen_hides_a_formula(name: str) -> None:
    assert written([("U1", name, "", "", "")]).splitlines()[1] == "U1,'=1,,,"


def test_what_goes_out_comes_back() -> None:
    text = written([("U1", 'Ada, "the first"', "a@x.org", "@ada:example.org", "hand"), ("U2", "Bob\nB", "", "", "")])
    found, told = read(text, PEOPLE, NAMES)
    assert told == ()
    assert found == (Wanted(SlackUserId("U1"), MatrixUserId("@ada:example.org"), How.CSV, 2),)


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffslack_id,matrix_id\r\nU1,@ada:example.org\r\n",
        "Slack ID;Name;Matrix ID\nU1;Ada, Countess;@ada:example.org\n",
        "slack_id\tmatrix_id\nU1\t@ada:example.org",
        "matrix_id,slack_id\n'@ada:example.org, U1 \n",
    ],
)
def test_whatever_a_spreadsheet_made_of_it_is_understood(text: str) -> None:
    assert wanted(text) == [("U1", "@ada:example.org", 2)]


def test_blank_and_short_lines_want_nothing() -> None:
    assert wanted(f"\n{HEAD}\nU1,Ada\n,,,,\nU2,,,@b:example.org,\n") == [("U2", "@b:example.org", 6)]


def test_each_line_that_cannot_stand_is_told_and_then_nothing_is_read() -> None:
    rows = ("U1,,,@a:x.org,", "U9,,,@b:x.org,", ",,,@c:x.org,", "alice,,,,", "U2,,,bob,", "U3,,,@causeway:example.org,")
    text = HEAD + "\n".join(rows)
    assert [problem.partition(":")[0] for problem in problems(text)] == [
        "line 3",
        "line 4",
        "line 5",
        "line 6",
        "line 7",
    ]
    told = "\n".join(problems(text))
    for words in (
        "U9 is not known",
        "there is no slack_id",
        "'alice' is not the id",
        "'bob' is not a Matrix user id",
        "bridge's own",
    ):
        assert words in told


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the sheet is empty"),
        ("\n\n", "the sheet is empty"),
        ("slack_id,name\nU1,Ada\n", "line 1: there is no column matrix_id"),
        ("person,account\n", "no column slack_id or matrix_id"),
        (HEAD + 'U1,"Ada,,@ada:example.org,\n', "it is no CSV"),
        ('"a"b,c\n', "it is no CSV"),
    ],
)
def test_what_is_no_sheet_says_so(text: str, words: str) -> None:
    (problem,) = problems(text)
    assert words in problem


@given(st.text())
def test_no_text_raises(text: str) -> None:
    read(text, PEOPLE, NAMES)
    read(HEAD + text, PEOPLE, NAMES)


@given(st.lists(st.text(), min_size=2, max_size=2))
def test_names_never_move_the_columns(names: list[str]) -> None:
    rows = [
        (user, name, "", f"@p{number}:x.org", "")
        for number, (user, name) in enumerate(zip(("U1", "U2"), names, strict=True))
    ]
    found, told = read(written(rows), PEOPLE, NAMES)
    assert told == ()
    assert [(one.user, one.account) for one in found] == [("U1", "@p0:x.org"), ("U2", "@p1:x.org")]
