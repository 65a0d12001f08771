"""What must be looked up, and how foreign names are shown."""

from __future__ import annotations

import pytest

from portals.text import Mentioned, from_matrix, from_slack, label_of, mentions
from portals.text.document import Details, Document, Heading, List, Paragraph, Quote, Rule, SlackUser, Spoiler, Table


def test_a_slack_message_says_what_must_be_known() -> None:
    text = (
        "<@U1> <@U2|bob> <#C1|general> <!subteam^S1> <!here> :wave: :party: "
        "<https://x.slack.com/archives/C1/p1700000000000100?thread_ts=1> <https://x.slack.com/archives/C2> "
        "<https://x.org> <https://x.slack.com/files/U1/F1>"
    )
    assert mentions(from_slack(text)) == Mentioned(
        slack_users=frozenset({"U1", "U2"}),
        channels=frozenset({"C1"}),
        usergroups=frozenset({"S1"}),
        emoji=frozenset({"party"}),
        links=frozenset(
            {
                "https://x.slack.com/archives/C1/p1700000000000100?thread_ts=1",
                "https://x.slack.com/archives/C2",
            }
        ),
        room=True,
    )


def test_a_matrix_message_says_what_must_be_known() -> None:
    html = (
        '<a href="https://matrix.to/#/@a:hs">A</a><a href="https://matrix.to/#/!r:hs">R</a>'
        '<a href="https://matrix.to/#/!r:hs/$e?via=hs">e</a><span data-mx-spoiler>'
        '<a href="matrix:u/b:hs">B</a></span><img data-mx-emoticon src="mxc://h/p" alt=":party:">'
    )
    content = {"body": "", "format": "org.matrix.custom.html", "formatted_body": html}
    assert mentions(from_matrix(content)) == Mentioned(
        matrix_users=frozenset({"@a:hs", "@b:hs"}),
        rooms=frozenset({"!r:hs"}),
        emoji=frozenset({"party"}),
        links=frozenset({"https://matrix.to/#/!r:hs/$e?via=hs"}),
    )


def test_mentions_are_found_at_any_depth() -> None:
    def one(name: str) -> tuple[SlackUser]:
        return (SlackUser(name),)

    document = Document(
        (
            Heading(1, one("U1")),
            List(False, ((Paragraph(one("U2")),),)),
            Table(((one("U3"),),)),
            Details(one("U4"), (Paragraph(one("U5")), Rule())),
            Quote((Paragraph((Spoiler(one("U6")),)),)),
        )
    )
    assert mentions(document).slack_users == {"U1", "U2", "U3", "U4", "U5", "U6"}


def test_a_message_without_references_needs_nothing() -> None:
    assert mentions(from_slack("just *words* and `code`")) == Mentioned()


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("Ann", "Ann"),
        ("  Ann \n Lee ", "Ann Lee"),
        ("a\u2028b\u00a0c", "a b c"),
        ("a\u202eb\u200bc\ufeff", "abc"),
        ("\u202e\u2066", "fallback"),
        ("", "fallback"),
        ("x" * 200, "x" * 119 + "…"),
        ("👩‍🦱", "👩‍🦱"),
        ("<b>", "<b>"),
    ],
)
def test_a_name_is_shown_on_one_visible_line(name: str, label: str) -> None:
    assert label_of(name, "fallback") == label
