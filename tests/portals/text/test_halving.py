"""A document is parted where a reader would part it, loses nothing, and its halves stay what they were."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings

from portals.text import Names, halves, to_matrix
from portals.text.document import (
    BOLD,
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
    Table,
    Text,
)
from tests.portals.text.documents import EXAMPLES, html_documents

if TYPE_CHECKING:
    from portals.text.document import Block

ONE, TWO, THREE = Text("one"), Text("two", BOLD), Text("three")
BREAK = LineBreak()
FIRST, SECOND = Paragraph((ONE,)), Paragraph((TWO,))


def halved(block: Block) -> list[tuple[Block, ...]] | None:
    found = halves(Document((block,)))
    return None if found is None else [half.blocks for half in found]


@pytest.mark.parametrize(
    ("whole", "first", "second"),
    [
        (Paragraph((ONE, BREAK, TWO)), FIRST, SECOND),
        (Paragraph((ONE, BREAK, TWO, THREE, THREE)), FIRST, Paragraph((TWO, THREE, THREE))),
        (Paragraph((ONE, TWO)), FIRST, SECOND),
        (
            Paragraph((Text("many words here", BOLD),)),
            Paragraph((Text("many", BOLD),)),
            Paragraph((Text("words here", BOLD),)),
        ),
        (Paragraph((Text("abcdef"),)), Paragraph((Text("abc"),)), Paragraph((Text("def"),))),
        (Heading(2, (ONE, BREAK, TWO)), Heading(2, (ONE,)), Heading(2, (TWO,))),
        (Quote((FIRST, SECOND), quiet=True), Quote((FIRST,), quiet=True), Quote((SECOND,), quiet=True)),
        (Details((THREE,), (FIRST, SECOND)), Details((THREE,), (FIRST,)), Details((THREE,), (SECOND,))),
        (CodeBlock("a\nb\nc", "sql"), CodeBlock("a\nb", "sql"), CodeBlock("c", "sql")),
        (CodeBlock("a\nbbbbbbb", "sql"), CodeBlock("a", "sql"), CodeBlock("bbbbbbb", "sql")),
        (CodeBlock("abcd"), CodeBlock("ab"), CodeBlock("cd")),
        (List(True, ((FIRST,), (SECOND,)), 4), List(True, ((FIRST,),), 4), List(True, ((SECOND,),), 5)),
        (List(False, ((FIRST, SECOND),)), List(False, ((FIRST,),)), SECOND),
        (Table((((ONE,),), ((TWO,),))), Table((((ONE,),),)), Table((((TWO,),),), header=False)),
    ],
)
def test_a_block_is_parted_within(whole: Block, first: Block, second: Block) -> None:
    assert halved(whole) == [(first,), (second,)]


@pytest.mark.parametrize(
    "block",
    [
        Rule(),
        Table((((ONE,),),)),
        CodeBlock("x"),
        List(False, ()),
        List(False, ((),)),
        Paragraph(()),
        Paragraph((Text("x"),)),
        Paragraph((Link("https://example.org/", "here"),)),
        Quote((Rule(),)),
    ],
)
def test_what_cannot_be_parted_well_is_left_whole(block: Block) -> None:
    assert halved(block) is None


def test_blocks_are_kept_whole_where_there_are_several() -> None:
    found = halves(Document((FIRST, Rule(), SECOND)))
    assert found == (Document((FIRST,)), Document((Rule(), SECOND)))
    assert halves(Document()) is None


@settings(max_examples=EXAMPLES // 4)
@given(html_documents)
def test_nothing_is_lost_however_often_a_document_is_parted(document: Document) -> None:
    whole, rest = [], [document]
    while rest:
        found = halves(rest[0])
        if found is None:
            whole.append(rest.pop(0))
        else:
            rest[:1] = found
    assert _letters(Document(tuple(block for part in whole for block in part.blocks))) >= _letters(document)


def _letters(document: Document) -> int:
    return sum(char.isalnum() for char in to_matrix(document, Names()).body)
