"""Slack's message blocks → document.

Every block that a message can carry becomes text that a reader of another client can use; buttons and selects become
their words, with a link where they have one. What is unknown speaks through its own text. Foreign JSON of any shape
is accepted: a value of the wrong kind counts as absent, and nothing is followed deeper than the depth limit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portals.text import markdown
from portals.text.document import (
    BOLD,
    BREAK,
    DEPTH_LIMIT,
    Block,
    Blocks,
    Details,
    Heading,
    Image,
    Inline,
    Inlines,
    Link,
    Paragraph,
    Quote,
    Rule,
    Table,
    Text,
    joined,
    paragraphs,
    text_inlines,
    trimmed,
    words_of,
)
from portals.text.elements import fallback, rich_text, text_blocks, text_object
from portals.text.foreign import items, mapping, objects, one_line, string

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from portals.text.foreign import Json


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


def _rich_text(block: Mapping[str, Json], depth: int) -> list[Block]:
    return rich_text(block.get("elements"), depth)


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
    alt = one_line(string(thing.get("alt_text")))
    if url:
        return Image(one_line(url), alt)
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
    url = one_line(string(element.get("url")) or string(workflow.get("url")))
    words = text_object(element.get("text")) or text_object(element.get("placeholder"))
    if url:
        return [Link(url, one_line(words_of(words)) or url)]
    groups = [*objects(element.get("option_groups")), element]
    options = [_option(option) for group in groups for option in objects(group.get("options"))[:100]]
    chosen = [_option(mapping(element.get("initial_option")))] if element.get("initial_option") else []
    listed = _joined([option for option in (options or chosen) if option])
    if words and listed:
        words = [*words, Text(": ")]
    if words or listed:
        return [Text("["), *words, *listed, Text("]")]
    initial = next((string(element.get(key)) for key in _INITIAL if string(element.get(key))), "")
    return [Text(f"[{one_line(initial)}]")] if initial else []


_FEEDBACK = ("positive_button", "negative_button")
_INITIAL = ("initial_date", "initial_time", "initial_date_time", "initial_value", "icon")


def _option(option: Mapping[str, Json]) -> list[Inline]:
    words = text_object(option.get("text"))
    url = string(option.get("url"))
    return [Link(one_line(url), one_line(words_of(words)) or one_line(url))] if url else words


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
        return joined(rich_text(thing.get("elements"), depth + 1))
    if "text" in thing:
        return trimmed(text_object(thing))
    return trimmed(text_inlines(string(cell)) or fallback(thing))


def _markdown(block: Mapping[str, Json], _depth: int) -> list[Block]:
    return list(markdown.parse(string(block.get("text"))))


def _video(block: Mapping[str, Json], _depth: int) -> list[Block]:
    url = one_line(string(block.get("title_url")) or string(block.get("video_url")))
    title = one_line(words_of(text_object(block.get("title"))) or string(block.get("alt_text"))) or url
    out: list[Inline] = [Link(url, title, BOLD)] if url else [Text(title, BOLD)]
    names = [one_line(string(block.get(key))) for key in ("author_name", "provider_name")]
    if any(names):
        out += [BREAK, Text(" · ".join(filter(None, names)))]
    return paragraphs([*out, BREAK, *text_object(block.get("description"))])


def _file(block: Mapping[str, Json], _depth: int) -> list[Block]:
    found = mapping(block.get("file"))
    name = one_line(string(found.get("title")) or string(found.get("name")))
    url = one_line(string(found.get("permalink")))
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
