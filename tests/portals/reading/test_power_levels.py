"""Who may notify a whole room is said by its power levels, and by the specification where they do not say it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from portals.ids import MatrixUserId
from portals.reading.power_levels import may_notify_room, power_for_state, power_to_invite
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


@pytest.mark.parametrize(
    ("levels", "for_state", "to_invite"),
    [
        ({}, 50, 0),
        ({"state_default": 0, "invite": 50}, 0, 50),
        ({"events": {"m.bridge": 70}, "state_default": 20}, 70, 0),
        ({"events": {"m.bridge": "many"}, "invite": None}, 50, 0),
    ],
)
def test_the_power_that_a_change_takes_is_said_or_the_specifications(
    levels: dict[str, Any], for_state: int, to_invite: int
) -> None:
    assert power_for_state(levels, "m.bridge") == for_state
    assert power_to_invite(levels) == to_invite
