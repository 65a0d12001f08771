"""The table `tests/cases/room_policy.json`: what a room's state is, in what it departs from its policy, what is set.

`policy` is what stands below `room` in the configuration, `keep` beside it. Our homeserver is example.org.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import config.policy as configured
from bridge.policies import policy_from
from portals.crossing.rooms import Departure, Home, conforming, departures, server_acl
from portals.ids import RoomId

CASES = json.loads((Path(__file__).parents[2] / "cases" / "room_policy.json").read_text(encoding="utf-8"))
HOME = Home("example.org:8448", RoomId("!space:example.org"))

Case = dict[str, Any]  # Any: rows of JSON


@pytest.mark.parametrize("case", CASES, ids=[case["situation"] for case in CASES])
def test_a_room_departs_as_the_table_says(case: Case) -> None:
    said = {"name": "strict", "room": case["policy"], "keep": case.get("keep", "0s")}
    policy = policy_from(configured.Policy.model_validate(said)).room
    found = departures(policy, case["state"], HOME)
    assert [one.detail for one in found] == case["departs"]
    assert {one.type: one.content for one in found if one.content is not None} == case.get("set", {})
    mended = conforming(policy, case["state"], HOME)
    assert [one for one in departures(policy, mended, HOME) if one.content is not None] == []


def test_a_homeserver_that_is_an_address_stays_in_its_own_rooms() -> None:
    assert server_acl(["a.example"], Home("[::1]:8448")) == {
        "allow": ["[::1]", "[::1]:8448", "a.example"],
        "deny": [],
        "allow_ip_literals": True,
    }


def test_a_remedy_says_who_can_end_a_departure() -> None:
    can, cannot = Departure("m.room.guest_access", "", {}), Departure("m.room.create", "", None)
    assert "--mend" in can.remedy(None, "@bot:example.org")
    assert can.remedy(100, "@bot:example.org").startswith("give @bot:example.org the power level 100")
    assert "make a new one" in cannot.remedy(None, "@bot:example.org")
