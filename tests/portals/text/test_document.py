"""The tree and its normal form."""

from __future__ import annotations

import pytest

from portals.text import Names, document, from_slack, to_matrix
from portals.text.document import (
    BOLD,
    BREAK,
    Broadcast,
    CodeBlock,
    Details,
    Document,
    Heading,
    LineBreak,
    Link,
    List,
    Paragraph,
    Quote,
    Rule,
    Spoiler,
    Table,
    Text,
    Time,
    joined,
    normal,
    words_of,
)

X = (Text("x"),)


def test_an_empty_document_says_so() -> None:
    assert Document().is_empty()
    assert not Document((Rule(),)).is_empty()


@pytest.mark.parametrize(
    ("block", "wanted"),
    [
        (Paragraph((Text("a"), Text(""), Text("b"))), (Paragraph((Text("ab"),)),)),
        (Paragraph((Text("a"), Text("b", BOLD))), (Paragraph((Text("a"), Text("b", BOLD))),)),
        (
            Paragraph((BREAK, Text("a"), BREAK, BREAK, Text("b"), BREAK)),
            (Paragraph((Text("a"),)), Paragraph((Text("b"),))),
        ),
        (Paragraph((Text(" "), BREAK, Text("  "))), ()),
        (Paragraph((Spoiler((BREAK, Text("a"), BREAK)),)), (Paragraph((Spoiler((Text("a"),)),)),)),
        (Paragraph((Spoiler((BREAK,)),)), ()),
        (Heading(9, (BREAK, Text("a"), BREAK, BREAK, Text("b"))), (Heading(6, (Text("a"), BREAK, Text("b"))),)),
        (Heading(0, ()), ()),
        (Quote((Paragraph(()),)), ()),
        (Quote((Paragraph(X),), quiet=True), (Quote((Paragraph(X),), quiet=True),)),
        (List(False, ((Paragraph(X),), ()), 5), (List(False, ((Paragraph(X),), ())),)),
        (List(True, ()), ()),
        (CodeBlock("\n\r\na\x00\n", "py"), (CodeBlock("a", "py"),)),
        (CodeBlock("\n"), ()),
        (Table(((), (X, (BREAK,)))), (Table(((X, ()),)),)),
        (Table(((),)), ()),
        (Details((BREAK, *X), (Paragraph(()),)), (Details(X, ()),)),
        (Rule(), (Rule(),)),
    ],
)
def test_the_normal_form_of_a_block(block: document.Block, wanted: document.Blocks) -> None:
    assert normal(Document((block,))) == Document(wanted)
    assert normal(Document(wanted)) == Document(wanted)


def test_blocks_are_joined_by_lines_in_places_for_one_line() -> None:
    assert joined((Paragraph(()), Paragraph(X), Rule(), Paragraph(X))) == (*X, BREAK, *X)


def test_inlines_read_as_bare_words() -> None:
    inlines = (Broadcast("here"), LineBreak(), Time(0, "{date}", "long ago"), Spoiler((Link("https://x.org", "x"),)))
    assert words_of(inlines) == "@here\nlong agox"


def test_controls_and_lone_surrogates_are_dropped() -> None:
    assert document.clean("a\x00b\x1b\ud800c\u2028d\r\ne\rf\tg\ufffe") == "abc\nd\ne\nf\tg"


def test_the_body_of_a_spoiler_hides_it() -> None:
    said = Document((Paragraph((Spoiler((Text("secret"),), "film"), Text(" "), Spoiler((Text("secret"),)))),))
    assert to_matrix(said, Names()).body == "[Spoiler for film] [Spoiler]"


def test_a_very_long_markdown_block_is_plain_text() -> None:
    shown = to_matrix(from_slack("", [{"type": "markdown", "text": "*a* " * 30_000}]), Names())
    assert shown.body.startswith("*a* *a*")
    assert shown.formatted_body is None
