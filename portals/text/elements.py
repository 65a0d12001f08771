"""Slack's rich_text and text objects → document.

Unknown elements speak through their own words. Slack lays nested lists out flat, by indent; here they nest again.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, cast

from portals.text import emoji, mrkdwn
from portals.text.document import (
    BOLD,
    BREAK,
    CODE,
    ITALIC,
    PLAIN,
    STRIKE,
    UNDERLINE,
    Block,
    Blocks,
    Broadcast,
    ChannelMention,
    CodeBlock,
    Emoji,
    Inline,
    Link,
    List,
    Quote,
    SlackUser,
    Text,
    Time,
    UsergroupMention,
    clean,
    paragraphs,
    text_inlines,
    words_of,
)
from portals.text.foreign import integer, items, mapping, objects, one_line, string

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from portals.text.foreign import Json


_STYLES = {
    "bold": BOLD,
    "italic": ITALIC,
    "strike": STRIKE,
    "code": CODE,
    "underline": UNDERLINE,
}
_FALLBACKS = ("text", "fallback", "alt_text", "label", "title", "name", "value", "description", "url", "permalink")
_EMOJI_NAME = re.compile(r"[^\s:<>|]{1,100}(?:::skin-tone-[2-6](?:-[2-6])?)?")
_HEX_FORM = re.compile(r"[0-9a-fA-F]{2,6}(?:-[0-9a-fA-F]{2,6}){0,15}")


def rich_text(elements: Json, depth: int = 0) -> list[Block]:
    """Return the blocks of the elements of one rich_text block."""
    out: list[Block] = []
    sections: list[Inline] = []
    lists: list[tuple[bool, int, int, bool, list[Blocks]]] = []
    for element in objects(elements):
        kind = element.get("type")
        if kind == "rich_text_list":
            out += paragraphs(sections)
            sections = []
            lists.append(_list_row(element))
            continue
        if lists:
            out += _nested_lists(lists)
            lists = []
        if kind == "rich_text_quote" or kind == "rich_text_preformatted":
            out += paragraphs(sections)
            sections = []
            out += _quote(element) if kind == "rich_text_quote" else _preformatted(element)
            continue
        if sections:
            sections.append(BREAK)
        if "elements" in element:
            sections += _inlines(element.get("elements"))
        else:
            sections += _inlines([element])
    return out + paragraphs(sections) + _nested_lists(lists)


def _quote(element: Mapping[str, Json]) -> list[Block]:
    inner = paragraphs(_inlines(element.get("elements")))
    return [Quote(tuple(inner))] if inner else []


def _preformatted(element: Mapping[str, Json]) -> list[Block]:
    words = [
        string(part.get("text")) or string(part.get("url")) or words_of(_inlines([part]))
        for part in objects(element.get("elements"))
    ]
    text = clean("".join(words)).strip("\n")
    block = CodeBlock(text, string(element.get("language")))
    return _bordered(element, [block]) if text else []


def _bordered(element: Mapping[str, Json], blocks: list[Block]) -> list[Block]:
    return [Quote(tuple(blocks))] if integer(element.get("border")) == 1 else blocks


def _list_row(element: Mapping[str, Json]) -> tuple[bool, int, int, bool, list[Blocks]]:
    ordered = element.get("style") == "ordered"
    indent = min(max(integer(element.get("indent")) or 0, 0), 20)
    offset = min(max(integer(element.get("offset")) or 0, 0), 10**9)
    rows: list[Blocks] = [
        tuple(paragraphs(_inlines(item.get("elements", [item])))) for item in objects(element.get("elements"))
    ]
    return ordered, indent, offset, integer(element.get("border")) == 1, rows


def _nested_lists(rows: Sequence[tuple[bool, int, int, bool, list[Blocks]]]) -> list[Block]:
    """Slack lays a nested list out flat, by indent; a deeper list belongs to the item before it."""
    out: list[Block] = []
    start = 0
    while start < len(rows):
        border = rows[start][3]
        end = start
        while end < len(rows) and rows[end][3] == border:
            end += 1
        built = _level(rows[start:end])
        if built:
            out += [Quote(tuple(built))] if border else built
        start = end
    return out


class _Open:
    """A list still being filled at one indent."""

    __slots__ = ("indent", "items", "ordered", "start")

    def __init__(self, ordered: bool, indent: int, start: int) -> None:
        self.ordered = ordered
        self.indent = indent
        self.start = start
        self.items: list[list[Block]] = []

    def closed(self) -> List:
        return List(self.ordered, tuple(tuple(item) for item in self.items), self.start)


def _level(rows: Sequence[tuple[bool, int, int, bool, list[Blocks]]]) -> list[Block]:
    out: list[Block] = []
    stack: list[_Open] = []

    def close() -> None:
        done = stack.pop()
        if stack:
            stack[-1].items[-1].append(done.closed())
        else:
            out.append(done.closed())

    for ordered, indent, offset, _, blocks in rows:
        if not blocks:
            continue
        while stack and (stack[-1].indent > indent or (stack[-1].indent == indent and stack[-1].ordered != ordered)):
            close()
        continues = stack and stack[-1].indent == indent
        if continues and ordered and offset != stack[-1].start - 1 + len(stack[-1].items):
            close()
            continues = False
        if not continues:
            stack.append(_Open(ordered, indent, offset + 1 if ordered else 1))
        stack[-1].items += [list(item) for item in blocks]
    while stack:
        close()
    return out


def _inlines(elements: Json) -> list[Inline]:
    out: list[Inline] = []
    for element in objects(elements):
        kind = element.get("type")
        style = _style(element.get("style"))
        if kind == "text":
            out += text_inlines(string(element.get("text")), style)
            continue
        reader = _ELEMENTS.get(kind) if isinstance(kind, str) else None
        inline = reader(element, style) if reader else None
        if inline is not None:
            out.append(inline)
        else:
            out += fallback(element) or _kind_name(kind)
    return out


def _kind_name(kind: Json) -> list[Inline]:
    words = clean(string(kind)).replace("_", " ").strip()[:60]
    return [Text(f"[{words}]")] if words else []


def _style(value: Json) -> int:
    if not value or not isinstance(value, dict):
        return PLAIN
    style = PLAIN
    for name, bit in _STYLES.items():
        if value.get(name) is True:
            style |= bit
    return style


def _identity(element: Mapping[str, Json], key: str) -> str:
    value = element.get(key)
    if isinstance(value, str) and len(value) <= 40 and value.isascii() and value.isalnum():
        return value
    return ""


def _user(element: Mapping[str, Json], style: int) -> Inline | None:
    identity = _identity(element, "user_id")
    return SlackUser(identity, style=style) if identity else None


def _channel(element: Mapping[str, Json], style: int) -> Inline | None:
    identity = _identity(element, "channel_id")
    return ChannelMention(identity, style=style) if identity else None


def _usergroup(element: Mapping[str, Json], style: int) -> Inline | None:
    identity = _identity(element, "usergroup_id")
    return UsergroupMention(identity, style=style) if identity else None


def _team(element: Mapping[str, Json], style: int) -> Inline | None:
    identity = _identity(element, "team_id")
    return Text(f"@{identity}", style) if identity else None


def _broadcast(element: Mapping[str, Json], style: int) -> Inline | None:
    kind = element.get("range")
    if isinstance(kind, str) and kind in ("here", "channel", "everyone"):
        return Broadcast(cast("Literal['here', 'channel', 'everyone']", kind), style)
    return None


def _emoji(element: Mapping[str, Json], style: int) -> Inline | None:
    name = string(element.get("name")).strip(":")
    if not _EMOJI_NAME.fullmatch(name):
        return None
    tone = integer(element.get("skin_tone"))
    if tone and "::" not in name:
        name = f"{name}::skin-tone-{tone}"
    form = emoji.unicode_of(name)
    code = string(element.get("unicode"))
    if form is None and len(code) < 120 and _HEX_FORM.fullmatch(code):
        points = [int(point, 16) for point in code.split("-")]
        if all(0x20 <= point < 0xD800 or 0xE000 <= point < 0x110000 for point in points):
            form = clean("".join(map(chr, points))) or None
    return Emoji(name, form, style)


def _link(element: Mapping[str, Json], style: int) -> Inline | None:
    url = one_line(string(element.get("url")))
    return Link(url, one_line(string(element.get("text"))) or url, style) if url else None


def _date(element: Mapping[str, Json], style: int) -> Inline | None:
    seconds = integer(element.get("timestamp"))
    if seconds is None:
        return None
    return Time(
        seconds,
        one_line(string(element.get("format"))),
        one_line(string(element.get("fallback"))),
        one_line(string(element.get("url"))),
        style,
    )


def _color(element: Mapping[str, Json], style: int) -> Inline | None:
    value = one_line(string(element.get("value")))
    return Text(value, style) if value else None


_ELEMENTS: dict[str, Callable[[Mapping[str, Json], int], Inline | None]] = {
    "user": _user,
    "channel": _channel,
    "usergroup": _usergroup,
    "team": _team,
    "broadcast": _broadcast,
    "emoji": _emoji,
    "link": _link,
    "date": _date,
    "color": _color,
}


def text_object(value: Json, style: int = PLAIN) -> list[Inline]:
    """Return the inlines of a `plain_text` or `mrkdwn` object, or of a bare string as plain text."""
    if isinstance(value, str):
        return plain(value, style)
    thing = mapping(value)
    words = string(thing.get("text"))
    if thing.get("type") == "mrkdwn":
        return mrkdwn.inlines(words, style)
    return plain(words, style)


def text_blocks(value: Json) -> list[Block]:
    """Return the blocks of a text object: mrkdwn may hold quotes and code blocks."""
    thing = mapping(value)
    if thing.get("type") == "mrkdwn":
        return list(mrkdwn.parse(string(thing.get("text"))).blocks)
    return paragraphs(text_object(value))


def plain(words: str, style: int = PLAIN) -> list[Inline]:
    """Return plain text in which only `:emoji:` of the standard table mean something."""
    if words.count(":") < 2:
        return text_inlines(words, style)
    out: list[Inline] = []
    done = 0
    for match in emoji.NAMED.finditer(words):
        form = emoji.unicode_of(match[1])
        if form is not None:
            out += text_inlines(words[done : match.start()], style)
            out.append(Emoji(match[1], form, style))
            done = match.end()
    return out + text_inlines(words[done:], style)


def fallback(thing: Mapping[str, Json]) -> list[Inline]:
    """Return an unknown thing by its own words, linked where it has an address."""
    words = ""
    for key in _FALLBACKS:
        value = thing.get(key)
        words = string(value) or string(mapping(value).get("text"))
        if words:
            break
    if not words:
        nested = [mapping(item) for key in ("elements", "blocks", "items") for item in items(thing.get(key))]
        return [inline for item in nested[:100] if (found := _shallow(item)) for inline in (*found, BREAK)][:-1]
    url = string(thing.get("url")) or string(thing.get("permalink"))
    return [Link(url, one_line(words))] if url else text_inlines(words)


def _shallow(thing: Mapping[str, Json]) -> list[Inline]:
    for key in _FALLBACKS:
        value = thing.get(key)
        if words := string(value) or string(mapping(value).get("text")):
            return text_inlines(words)
    return []
