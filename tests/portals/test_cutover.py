"""Which step of a move may follow which, and what undoes each."""

from __future__ import annotations

from dataclasses import replace

import pytest

from portals.cutover import (
    STEPS_IN_SLACK,
    Command,
    InSlack,
    Phase,
    Step,
    Wish,
    announcing,
    begun_by,
    finishing,
    freezing,
    in_matrix,
    in_slack,
    portal_refusal,
    refusal,
    reverting,
    topic,
)
from portals.facts import PortalState
from tests.portals.relay.scene import PORTAL, ROOM

LINK = f"https://matrix.to/#/{ROOM}?via=example.org"


@pytest.mark.parametrize(
    ("command", "phases"),
    [
        (Command.ANNOUNCE, {Phase.NONE, Phase.ANNOUNCED}),
        (Command.FREEZE, {Phase.NONE, Phase.ANNOUNCED, Phase.FREEZING, Phase.FROZEN}),
        (Command.FINISH, {Phase.FROZEN, Phase.FINISHING, Phase.FINISHED}),
        (Command.REVERT, set(Phase) - {Phase.NONE, Phase.FINISHED}),
    ],
)
def test_each_command_has_its_time_and_says_what_to_do_at_another(command: Command, phases: set[Phase]) -> None:
    assert {phase for phase in Phase if not refusal(command, phase)} == phases


def test_a_command_that_has_begun_is_told_from_one_that_is_done() -> None:
    assert begun_by(Command.FREEZE, Phase.ANNOUNCED) is Phase.FREEZING
    assert begun_by(Command.FREEZE, Phase.FROZEN) is Phase.FROZEN
    assert begun_by(Command.FINISH, Phase.FROZEN) is Phase.FINISHING
    assert begun_by(Command.FINISH, Phase.FINISHED) is Phase.FINISHED
    assert begun_by(Command.REVERT, Phase.FROZEN) is Phase.REVERTING
    assert begun_by(Command.ANNOUNCE, Phase.NONE) is Phase.NONE


def test_the_portal_closes_before_slack_is_told_and_archived_last() -> None:
    assert freezing(Wish(archive=True), InSlack()) == (
        Step.CLOSE,
        Step.TELL_MATRIX,
        Step.SET_TOPIC,
        Step.TELL_SLACK,
        Step.ARCHIVE,
    )
    assert Step.SET_TOPIC not in freezing(Wish(topic=False), InSlack())
    assert freezing(Wish(archive=True), InSlack(has_topic=False))[-1] is Step.TELL_SLACK


@pytest.mark.parametrize("slack", [None, InSlack(archived=True)])
def test_where_nothing_can_be_changed_in_slack_nothing_is(slack: InSlack | None) -> None:
    assert not STEPS_IN_SLACK & set(freezing(Wish(archive=True), slack))
    assert announcing(slack) == (Step.ANNOUNCE_IN_MATRIX,)


def test_an_announcement_goes_to_both_sides() -> None:
    assert announcing(InSlack()) == (Step.ANNOUNCE_IN_MATRIX, Step.ANNOUNCE_IN_SLACK)


def test_a_move_ends_with_its_proof_in_the_room() -> None:
    assert finishing(report=True) == (Step.PROVE, Step.ATTACH, Step.END, Step.UNBRIDGE)
    assert finishing(report=False) == (Step.ATTACH, Step.END, Step.UNBRIDGE)


def test_whatever_was_begun_is_undone_and_nothing_else() -> None:
    assert reverting({Step.ANNOUNCE_IN_MATRIX}) == (Step.RECALL_IN_MATRIX, Step.CLEAR)
    assert reverting(set(freezing(Wish(archive=True), InSlack()))) == (
        Step.UNARCHIVE,
        Step.RESTORE_TOPIC,
        Step.REOPEN,
        Step.RECALL_IN_MATRIX,
        Step.RECALL_IN_SLACK,
        Step.CLEAR,
    )
    assert reverting(()) == (Step.CLEAR,)


def test_a_portal_that_is_not_ready_says_what_it_lacks() -> None:
    assert "no room" in portal_refusal(Command.FREEZE, PortalState.LIVE, has_room=False)
    assert "no room" in portal_refusal(Command.FREEZE, PortalState.PLANNED, has_room=True)
    assert "resume" in portal_refusal(Command.FREEZE, PortalState.PAUSED, has_room=True)
    assert "history" in portal_refusal(Command.FREEZE, PortalState.IMPORTING, has_room=True)
    assert not portal_refusal(Command.FREEZE, PortalState.LIVE, has_room=True)
    assert not portal_refusal(Command.ANNOUNCE, PortalState.PAUSED, has_room=True)
    assert not portal_refusal(Command.REVERT, PortalState.FROZEN, has_room=True)


def test_words_lead_to_the_room() -> None:
    assert in_slack("{channel} on {date}: {link}", PORTAL, "example.org", "Monday") == f"general on Monday: <{LINK}>"
    assert topic("Gone to {link}", PORTAL, "example.org") == f"Gone to {LINK}"
    said = in_matrix("#{channel} moves {date}", PORTAL, "soon")
    assert (said["msgtype"], said["body"]) == ("m.notice", "#general moves soon")
    assert in_slack("{link}", replace(PORTAL, room=None), "x") == "<https://matrix.to/#/?via=x>"
