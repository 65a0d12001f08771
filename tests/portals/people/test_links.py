"""One account for one person: what cannot stand is told with its line."""

from __future__ import annotations

import pytest

from portals.ids import GhostNames, MatrixUserId, SlackUserId
from portals.people.links import How, Linked, Wanted, changes, conflicts, flaw_of, is_person

NAMES = GhostNames("example.org", "causeway", "slack_{team}_{user}", "slack_{team}_{channel}")


def wanted(user: str, account: str, line: int = 0) -> Wanted:
    return Wanted(SlackUserId(user), MatrixUserId(account), How.CSV, line)


def linked(user: str, account: str) -> Linked:
    return Linked(SlackUserId(user), MatrixUserId(account), How.HAND, 1, "admin")


@pytest.mark.parametrize("user", ["U0123456789", "W1"])
def test_people_are_known_by_their_ids(user: str) -> None:
    assert is_person(user)


@pytest.mark.parametrize("user", ["B0123456789", "u012", "", "U", "alice", "U01; DROP", "U01\n"])
def test_what_is_nobody_s_id_is_no_person(user: str) -> None:
    assert not is_person(user)


@pytest.mark.parametrize("account", ["@alice:example.org", "@a.b=c/d+e:[::1]:8448", "@Alice:example.org"])
def test_an_account_may_be_anybody_s(account: str) -> None:
    assert flaw_of(account, NAMES) == ""


@pytest.mark.parametrize(
    "account",
    ["alice", "@alice", "@:example.org", "@a b:example.org", "@alice:", "@alice:a b", "@" + "a" * 250 + ":x.org"],
)
def test_what_is_no_account_is_told(account: str) -> None:
    assert "is not a Matrix user id" in flaw_of(account, NAMES)


@pytest.mark.parametrize("account", ["@causeway:example.org", "@slack_t1_u1:example.org"])
def test_the_bridge_s_own_are_nobody_s(account: str) -> None:
    assert "is the bridge's own" in flaw_of(account, NAMES)


def test_an_account_that_is_somebody_else_s_is_a_conflict() -> None:
    (problem,) = conflicts([wanted("U2", "@a:x", 7)], [linked("U1", "@a:x")])
    assert str(problem) == "line 7: @a:x is linked to U1 already: unlink that one first"


def test_whoever_moves_frees_their_account() -> None:
    both = [linked("U1", "@a:x"), linked("U2", "@b:x")]
    assert conflicts([wanted("U1", "@b:x"), wanted("U2", "@a:x")], both) == []
    assert conflicts([wanted("U1", "@a:x")], both) == []


def test_what_is_there_twice_is_told_with_both_lines() -> None:
    (problem,) = conflicts([wanted("U1", "@a:x", 2), wanted("U1", "@b:x", 5)], [])
    assert str(problem) == "line 5: U1 is there twice (line 2): keep one of them"
    (problem,) = conflicts([wanted("U1", "@a:x"), wanted("U2", "@a:x")], [])
    assert str(problem) == "@a:x is there twice: keep one of them"


def test_what_is_so_already_is_no_change() -> None:
    again, moved, new = wanted("U1", "@a:x"), wanted("U2", "@c:x"), wanted("U3", "@d:x")
    assert changes([again, moved, new], [linked("U1", "@a:x"), linked("U2", "@b:x")]) == (moved, new)
