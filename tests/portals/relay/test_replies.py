"""What an answer in Matrix answers is told in Slack: by a thread, or by a short quotation."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from portals.actions import PostFile, PostMessage, UpdateMessage
from portals.facts import Facts, Quoted
from portals.relay import replies
from portals.relay.to_slack import decide, needs
from tests.portals.relay.scene import ADA, ALICE, PORTAL, WORKSPACE, facts, from_ada, ghost, link, rules, said_in_matrix

QUOTE = rules(reply_style="quote")
BESIDE = replace(WORKSPACE, url="https://acme.slack.com/")
ANSWER = {"msgtype": "m.text", "body": "yes", "m.relates_to": {"m.in_reply_to": {"event_id": "$a"}}}


def asked(body: str = "Are we ready?", **more: Any) -> Quoted:
    return Quoted(
        said_in_matrix({"msgtype": "m.text", "body": body} | more, event_id="$a", sender=ghost(ALICE)), "Alice"
    )


def posted(known: Facts, content: dict[str, Any] = ANSWER) -> Any:
    decision = decide(said_in_matrix(content), PORTAL, known)
    assert isinstance(decision, tuple)
    return decision[0]


def test_a_reply_opens_a_thread_or_stays_in_the_time_line_as_configured() -> None:
    there = link("1700000000.000100", "$a")
    action = posted(facts(there))
    assert (action.thread_ts, action.text) == ("1700000000.000100", "yes")
    quoting = posted(facts(there, rules=QUOTE, quoted=asked(), workspace=BESIDE))
    assert isinstance(quoting, PostMessage)
    assert quoting.thread_ts is None
    address = "https://acme.slack.com/archives/C1/p1700000000000100"
    assert quoting.text == f"> *<{address}|Alice>*: Are we ready?\nyes"
    assert quoting.blocks[0]["elements"][0]["type"] == "rich_text_quote"


def test_a_quotation_of_what_slack_does_not_have_names_its_author_only() -> None:
    assert posted(facts(quoted=asked())).text == "> *Alice*: Are we ready?\nyes"
    assert posted(facts(link("1.0", "$a", deleted=True), rules=QUOTE, quoted=asked())).text.startswith("> *Alice*:")
    nameless = Quoted(asked().message, "")
    assert posted(facts(quoted=nameless)).text.startswith(f"> *{ghost(ALICE)}*:")


def test_a_quotation_is_short_and_notifies_nobody() -> None:
    html = f'<a href="https://matrix.to/#/{ghost(ALICE)}">Alice</a> look'
    pill = asked("Alice look", format="org.matrix.custom.html", formatted_body=html)
    assert "<@" not in posted(facts(quoted=pill)).text
    long = posted(facts(quoted=asked("word " * 100))).text
    assert long.endswith("word…\nyes")
    assert len(long) < 230
    assert posted(facts(quoted=asked("x" * 300))).text == f"> *Alice*: {'x' * 200}…\nyes"


def test_a_quoted_file_is_its_name_or_caption_and_what_is_encrypted_only_its_author() -> None:
    image = {"msgtype": "m.image", "body": "cat.png", "url": "mxc://x/y"}
    assert posted(facts(quoted=asked(**image))).text == "> *Alice*: cat.png\nyes"
    assert posted(facts(quoted=asked(**image | {"filename": "c.png", "body": "my cat"}))).text.startswith(
        "> *Alice*: my cat"
    )
    secret = Quoted(said_in_matrix({"ciphertext": "x"}, "m.room.encrypted", event_id="$a"), "Ada")
    assert posted(facts(quoted=secret)).text == "> *Ada*\nyes"


def test_the_link_of_a_quotation_shows_no_preview_and_any_other_does() -> None:
    assert not posted(facts(quoted=asked())).unfurl
    assert posted(facts()).unfurl


def test_a_file_may_answer_too() -> None:
    image = {"msgtype": "m.image", "filename": "c.png", "body": "this one", "url": "mxc://x/y"}
    action = posted(facts(quoted=asked()), image | {"m.relates_to": ANSWER["m.relates_to"]})
    assert isinstance(action, PostFile)
    kinds = [element["type"] for element in action.blocks[0]["elements"]]
    assert kinds == ["rich_text_section", "rich_text_quote", "rich_text_section"]


def test_an_edit_keeps_its_quotation() -> None:
    edit = {
        "m.new_content": {"msgtype": "m.text", "body": "no"},
        "m.relates_to": {"rel_type": "m.replace", "event_id": "$b"},
    }
    event = said_in_matrix(ANSWER | edit)
    assert needs(event).quoted == event
    action = posted(facts(from_ada("1.0", "$b"), quoted=asked()), ANSWER | edit)
    assert isinstance(action, UpdateMessage)
    assert action.text == "> *Alice*: Are we ready?\nno"


@pytest.mark.parametrize(
    ("style", "more", "is_in_slack", "quoted"),
    [
        ("thread", {}, True, False),
        ("thread", {}, False, True),
        ("quote", {}, True, True),
        ("thread", {"rel_type": "m.thread", "event_id": "$root"}, True, True),
        ("thread", {"rel_type": "m.thread", "event_id": "$root", "is_falling_back": True}, False, False),
    ],
)
def test_a_quotation_stands_where_a_thread_does_not_tell_what_is_meant(
    style: str, more: dict[str, Any], is_in_slack: bool, quoted: bool
) -> None:
    event = said_in_matrix(ANSWER | {"m.relates_to": {"m.in_reply_to": {"event_id": "$a"}, **more}})
    assert replies.is_quoted(event, rules(reply_style=style), is_in_slack=is_in_slack) is quoted


def test_only_an_answer_or_an_edit_needs_a_quotation() -> None:
    assert needs(said_in_matrix({"msgtype": "m.text", "body": "hi"})).quoted is None
    assert needs(said_in_matrix(ANSWER)).quoted is not None
    assert needs(said_in_matrix(ANSWER)).matrix_users == {ADA}
