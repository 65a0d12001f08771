"""What stands against a move is told with what to do about it; what merely is to be known stands against nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from portals.cutover import Phase, Step, Wish
from portals.facts import PortalState
from portals.readiness import Circumstances, History, People, Readiness, SlackSide, Weight, readiness
from tests.portals.relay.scene import PORTAL

USUAL = Wish()
SCOPES = frozenset({"channels:write.topic", "channels:manage", "chat:write"})
SLACK = SlackSide(scopes=SCOPES)
DONE = History(1, "done")
GOOD = Circumstances(PORTAL, Phase.NONE, SLACK, history=DONE, topic="Moved")


def told(given: Circumstances, wish: Wish = USUAL) -> Readiness:
    return readiness(given, wish)


def only(given: Circumstances, wish: Wish = USUAL) -> tuple[Weight, str]:
    (finding,) = told(given, wish).findings
    return finding.weight, f"{finding.what} -> {finding.remedy}"


def test_a_channel_without_findings_is_ready() -> None:
    found = told(GOOD)
    assert found.is_ready
    assert found.findings == ()
    assert (found.refusal(), found.losses()) == ("", "")
    assert found.announcing == (Step.ANNOUNCE_IN_MATRIX, Step.ANNOUNCE_IN_SLACK)
    assert Step.TELL_SLACK in found.freezing


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (replace(GOOD, phase=Phase.FINISHED), "for good"),
        (replace(GOOD, portal=replace(PORTAL, state=PortalState.PAUSED)), "paused"),
        (replace(GOOD, portal=replace(PORTAL, trouble="no bot")), "no bot"),
        (replace(GOOD, slack=replace(SLACK, member=False)), "/invite in #general"),
        (replace(GOOD, topic="x" * 251), "251"),
        (replace(GOOD, slack=replace(SLACK, scopes=frozenset({"chat:write"}))), '"- channels:write.topic"'),
        (replace(GOOD, portal=replace(PORTAL, private=True)), '"- groups:write.topic"'),
    ],
)
def test_what_stops_a_move(given: Circumstances, words: str) -> None:
    weight, said = only(given)
    assert weight is Weight.STOP
    assert words in said
    assert words in told(given).refusal()
    assert not told(given).is_ready


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"parked_to_matrix": 1}, "1 message of Slack"),
        ({"parked_to_matrix": 2}, "2 messages of Slack"),
        ({"held": 2}, "causeway held list"),
        ({"quarantined": 3}, "import quarantine list"),
        ({"history": History(4, "left out", "a direct message")}, "a direct message"),
        ({"history": History(4, "admitting")}, "import 4 is not through"),
    ],
)
def test_what_would_be_lost(more: dict[str, Any], words: str) -> None:
    weight, said = only(replace(GOOD, **more))
    assert weight is Weight.LOSS
    assert words in said
    found = told(replace(GOOD, **more))
    assert found.losses()
    assert not found.refusal()
    assert not found.is_ready


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"parked_to_slack": 1}, "did not reach Slack"),
        ({"history": None}, "no history was imported"),
        ({"to_matrix": 2}, "2 from Slack and 0 from Matrix wait"),
        ({"people": People(3, 1, ("@ada:x",))}, "1 with an account are not in the room"),
        ({"people": People(3, 1, (), ("Bob", "Eve"))}, "2 of its people have no account"),
        ({"slack": None}, "export alone"),
        ({"slack": replace(SLACK, archived=True, member=False)}, "archived in Slack already"),
    ],
)
def test_what_is_good_to_know(more: dict[str, Any], words: str) -> None:
    weight, said = only(replace(GOOD, **more))
    assert weight is Weight.NOTE
    assert words in said
    assert told(replace(GOOD, **more)).is_ready


def test_archiving_has_its_own_scope_and_no_way_back_for_bots() -> None:
    wish = Wish(archive=True)
    assert only(GOOD, wish) == (
        Weight.NOTE,
        "Slack lets no bot open an archived channel: for a revert, a person must open it first -> ",
    )
    poor = replace(GOOD, slack=replace(SLACK, scopes=SCOPES - {"channels:manage"}))
    assert '"- channels:manage"' in told(poor, wish).refusal()
    assert "leave out --archive" in told(replace(GOOD, slack=replace(SLACK, general=True)), wish).refusal()


def test_a_topic_that_is_left_needs_no_scope() -> None:
    poor = replace(GOOD, slack=replace(SLACK, scopes=frozenset({"chat:write"})), topic="x" * 300)
    assert told(poor, Wish(topic=False)).is_ready
    assert told(replace(GOOD, slack=replace(SLACK, scopes=frozenset(), has_topic=False)), Wish(archive=True)).is_ready


def test_a_reverted_move_may_begin_anew_and_an_archived_channels_trouble_stops_nothing() -> None:
    assert told(replace(GOOD, phase=Phase.REVERTED)).is_ready
    archived = replace(GOOD, portal=replace(PORTAL, trouble="no bot"), slack=replace(SLACK, archived=True))
    assert told(archived).is_ready
