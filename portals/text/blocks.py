"""Slack's rich_text and other message blocks → document.

Every block that a message can carry becomes text that a reader of another client can use; buttons and selects become
their words, with a link where they have one. What is unknown speaks through its own text. Foreign JSON of any shape
is accepted: a value of the wrong kind counts as absent, and nothing is followed deeper than the depth limit.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal, cast

from portals.text import emoji, markdown, mrkdwn
from portals.text.document import (
    BOLD,
    BREAK,
    CODE,
    DEPTH_LIMIT,
    ITALIC,
    PLAIN,
    STRIKE,
    UNDERLINE,
    Block,
    Blocks,
    Broadcast,
    ChannelMention,
    CodeBlock,
    Details,
    Emoji,
    Heading,
    Image,
    Inline,
    Inlines,
    Link,
    List,
    Paragraph,
    Quote,
    Rule,
    SlackUser,
    Table,
    Text,
    Time,
    UsergroupMention,
    clean,
    paragraphs,
    text_inlines,
    trimmed,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

# Foreign JSON: any shape may come, and each use asks for the kind that it needs.
Json = Any

_STYLES = {
    "bold": BOLD,
    "italic": ITALIC,
    "strike": STRIKE,
    "code": CODE,
    "underline": UNDERLINE,
}
_FALLBACKS = ("text", "fallback", "alt_text", "label", "title", "name", "value", "description", "url", "permalink")
_HEX_FORM = re.compile(r"[0-9a-fA-F]{2,6}(?:-[0-9a-fA-F]{2,6}){0,15}")


def string(value: Json) -> str:
    """Return a string that is one, a number as its digits, and `""` for all else."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else ""


def integer(value: Json) -> int | None:
    """Return the whole number that a JSON number or a string of digits says, or None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        return int(value) if abs(value) < 1e15 else None
    if isinstance(value, int):
        return value if abs(value) < 10**15 else None
    if isinstance(value, str) and len(value) < 15 and value.isascii() and value.removeprefix("-").isdigit():
        return int(value)
    return None


def items(value: Json) -> Sequence[Json]:
    """Return a list that is one, else nothing."""
    return value if isinstance(value, (list, tuple)) else ()


def objects(value: Json) -> list[Mapping[str, Json]]:
    """Return the objects in a list."""
    return [item for item in items(value) if isinstance(item, dict)]


def mapping(value: Json) -> Mapping[str, Json]:
    """Return an object that is one, else an empty one."""
    return value if isinstance(value, dict) else {}


def parse(blocks: Json) -> Blocks | None:
    """Return the document blocks of a message's blocks, or None where one of them says nothing to us."""
    out: list[Block] = []
    complete = True
    for block in items(blocks):
        read = _block(mapping(block), 0)
        complete = complete and read is not None
        out.extend(read or ())
    return tuple(out) if complete else None


def readable(blocks: Json) -> list[Block]:
    """Return what can be read of the blocks, complete or not."""
    out: list[Block] = []
    for block in items(blocks):
        out.extend(_block(mapping(block), 0) or ())
    return out


def _block(block: Mapping[str, Json], depth: int) -> list[Block] | None:
    reader = _READERS.get(string(block.get("type")))
    if reader is not None and depth <= DEPTH_LIMIT:
        return reader(block, depth)
    return paragraphs(fallback(block)) or None


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
    return [Link(url, _one_line(words))] if url else text_inlines(words)


def _shallow(thing: Mapping[str, Json]) -> list[Inline]:
    for key in _FALLBACKS:
        value = thing.get(key)
        if words := string(value) or string(mapping(value).get("text")):
            return text_inlines(words)
    return []


def _one_line(text: str) -> str:
    return " ".join(clean(text).split("\n"))


# -- text objects ------------------------------------------------------------------------------------------------


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
    for match in re.finditer(r":([a-z0-9_+'\-]{1,100}(?:::skin-tone-[2-6])?):", words):
        form = emoji.unicode_of(match[1])
        if form is not None:
            out += text_inlines(words[done : match.start()], style)
            out.append(Emoji(match[1], form, style))
            done = match.end()
    return out + text_inlines(words[done:], style)


# -- rich_text ---------------------------------------------------------------------------------------------------


def _rich_text(block: Mapping[str, Json], depth: int) -> list[Block]:
    return rich_text(block.get("elements"), depth)


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
        string(part.get("text")) or string(part.get("url")) or _words(_inlines([part]))
        for part in objects(element.get("elements"))
    ]
    text = clean("".join(words)).strip("\n")
    block = CodeBlock(text, string(element.get("language")))
    return _bordered(element, [block]) if text else []


def _words(inlines: Iterable[Inline]) -> str:
    return "".join(
        inline.text
        if isinstance(inline, (Text, Link))
        else (inline.unicode or f":{inline.name}:" if isinstance(inline, Emoji) else "")
        for inline in inlines
    )


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
    value = string(element.get(key))
    return value if len(value) <= 40 and value.isascii() and value.isalnum() else ""


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
    name = _one_line(string(element.get("name"))).strip(":")
    if not name:
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
    url = _one_line(string(element.get("url")))
    return Link(url, _one_line(string(element.get("text"))) or url, style) if url else None


def _date(element: Mapping[str, Json], style: int) -> Inline | None:
    seconds = integer(element.get("timestamp"))
    if seconds is None:
        return None
    return Time(
        seconds,
        _one_line(string(element.get("format"))),
        _one_line(string(element.get("fallback"))),
        _one_line(string(element.get("url"))),
        style,
    )


def _color(element: Mapping[str, Json], style: int) -> Inline | None:
    value = _one_line(string(element.get("value")))
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


# -- other blocks ------------------------------------------------------------------------------------------------


def _section(block: Mapping[str, Json], _depth: int) -> list[Block] | None:
    out = text_blocks(block.get("text"))
    for item in items(block.get("fields")):
        out += text_blocks(item)
    accessory = block.get("accessory")
    if isinstance(accessory, dict):
        out += _controls([accessory])
    return out


def _header(block: Mapping[str, Json], _depth: int) -> list[Block]:
    inlines = trimmed(text_object(block.get("text")))
    return [Heading(3, inlines)] if inlines else []


def _context(block: Mapping[str, Json], _depth: int) -> list[Block]:
    out: list[Inline] = []
    for element in objects(block.get("elements")):
        part = [_picture(element)] if element.get("type") == "image" else text_object(element)
        found = [inline for inline in part if inline is not None]
        if found:
            out += [Text(" "), *found] if out else found
    return paragraphs(out)


def _divider(_block: Mapping[str, Json], _depth: int) -> list[Block]:
    return [Rule()]


def _picture(thing: Mapping[str, Json]) -> Inline | None:
    slack_file = mapping(thing.get("slack_file"))
    url = string(thing.get("image_url")) or string(slack_file.get("url")) or string(slack_file.get("permalink"))
    alt = _one_line(string(thing.get("alt_text")))
    if url:
        return Image(_one_line(url), alt)
    return Text(alt) if alt else None


def _image(block: Mapping[str, Json], _depth: int) -> list[Block]:
    title = text_object(block.get("title"), BOLD)
    picture = _picture(block)
    if title and picture:
        title.append(BREAK)
    return paragraphs([*title, picture] if picture else title)


def _actions(block: Mapping[str, Json], _depth: int) -> list[Block]:
    return _controls(objects(block.get("elements")))


def _controls(elements: Sequence[Mapping[str, Json]]) -> list[Block]:
    out: list[Inline] = []
    for element in elements:
        words = _control(element)
        if words:
            out += [Text(" · "), *words] if out else words
    return paragraphs(out)


def _control(element: Mapping[str, Json]) -> list[Inline]:
    """Buttons, selects and pickers by their words."""
    kind = element.get("type")
    if kind == "image":
        picture = _picture(element)
        return [picture] if picture else []
    if kind == "feedback_buttons":
        return _joined([text_object(mapping(element.get(key)).get("text")) for key in _FEEDBACK])
    workflow = mapping(mapping(element.get("workflow")).get("trigger"))
    url = _one_line(string(element.get("url")) or string(workflow.get("url")))
    words = text_object(element.get("text")) or text_object(element.get("placeholder"))
    if url:
        return [Link(url, _one_line(_words(words)) or url)]
    groups = [*objects(element.get("option_groups")), element]
    options = [_option(option) for group in groups for option in objects(group.get("options"))[:100]]
    chosen = [_option(mapping(element.get("initial_option")))] if element.get("initial_option") else []
    listed = _joined([option for option in (options or chosen) if option])
    if words and listed:
        words = [*words, Text(": ")]
    if words or listed:
        return [Text("["), *words, *listed, Text("]")]
    initial = next((string(element.get(key)) for key in _INITIAL if string(element.get(key))), "")
    return [Text(f"[{_one_line(initial)}]")] if initial else []


_FEEDBACK = ("positive_button", "negative_button")
_INITIAL = ("initial_date", "initial_time", "initial_date_time", "initial_value", "icon")


def _option(option: Mapping[str, Json]) -> list[Inline]:
    words = text_object(option.get("text"))
    url = string(option.get("url"))
    return [Link(_one_line(url), _one_line(_words(words)) or _one_line(url))] if url else words


def _joined(parts: Iterable[list[Inline]]) -> list[Inline]:
    out: list[Inline] = []
    for part in parts:
        if part:
            out += [Text(" / "), *part] if out else part
    return out


def _input(block: Mapping[str, Json], _depth: int) -> list[Block]:
    return paragraphs([*text_object(block.get("label"), BOLD), BREAK, *_control(mapping(block.get("element")))])


def _table(block: Mapping[str, Json], depth: int) -> list[Block]:
    rows = [tuple(_cell(cell, depth) for cell in items(row)) for row in items(block.get("rows"))]
    kept = tuple(row for row in rows if row)
    return [Table(kept)] if kept else []


def _cell(cell: Json, depth: int) -> Inlines:
    thing = mapping(cell)
    if thing.get("type") == "rich_text":
        from portals.text.document import joined

        return joined(rich_text(thing.get("elements"), depth + 1))
    if "text" in thing:
        return trimmed(text_object(thing))
    return trimmed(text_inlines(string(cell)) or fallback(thing))


def _markdown(block: Mapping[str, Json], _depth: int) -> list[Block]:
    return list(markdown.parse(string(block.get("text"))))


def _video(block: Mapping[str, Json], _depth: int) -> list[Block]:
    url = _one_line(string(block.get("title_url")) or string(block.get("video_url")))
    title = _one_line(_words(text_object(block.get("title"))) or string(block.get("alt_text"))) or url
    out: list[Inline] = [Link(url, title, BOLD)] if url else [Text(title, BOLD)]
    names = [_one_line(string(block.get(key))) for key in ("author_name", "provider_name")]
    if any(names):
        out += [BREAK, Text(" · ".join(filter(None, names)))]
    return paragraphs([*out, BREAK, *text_object(block.get("description"))])


def _file(block: Mapping[str, Json], _depth: int) -> list[Block]:
    found = mapping(block.get("file"))
    name = _one_line(string(found.get("title")) or string(found.get("name")))
    url = _one_line(string(found.get("permalink")))
    if url:
        return [Paragraph((Link(url, name or url),))]
    return paragraphs(fallback(block)) or [Paragraph((Text(f"[{name or 'file'}]"),))]


def _alert(block: Mapping[str, Json], _depth: int) -> list[Block]:
    inner = text_blocks(block.get("text"))
    return [Quote(tuple(inner))] if inner else []


def _card(block: Mapping[str, Json], _depth: int) -> list[Block]:
    pictures = [_picture(mapping(block.get(key))) for key in ("icon", "hero_image")]
    out: list[Block] = [Paragraph((picture,)) for picture in pictures if picture]
    out += paragraphs(text_object(block.get("title"), BOLD))
    for key in ("subtitle", "body"):
        out += text_blocks(block.get(key))
    out += _controls(objects(block.get("actions")))
    return [Quote(tuple(out))] if out else []


def _carousel(block: Mapping[str, Json], depth: int) -> list[Block]:
    return [inner for card in objects(block.get("elements")) for inner in _card(card, depth)]


def _task(block: Mapping[str, Json], depth: int) -> list[Block]:
    status = string(block.get("status")).replace("_", " ")
    title = text_object(block.get("title"), BOLD)
    out = paragraphs([*title, *text_inlines(f" ({status})" if status else "")])
    for key in ("details", "output"):
        out += rich_text(mapping(block.get(key)).get("elements"), depth + 1)
    for source in objects(block.get("sources")):
        out += paragraphs(fallback(source))
    return out


def _plan(block: Mapping[str, Json], depth: int) -> list[Block]:
    inner = [part for task in objects(block.get("tasks")) for part in _task(task, depth)]
    summary = trimmed(text_object(block.get("title"), BOLD))
    return [Details(summary, tuple(inner))] if inner else paragraphs(summary)


_READERS: dict[str, Callable[[Mapping[str, Json], int], list[Block] | None]] = {
    "rich_text": _rich_text,
    "section": _section,
    "header": _header,
    "context": _context,
    "divider": _divider,
    "image": _image,
    "actions": _actions,
    "context_actions": _actions,
    "input": _input,
    "table": _table,
    "markdown": _markdown,
    "video": _video,
    "file": _file,
    "alert": _alert,
    "card": _card,
    "carousel": _carousel,
    "task_card": _task,
    "plan": _plan,
}
