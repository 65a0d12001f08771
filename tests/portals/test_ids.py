"""Names are the same in every process, can be read back, and no two things share one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portals.ids import (
    ChannelId,
    GhostNames,
    SlackUserId,
    TeamId,
    Ts,
    action_key,
    channel_queue,
    is_slack_id,
    is_ts,
    next_ts,
    ts_to_ms,
)

NAMES = GhostNames("example.org", "causeway", "slack_{team}_{user}", "slack_{team}_{channel}")
TEMPLATES = ["slack_{team}_{user}", "_s.{user}-of-{team}", "x+{team}/{user}=y"]
slack_ids = st.from_regex(r"[A-Z0-9]{2,32}", fullmatch=True)


@given(slack_ids, slack_ids, st.sampled_from(TEMPLATES))
def test_a_ghost_tells_whom_it_stands_for(team: str, user: str, template: str) -> None:
    names = GhostNames("example.org", "causeway", template, "slack_{team}_{channel}")
    ghost = names.ghost(TeamId(team), SlackUserId(user))
    assert names.slack_author(ghost) == (team, user)
    assert names.is_ours(ghost)
    assert ghost == ghost.lower()


@given(slack_ids, slack_ids, slack_ids, slack_ids)
def test_two_people_never_share_a_ghost(team: str, user: str, other_team: str, other: str) -> None:
    same = (team, user) == (other_team, other)
    first, second = NAMES.ghost(TeamId(team), SlackUserId(user)), NAMES.ghost(TeamId(other_team), SlackUserId(other))
    assert (first == second) is same


@pytest.mark.parametrize(
    "user",
    [
        "@alice:example.org",
        "@slack_t1_u1:elsewhere.org",
        "@slack_t1_u1:exampleXorg",
        "@slack_t1:example.org",
        "@slack_t1_u1_x:example.org",
        "@slack_t1_U1:example.org",
        "x@slack_t1_u1:example.org",
        "@slack_t1_u1:example.org\n",
        "@slack__:example.org",
        "",
    ],
)
def test_nobody_else_is_taken_for_a_ghost(user: str) -> None:
    assert NAMES.slack_author(user) is None
    assert not NAMES.is_ours(user)


def test_the_bot_is_ours_and_no_ghost() -> None:
    assert NAMES.bot == "@causeway:example.org"
    assert NAMES.is_ours(NAMES.bot)
    assert NAMES.slack_author(NAMES.bot) is None


def test_the_dots_of_a_template_are_dots() -> None:
    names = GhostNames("example.org", "causeway", "s.{team}.{user}", "s.{team}.{channel}")
    assert names.slack_author("@s.t1.u1:example.org") == ("T1", "U1")
    assert names.slack_author("@sxt1xu1:example.org") is None


def test_aliases_are_lower_case_and_the_space_has_its_own() -> None:
    assert NAMES.alias_localpart(TeamId("T1"), ChannelId("C1")) == "slack_t1_c1"
    assert NAMES.space_alias_localpart(TeamId("T1")) == "slack_t1_space"


@pytest.mark.parametrize("text", ["U1", "W0123456789", "T" * 32])
def test_slack_ids_are_known(text: str) -> None:
    assert is_slack_id(text)


@pytest.mark.parametrize("text", ["", "U", "u1", "U 1", "U1\n", "Ü1", "U/1", "T" * 33, "U\u0661"])
def test_what_is_no_slack_id_is_kept_out(text: str) -> None:
    assert not is_slack_id(text)


@pytest.mark.parametrize("text", ["1355517523.000005", "1.0", "999999999999.123456789"])
def test_time_stamps_are_known(text: str) -> None:
    assert is_ts(text)


@pytest.mark.parametrize(
    "text", ["", ".", "1", "1.", ".1", "1.1.1", "-1.1", "1,1", "1.1 ", "1.1\n", "١.١", "²1.1", "9" * 5000 + ".1"]
)
def test_what_is_no_time_stamp_is_refused(text: str) -> None:
    assert not is_ts(text)


@pytest.mark.parametrize(
    ("ts", "ms"),
    [("1355517523.000005", 1355517523000), ("1355517523.123999", 1355517523123), ("1.5", 1500), ("0.001", 1)],
)
def test_a_time_stamp_in_milliseconds(ts: str, ms: int) -> None:
    assert ts_to_ms(Ts(ts)) == ms


@given(st.from_regex(r"[0-9]{1,12}\.[0-9]{1,9}", fullmatch=True))
def test_every_time_stamp_has_a_time(ts: str) -> None:
    assert is_ts(ts)
    assert ts_to_ms(Ts(ts)) >= 0


@pytest.mark.parametrize(
    ("ts", "following"),
    [("1355517523.000005", "1355517523.000006"), ("1355517523.999999", "1355517524.000000"), ("1.5", "1.500001")],
)
def test_the_first_time_behind_another(ts: str, following: str) -> None:
    assert next_ts(Ts(ts)) == following


def test_keys_are_deterministic_opaque_and_different() -> None:
    key = action_key("slack", "T1", 7)
    assert key == action_key("slack", "T1", 7) == "cwfuuqowehmvtvbvpwnyw3xdui"
    assert key.isalnum()
    assert len(key) == 26
    assert len({key, action_key("slack", "T1", 8), action_key("slackT1", 7), action_key("slack", "T17")}) == 4


def test_a_channel_has_a_queue() -> None:
    assert channel_queue(TeamId("T1"), ChannelId("C1")) == "T1/C1"
