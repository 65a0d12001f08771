"""Pins and topics that people set in a room are set in its channel, and what comes back from there changes nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from portals.actions import RecordPin, SetPin, SetTopic
from portals.events import Ignored, Undeliverable
from portals.ids import Ts
from portals.relay.to_slack import decide, needs
from tests.portals.relay.scene import CHANNEL, FACTS, PORTAL, facts, from_ada, link, rules, said_in_matrix

if TYPE_CHECKING:
    from portals.facts import Portal

TS = Ts("1700000000.000100")
OTHER = Ts("1700000000.000200")


def pins(now: list[str], before: list[str] | None = None) -> Any:
    unsigned = {} if before is None else {"prev_content": {"pinned": before}}
    return said_in_matrix({"pinned": now}, "m.room.pinned_events", state_key="", unsigned=unsigned)


def topic(text: str, portal: Portal = PORTAL, known: Any = FACTS) -> Any:
    return decide(said_in_matrix({"topic": text}, "m.room.topic", state_key=""), portal, known)


def test_what_was_added_is_pinned_and_what_was_removed_is_not() -> None:
    event = pins(["$kept", "$new"], ["$kept", "$old"])
    known = facts(link(TS, "$old"), from_ada(OTHER, "$new"))
    assert decide(event, PORTAL, known) == (
        SetPin(_key(event, known, 0), CHANNEL, OTHER, True, RecordPin(OTHER, True)),
        SetPin(_key(event, known, 1), CHANNEL, TS, False, RecordPin(TS, False)),
    )
    wanted = needs(event)
    assert wanted.targets == {"$new", "$old"}
    assert wanted.events == {"$new", "$old", "$kept"}


def _key(event: Any, known: Any, number: int) -> Any:
    return decide(event, PORTAL, known)[number].key  # type: ignore[index]


def test_a_message_stays_pinned_while_one_of_its_events_is() -> None:
    known = facts(link(TS, "$text"), link(TS, "$file", part="F1"))
    decision = decide(pins(["$file"], ["$file", "$text"]), PORTAL, known)
    assert isinstance(decision, Ignored)


def test_pins_of_what_is_not_in_slack_are_left_alone() -> None:
    assert isinstance(decide(pins(["$unknown"]), PORTAL, FACTS), Ignored)
    assert isinstance(decide(pins(["$gone"]), PORTAL, facts(link(TS, "$gone", deleted=True))), Ignored)


@pytest.mark.parametrize(
    ("said", "sent"),
    [
        ("Tea", "Tea"),
        ("Tea\nFor all", "Tea"),
        ("For all", ""),
        ("", ""),
        ("Tea For all", "Tea For all"),
        ("two\nlines\nFor all", "two lines"),
        ("<!channel> & more", "&lt;!channel&gt; &amp; more"),
    ],
)
def test_a_topic_is_what_stands_before_the_purpose(said: str, sent: str) -> None:
    (action,) = topic(said, replace(PORTAL, topic="Tickets", purpose="For all"))
    assert action == SetTopic(action.key, CHANNEL, sent)


def test_for_a_topic_it_is_to_be_known_whom_topic_and_purpose_mention() -> None:
    assert needs(said_in_matrix({"topic": "Tea"}, "m.room.topic", state_key="")).description


def test_a_topic_goes_without_what_slack_cannot_hold() -> None:
    (action,) = topic("Tea\x00 and\ud800 <coffee>")
    assert action.topic == "Tea and &lt;coffee&gt;"


@pytest.mark.parametrize("said", ["old topic", " old  topic "])
def test_a_topic_that_the_channel_has_is_not_set(said: str) -> None:
    assert isinstance(topic(said), Ignored)


def test_a_topic_that_slack_does_not_take_is_told() -> None:
    assert topic("x" * 250)
    assert topic("x" * 251) == Undeliverable("Slack takes no topic of more than 250 characters")


def test_topics_stay_in_matrix_where_the_configuration_says_so() -> None:
    assert isinstance(topic("Tea", known=facts(rules=rules(topic_to_slack=False))), Ignored)
