"""Slack's secondary attachments → document: each a quotation of its parts in the order in which Slack shows them.

An attachment that brings blocks of its own is those blocks; a shared message is the message with its author and
place. `fallback` speaks only for an attachment that says nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portals.text import blocks, elements, foreign, mrkdwn
from portals.text.document import (
    BOLD,
    BREAK,
    DEPTH_LIMIT,
    Block,
    Image,
    Inline,
    Link,
    Paragraph,
    Quote,
    Text,
    Time,
    paragraphs,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portals.text.foreign import Json


def parse(attachments: Json, depth: int = 0) -> list[Block]:
    """Return a block or more for every attachment that has something to say."""
    out: list[Block] = []
    if depth > DEPTH_LIMIT:
        return out
    for attachment in foreign.objects(attachments):
        before = paragraphs(_text(attachment, "pretext", "pretext" in _marked(attachment)))
        inner = _inner(attachment, depth)
        if not inner and not before:
            inner = paragraphs(mrkdwn.inlines(foreign.string(attachment.get("fallback"))))
        out += before
        if inner:
            out.append(Quote(tuple(inner), quiet=True))
    return out


def _inner(attachment: Mapping[str, Json], depth: int) -> list[Block]:
    out = paragraphs(_author(attachment))
    title = _linked(attachment, "title", "title_link", BOLD)
    out += paragraphs(title)
    out += _body(attachment, depth)
    for field in foreign.objects(attachment.get("fields")):
        name = elements.plain(_line(field, "title"), BOLD)
        value = _text(field, "value", "fields" in _marked(attachment))
        out += paragraphs([*name, BREAK, *value])
    out += _actions(attachment)
    for key in ("image_url", "thumb_url"):
        if url := _line(attachment, key):
            words = "" if key == "image_url" and title else _line(attachment, "title")
            out.append(Paragraph((Image(url, words),)))
            break
    out += parse(attachment.get("attachments"), depth + 1)
    out += paragraphs(_footer(attachment))
    return out


def _body(attachment: Mapping[str, Json], depth: int) -> list[Block]:
    """Blocks of a shared message, blocks of its own, or the text."""
    read: list[Block] = []
    for shared in foreign.objects(attachment.get("message_blocks")):
        read += blocks.readable(foreign.mapping(shared.get("message")).get("blocks"))
    read = read or blocks.readable(attachment.get("blocks"))
    if read or depth > DEPTH_LIMIT:
        return read
    words = foreign.string(attachment.get("text"))
    if "text" in _marked(attachment):
        return list(mrkdwn.parse(words).blocks)
    return paragraphs(elements.plain(mrkdwn.unescape(words)))


def _marked(attachment: Mapping[str, Json]) -> set[str]:
    """Which parts are mrkdwn: those that are named, and by default all that can be."""
    named = attachment.get("mrkdwn_in")
    if isinstance(named, list):
        return {part for part in named if isinstance(part, str)} | ({"fields"} if "value" in named else set())
    return {"text", "pretext", "fields"}


def _line(thing: Mapping[str, Json], key: str) -> str:
    return " ".join(foreign.string(thing.get(key)).split())


def _text(thing: Mapping[str, Json], key: str, is_mrkdwn: bool = True) -> list[Inline]:
    words = foreign.string(thing.get(key))
    return mrkdwn.inlines(words) if is_mrkdwn else elements.plain(mrkdwn.unescape(words))


def _linked(thing: Mapping[str, Json], words_key: str, url_key: str, style: int) -> list[Inline]:
    words = mrkdwn.unescape(_line(thing, words_key))
    url = mrkdwn.unescape(_line(thing, url_key))
    if url and words:
        return [Link(url, words, style)]
    return elements.plain(words, style)


def _author(attachment: Mapping[str, Json]) -> list[Inline]:
    service = _linked(attachment, "service_name", "service_url", 0)
    author = _linked(attachment, "author_name", "author_link", 0)
    beside = mrkdwn.unescape(_line(attachment, "author_subname"))
    if author and beside and beside != _line(attachment, "author_name"):
        author.append(Text(f" ({beside})"))
    if author and service:
        service.append(Text(" · "))
    return [*service, *author]


def _actions(attachment: Mapping[str, Json]) -> list[Block]:
    out: list[Inline] = []
    for action in foreign.objects(attachment.get("actions")):
        words, url = _line(action, "text"), _line(action, "url")
        if words:
            out += [Text(" · ")] if out else []
            out.append(Link(url, words) if url else Text(f"[{words}]"))
    return paragraphs(out)


def _footer(attachment: Mapping[str, Json]) -> list[Inline]:
    out = _text(attachment, "footer")
    seconds = foreign.integer(foreign.string(attachment.get("ts")).partition(".")[0])
    if seconds is not None:
        if out:
            out.append(Text(" · "))
        out.append(Time(seconds, "{date_short_pretty} {time}"))
    return out
