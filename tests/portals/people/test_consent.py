"""A direct message crosses only where those who had it agreed."""

from __future__ import annotations

import pytest

from portals.ids import SlackUserId
from portals.people.consent import Rule, dm_is_allowed

ALICE, BOB = SlackUserId("U1"), SlackUserId("U2")


@pytest.mark.parametrize(
    ("consents", "rule", "allowed"),
    [
        ({ALICE, BOB}, "everybody", True),
        ({ALICE}, "everybody", False),
        ({ALICE}, "anybody", True),
        (set(), "anybody", False),
        (set(), "everybody", False),
    ],
)
def test_the_rule_says_who_must_have_agreed(consents: set[SlackUserId], rule: Rule, allowed: bool) -> None:
    assert dm_is_allowed([ALICE, BOB], consents, rule) is allowed


@pytest.mark.parametrize("rule", ["everybody", "anybody"])
def test_what_nobody_had_is_allowed_by_nobody(rule: Rule) -> None:
    assert not dm_is_allowed([], {ALICE}, rule)
