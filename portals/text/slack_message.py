"""Rows → Slack messages: `rich_text` blocks with mrkdwn as their fallback, split at Slack's limits.

Nothing is truncated: what does not fit into one message goes on in the next, broken between rows where possible, else
between lines, else between words, and inside a word only where a single word is longer than a message. The limits are
those of `chat.update` (4,000 characters of text), so that every message that we post can be edited in place, and of
blocks (50 of them, about 13,200 characters in all).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from portals.text.document import (
    BOLD,
    CODE,
    ITALIC,
    STRIKE,
    UNDERLINE,
    Broadcast,
    ChannelMention,
    Emoji,
    Inline,
    Inlines,
    LineBreak,
    Link,
    SlackUser,
    Text,
    Time,
    UsergroupMention,
    merged,
)
from portals.text.mrkdwn import escape
from portals.text.rows import Row, lower, word_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from portals.text.document import Document
    from portals.text.names import Names

Json = dict[str, Any]  # Any: JSON that goes out


@dataclass(frozen=True, slots=True)
class SlackText:
    """One Slack message's `text` and `blocks`; `text` stands in where blocks are not shown, as in notifications."""

    text: str
    blocks: tuple[Json, ...] = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """What one Slack message may hold."""

    text: int = 3_900
    """Characters of escaped text: `chat.update` refuses more than 4,000."""
    blocks: int = 50
    json: int = 12_000
    """Characters of the JSON of all blocks; Slack refuses somewhere above 13,200."""


def write(document: Document, names: Names, limits: Limits) -> tuple[SlackText, ...]:
    """Return the messages that show the document, in order; none for an empty document."""
    return tuple(SlackText(mrkdwn_of(rows), tuple(blocks_of(rows))) for rows in _packed(lower(document, names), limits))


# -- splitting ---------------------------------------------------------------------------------------------------

_ROW_COST = 16
_ROW_JSON = 220


def _packed(rows: Sequence[Row], limits: Limits) -> Iterator[list[Row]]:
    """Gather rows into messages; a row that is too long for one is broken first."""
    message: list[Row] = []
    text = size = rules = 0
    for row in _broken(rows, limits):
        row_text, row_size = _cost(row)
        more_rules = rules + (row.kind == "rule")
        if message and (
            text + row_text > limits.text or size + row_size > limits.json or 2 * more_rules + 1 > limits.blocks
        ):
            yield message
            message = []
            text = size = rules = 0
        message.append(row)
        text += row_text
        size += row_size
        rules += row.kind == "rule"
    if any(row.kind != "rule" for row in message) or rules:
        yield message


def _cost(row: Row) -> tuple[int, int]:
    text, size = _ROW_COST + 2 * row.indent, _ROW_JSON
    for inline in row.inlines:
        more_text, more_size = inline_cost(inline)
        text += more_text + (2 if isinstance(inline, LineBreak) else 0)
        size += more_size
    return text, size


def inline_cost(inline: Inline) -> tuple[int, int]:
    """An upper bound of what an inline adds to the text and to the JSON of a message."""
    if isinstance(inline, LineBreak):
        return 2, 2
    words = len(mrkdwn_inline(inline)) + 6
    return words, len(json.dumps(element_of(inline))) + 2


def _broken(rows: Iterable[Row], limits: Limits) -> Iterator[Row]:
    for row in rows:
        text, size = _cost(row)
        if text <= limits.text and size <= limits.json:
            yield row
            continue
        number = row.number
        for part in _parts(row.inlines, limits.text - _ROW_COST - 2 * row.indent, limits.json - _ROW_JSON):
            yield replace(row, inlines=part, number=number)
            number = None if row.kind != "item" or row.number is None else number


def _parts(inlines: Inlines, text: int, size: int) -> Iterator[Inlines]:
    """Break inlines at line ends where possible, within a line at spaces, within a word as the last resort."""
    part: list[Inline] = []
    used_text = used_size = 0
    for line in _pieces(inlines, text // 2, size // 4):
        line_text = line_size = 0
        for inline in line:
            more_text, more_size = inline_cost(inline)
            line_text += more_text + 2
            line_size += more_size
        if part and (used_text + line_text > text or used_size + line_size > size):
            yield _edge_free(part)
            part = []
            used_text = used_size = 0
        part += line
        used_text += line_text
        used_size += line_size
    if part:
        yield _edge_free(part)


def _edge_free(part: list[Inline]) -> Inlines:
    while part and isinstance(part[-1], LineBreak):
        part.pop()
    while part and isinstance(part[0], LineBreak):
        part.pop(0)
    return tuple(merged(part))


def _pieces(inlines: Inlines, text: int, size: int) -> Iterator[list[Inline]]:
    """Whole lines, their break first; a line that is too long comes word by word."""
    line: list[Inline] = []
    for inline in (*inlines, LineBreak()):
        if not isinstance(inline, LineBreak):
            line.append(inline)
            continue
        costs = [inline_cost(part) for part in line]
        if sum(cost[0] for cost in costs) <= text and sum(cost[1] for cost in costs) <= size:
            yield line
        else:
            for part in line:
                yield from ([word] for word in _words(part, text, size))
        line = [inline]


def _words(inline: Inline, text: int, size: int) -> Iterator[Inline]:
    if not isinstance(inline, (Text, Link)):
        yield inline
        return
    most = max(min(text // 6, size // 16) - (len(inline.url) if isinstance(inline, Link) else 0), 40)
    words = inline.text
    while len(words) > most:
        cut = words.rfind(" ", 1, most) + 1 or most
        yield replace(inline, text=words[:cut])
        words = words[cut:]
    yield replace(inline, text=words)


# -- blocks ------------------------------------------------------------------------------------------------------

_STYLE_NAMES = ((BOLD, "bold"), (ITALIC, "italic"), (STRIKE, "strike"), (CODE, "code"), (UNDERLINE, "underline"))


def blocks_of(rows: Sequence[Row]) -> list[Json]:
    """Return rich_text blocks, parted by dividers where the rows have a rule."""
    out: list[Json] = []
    elements: list[Json] = []
    for run in _runs(rows):
        if run[0].kind == "rule":
            if elements:
                out.append({"type": "rich_text", "elements": elements})
                elements = []
            out.append({"type": "divider"})
        else:
            elements += _elements(run)
    if elements:
        out.append({"type": "rich_text", "elements": elements})
    return out


def _runs(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """Rows that make one rich_text element."""
    run: list[Row] = []
    for row in rows:
        if run and not _continues(run[-1], row):
            yield run
            run = []
        run.append(row)
    if run:
        yield run


def _continues(last: Row, row: Row) -> bool:
    if last.kind != row.kind or last.group != row.group or row.kind in ("code", "rule"):
        return False
    if row.kind != "item":
        return True
    if (last.indent, last.quoted, last.number is None) != (row.indent, row.quoted, row.number is None):
        return False
    return last.number is None or row.number == last.number + 1


def _elements(run: Sequence[Row]) -> list[Json]:
    first = run[0]
    border: Json = {"border": 1} if first.quoted else {}
    if first.kind == "code":
        words = "".join([word_of(inline) for inline in first.inlines])
        return [{"type": "rich_text_preformatted", "elements": [{"type": "text", "text": words}], **border}]
    if first.kind == "item":
        style: Json = {"style": "bullet"} if first.number is None else {"style": "ordered"}
        if first.number is not None and first.number != 1:
            style["offset"] = max(first.number - 1, 0)
        sections = [{"type": "rich_text_section", "elements": inline_elements(row.inlines)} for row in run]
        return [{"type": "rich_text_list", **style, "indent": first.indent, "elements": sections, **border}]
    inlines: list[Inline] = []
    for row in run:
        inlines += [LineBreak(), LineBreak(), *row.inlines] if inlines else row.inlines
    kind = "rich_text_quote" if first.kind == "quote" else "rich_text_section"
    return [{"type": kind, "elements": inline_elements(inlines)}]


def inline_elements(inlines: Sequence[Inline]) -> list[Json]:
    """Return rich_text elements; a line break joins the text before it."""
    out: list[Json] = []
    for inline in inlines:
        last = out[-1] if out and out[-1]["type"] == "text" else None
        if isinstance(inline, LineBreak):
            if last is not None:
                last["text"] += "\n"
            else:
                out.append({"type": "text", "text": "\n"})
            continue
        element = element_of(inline)
        if last is not None and element["type"] == "text" and last.get("style") == element.get("style"):
            last["text"] += element["text"]
        else:
            out.append(element)
    return out


def element_of(inline: Inline) -> Json:
    element = _element(inline)
    if not isinstance(inline, LineBreak) and inline.style:
        element["style"] = {name: True for bit, name in _STYLE_NAMES if inline.style & bit}
    return element


def _element(inline: Inline) -> Json:
    if isinstance(inline, Link):
        link: Json = {"type": "link", "url": inline.url}
        return link if inline.text == inline.url else link | {"text": inline.text}
    if isinstance(inline, SlackUser):
        return {"type": "user", "user_id": inline.id}
    if isinstance(inline, ChannelMention):
        return {"type": "channel", "channel_id": inline.id}
    if isinstance(inline, UsergroupMention):
        return {"type": "usergroup", "usergroup_id": inline.id}
    if isinstance(inline, Broadcast):
        return {"type": "broadcast", "range": inline.kind}
    if isinstance(inline, Emoji):
        return _emoji(inline)
    if isinstance(inline, Time):
        date: Json = {"type": "date", "timestamp": inline.timestamp, "format": inline.format}
        for key, value in (("url", inline.url), ("fallback", inline.fallback)):
            if value:
                date[key] = value
        return date
    return {"type": "text", "text": word_of(inline)}


def _emoji(inline: Emoji) -> Json:
    name, _, tone = inline.name.partition("::skin-tone-")
    element: Json = {"type": "emoji", "name": name if tone.isdigit() else inline.name}
    if tone.isdigit():
        element["skin_tone"] = int(tone)
    if inline.unicode:
        element["unicode"] = "-".join(f"{ord(char):04x}" for char in inline.unicode)
    return element


# -- mrkdwn ------------------------------------------------------------------------------------------------------

_MARKS = ((BOLD, "*"), (ITALIC, "_"), (STRIKE, "~"))


def mrkdwn_of(rows: Sequence[Row]) -> str:
    """Return mrkdwn that says what the rows say, as far as mrkdwn can."""
    out: list[str] = []
    for row in rows:
        words = "---" if row.kind == "rule" else mrkdwn_inlines(row.inlines, row.kind == "code")
        if row.kind == "code":
            words = f"```\n{words}\n```"
        elif row.kind == "item":
            mark = "•" if row.number is None else f"{row.number}."
            words = "    " * row.indent + f"{mark} {words}"
        if row.kind == "quote" or (row.quoted and row.kind == "item"):
            words = "\n".join(f"> {line}" for line in words.split("\n"))
        out.append(words)
    parts: list[str] = []
    for number, words in enumerate(out):
        if number:
            tight = rows[number].kind == "item" and rows[number - 1].kind == "item"
            tight = tight or rows[number].kind != rows[number - 1].kind
            parts.append("\n" if tight else "\n\n")
        parts.append(words)
    return "".join(parts)


def mrkdwn_inlines(inlines: Sequence[Inline], literal: bool = False) -> str:
    """Return mrkdwn of inlines; a style is marked only where Slack would read the marks back."""
    if literal:
        return "".join([escape(word_of(inline)) for inline in inlines])
    out: list[str] = []
    for number, inline in enumerate(inlines):
        words = mrkdwn_inline(inline)
        if isinstance(inline, LineBreak) or not inline.style & ~UNDERLINE:
            out.append(words)
            continue
        before = words_at(inlines, number - 1)[-1:]
        after = words_at(inlines, number + 1)[:1]
        out.append(_marked(words, inline.style, before.isalnum() or after.isalnum()))
    return "".join(out)


def words_at(inlines: Sequence[Inline], number: int) -> str:
    return word_of(inlines[number]) if 0 <= number < len(inlines) else ""


def _marked(words: str, style: int, in_word: bool) -> str:
    core = words.strip(" ")
    if in_word and core == words:
        return words
    if not core:
        return words
    start = words.index(core)
    lead, trail = words[:start], words[start + len(core) :]
    if style & CODE and "`" not in core:
        core = f"`{core}`"
    for bit, mark in _MARKS:
        if style & bit and mark not in core:
            core = f"{mark}{core}{mark}"
    return lead + core + trail


def mrkdwn_inline(inline: Inline) -> str:
    """Return one inline without its style."""
    if isinstance(inline, Link):
        url = escape(inline.url).replace("|", "%7C")
        return f"<{url}>" if inline.text == inline.url else f"<{url}|{escape(inline.text).replace('|', '¦')}>"
    if isinstance(inline, SlackUser):
        return f"<@{inline.id}>"
    if isinstance(inline, ChannelMention):
        return f"<#{inline.id}>"
    if isinstance(inline, UsergroupMention):
        return f"<!subteam^{inline.id}>"
    if isinstance(inline, Broadcast):
        return f"<!{inline.kind}>"
    if isinstance(inline, Emoji):
        return f":{inline.name}:"
    if isinstance(inline, Time):
        url = f"^{escape(inline.url)}" if inline.url else ""
        shown = escape(inline.fallback).replace("|", "¦") or str(inline.timestamp)
        return f"<!date^{inline.timestamp}^{escape(inline.format).replace('|', '¦')}{url}|{shown}>"
    return escape(word_of(inline))
