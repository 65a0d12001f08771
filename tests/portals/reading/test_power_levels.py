"""Who may notify a whole room is said by its power levels, and by the specification where they do not say it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from portals.ids import MatrixUserId
from portals.reading.power_levels import may_notify_room
from tests.portals.foreign import JSON, objects

ADA = MatrixUserId("@ada:example.org")


@pytest.mark.parametrize(
    ("levels", "may"),
    [
        ({}, False),
        ({"users": {ADA: 50}}, True),
        ({"users": {ADA: 49}}, False),
        ({"users_default": 50}, True),
        ({"users": {ADA: 0}, "users_default": 100}, False),
        ({"notifications": {"room": 0}}, True),
        ({"notifications": {"room": 60}, "users": {ADA: 50}}, False),
        ({"notifications": {"room": True}, "users": {ADA: "100"}}, False),
        ({"notifications": 0, "users": [ADA]}, False),
    ],
)
def test_a_mention_of_the_room_notifies_by_the_power_levels(levels: dict[str, Any], may: bool) -> None:
    assert may_notify_room(levels, ADA) is may


@given(objects({"users": JSON, "users_default": JSON, "notifications": objects({"room": JSON}) | JSON}))
def test_any_levels_say_something(levels: dict[str, Any]) -> None:
    assert may_notify_room(levels, ADA) in (True, False)
