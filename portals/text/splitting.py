"""Rows → rows by the message: what is too much for one Slack message is parted, never cut off.

The break is between rows where possible, else between lines, else between words, and inside a word only where a
single word is longer than a message. Costs are upper bounds, so that no message can exceed a limit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from portals.text.document import Emoji, Inline, Inlines, LineBreak, Link, Text, Time, merged
from portals.text.rows import DEEPEST_INDENT, Row, continues

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


@dataclass(frozen=True, slots=True)
class Limits:
    """What one Slack message may hold."""

    text: int = 3_900
    """Characters of escaped text: `chat.update` refuses more than 4,000."""
    blocks: int = 50
    json: int = 12_000
    """Characters of the JSON of all blocks; Slack refuses somewhere above 13,200."""


_ROW_JSON = {"section": 70, "quote": 70, "code": 110, "item": 150, "rule": 50}
_JOINED = {"section": 36, "quote": 36, "code": 110, "item": 50, "rule": 50}
_MARGIN = 250
_EDGE = 4 * DEEPEST_INDENT + 20
_MOST_TEXT = 12 + 10 + _EDGE
_MOST_JSON = 90 + 18 + 5 * 20


def messages(rows: Sequence[Row], limits: Limits) -> Iterator[list[Row]]:
    """Yield the rows of each message."""
    if rows and _surely_fit(rows, limits):
        yield list(rows)
        return
    message: list[Row] = []
    text = size = rules = 0
    for row, row_text, row_size in _fitting(rows, limits):
        saved = _ROW_JSON[row.kind] - _JOINED[row.kind] if message and continues(message[-1], row) else 0
        blocks = 2 * (rules + (row.kind == "rule")) + 1
        if message and (
            text + row_text > limits.text or size + row_size - saved > limits.json or blocks > limits.blocks
        ):
            yield message
            message = []
            text = size = rules = saved = 0
        message.append(row)
        text += row_text
        size += row_size - saved
        rules += row.kind == "rule"
    if message:
        yield message


def _surely_fit(rows: Sequence[Row], limits: Limits) -> bool:
    """Tell cheaply whether rows fit one message whatever their signs are, as those of most messages do.

    Escaped, a sign has five characters at most, in JSON two; no inline costs more beside its signs than a styled link.
    """
    inlines = signs = 0
    for row in rows:
        inlines += len(row.inlines)
        for inline in row.inlines:
            if isinstance(inline, Text):
                signs += len(inline.text)
            elif not isinstance(inline, LineBreak):
                signs += sum(map(len, _strings(inline)))
    text = 5 * signs + _MOST_TEXT * inlines + _EDGE * len(rows)
    size = 2 * signs + _MOST_JSON * inlines + _ROW_JSON["item"] * len(rows)
    return text <= limits.text and size <= limits.json and 2 * len(rows) < limits.blocks


def _cost(row: Row) -> tuple[int, int]:
    edge = 4 * row.indent
    text, size = _inlines_cost(row.inlines, edge)
    text += edge + (20 if row.kind == "item" else 12)
    return text, size + _ROW_JSON[row.kind]


def _inlines_cost(inlines: Iterable[Inline], edge: int) -> tuple[int, int]:
    """Upper bounds of what inlines add to the text, whose lines start with an edge, and to the JSON.

    Text joins the element of the text before it.
    """
    text = size = 0
    joins = -1
    for inline in inlines:
        if isinstance(inline, LineBreak):
            text += 3 + edge
            size += 2 if joins >= 0 else 32
            joins = max(joins, 0)
            continue
        styles = inline.style.bit_count()
        text += 2 * styles
        if isinstance(inline, Text):
            text += _escaped_length(inline.text)
            size += len(inline.text) + inline.text.count('"') + inline.text.count("\\")
            if joins != inline.style:
                size += 32 + (18 + 20 * styles if styles else 0)
            joins = inline.style
            continue
        joins = -1
        text += 12
        size += 90 + (18 + 20 * styles if styles else 0)
        for words in _strings(inline):
            text += _escaped_length(words)
            size += len(words) + words.count('"') + words.count("\\")
    return text, size


def _strings(inline: Inline) -> tuple[str, ...]:
    """The strings of an inline that end up in the message."""
    if isinstance(inline, Link):
        return (inline.url, inline.text) if inline.url != inline.text else (inline.url,)
    if isinstance(inline, Time):
        return (inline.format, inline.fallback, inline.url)
    if isinstance(inline, Emoji):
        return (inline.name, (inline.unicode or "") * 6)
    return (str(getattr(inline, "id", "")), str(getattr(inline, "label", "")))


def _escaped_length(words: str) -> int:
    return len(words) + 4 * words.count("&") + 3 * words.count("<") + 3 * words.count(">") + 2 * words.count("|")


def _fitting(rows: Iterable[Row], limits: Limits) -> Iterator[tuple[Row, int, int]]:
    """The rows with their costs, each broken into several where it alone is too much for a message."""
    groups = count(-1, -1)
    for row in rows:
        text, size = _cost(row)
        if text <= limits.text and size <= limits.json:
            yield row, text, size
            continue
        room = _Room(limits.text - 4 * row.indent - _MARGIN, limits.json - _MARGIN, 4 * row.indent)
        for number, part in enumerate(filter(None, _parts(row.inlines, room))):
            below = number and row.kind == "item"
            piece = Row("section", next(groups), part) if below else replace(row, inlines=part)
            yield piece, *_cost(piece)


class _Room(NamedTuple):
    """What a part of a row may cost, and what each of its lines starts with."""

    text: int
    size: int
    edge: int


def _parts(inlines: Inlines, room: _Room) -> Iterator[Inlines]:
    part: list[Inline] = []
    used_text = used_size = 0
    for piece in _pieces(inlines, room):
        more_text, more_size = _inlines_cost(piece, room.edge)
        if part and (used_text + more_text > room.text or used_size + more_size > room.size):
            yield _edge_free(part)
            part = []
            used_text = used_size = 0
        joins = isinstance(piece[0], Text) and part and isinstance(part[-1], Text) and part[-1].style == piece[0].style
        part += piece
        used_text += more_text
        used_size += more_size - (32 if joins else 0)
    yield _edge_free(part)


def _edge_free(part: list[Inline]) -> Inlines:
    start, end = 0, len(part)
    while start < end and isinstance(part[start], LineBreak):
        start += 1
    while end > start and isinstance(part[end - 1], LineBreak):
        end -= 1
    return tuple(merged(part[start:end]))


def _pieces(inlines: Inlines, room: _Room) -> Iterator[list[Inline]]:
    """Whole lines, their break first; a line that is too long comes inline by inline and word by word."""
    line: list[Inline] = []
    for inline in inlines:
        if isinstance(inline, LineBreak) and line:
            yield from _line_pieces(line, room)
            line = []
        line.append(inline)
    yield from _line_pieces(line, room)


def _line_pieces(line: list[Inline], room: _Room) -> Iterator[list[Inline]]:
    more_text, more_size = _inlines_cost(line, room.edge)
    if more_text <= room.text and more_size <= room.size:
        yield line
        return
    for inline in line:
        if isinstance(inline, (Text, Link)):
            yield from ([word] for word in _words(inline, room))
        else:
            yield [inline]


def _words(inline: Text | Link, room: _Room) -> Iterator[Inline]:
    """Stretches that are short beside a message, ending at a space where there is one."""
    most = room.text // 40
    if isinstance(inline, Link):
        most = max((min(room.text, room.size) - _escaped_length(inline.url) - _MARGIN) // 5, 16)
    words = inline.text
    start = 0
    while len(words) - start > most:
        cut = words.rfind(" ", start + 1, start + most) + 1 or start + most
        yield replace(inline, text=words[start:cut])
        start = cut
    yield replace(inline, text=words[start:])
