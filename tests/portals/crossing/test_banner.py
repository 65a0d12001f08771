"""A room is told where its messages go and that there are rules, and nothing by which one could get around them."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from portals.crossing.banner import digest_of, words
from portals.crossing.policy import OPEN, Globs, Kind, Policy, Standing
from portals.crossing.quiet import Quiet, Span, Then
from portals.crossing.rooms import DAY_MS, RoomPolicy
from portals.crossing.waiting import Hold
from portals.facts import Direction
from tests.portals.relay.scene import PORTAL

WORK, WEEK = frozenset(range(5)), frozenset(range(7))
BOTH = "What is said here goes there and is kept by Slack, and what is said there comes here."
SEALED = "Encryption ends at the bridge: Slack reads what goes there, from an encrypted room too."
STOPS = "Messages with certain marks, words or links do not cross; their authors are told."
NOT_HERE, NOT_THERE = "Not everybody here may write to Slack.", "Not everybody in Slack may write here."


def lines(policy: Policy) -> list[str]:
    return words(PORTAL, "Acme", policy).split("\n")[2:]


def test_a_room_is_told_where_its_messages_go() -> None:
    assert words(PORTAL, "Acme", OPEN) == f"This room is bridged to #general of Acme in Slack. {BOTH}\n{SEALED}"
    inwards = words(replace(PORTAL, direction=Direction.TO_MATRIX, name=""), "Acme", OPEN)
    assert inwards.startswith("This room is bridged to #C1 of Acme in Slack. What is said there comes here;")
    assert SEALED not in inwards
    assert "does not come here" in words(replace(PORTAL, direction=Direction.TO_SLACK), "Acme", OPEN)


@pytest.mark.parametrize(
    ("policy", "line"),
    [
        (Policy(kinds=frozenset(Kind) - {Kind.FILES, Kind.LINKS}), "These do not cross: files, links."),
        (Policy(words=("VS-NfD",)), STOPS),
        (Policy(domains=Globs(("example.org",))), STOPS),
        (Policy(hold=Hold(("draft",))), "Messages about which a moderator decides wait until then."),
        (
            Policy(
                quiet=Quiet((Span(WORK, 1080, 480), Span(WEEK, 0, 1440)), ZoneInfo("Europe/Berlin"), "Europe/Berlin")
            ),
            "Quiet hours (Europe/Berlin): Mon, Tue, Wed, Thu, Fri 18:00 to 08:00; 00:00 to 24:00. "
            "Messages wait for their end.",
        ),
        (
            Policy(quiet=Quiet((Span(WEEK, 1320, 360),), then=Then.REFUSE)),
            "Quiet hours (UTC): 22:00 to 06:00. Messages do not cross.",
        ),
        (Policy(power_level=50), NOT_HERE),
        (Policy(matrix_users=Globs(("@ada:*",))), NOT_HERE),
        (Policy(servers=Globs(("example.org",))), NOT_HERE),
        (Policy(standings=frozenset({Standing.MEMBER})), NOT_THERE),
        (Policy(slack_users=Globs(("U1",))), NOT_THERE),
        (Policy(room=RoomPolicy(keep_ms=30 * DAY_MS)), "Messages are kept for 30 days."),
    ],
)
def test_a_room_is_told_what_its_policy_does_and_no_mark_of_it(policy: Policy, line: str) -> None:
    assert lines(policy) == [line]


def test_mentions_and_broadcasts_are_not_worth_a_word() -> None:
    policy = Policy(kinds=frozenset(Kind) - {Kind.MENTIONS, Kind.BROADCASTS}, matrix_users=Globs(("@*:*",)))
    assert lines(policy) == []


def test_what_is_told_has_a_name_and_nothing_has_none() -> None:
    assert digest_of("") == ""
    assert digest_of("a") != digest_of("b")
