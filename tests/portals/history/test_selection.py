"""What is selected is asked of one value, by the plan and by the import."""

from __future__ import annotations

import pytest

from portals.history.export import ExportedChannel
from portals.history.selection import AnyOf, Selection, as_told, from_told, meant
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


OTHER = ExportedChannel(ChannelId("C02"), "other", "private")
SOME = Selection(frozenset({"general"}), frozenset({"public"}), Ts("5.0"), Ts("9.0"))


def test_a_selection_is_remembered_as_it_was() -> None:
    assert from_told(as_told(SOME)) == SOME
    assert from_told(None) == from_told({"channels": "odd", "kinds": [7]}) == Selection()


def test_of_several_imports_each_took_its_part() -> None:
    parts = AnyOf((SOME, Selection(channels=frozenset({"other"}))))
    assert parts.selects_channel(OTHER)
    assert parts.selects("1.0")
    assert not parts.within(CHANNEL).selects("1.0")
    assert not parts.within(ExportedChannel(ChannelId("C03"), "third", "public")).selections


def test_what_is_asked_for_overrides_what_is_remembered() -> None:
    remembered, both = AnyOf((SOME,)), [CHANNEL, OTHER]
    assert meant(remembered, Selection(), both) == remembered
    assert meant(remembered, Selection(channels=frozenset({"general"})), both) == remembered
    asked = meant(remembered, Selection(channels=frozenset({"other"}), since=Ts("1.0")), both)
    assert asked.within(OTHER).selects("1.0")
    assert asked.within(CHANNEL).selects("1.0")
