"""What Slack says itself is a notice of the person whom it is about, if it says something to a reader."""

from __future__ import annotations

from typing import Any

import pytest

from portals.events import Ignored
from portals.relay.to_matrix import decide
from tests.portals.relay.scene import ALICE, FACTS, PORTAL, facts, ghost, link, said_in_slack

TS = "1700000000.000100"


def shown(**event: Any) -> Any:
    decision = decide(said_in_slack(ts=TS, **event), PORTAL, FACTS)
    assert not isinstance(decision, Ignored), decision
    (action,) = decision
    return action


@pytest.mark.parametrize(
    ("event", "words"),
    [
        ({"subtype": "bot_add", "text": "<@UALICE> added an integration: hugbot"}, "added an integration: hugbot"),
        ({"subtype": "channel_posting_permissions", "text": "changed channel posting permissions."}, "changed channel"),
        ({"subtype": "reminder_add", "text": "set up a reminder"}, "set up a reminder"),
        ({"subtype": "pinned_item", "text": ""}, "pinned a message to this channel."),
        ({"subtype": "channel_canvas_updated"}, "updated the canvas"),
        ({"subtype": "channel_tab_added"}, "added a tab"),
        ({"subtype": "huddle_thread", "text": "A huddle happened"}, "A huddle was started."),
        ({"subtype": "something_new", "text": "did something new"}, "did something new"),
    ],
)
def test_a_notice(event: dict[str, str], words: str) -> None:
    action = shown(**event)
    assert (action.sender, action.content["msgtype"]) == (ghost(ALICE), "m.notice")
    assert action.content["body"].startswith(words)


@pytest.mark.parametrize(
    "subtype", ["channel_join", "channel_leave", "group_join", "ephemeral", "bot_enable", "assistant_app_thread"]
)
def test_what_shows_elsewhere_or_to_nobody_is_no_notice(subtype: str) -> None:
    decision = decide(said_in_slack(ts=TS, text="x", subtype=subtype), PORTAL, FACTS)
    assert isinstance(decision, Ignored)


def test_a_new_kind_without_words_shows_nothing() -> None:
    assert isinstance(decide(said_in_slack(ts=TS, subtype="something_new"), PORTAL, FACTS), Ignored)


def test_a_huddle_that_goes_on_is_not_told_again() -> None:
    now = {"ts": TS, "user": ALICE, "subtype": "huddle_thread", "text": "A huddle happened", "edited": {"ts": "1.1"}}
    event = said_in_slack(subtype="message_changed", message=now, event_ts="1700000001.000000")
    assert isinstance(decide(event, PORTAL, facts(link(TS, "$huddle", digest="before"))), Ignored)
