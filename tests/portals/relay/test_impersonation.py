"""Nobody passes for somebody else by a name, by an id of another server, or by a stamp that they copied."""

from __future__ import annotations

import pytest

from portals.actions import STAMP, PostMessage, SendEvent
from portals.events import MatrixEvent, SlackMessage
from portals.facts import Facts, Member
from portals.ids import MatrixUserId, SlackUserId
from portals.reading import slack
from portals.relay import to_matrix, to_slack
from tests.portals.relay.scene import ALICE, CHANNEL, FACTS, PORTAL, TEAM, WORKSPACE, facts, ghost, said_in_matrix

FALSE_GHOST = MatrixUserId("@slack_t1_ualice:evil.example")
TEXT = {"msgtype": "m.text", "body": "it is me"}


def posted(event: MatrixEvent, known: Facts = FACTS) -> PostMessage:
    decided = to_slack.decide(event, PORTAL, known)
    assert isinstance(decided, tuple), decided
    (action,) = decided
    assert isinstance(action, PostMessage)
    return action


def test_a_ghosts_id_of_another_server_is_one_more_person_of_matrix_and_shown_with_it() -> None:
    known = facts(lookalikes=frozenset([ALICE]), members={FALSE_GHOST: Member(FALSE_GHOST, "Alice", "")})
    action = posted(said_in_matrix(TEXT, sender=FALSE_GHOST), known)
    assert FALSE_GHOST in action.username


def test_a_ghosts_id_of_another_server_mentions_nobody_in_slack() -> None:
    pill = f'<a href="https://matrix.to/#/{FALSE_GHOST}">Alice</a>'
    content = TEXT | {
        "format": "org.matrix.custom.html",
        "formatted_body": pill,
        "m.mentions": {"user_ids": [FALSE_GHOST]},
    }
    action = posted(said_in_matrix(content))
    assert ALICE not in action.text
    assert ALICE not in str(action.blocks)


def test_a_stamp_that_somebody_copied_keeps_nothing_from_slack() -> None:
    assert posted(said_in_matrix(TEXT | {STAMP: "a-key-of-ours"})).text == "it is me"


@pytest.mark.parametrize("username", ["Ada Lovelace", "@ada:example.org"])
def test_a_bot_that_pretends_to_be_a_relayed_person_is_that_bots_ghost(username: str) -> None:
    event = {
        "type": "message",
        "subtype": "bot_message",
        "channel": CHANNEL,
        "ts": "1.000001",
        "text": "I am Ada",
        "bot_id": "BEVIL",
        "app_id": "AEVIL",
        "username": username,
        "metadata": {"event_type": "causeway_relay", "event_payload": {"key": "a-key-of-ours"}},
    }
    read = slack.read({"team_id": TEAM, "event": event}, "s", WORKSPACE)
    assert isinstance(read, SlackMessage), read
    assert not read.own
    decided = to_matrix.decide(read, PORTAL, facts())
    assert isinstance(decided, tuple)
    sent = [action for action in decided if isinstance(action, SendEvent)]
    assert [action.sender for action in sent] == [ghost(SlackUserId("BEVIL"))]
