"""Whatever a list of channels or a day file holds, what can be used of it is, and the rest is told with its place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portals.history.export import (
    Problem,
    channel_of,
    channel_told_by,
    files_in,
    is_channel_id,
    moment,
    records_of,
    unlisted_channel,
    whole_seconds,
)
from portals.ids import ChannelId
from tests.portals.foreign import JSON

ENTRY = {
    "id": "C0GENERAL",
    "name": "general",
    "created": "1433558319",
    "creator": "U1",
    "is_archived": True,
    "is_general": True,
    "members": ["U1", "U2", "U1"],
    "pins": [{"id": "1444755381.000003", "created": 30}, {"id": "1444755382.000003", "created": "20"}],
    "topic": {"value": "Everything", "creator": "", "last_set": 0},
    "purpose": {"value": "To talk"},
    "context_team_id": "T1",
}


def test_an_entry_tells_everything_about_its_channel() -> None:
    channel, problems = channel_of(ENTRY, "public", "channels.json[0]")
    assert channel is not None
    assert (channel.id, channel.name, channel.kind, channel.team) == ("C0GENERAL", "general", "public", "T1")
    assert (channel.topic, channel.purpose, channel.members) == ("Everything", "To talk", ("U1", "U2"))
    assert (channel.archived, channel.general, channel.created, channel.creator) == (True, True, 1433558319, "U1")
    assert problems == []


def test_pins_are_in_the_order_in_which_they_were_set() -> None:
    channel, _ = channel_of(ENTRY, "public", "x")
    assert channel is not None
    assert channel.pins == ("1444755382.000003", "1444755381.000003")


@pytest.mark.parametrize(
    ("listed_in", "flags", "kind"),
    [
        ("public", {}, "public"),
        ("public", {"is_private": True}, "private"),
        ("private", {}, "private"),
        ("private", {"is_mpim": True, "is_private": True}, "group_dm"),
        ("group_dm", {"is_private": True}, "group_dm"),
        ("dm", {}, "dm"),
        ("public", {"is_im": True}, "dm"),
        ("public", {"is_private": "yes"}, "public"),
    ],
)
def test_the_kind_is_that_of_the_list_unless_flags_say_otherwise(listed_in: str, flags: object, kind: str) -> None:
    channel, _ = channel_of({"id": "C01", **dict(flags)}, listed_in, "x")  # type: ignore[call-overload,arg-type]
    assert channel is not None
    assert channel.kind == kind


def test_a_direct_conversation_is_named_by_its_id() -> None:
    channel, problems = channel_of({"id": "D01", "created": 5, "members": ["U1", "U2"]}, "dm", "dms.json[0]")
    assert channel is not None
    assert (channel.name, channel.team, channel.creator, problems) == ("D01", "", "", [])


@pytest.mark.parametrize(
    ("entry", "what"),
    [
        ("", "a text stands where a channel should be"),
        (None, "nothing stands where a channel should be"),
        ({"name": "nameless"}, "a channel without an id: it is left out"),
        ({"id": "no id!"}, "a channel without an id: it is left out"),
    ],
)
def test_what_is_no_channel_is_told(entry: object, what: str) -> None:
    assert channel_of(entry, "public", "channels.json[3]") == (None, [Problem("channels.json[3]", what)])


def test_what_of_an_entry_cannot_be_used_is_told_and_the_rest_stays() -> None:
    entry = {"id": "C01", "members": ["U1", 5, "not a person!"], "pins": [{"id": "x"}, "y"], "team_id": "?"}
    channel, problems = channel_of(entry, "public", "l[0]")
    assert channel is not None
    assert (channel.members, channel.pins, channel.team) == (("U1",), (), "")
    assert [problem.where for problem in problems] == [
        "l[0].members[1]",
        "l[0].members[2]",
        "l[0].pins[0]",
        "l[0].pins[1]",
    ]


def test_a_text_in_place_of_a_list_is_told() -> None:
    _, problems = channel_of({"id": "C01", "members": "everyone"}, "public", "l[0]")
    assert problems == [Problem("l[0].members", "a text stands where a list should be")]


@given(JSON, st.sampled_from(["public", "private", "dm", "group_dm"]))
def test_no_entry_raises(entry: object, kind: str) -> None:
    channel_of(entry, kind, "x")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (5, 5),
        ("5", 5),
        ("5.9", 5),
        (5.9, 5),
        (True, 0),
        (-1, 0),
        ("٣", 0),
        ("", 0),
        ("9" * 13, 0),
        (2.0**80, 0),
        ([], 0),
    ],
)
def test_a_time_is_read_as_a_number_or_as_digits(value: object, seconds: int) -> None:
    assert whole_seconds(value) == seconds


# --- channels without an entry


@pytest.mark.parametrize(
    ("channel", "name", "kind"),
    [
        ("D01", "D01", "dm"),
        ("C01", "mpdm-a--b-1", "group_dm"),
        ("C01", "general", "private"),
        ("G01", "G01", "private"),
    ],
)
def test_a_channel_that_no_list_has_is_never_public(channel: str, name: str, kind: str) -> None:
    found = unlisted_channel(ChannelId(channel), name, name)
    assert (found.kind, found.listed, found.folder) == (kind, False, name)


def test_records_tell_their_channel_where_they_agree() -> None:
    assert channel_told_by([{"channel": "C01"}, {"text": "x"}, {"channel": "C01"}]) == "C01"
    assert channel_told_by([{"channel": "C01"}, {"channel": "C02"}]) is None
    assert channel_told_by([{"channel": "general"}, {"channel": 5}]) is None


@pytest.mark.parametrize(
    ("name", "is_id"),
    [("C01AB", True), ("G01AB", True), ("D01AB", True), ("c01ab", False), ("U01AB", False), ("", False)],
)
def test_a_folder_may_be_named_by_an_id(name: str, is_id: bool) -> None:
    assert is_channel_id(name) is is_id


# --- days


def test_records_come_in_the_order_of_their_time() -> None:
    values = [{"ts": "1700000000.000200"}, {"ts": "900000000.000001"}, {"ts": "1700000000.000100"}]
    records, problems = records_of(values, "d.json")
    assert [record["ts"] for record in records] == ["900000000.000001", "1700000000.000100", "1700000000.000200"]
    assert problems == []


def test_records_that_are_in_order_stay_as_they_are() -> None:
    values = [{"ts": "999999999.000001"}, {"ts": "1000000000.000001"}, {"ts": "1000000000.00001"}]
    assert records_of(values, "d.json") == (values, [])


def test_a_record_without_a_time_keeps_its_place_behind_the_one_before() -> None:
    values = [{"ts": "3.0", "n": 1}, {"n": 2}, {"ts": "1.0", "n": 3}, {"ts": 5, "n": 4}]
    records, problems = records_of(values, "d.json", 10)
    assert [record["n"] for record in records] == [3, 4, 1, 2]
    assert [problem.where for problem in problems] == ["d.json[11]", "d.json[13]"]


def test_a_record_without_a_time_may_be_the_first() -> None:
    records, _ = records_of([{"n": 1}, {"ts": "1.0", "n": 2}], "d.json")
    assert [record["n"] for record in records] == [1, 2]


@pytest.mark.parametrize(
    ("value", "kind"),
    [("", "a text"), (None, "nothing"), (7, "a number"), (1.5, "a number"), (True, "a truth value"), ([], "a list")],
)
def test_what_is_no_record_is_told_with_its_index(value: object, kind: str) -> None:
    records, problems = records_of([{"ts": "1.0"}, value], "d.json", 4)
    assert records == [{"ts": "1.0"}]
    assert problems == [Problem("d.json[5]", f"{kind} stands where a message should be")]


def test_messages_that_are_there_twice_are_told_and_not_taken_away() -> None:
    values = [{"ts": "1.0"}, {"ts": "2.0"}, {"ts": "1.0"}]
    records, problems = records_of(values, "d.json")
    assert len(records) == 3
    assert problems == [Problem("d.json", "1 of its messages have the time stamp of another one")]


@given(st.lists(JSON))
def test_every_object_of_a_day_is_a_record_and_everything_else_is_told(values: list[object]) -> None:
    records, problems = records_of(values, "d.json")
    untold = [value for value in values if not isinstance(value, dict)]
    assert len(records) == len(values) - len(untold)
    assert len(problems) >= len(untold)


@given(st.lists(st.from_regex(r"[0-9]{1,12}\.[0-9]{1,9}", fullmatch=True)))
def test_a_day_is_in_order_however_many_digits_its_times_have(times: list[str]) -> None:
    records, _ = records_of([{"ts": ts} for ts in times], "d.json")
    moments = [moment(record["ts"]) for record in records]
    assert moments == sorted(moments)


def test_times_of_one_length_are_put_in_their_order_wherever_their_point_stands() -> None:
    usual = ["1700000002.000100", "1700000003.000100", "1700000001.000100"]
    records, _ = records_of([{"ts": ts} for ts in usual], "d.json")
    assert [record["ts"] for record in records] == sorted(usual)
    records, _ = records_of([{"ts": ts} for ts in ("000002.0000000", "0001.000000000")], "d.json")
    assert [record["ts"] for record in records] == ["0001.000000000", "000002.0000000"]


# --- files of a record


def test_a_record_has_the_files_of_both_ages_each_once() -> None:
    record = {"files": [{"id": "F1"}, {"id": "F2"}, "x"], "file": {"id": "F1", "old": True}}
    assert files_in(record) == ({"id": "F1"}, {"id": "F2"})
    assert files_in({"file": {"id": "F3"}}) == ({"id": "F3"},)
    assert files_in({"text": "x"}) == ()
    assert files_in({"files": "x", "file": 7}) == ()
    assert len(files_in({"files": [{"mode": "tombstone"}, {"mode": "tombstone"}]})) == 2
