"""Document → rows, the flat form in which Slack shows a message.

A row is one paragraph, list item, code block or line of a quotation, with everything resolved to what Slack can say:
people and rooms are Slack ids or words, headings are bold, tables are aligned code, nested lists are items with an
indent. Only a mention in the document that the names answer, and a broadcast that the policy allows, survives as one.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Literal

from portals.text import emoji
from portals.text.document import (
    BOLD,
    BREAK,
    CODE,
    PLAIN,
    Block,
    Blocks,
    Broadcast,
    ChannelMention,
    CodeBlock,
    Details,
    Document,
    Emoji,
    Heading,
    Image,
    Inline,
    Inlines,
    LineBreak,
    Link,
    List,
    MatrixUser,
    Paragraph,
    Quote,
    RoomMention,
    SlackUser,
    Spoiler,
    Table,
    Text,
    merged,
    text_inlines,
    with_style,
    words_of,
)
from portals.text.matrix_links import link_to
from portals.text.names import Names, label_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_LINKABLE = ("http://", "https://", "mailto:")
_LONGEST_URL = 2_500
DEEPEST_INDENT = 8
_WIDEST_TABLE = 400


@dataclass(frozen=True, slots=True)
class Row:
    """`group` is shared by rows of one paragraph run, quotation, list or code block."""

    kind: Literal["section", "quote", "item", "code", "rule"]
    group: int
    inlines: Inlines = ()
    indent: int = 0
    number: int | None = None
    """The number of an item in an ordered list."""
    quoted: bool = False


def continues(last: Row, row: Row) -> bool:
    """Whether two rows belong into one rich_text element."""
    if last.kind != row.kind or last.group != row.group or row.kind in ("code", "rule"):
        return False
    if row.kind != "item":
        return True
    if (last.indent, last.quoted, last.number is None) != (row.indent, row.quoted, row.number is None):
        return False
    return last.number is None or row.number == last.number + 1


def lower(document: Document, names: Names) -> list[Row]:
    """Return the rows of a document."""
    return _Lowering(names).blocks(document.blocks, quotes=0)


class _Lowering:
    def __init__(self, names: Names) -> None:
        self.names = names
        self.groups = count()

    def blocks(self, blocks: Sequence[Block], quotes: int) -> list[Row]:
        out: list[Row] = []
        group = next(self.groups)
        mark = (Text("> " * (quotes - 1)),) if quotes > 1 else ()
        kind: Literal["quote", "section"] = "quote" if quotes else "section"
        for block in blocks:
            if isinstance(block, Paragraph):
                out.append(Row(kind, group, _marked(self.inlines(block.inlines), mark)))
                continue
            if isinstance(block, Heading):
                out.append(Row(kind, group, _marked(self.inlines(block.inlines, BOLD), mark)))
                continue
            out += self._other(block, quotes)
            group = next(self.groups)
        return out

    def _other(self, block: Block, quotes: int) -> list[Row]:
        if isinstance(block, Quote):
            return self.blocks(block.blocks, quotes + 1)
        if isinstance(block, List):
            return self._items(block, 0, quotes, next(self.groups))
        if isinstance(block, CodeBlock):
            return [Row("code", next(self.groups), tuple(text_inlines(block.text)), quoted=quotes > 0)]
        if isinstance(block, Table):
            words = "\n".join(_aligned([[self._cell(cell) for cell in row] for row in block.rows], block.header))
            return [Row("code", next(self.groups), tuple(text_inlines(words)), quoted=quotes > 0)]
        if isinstance(block, Details):
            return self.blocks(_unfolded((block,)), quotes)
        return [Row("rule", next(self.groups))]

    def _cell(self, cell: Inlines) -> str:
        """A cell is code, in which mentions are words."""
        words = [self._cell_word(inline) for inline in cell]
        return " ".join("".join(words).split())

    def _cell_word(self, inline: Inline) -> str:
        if isinstance(inline, MatrixUser):
            return self._name(inline)
        if isinstance(inline, (RoomMention, Broadcast)):
            return words_of((inline,))
        return "".join([_with_address(one) for one in self._resolved(inline)])

    def _items(self, block: List, indent: int, quotes: int, group: int) -> list[Row]:
        out: list[Row] = []
        for number, item in enumerate(block.items, block.start):
            out += self._item(item, min(indent, DEEPEST_INDENT), number if block.ordered else None, quotes, group)
        return out

    def _item(self, item: Blocks, indent: int, number: int | None, quotes: int, group: int) -> list[Row]:
        """An item's first words are its row; a list in it follows one level deeper, all else below it."""
        out: list[Row] = []
        words: list[Inline] = []

        def flush() -> None:
            nonlocal words
            if not out:
                out.append(Row("item", group, tuple(merged(words)), indent, number, quotes > 0))
            elif words:
                out.append(Row("quote" if quotes else "section", next(self.groups), tuple(merged(words))))
            words = []

        for block in _unfolded(item):
            if isinstance(block, (Paragraph, Heading)):
                style = BOLD if isinstance(block, Heading) else PLAIN
                words += [*([BREAK] if words else []), *self.inlines(block.inlines, style)]
            elif isinstance(block, Quote) and not any(
                isinstance(one, (List, CodeBlock, Table)) for one in block.blocks
            ):
                quoted = [row.inlines for row in self.blocks(block.blocks, 2)]
                words += [one for inlines in quoted for one in (BREAK, *inlines)][0 if words else 1 :]
            else:
                flush()
                if isinstance(block, List):
                    out += self._items(block, indent + 1, quotes, group)
                else:
                    out += self.blocks((block,), quotes)
        if words or not out:
            flush()
        return out

    # -- inlines -------------------------------------------------------------------------------------------------

    def inlines(self, inlines: Iterable[Inline], style: int = PLAIN) -> Inlines:
        resolved: list[Inline] = []
        for inline in inlines:
            if isinstance(inline, LineBreak) or (isinstance(inline, Text) and inline.text.isascii()):  # most are
                resolved.append(inline)
            elif isinstance(inline, Link):
                resolved.append(self._link(inline))
            else:
                resolved += self._resolved(inline)
        return tuple(merged([with_style(inline, style) for inline in resolved] if style else resolved))

    def _resolved(self, inline: Inline) -> Iterator[Inline]:
        if isinstance(inline, Text):
            if inline.style & CODE or inline.text.isascii():
                yield inline
            else:
                for words, name in emoji.pieces(inline.text):
                    yield Emoji(name, words, inline.style) if name else Text(words, inline.style)
        elif isinstance(inline, Link):
            yield self._link(inline)
        elif isinstance(inline, (MatrixUser, RoomMention, Broadcast)):
            yield self._mention(inline)
        elif isinstance(inline, Emoji):
            known = inline.unicode is not None or inline.name in self.names.emoji
            yield inline if known else Text(f":{label_of(inline.name)}:", inline.style)
        elif isinstance(inline, Image):
            if inline.url.startswith("mxc:"):
                yield Text(f"[image: {inline.alt}]" if inline.alt else "[image]", inline.style)
            else:
                yield _link(inline.url, Link(inline.url, inline.alt or "image", inline.style))
        elif isinstance(inline, Spoiler):
            reason = f"[spoiler: {label_of(inline.reason)}] " if inline.reason else "[spoiler] "
            yield Text(reason, inline.style)
            for inner in inline.inlines:
                yield from self._resolved(inner)
        else:
            yield inline

    def _link(self, inline: Link) -> Inline:
        return _link(self.names.links.get(inline.url, inline.url), inline)

    def _mention(self, inline: MatrixUser | RoomMention | Broadcast) -> Inline:
        if isinstance(inline, Broadcast):
            if self.names.allow_broadcast:
                return Broadcast("channel" if inline.kind == "room" else inline.kind, inline.style)
            return Text(f"@{inline.kind}", inline.style)
        if isinstance(inline, RoomMention):
            channel = self.names.rooms.get(inline.id)
            if channel:
                return ChannelMention(channel, style=inline.style)
            return Link(link_to(inline.id), label_of(inline.label, inline.id), inline.style)
        person = self.names.matrix_users.get(inline.id)
        if person and person.slack_id:
            return SlackUser(person.slack_id, style=inline.style)
        return Text(self._name(inline), inline.style)

    def _name(self, inline: MatrixUser) -> str:
        person = self.names.matrix_users.get(inline.id)
        name = label_of(person.name if person else inline.label, inline.id)
        return name if name.startswith("@") else f"@{name}"


def _unfolded(blocks: Blocks) -> Blocks:
    """Details as a bold line above what they hold."""
    out: list[Block] = []
    for block in blocks:
        if isinstance(block, Details):
            head = tuple([with_style(inline, BOLD) for inline in block.summary])
            out += [*([Paragraph(head)] if head else []), *block.blocks]
        else:
            out.append(block)
    return tuple(out)


def _with_address(inline: Inline) -> str:
    """Return an inline as it stands in code, where a link can only be read."""
    if isinstance(inline, Link) and inline.text != inline.url:
        return f"{inline.text} ({inline.url})"
    return words_of((inline,))


def _link(url: str, link: Link) -> Inline:
    words = url if link.text == link.url else link.text
    if url.lower().startswith(_LINKABLE) and len(url) <= _LONGEST_URL:
        return link if url is link.url else Link(url, words, link.style)
    return Text(words if words == url else f"{words} ({url})", link.style)


def _marked(inlines: Inlines, mark: Inlines) -> Inlines:
    if not mark:
        return inlines
    out: list[Inline] = [*mark]
    for inline in inlines:
        out.append(inline)
        if isinstance(inline, LineBreak):
            out += mark
    return tuple(merged(out))


def _aligned(rows: Sequence[Sequence[str]], header: bool) -> list[str]:
    """Columns of equal width in a monospace font; wide characters count twice."""
    columns = max((len(row) for row in rows), default=0)
    widths = [0] * columns
    for row in rows:
        for column, cell in enumerate(row):
            widths[column] = min(max(widths[column], _width(cell)), _WIDEST_TABLE)
    out = []
    for number, row in enumerate(rows):
        cells = [cell + " " * (widths[column] - _width(cell)) for column, cell in enumerate(row)]
        out.append(" | ".join(cells).rstrip())
        if header and number == 0 and len(rows) > 1:
            out.append("-+-".join("-" * width for width in widths))
    return out


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) or char in "\u200d\ufe0f" else 1 + (unicodedata.east_asian_width(char) in "WF")
        for char in text
    )
