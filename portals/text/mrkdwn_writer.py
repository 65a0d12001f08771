"""Rows → mrkdwn, the text that Slack shows where it cannot show blocks.

What mrkdwn can say it says; a style that its marks could not carry there (inside a word, around its own mark) is left
out. Every word is escaped, so that nothing in it can be a mention.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    LineBreak,
    Link,
    SlackUser,
    Text,
    Time,
    UsergroupMention,
    words_of,
)
from portals.text.mrkdwn import escape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portals.text.rows import Row

_MARKS = ((BOLD, "*"), (ITALIC, "_"), (STRIKE, "~"))


def mrkdwn_of(rows: Sequence[Row]) -> str:
    """Return mrkdwn that says what the rows say, as far as mrkdwn can."""
    parts: list[str] = []
    last: Row | None = None
    for row in rows:
        if last is not None:
            parts.append(_between(last, row))
        parts.append(_row(row))
        last = row
    return "".join(parts)


def _row(row: Row) -> str:
    if row.kind == "rule":
        return "---"
    words = mrkdwn_inlines(row.inlines, row.kind == "code")
    if row.kind == "code":
        return f"```\n{words}\n```"
    if row.kind == "item":
        mark = "•" if row.number is None else f"{row.number}."
        edge = "    " * row.indent
        words = f"{edge}{mark} " + words.replace("\n", f"\n{edge}  ")
    if row.kind == "quote" or row.quoted:
        return "> " + words.replace("\n", "\n> ")
    return words


def _between(last: Row, row: Row) -> str:
    if last.kind != row.kind or row.kind == "item":
        return "\n"
    return "\n>\n" if row.kind == "quote" and last.group == row.group else "\n\n"


def mrkdwn_inlines(inlines: Sequence[Inline], literal: bool = False) -> str:
    """Return mrkdwn of inlines; a style is marked only where Slack would read the marks back."""
    if literal:
        return "".join([escape(words_of((inline,))) for inline in inlines])
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
    return words_of((inlines[number],)) if 0 <= number < len(inlines) else ""


def _marked(words: str, style: int, in_word: bool) -> str:
    core = words.strip(" ")
    if not core or (in_word and core == words):
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
    if isinstance(inline, Text):  # most are
        return escape(inline.text)
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
    return escape(words_of((inline,)))
