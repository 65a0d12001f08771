"""Rows → Slack messages: `rich_text` blocks, with mrkdwn as the text that stands in for them.

Towards Slack the words are always blocks: mrkdwn has no escape for `*`, `_`, `~` and backticks, and reads marks only
at the edges of words. The limits are those of `chat.update`, so that every message that we post can be edited.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from portals.text.document import (
    BOLD,
    CODE,
    ITALIC,
    PLAIN,
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
from portals.text.mrkdwn_writer import mrkdwn_of
from portals.text.rows import Row, continues, lower
from portals.text.splitting import Limits, messages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portals.text.document import Document
    from portals.text.names import Names

Json = dict[str, Any]  # Any: JSON that goes out


@dataclass(frozen=True, slots=True)
class SlackText:
    """One Slack message's `text` and `blocks`; `text` stands in where blocks are not shown, as in notifications."""

    text: str
    blocks: tuple[Json, ...] = ()


def write(document: Document, names: Names, limits: Limits) -> tuple[SlackText, ...]:
    """Return the messages that show the document, in order; none for an empty document."""
    return tuple(
        SlackText(mrkdwn_of(rows), tuple(blocks_of(rows))) for rows in messages(lower(document, names), limits)
    )


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


def _runs(rows: Sequence[Row]) -> list[list[Row]]:
    """Rows that make one rich_text element."""
    runs: list[list[Row]] = []
    for row in rows:
        if runs and continues(runs[-1][-1], row):
            runs[-1].append(row)
        else:
            runs.append([row])
    return runs


def _elements(run: Sequence[Row]) -> list[Json]:
    first = run[0]
    border: Json = {"border": 1} if first.quoted else {}
    if first.kind == "code":
        words = words_of(first.inlines)
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
    last: Json | None = None  # the text before
    style = PLAIN
    for inline in inlines:
        if isinstance(inline, LineBreak):
            words = "\n"
            if last is None:
                style = PLAIN
        elif isinstance(inline, _ELEMENTS):
            out.append(_styled(_element(inline), inline.style))
            last = None
            continue
        else:
            words = inline.text if isinstance(inline, Text) else words_of((inline,))
            if inline.style != style:
                style, last = inline.style, None
        if last is not None:
            last["text"] += words
        else:
            last = _styled({"type": "text", "text": words}, style)
            out.append(last)
    return out


def _styled(element: Json, style: int) -> Json:
    if style:
        element["style"] = {name: True for bit, name in _STYLE_NAMES if style & bit}
    return element


_ELEMENTS = (Link, SlackUser, ChannelMention, UsergroupMention, Broadcast, Emoji, Time)


def _element(
    inline: Link | SlackUser | ChannelMention | UsergroupMention | Broadcast | Emoji | Time,
) -> Json:
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
    date: Json = {"type": "date", "timestamp": inline.timestamp, "format": inline.format}
    for key, value in (("url", inline.url), ("fallback", inline.fallback)):
        if value:
            date[key] = value
    return date


def _emoji(inline: Emoji) -> Json:
    name, _, tone = inline.name.partition("::skin-tone-")
    element: Json = {"type": "emoji", "name": name if tone.isdigit() else inline.name}
    if tone.isdigit():
        element["skin_tone"] = int(tone)
    if inline.unicode:
        element["unicode"] = "-".join(f"{ord(char):04x}" for char in inline.unicode)
    return element
