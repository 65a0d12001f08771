"""A list of pins becomes the news that the ledger lacks, behind all messages and in the order of pinning."""

from __future__ import annotations

from typing import Any

import pytest

from portals.events import SlackChannelChange, SlackPin
from portals.history.compare import News, described, pinned_in, pins
from portals.ids import Ts
from portals.reading.slack import address, read
from tests.portals.relay.scene import CHANNEL, TEAM, WORKSPACE


def item(ts: Any) -> dict[str, Any]:
    return {"type": "message", "channel": CHANNEL, "message": {"ts": ts, "text": "x"}, "created": 1}


def events_of(news: list[News]) -> list[tuple[str, bool]]:
    found = [read(one.payload, "s", WORKSPACE) for one in sorted(news, key=lambda one: one.rank)]
    assert all(isinstance(one, SlackPin) for one in found)
    return [(one.ts, one.pinned) for one in found if isinstance(one, SlackPin)]


def test_new_pins_come_in_the_order_of_pinning_then_what_is_gone() -> None:
    listed = [item("3.000001"), item("1.000001"), item("2.000001")]
    news = pins(listed, {Ts("1.000001"), Ts("9.000001")}, channel=CHANNEL, team=TEAM, gap=7)
    assert events_of(news) == [("2.000001", True), ("3.000001", True), ("9.000001", False)]
    assert all(one.rank > "9999999998.999999" for one in news)
    assert len({address(one.payload, TEAM) for one in news}) == 3


@pytest.mark.parametrize("foreign", [7, {}, {"message": 7}, {"type": "file", "file": {"id": "F1"}}, item("soon")])
def test_what_is_no_pinned_message_is_left_out(foreign: Any) -> None:
    assert pins([foreign], set(), channel=CHANNEL, team=TEAM, gap=7) == []


@pytest.mark.parametrize(
    ("message", "is_pinned"),
    [({"pinned_to": [CHANNEL]}, True), ({"pinned_to": ["C2"]}, False), ({"pinned_to": CHANNEL}, False), ({}, False)],
)
def test_a_message_says_where_it_is_pinned(message: dict[str, Any], is_pinned: bool) -> None:
    assert pinned_in(message, CHANNEL) is is_pinned


def test_what_a_channel_is_about_and_called_comes_behind_all_messages() -> None:
    news = described({"topic": "plans", "name": "renamed"}, channel=CHANNEL, team=TEAM, gap=7)
    assert [read(one.payload, "x", WORKSPACE) for one in news] == [
        SlackChannelChange("x", CHANNEL, name="renamed"),
        SlackChannelChange("x", CHANNEL, topic="plans"),
    ]
    assert all(one.rank > "9999999999.000000" for one in news)
    assert len({one.payload["event_id"] for one in news}) == 2
