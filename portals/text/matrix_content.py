"""Content of a Matrix message event → document, with `m.mentions` as the last word on who is mentioned."""

from __future__ import annotations

import re
from operator import is_
from typing import TYPE_CHECKING, Any

from portals.text import matrix_html, plain
from portals.text.document import (
    CODE,
    Block,
    Blocks,
    Broadcast,
    Details,
    Document,
    Heading,
    Inline,
    Inlines,
    List,
    MatrixUser,
    Paragraph,
    Quote,
    Spoiler,
    Table,
    Text,
    trimmed,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_ROOM = re.compile(r"(?<![\w@])@room(?!\w)")


def read(content: Mapping[str, Any]) -> Document:
    """Return the document of the content's `formatted_body`, or of its `body` where there is no HTML.

    A pill mentions only whom `m.mentions` lists, where the content has one; `@room` mentions only by `m.mentions`.
    """
    formatted = content.get("formatted_body")
    document = Document()
    if content.get("format") == "org.matrix.custom.html" and isinstance(formatted, str):
        document = matrix_html.parse(formatted)
    if document.is_empty():
        body = content.get("body")
        document = plain.parse(body if isinstance(body, str) else "", _is_reply(content))
    mentions = content.get("m.mentions")
    listed: frozenset[str] | None = None
    room = False
    if isinstance(mentions, dict):
        users = mentions.get("user_ids")
        listed = frozenset(user for user in users if isinstance(user, str)) if isinstance(users, list) else frozenset()
        room = mentions.get("room") is True
    return Document(_Mentions(listed, room).blocks(document.blocks))


def _is_reply(content: Mapping[str, Any]) -> bool:
    relation = content.get("m.relates_to")
    return isinstance(relation, dict) and isinstance(relation.get("m.in_reply_to"), dict)


class _Mentions:
    """Walks a document once: bare addresses become links, mentions obey `m.mentions`."""

    def __init__(self, listed: frozenset[str] | None, room: bool) -> None:
        self.listed = listed
        self.room = room

    def blocks(self, blocks: Iterable[Block]) -> Blocks:
        return tuple([self._block(block) for block in blocks])

    def _block(self, block: Block) -> Block:
        if isinstance(block, Paragraph):
            return Paragraph(self.inlines(block.inlines))
        if isinstance(block, Heading):
            return Heading(block.level, self.inlines(block.inlines))
        if isinstance(block, Quote):
            return Quote(self.blocks(block.blocks), block.quiet)
        if isinstance(block, List):
            return List(block.ordered, tuple([self.blocks(item) for item in block.items]), block.start)
        if isinstance(block, Table):
            rows = tuple([tuple([self.inlines(cell) for cell in row]) for row in block.rows])
            return Table(rows, block.header)
        if isinstance(block, Details):
            return Details(self.inlines(block.summary), self.blocks(block.blocks))
        return block

    def inlines(self, inlines: Inlines) -> Inlines:
        out: list[Inline] = []
        for inline in plain.linked(inlines):
            if isinstance(inline, Text) and self.room and "@room" in inline.text and not inline.style & CODE:
                _room(inline, out)
            elif isinstance(inline, MatrixUser) and self.listed is not None and inline.id not in self.listed:
                out.append(Text(inline.label or inline.id, inline.style))
            elif isinstance(inline, Spoiler):
                out.append(Spoiler(self.inlines(inline.inlines), inline.reason, inline.style))
            else:
                out.append(inline)
        unchanged = len(out) == len(inlines) and all(map(is_, out, inlines))
        return inlines if unchanged else trimmed(out)


def _room(text: Text, out: list[Inline]) -> None:
    done = 0
    for match in _ROOM.finditer(text.text):
        out.append(Text(text.text[done : match.start()], text.style))
        out.append(Broadcast("room", text.style))
        done = match.end()
    out.append(Text(text.text[done:], text.style))
