"""A link to a message leads, on each side, to the message as that side shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portals.actions import PostMessage, SendEvent
from portals.relay import to_matrix, to_slack
from tests.portals.relay.scene import CHANNEL, PORTAL, facts, said_in_matrix, said_in_slack

if TYPE_CHECKING:
    from portals.facts import Facts

IN_SLACK = "https://acme.slack.com/archives/C1/p1600000000000100"
IN_MATRIX = "https://matrix.to/#/!room:example.org/$old?via=example.org"


def from_slack(text: str, known: Facts) -> dict[str, Any]:
    decision = to_matrix.decide(said_in_slack(ts="1700000000.000100", text=text), PORTAL, known)
    assert isinstance(decision, tuple)
    (action,) = decision
    assert isinstance(action, SendEvent)
    return dict(action.content)


def from_matrix(known: Facts, body: str, html: str = "") -> PostMessage:
    content = {"msgtype": "m.text", "body": body}
    if html:
        content |= {"format": "org.matrix.custom.html", "formatted_body": html}
    decision = to_slack.decide(said_in_matrix(content), PORTAL, known)
    assert isinstance(decision, tuple)
    (action,) = decision
    assert isinstance(action, PostMessage)
    return action


def test_a_link_of_slack_leads_to_the_event() -> None:
    known = facts(permalinks={IN_SLACK: IN_MATRIX})
    assert from_slack(f"see <{IN_SLACK}>", known)["body"] == f"see {IN_MATRIX}"
    said = from_slack(f"see <{IN_SLACK}|this>", known)
    assert said["formatted_body"] == f'see <a href="{IN_MATRIX}">this</a>'


def test_a_link_of_matrix_leads_to_the_message() -> None:
    known = facts(permalinks={IN_MATRIX: IN_SLACK})
    assert from_matrix(known, f"see {IN_MATRIX}").text == f"see <{IN_SLACK}>"
    assert from_matrix(known, "see this", f'see <a href="{IN_MATRIX}">this</a>').text == f"see <{IN_SLACK}|this>"


def test_a_link_without_a_counterpart_stays() -> None:
    assert from_slack(f"see <{IN_SLACK}>", facts())["body"] == f"see {IN_SLACK}"
    assert from_matrix(facts(), f"see {IN_MATRIX}").text == f"see <{IN_MATRIX}>"


def test_only_links_of_the_own_side_are_asked_for() -> None:
    both = f"<{IN_SLACK}> <{IN_MATRIX}> <https://acme.slack.com/archives/C2/p1600000000000200> <https://x.org>"
    wanted = to_matrix.needs(said_in_slack(ts="1700000000.000100", text=both))
    assert wanted.links == {IN_SLACK, "https://acme.slack.com/archives/C2/p1600000000000200"}
    said = {"msgtype": "m.text", "body": f"{IN_SLACK} {IN_MATRIX}"}
    assert to_slack.needs(said_in_matrix(said)).links == {IN_MATRIX}


def test_a_message_that_links_to_one_just_before_it_waits_for_that_one() -> None:
    event = said_in_slack(ts="1700000000.000100", text=f"<{IN_SLACK}> <https://acme.slack.com/archives/{CHANNEL}>")
    assert to_matrix.needs(event).messages == {"1700000000.000100", "1600000000.000100"}
