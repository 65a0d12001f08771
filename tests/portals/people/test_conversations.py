"""Direct conversations cross by the hands of those who take part, where they agreed, and by nobody else's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from portals.actions import DeleteMessage, PostMessage, SetMembership
from portals.events import Ignored, Undeliverable
from portals.facts import Account, PortalKind, PortalState
from portals.ids import SlackUserId
from portals.people import conversations
from portals.people.hands import by_app
from portals.reading.slack import is_direct, told_for
from portals.relay import to_matrix, to_slack
from tests.portals.relay.scene import ADA, ALICE, PORTAL, facts, from_ada, rules, said_in_matrix, said_in_slack

BOB, BOT = SlackUserId("UBOB"), SlackUserId("UBOT")
CHAT = replace(PORTAL, kind=PortalKind.DM)
HELLO = {"msgtype": "m.text", "body": "hello"}
MARK = {"m.relates_to": {"rel_type": "m.annotation", "event_id": "$a", "key": "👍"}}
REDACTION: dict[str, Any] = {"kind": "m.room.redaction", "redacts": "$a"}


@pytest.mark.parametrize(
    ("people", "is_private"),
    [([ALICE, BOB], False), ([ALICE, BOT], True), ([ALICE, conversations.SLACKBOT], True), ([ALICE], True)],
)
def test_what_is_between_somebody_and_slack_or_the_app_stays_there(people: list[SlackUserId], is_private: bool) -> None:
    assert conversations.is_private_to_slack(people, BOT) is is_private


@pytest.mark.parametrize(
    ("readers", "agreed", "rule", "closed"),
    [
        ([ALICE], [ALICE, BOB], "everybody", ""),
        ([ALICE], [ALICE], "everybody", "not everybody who takes part has agreed that it is shown in Matrix"),
        ([ALICE], [ALICE], "anybody", ""),
        ([ALICE], [], "anybody", "nobody who takes part has agreed that it is shown in Matrix"),
        ([], [ALICE, BOB], "everybody", conversations.UNREAD),
    ],
)
def test_a_conversation_is_open_where_its_people_agreed_and_one_of_them_is_connected(
    readers: list[SlackUserId], agreed: list[SlackUserId], rule: Any, closed: str
) -> None:
    assert conversations.closed_by([ALICE, BOB], readers, agreed, rule) == closed


def test_who_is_connected_talks_as_themself_and_nobody_else_is_spoken_for() -> None:
    said = said_in_matrix(HELLO)
    by_hand = to_slack.decide(said, CHAT, facts(hand=ALICE))
    assert isinstance(by_hand, tuple)
    (post,) = by_hand
    assert isinstance(post, PostMessage)
    assert (post.hand, by_app(post, CHAT)) == (ALICE, None)
    assert to_slack.decide(said, CHAT, facts()) == Undeliverable(conversations.NOT_CONNECTED)
    mark = said_in_matrix(MARK, "m.reaction")
    assert to_slack.decide(mark, CHAT, facts(from_ada("1.1", "$a"))) == Ignored(conversations.NOT_CONNECTED)
    topic = said_in_matrix({"topic": "x"}, "m.room.topic", state_key="")
    assert isinstance(to_slack.decide(topic, CHAT, facts(hand=ALICE)), Ignored)


def test_what_was_said_is_taken_back_by_the_hand_that_said_it() -> None:
    gone = said_in_matrix({}, **REDACTION)
    decision = to_slack.decide(gone, CHAT, facts(from_ada("1.1", "$a", hand=ALICE)))
    assert isinstance(decision, tuple)
    assert [(type(one), one.hand) for one in decision if isinstance(one, DeleteMessage)] == [(DeleteMessage, ALICE)]
    assert to_slack.decide(gone, CHAT, facts(from_ada("1.1", "$a", hand=ALICE), closed="shut")) == Ignored("shut")


def test_nothing_crosses_a_closed_conversation_but_what_an_import_brings() -> None:
    known = facts(hand=ALICE, closed="shut")
    assert to_slack.decide(said_in_matrix(HELLO), CHAT, known) == Undeliverable("shut")
    said = said_in_slack(ts="1700000000.000100", text="hello")
    assert to_matrix.decide(said, CHAT, known) == Ignored("shut")
    assert isinstance(to_matrix.decide(said, replace(CHAT, state=PortalState.IMPORTING), known), tuple)


def test_who_takes_part_is_invited_whatever_is_done_in_channels() -> None:
    joins = said_in_slack(type="member_joined_channel")
    known = facts(accounts={ALICE: Account(ADA)}, rules=rules(invite=False))
    decision = to_matrix.decide(joins, CHAT, known)
    assert isinstance(decision, tuple)
    assert [one.user for one in decision if isinstance(one, SetMembership)] == [ADA]


def test_rooms_are_told_in_whole_sentences() -> None:
    assert conversations.word_of_close("shut").startswith("This conversation stops here: shut. What is written")
    assert conversations.word_of_refusal("shut") == "No direct conversation begins here: shut."


def test_a_message_of_a_conversation_says_so_and_on_whose_behalf_it_came() -> None:
    said = {"type": "message", "channel": "D1", "channel_type": "im", "user": BOB, "ts": "1.1"}
    delivered = {"event": said, "authorizations": [{"user_id": ALICE, "is_bot": False}, {"user_id": "@x"}, 7]}
    assert (is_direct(delivered), told_for(delivered)) == (True, (ALICE, BOB))
    assert is_direct({"event": said | {"channel_type": "mpim"}})
    assert not is_direct({"event": said | {"channel_type": "channel"}})
    assert told_for({"event": said, "authorizations": "none"}) == (BOB,)
