from __future__ import annotations

import pytest

from bridge.exports.binding import folder_names
from bridge.exports.channel_reading import pins_of
from bridge.exports.shelf import Bound
from bridge.exports.slack_days import by_day
from portals.ids import ChannelId


def channel(channel_id: str, name: str, kind: str = "public") -> Bound:
    return Bound(ChannelId(channel_id), name, kind, "", False)  # type: ignore[arg-type]  # a kind's name


def test_a_channel_lies_under_its_name_and_a_direct_conversation_under_its_id() -> None:
    found = folder_names([channel("C1", "général"), channel("D1", "", "dm"), channel("C2", "mpdm-a--b-1", "group_dm")])
    assert found == {"C1": "général", "D1": "D1", "C2": "mpdm-a--b-1"}


def test_of_two_channels_with_one_name_the_public_one_has_it() -> None:
    found = folder_names([channel("C1", "talk", "private"), channel("C2", "talk"), channel("C3", "Talk", "private")])
    assert found == {"C1": "C1", "C2": "talk", "C3": "C3"}


@pytest.mark.parametrize("name", ["", "..", "a/b", "a\\b", "a:b", ".hidden", "users.json", "a\n", "é" * 101, "c2"])
def test_a_name_that_makes_no_folder_is_not_used(name: str) -> None:
    found = folder_names([channel("C1", name), channel("C2", "other")])
    assert found["C1"] == "C1"  # type: ignore[index]  # ids are text


@pytest.mark.parametrize(
    ("moments", "days"),
    [
        (["1700000000.000100", "1700000001.000000"], ["2023-11-14"]),
        # midnight in Los Angeles is 08:00 in UTC in winter, and 07:00 in summer
        (["1700035199.999999", "1700035200.000000"], ["2023-11-14", "2023-11-15"]),
        (["1689922799.000000", "1689922800.000000"], ["2023-07-20", "2023-07-21"]),
        # the days on which clocks change have 23 and 25 hours
        (["1678608000.000000", "1678690799.000000", "1678690800.000000"], ["2023-03-12", "2023-03-13"]),
        (["1699167600.000000", "1699257599.000000", "1699257600.000000"], ["2023-11-05", "2023-11-06"]),
    ],
)
def test_days_begin_when_it_is_midnight_for_slack(moments: list[str], days: list[str]) -> None:
    cut = [(name, [ts for ts, _ in entries]) for name, entries in by_day((ts, None) for ts in moments)]
    assert [name for name, _ in cut] == [f"{day}.json" for day in days]
    assert [ts for _, entries in cut for ts in entries] == moments


def test_pins_are_written_as_exports_have_them() -> None:
    items = [
        {"type": "message", "created": 20, "created_by": "U1", "message": {"ts": "2.000000", "user": "U2"}},
        {"type": "file", "created": "15", "created_by": "U1", "file": {"id": "F1", "user": "U3"}},
        {"type": "message", "created": 10, "message": {"ts": "1.000000", "bot_id": "B1"}},
        {"type": "message"},
        "nonsense",
    ]
    assert pins_of(items) == [
        {"id": "1.000000", "type": "C", "created": 10},
        {"id": "F1", "type": "F", "created": 15, "user": "U1", "owner": "U3"},
        {"id": "2.000000", "type": "C", "created": 20, "user": "U1", "owner": "U2"},
    ]
