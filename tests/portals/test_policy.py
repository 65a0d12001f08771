"""Which channels are bridged: the mapping first, then the patterns; private and archived ones only when asked for."""

from __future__ import annotations

import pytest

from portals.facts import Direction
from portals.ids import ChannelId
from portals.policy import Mapped, Patterns, SeenChannel, Wish, wish

ALL = Patterns(include=("*",))
CREATE = Wish(Direction.BOTH, "create")


def seen(name: str, *, private: bool = False, archived: bool = False, member: bool = False) -> SeenChannel:
    return SeenChannel(ChannelId("C1"), name, private=private, archived=archived, member=member)


@pytest.mark.parametrize(
    ("patterns", "name", "bridged"),
    [
        (Patterns(), "general", False),
        (ALL, "general", True),
        (Patterns(include=("team-*", "#help-?")), "team-red", True),
        (Patterns(include=("team-*", "#help-?")), "help-1", True),
        (Patterns(include=("team-*", "#help-?")), "help-10", False),
        (Patterns(include=("team-*",)), "my-team-red", False),
        (Patterns(include=("*",), exclude=("random", "#tmp-*")), "random", False),
        (Patterns(include=("*",), exclude=("random", "#tmp-*")), "tmp-1", False),
        (Patterns(include=("*",), exclude=("random", "#tmp-*")), "general", True),
        (Patterns(include=("General",)), "general", False),
        (Patterns(include=("#*",)), "general", True),
    ],
)
def test_patterns_choose_by_name(patterns: Patterns, name: str, bridged: bool) -> None:
    assert wish("acme", seen(name), (), patterns) == (CREATE if bridged else None)


@pytest.mark.parametrize(
    ("private", "member", "allowed", "bridged"),
    [(False, False, False, True), (True, True, False, False), (True, False, True, False), (True, True, True, True)],
)
def test_a_private_channel_is_bridged_where_the_bot_was_invited_and_the_patterns_may(
    private: bool, member: bool, allowed: bool, bridged: bool
) -> None:
    channel = seen("secret", private=private, member=member)
    assert wish("acme", channel, (), Patterns(("*",), (), allowed)) == (CREATE if bridged else None)


def test_an_archived_channel_is_not_chosen_by_patterns() -> None:
    assert wish("acme", seen("old", archived=True), (), ALL) is None


@pytest.mark.parametrize("slack", ["#general", "C1"])
@pytest.mark.parametrize("workspace", ["", "acme"])
def test_the_mapping_comes_before_the_patterns(slack: str, workspace: str) -> None:
    line = Mapped(workspace, slack, "#room:x", Direction.TO_SLACK)
    channel = seen("general", private=True, archived=True)
    assert wish("acme", channel, [line], Patterns(exclude=("*",))) == Wish(Direction.TO_SLACK, "#room:x")


@pytest.mark.parametrize(
    "line",
    [
        Mapped("other", "#general", "#room:x", Direction.BOTH),
        Mapped("", "#generally", "#room:x", Direction.BOTH),
        Mapped("", "general", "#room:x", Direction.BOTH),
        Mapped("", "C2", "#room:x", Direction.BOTH),
    ],
)
def test_another_line_of_the_mapping_does_not_count(line: Mapped) -> None:
    assert wish("acme", seen("general"), [line], Patterns()) is None


def test_the_first_line_that_fits_counts() -> None:
    lines = [Mapped("", "#general", "#one:x", Direction.BOTH), Mapped("", "C1", "#two:x", Direction.BOTH)]
    assert wish("acme", seen("general"), lines, Patterns()) == Wish(Direction.BOTH, "#one:x")
