"""What is selected is asked of one value, by the plan and by the import."""

from __future__ import annotations

import pytest

from portals.history.export import ExportedChannel
from portals.history.selection import Selection
from portals.ids import ChannelId, Ts

CHANNEL = ExportedChannel(ChannelId("C01"), "general", "public")


@pytest.mark.parametrize(
    ("selection", "selects"),
    [
        (Selection(), True),
        (Selection(channels=frozenset({"general"})), True),
        (Selection(channels=frozenset({"#general"})), True),
        (Selection(channels=frozenset({"C01", "other"})), True),
        (Selection(channels=frozenset({"other"})), False),
        (Selection(kinds=frozenset({"public"})), True),
        (Selection(kinds=frozenset({"dm", "private"})), False),
        (Selection(channels=frozenset({"general"}), kinds=frozenset({"dm"})), False),
    ],
)
def test_a_channel_is_selected_by_its_name_id_and_kind(selection: Selection, selects: bool) -> None:
    assert selection.selects_channel(CHANNEL) is selects


@pytest.mark.parametrize(
    ("since", "until", "ts", "selects"),
    [
        ("", "", "5.000000", True),
        ("", "", "no time", True),
        ("5.000000", "", "5.000000", True),
        ("5.000000", "", "4.999999", False),
        ("", "5.000000", "5.000000", False),
        ("", "5.000000", "4.999999", True),
        ("999999999.0", "1000000001.0", "1000000000.5", True),
        ("5.000000", "", "no time", False),
    ],
)
def test_a_message_is_selected_by_its_time(since: str, until: str, ts: str, selects: bool) -> None:
    assert Selection(since=Ts(since), until=Ts(until)).selects(ts) is selects


def test_everything_is_told_from_a_part() -> None:
    assert Selection().is_everything()
    assert not Selection(since=Ts("5.0")).is_everything()
