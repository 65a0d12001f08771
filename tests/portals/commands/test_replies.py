"""Answers are readable in any client, are one event each, and nothing foreign in them means anything."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from portals.commands import replies
from portals.commands.grammar import ENTRIES, Mistake, parse
from portals.commands.levels import Level
from portals.ids import EventId, MatrixUserId
from portals.text import Names, to_matrix

if TYPE_CHECKING:
    from portals.text.document import Document

EVIL = "<b>@room</b> [x](https://evil) `code` @ada:here\n# head"


def shown(document: Document) -> tuple[str, str]:
    written = to_matrix(document, Names())
    assert written.user_ids == ()
    assert not written.room
    return written.body, written.formatted_body or ""


def test_a_mistake_says_what_to_write() -> None:
    found = parse("bridge")
    assert isinstance(found, Mistake)
    body, html = shown(replies.mistake(found, "!slack "))
    assert "That is not what it takes. Write:" in body
    assert "<code>!slack bridge #CHANNEL</code>: bridge a channel into a new room" in html
    other = parse("brigde")
    assert isinstance(other, Mistake)
    assert "did you mean `bridge` or `unbridge`? `help` says" in shown(replies.mistake(other, ""))[0]


def test_help_shows_what_somebody_may_ask() -> None:
    body, _ = shown(replies.help_(Level.USER, "!slack "))
    assert "!slack link" in body
    assert "unbridge" not in body
    body, _ = shown(replies.help_(Level.ADMIN, ""))
    assert all(one.usage in body for one in ENTRIES)
    body, _ = shown(replies.help_(Level.ADMIN, "", "portals add"))
    assert "`bridge #CHANNEL [--workspace …] [--direction …]`" in body
    assert "Also: `portals add`" in body
    assert "Also" not in shown(replies.help_(Level.ADMIN, "", "console"))[0]
    assert "There is no command “<b>”" in shown(replies.help_(Level.ADMIN, "", "<b>"))[0]


def test_nothing_foreign_becomes_markup_or_a_mention() -> None:
    line = replies.PortalLine(EVIL, "!r", "both", "live", (1, 2), False, EVIL, 3)
    for document in (
        replies.portal(line),
        replies.portals([line, line], True, ""),
        replies.parked([replies.ParkedLine(1, "to Slack", EVIL, EVIL, "now")], ""),
        replies.explained(EVIL, EVIL, "both", 2, "abcdefgh", "!slack "),
        replies.said(EVIL),
    ):
        body, html = shown(document)
        assert "<b>" not in html
        assert "<a " not in html
        assert "\n# head" not in body


def test_a_portal_is_told() -> None:
    body, _ = shown(replies.portal(replies.PortalLine("general", "!r", "to_matrix", "live", (1, 2), True, "", 3)))
    assert "#general is live, to Matrix only." in body
    assert "To Matrix wait 1, to Slack 2; 3 could not be delivered." in body
    assert "looking back" not in body
    assert "Trouble" not in body


def test_lists_are_told_short_or_say_what_is_left_out() -> None:
    assert "There are no portals yet: `bridge #channel` makes one." in shown(replies.portals([], False, ""))[0]
    one = replies.PortalLine("a", "!r", "to_slack", "live")
    assert "One portal:" in shown(replies.portals([one], False, ""))[0]
    many = shown(replies.portals([one] * 60, False, ""))[0]
    assert "60 portals:" in many
    assert "There are more, which are not shown here." in many
    assert "Nothing is parked" in shown(replies.parked([], ""))[0]
    assert (
        "7, no portal, to Slack, then: why"
        in shown(replies.parked([replies.ParkedLine(7, "to Slack", "", "why", "then")], ""))[0]
    )


def test_who_may_not_is_told_what_to_do() -> None:
    assert "An admin of the bridge can let you" in shown(replies.refused(Level.NONE, ""))[0]
    assert "`!slack help` says what you may ask" in shown(replies.refused(Level.USER, "!slack "))[0]
    assert "invite me into a room with nobody else" in shown(replies.elsewhere("!slack "))[0]


@pytest.mark.parametrize(
    ("direction", "people", "there", "absent"),
    [
        ("both", 1, ["one person is", "is shown in #a, under their name", "is shown here"], []),
        ("to_matrix", 3, ["3 people are", "is shown here"], ["is shown in #a"]),
        ("to_slack", 3, ["is shown in #a"], ["is shown here"]),
    ],
)
def test_it_is_explained_what_will_cross(direction: str, people: int, there: list[str], absent: list[str]) -> None:
    body, _ = shown(replies.explained("a", "Acme", direction, people, "abcdefgh", "!slack "))
    assert all(words in body for words in [*there, "said here before stays here", "`!slack plumb confirm abcd-efgh`"])
    assert not any(words in body for words in absent)


def test_hints_of_the_command_line_become_those_of_the_room() -> None:
    hint = 'take it up with causeway portals add "#a"; causeway people list'
    assert replies.in_matrix(hint, "!slack ") == 'take it up with !slack portals add "#a"; causeway people list'


def test_an_answer_is_one_event_beside_its_question() -> None:
    long = replies.listed("x" * 2000, ["<" * 2000] * 99)
    content = replies.event(long, EventId("$q"))
    assert len(json.dumps(content)) < 60_000
    assert content["msgtype"] == "m.notice"
    assert content["m.mentions"] == {}
    assert content["m.relates_to"] == {"m.in_reply_to": {"event_id": "$q"}}
    thread = replies.event(replies.said(""), EventId("$q"), EventId("$t"))
    assert thread["m.relates_to"]["rel_type"] == "m.thread"
    assert thread["m.relates_to"]["event_id"] == "$t"


def test_the_bot_greets() -> None:
    assert "Every message in this room is a command to me" in replies.welcome(MatrixUserId("@bot:here"))["body"]


def test_a_sentence_ends() -> None:
    assert [replies.sentence(one) for one in ("it is", "is it?", "It is.")] == ["It is.", "Is it?", "It is."]
