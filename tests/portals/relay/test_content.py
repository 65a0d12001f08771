"""The JSON of the events that the bridge writes."""

from __future__ import annotations

import json

import pytest

from portals.relay import content
from portals.text import Names, SlackPerson
from portals.text.document import BOLD, Broadcast, Document, Image, Paragraph, SlackUser, Text

ALICE = "@slack_t1_ualice:example.org"


def test_a_message_says_whom_it_mentions() -> None:
    names = Names(slack_users={"U1": SlackPerson("Alice", ALICE)})
    (said,) = content.pieces(Document((Paragraph((SlackUser("U1"), Text(" hi"))),)), names, "m.text")
    assert said["m.mentions"] == {"user_ids": [ALICE]}
    assert ALICE in said["formatted_body"]
    everybody = Document((Paragraph((Broadcast("here"),)),))
    (room,) = content.pieces(everybody, Names(allow_room_mention=True), "m.text")
    assert room["m.mentions"] == {"room": True}
    (plain,) = content.pieces(Document((Paragraph((Text("hi"),)),)), names, "m.notice")
    assert plain == {"msgtype": "m.notice", "body": "hi", "m.mentions": {}}


def test_an_edit_has_a_fallback_in_both_forms_and_mentions_nobody_again() -> None:
    (said,) = content.pieces(Document((Paragraph((Text("hi", BOLD),)),)), Names(), "m.text")
    edit = content.edit(said, "$a")  # type: ignore[arg-type]
    assert (edit["body"], edit["formatted_body"]) == (f"* {said['body']}", "* <strong>hi</strong>")
    assert edit["m.new_content"] == said
    assert edit["m.mentions"] == {}


@pytest.mark.parametrize("sign", ["x", "é", "\x1f", "🎉", '"'])
@pytest.mark.parametrize("length", [1, 2_999, 3_000, 3_400, 8_000, 45_000])
def test_no_piece_is_larger_than_an_event_may_be_whatever_its_signs(sign: str, length: int) -> None:
    pieces = content.pieces(Document((Paragraph((Text(sign * length),)),)), Names(), "m.text")
    assert all(len(json.dumps(piece)) <= content._MOST_BYTES for piece in pieces)
    assert "".join(piece["body"] for piece in pieces).count(sign) == length


def test_what_cannot_be_parted_is_parted_as_plain_words() -> None:
    endless = Document((Paragraph((Image("mxc://x/y", "x" * 45_000),)),))
    pieces = content.pieces(endless, Names(), "m.text")
    assert len(pieces) > 1
    assert "".join(piece["body"] for piece in pieces).count("x") >= 45_000


def test_a_notice_may_have_a_link_behind_it() -> None:
    assert "formatted_body" not in content.notice("words", "file:///etc/passwd")
    said = content.notice("<words>", "https://acme.slack.com/?a&b")
    assert said["body"] == "<words> https://acme.slack.com/?a&b"
    assert said["formatted_body"] == '&lt;words&gt; <a href="https://acme.slack.com/?a&amp;b">Slack</a>'
