"""The neutral rich-text tree between Slack and Matrix.

Every format is parsed into this tree once and rendered from it once. Inlines are flat: each carries its own style
bits, as in Slack's rich_text; nesting exists only between blocks (and inside a spoiler). People and places stay
neutral: a mention holds the id that its author used and is resolved while rendering.

The parsers promise a normal form: no empty or newline-carrying Text, neighbours of equal style merged, no breaks at
the edges of a paragraph, and a blank line always starts a new paragraph. `normal` brings any tree into that form.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

PLAIN = 0
BOLD = 1
ITALIC = 2
UNDERLINE = 4
STRIKE = 8
CODE = 16

DEPTH_LIMIT = 100
"""How deep any foreign tree is followed; the Matrix specification recommends 100 for HTML."""


@dataclass(frozen=True, slots=True)
class Text:
    text: str
    style: int = PLAIN


@dataclass(frozen=True, slots=True)
class LineBreak:
    pass


@dataclass(frozen=True, slots=True)
class Link:
    """A link with its words; equal `text` and `url` means that the author wrote a bare address."""

    url: str
    text: str
    style: int = PLAIN


@dataclass(frozen=True, slots=True)
class SlackUser:
    """A mention of a person by Slack user id; `label` is the name that came along, if any."""

    id: str
    label: str = ""
    style: int = PLAIN


@dataclass(frozen=True, slots=True)
class MatrixUser:
    """A mention of a person by Matrix user id; `label` is the name that came along, if any."""

    id: str
    label: str = ""
    style: int = PLAIN


@dataclass(frozen=True, slots=True)
class ChannelMention:
    """A mention of a Slack channel by id."""

    id: str
    label: str = ""
    style: int = PLAIN


@dataclass(frozen=True, slots=True)
class RoomMention:
    """A mention of a Matrix room by id (`!…`) or alias (`#…`)."""

    id: str
    label: str = ""
    style: int = PLAIN


@dataclass(frozen=True, slots=True)
class UsergroupMention:
    """A mention of a Slack user group by id; `label` is its handle with or without `@`."""

    id: str
    label: str = ""
    style: int = PLAIN


@dataclass(frozen=True, slots=True)
class Broadcast:
    """A mention of everybody: `here`, `channel` and `everyone` were said in Slack, `room` in Matrix."""

    kind: Literal["here", "channel", "everyone", "room"]
    style: int = PLAIN


@dataclass(frozen=True, slots=True)
class Emoji:
    """An emoji by its Slack name; `unicode` is None for one that no table knows, thus a custom one."""

    name: str
    unicode: str | None = None
    style: int = PLAIN


@dataclass(frozen=True, slots=True)
class Image:
    """A picture inside text; `url` may be `https:` or `mxc:`, `alt` is what to say where it cannot be shown."""

    url: str
    alt: str
    style: int = PLAIN


@dataclass(frozen=True, slots=True)
class Time:
    """A moment (Unix seconds) to be shown by Slack's date `format`, or by `fallback` where that is impossible."""

    timestamp: int
    format: str
    fallback: str = ""
    url: str = ""
    style: int = PLAIN


@dataclass(frozen=True, slots=True)
class Spoiler:
    """Inlines that a reader uncovers by choice."""

    inlines: tuple[Inline, ...]
    reason: str = ""
    style: int = PLAIN


Inline: TypeAlias = (
    Text
    | LineBreak
    | Link
    | SlackUser
    | MatrixUser
    | ChannelMention
    | RoomMention
    | UsergroupMention
    | Broadcast
    | Emoji
    | Image
    | Time
    | Spoiler
)
Inlines: TypeAlias = tuple[Inline, ...]


@dataclass(frozen=True, slots=True)
class Paragraph:
    inlines: Inlines


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of level 1 to 6."""

    level: int
    inlines: Inlines


@dataclass(frozen=True, slots=True)
class Quote:
    """A quotation; a `quiet` one was said elsewhere (an unfurl, a shared message) and its mentions notify nobody."""

    blocks: Blocks
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class List:
    """A list whose items hold blocks; `start` counts only for an ordered one."""

    ordered: bool
    items: tuple[Blocks, ...]
    start: int = 1


@dataclass(frozen=True, slots=True)
class CodeBlock:
    text: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    pass


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells; with `header` the first row names the columns. Rows may differ in length."""

    rows: tuple[tuple[Inlines, ...], ...]
    header: bool = True


@dataclass(frozen=True, slots=True)
class Details:
    """Blocks that a reader unfolds below a summary."""

    summary: Inlines
    blocks: Blocks


Block: TypeAlias = Paragraph | Heading | Quote | List | CodeBlock | Rule | Table | Details
Blocks: TypeAlias = tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Document:
    blocks: Blocks = ()

    def is_empty(self) -> bool:
        """Whether there is nothing to show."""
        return not self.blocks


BREAK = LineBreak()

_UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]|\x0b")
_NEWLINES = re.compile("\r\n?|[\u0085\u2028\u2029]")


def clean(text: str) -> str:
    """Return `text` with `\\n` as its only line end and without controls and lone surrogates, which no format takes."""
    if text.isascii() and text.isprintable():
        return text
    if _NEWLINES.search(text):
        text = _NEWLINES.sub("\n", text)
    return _UNWANTED.sub("", text)


def text_inlines(text: str, style: int = PLAIN) -> list[Inline]:
    """Return cleaned text as Text and LineBreak."""
    text = clean(text)
    if "\n" not in text:
        return [Text(text, style)] if text else []
    out: list[Inline] = []
    for line in text.split("\n"):
        if line:
            out.append(Text(line, style))
        out.append(BREAK)
    out.pop()
    return out


def merged(inlines: Iterable[Inline]) -> list[Inline]:
    """Return the inlines with empty Text dropped and neighbours of equal style joined."""
    if isinstance(inlines, (list, tuple)) and len(inlines) == 1 and isinstance(inlines[0], Text):
        return list(inlines) if inlines[0].text else []
    out: list[Inline] = []
    run: list[Text] = []
    for inline in inlines:
        if isinstance(inline, Text):
            if run and inline.style != run[0].style and inline.text:
                out.append(_joined_run(run))
                run = []
            if inline.text:
                run.append(inline)
            continue
        if run:
            out.append(_joined_run(run))
            run = []
        if isinstance(inline, Spoiler):
            out += _merged_spoiler(inline)
        else:
            out.append(inline)
    if run:
        out.append(_joined_run(run))
    return out


def _joined_run(run: Sequence[Text]) -> Text:
    return run[0] if len(run) == 1 else Text("".join([part.text for part in run]), run[0].style)


def _merged_spoiler(spoiler: Spoiler) -> list[Inline]:
    inner = merged(spoiler.inlines)
    while inner and isinstance(inner[-1], LineBreak):
        inner.pop()
    while inner and isinstance(inner[0], LineBreak):
        inner.pop(0)
    return [replace(spoiler, inlines=tuple(inner))] if inner else []


def paragraphs(inlines: Sequence[Inline]) -> list[Block]:
    """Return the inlines as paragraphs: a blank line parts two of them, breaks at the edges fall away."""
    out: list[Block] = []
    current: list[Inline] = []
    breaks = 0
    for inline in merged(inlines):
        if isinstance(inline, LineBreak):
            breaks += 1
            continue
        if breaks and current:
            if breaks > 1:
                out += _paragraph(current)
                current = []
            else:
                current.append(BREAK)
        breaks = 0
        current.append(inline)
    return out + _paragraph(current)


def _paragraph(inlines: Sequence[Inline]) -> list[Block]:
    """A paragraph, or nothing where nothing in it can be seen."""
    for inline in inlines:
        if not (isinstance(inline, LineBreak) or (isinstance(inline, Text) and inline.text.isspace())):
            return [Paragraph(tuple(inlines))]
    return []


def trimmed(inlines: Sequence[Inline]) -> Inlines:
    """Return the inlines of all paragraphs in one, for places that hold a single one (cells, headings, summaries)."""
    return joined(paragraphs(inlines))


def joined(blocks: Iterable[Block]) -> Inlines:
    """Return the readable inlines of any blocks, a line each."""
    out: list[Inline] = []
    for inlines in _lines(blocks):
        if inlines:
            if out:
                out.append(BREAK)
            out.extend(inlines)
    return tuple(merged(out))


def _lines(blocks: Iterable[Block]) -> Iterable[Sequence[Inline]]:
    for block in blocks:
        if isinstance(block, (Paragraph, Heading)):
            yield block.inlines
        elif isinstance(block, Quote):
            yield from _lines(block.blocks)
        elif isinstance(block, List):
            for number, item in enumerate(block.items, block.start):
                mark = Text(f"{number}. " if block.ordered else "• ")
                yield (mark, *joined(item))
        elif isinstance(block, CodeBlock):
            yield text_inlines(block.text, CODE)
        elif isinstance(block, Table):
            for row in block.rows:
                yield tuple(inline for cell in row for inline in (*cell, Text(" ")))[:-1]
        elif isinstance(block, Details):
            yield block.summary
            yield from _lines(block.blocks)


def words_of(inlines: Iterable[Inline]) -> str:
    """Return inlines as bare words, without knowledge of any name."""
    if isinstance(inlines, tuple) and len(inlines) == 1:
        return _word(inlines[0])
    return "".join([_word(inline) for inline in inlines])


def _word(inline: Inline) -> str:
    if isinstance(inline, (Text, Link)):
        return inline.text
    if isinstance(inline, LineBreak):
        return "\n"
    if isinstance(inline, Emoji):
        return inline.unicode or f":{inline.name}:"
    if isinstance(inline, Image):
        return inline.alt or "image"
    if isinstance(inline, Broadcast):
        return f"@{inline.kind}"
    if isinstance(inline, Time):
        return inline.fallback
    if isinstance(inline, Spoiler):
        return words_of(inline.inlines)
    return inline.label or inline.id


def with_style(inline: Inline, style: int) -> Inline:
    """Return the inline with more style bits."""
    return inline if isinstance(inline, LineBreak) else replace(inline, style=inline.style | style)


def normal(document: Document) -> Document:
    """Return the document in the form that the parsers promise."""
    return Document(_normal_blocks(document.blocks))


def _normal_blocks(blocks: Iterable[Block]) -> Blocks:
    out: list[Block] = []
    for block in blocks:
        out.extend(_normal_block(block))
    return tuple(out)


def _normal_block(block: Block) -> Iterable[Block]:
    if isinstance(block, Paragraph):
        return paragraphs(block.inlines)
    if isinstance(block, Heading):
        inlines = trimmed(block.inlines)
        return (Heading(min(max(block.level, 1), 6), inlines),) if inlines else ()
    if isinstance(block, Quote):
        inner = _normal_blocks(block.blocks)
        return (Quote(inner, block.quiet),) if inner else ()
    if isinstance(block, List):
        items = tuple(_normal_blocks(item) for item in block.items)
        return (List(block.ordered, items, block.start if block.ordered else 1),) if items else ()
    if isinstance(block, CodeBlock):
        text = clean(block.text).strip("\n")
        return (CodeBlock(text, block.language),) if text else ()
    if isinstance(block, Table):
        rows = tuple(tuple(trimmed(cell) for cell in row) for row in block.rows if row)
        return (Table(rows, block.header),) if rows else ()
    if isinstance(block, Details):
        return (Details(trimmed(block.summary), _normal_blocks(block.blocks)),)
    return (block,)
