"""The rules that blocks of a post must keep, as Slack's block reference states them.

Checks the shapes and lengths of what a message may hold: rich_text, section, header, context, divider, image, actions,
file, video, markdown, table. Answers the first breaches as Slack does: `invalid_blocks` with a JSON pointer each.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tests.sandbox.slack.errors import SlackRefusal

if TYPE_CHECKING:
    from tests.sandbox.slack.state import Json

MOST_BLOCKS = 50
MOST_CHARACTERS = 13_200
_STYLES = {"bold", "italic", "strike", "code", "underline", "highlight", "client_highlight", "unlink"}
_INLINE_FIELD = {
    "text": "text",
    "user": "user_id",
    "usergroup": "usergroup_id",
    "channel": "channel_id",
    "team": "team_id",
    "emoji": "name",
    "link": "url",
    "color": "value",
    "broadcast": "range",
    "date": "format",
}
_CONTAINERS = ("rich_text_section", "rich_text_list", "rich_text_preformatted", "rich_text_quote")
_COLOR = re.compile(r"#[0-9A-Fa-f]{6}")
_ID = re.compile(r"[A-Z][A-Z0-9]{2,}")


class _Breaches:
    """Collects what is wrong, with pointers."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self.characters = 0

    def add(self, complaint: str, pointer: str) -> None:
        self.found.append(f"[ERROR] {complaint} [json-pointer:{pointer}]")

    def text(self, value: Any, pointer: str, most: int | None, least: int = 1) -> None:
        if not isinstance(value, str):
            self.add("must be a string" if value is not None else "missing required field", pointer)
            return
        self.characters += len(value)
        if len(value) < least:
            self.add(f"must be more than {least - 1} characters", pointer)
        if most is not None and len(value) > most:
            self.add(f"must be less than {most + 1} characters", pointer)

    def composition(
        self, value: Any, pointer: str, most: int, kinds: tuple[str, ...] = ("plain_text", "mrkdwn")
    ) -> None:
        if not isinstance(value, dict):
            self.add("missing required field: text", pointer)
            return
        if value.get("type") not in kinds:
            self.add(f"unsupported type: {value.get('type')}", f"{pointer}/type")
        self.text(value.get("text"), f"{pointer}/text", most)


def check_blocks(blocks: Any) -> list[Json]:
    """The blocks, when they keep the rules. Raises `invalid_blocks_format`, `invalid_blocks`, `msg_blocks_too_long`."""
    if not isinstance(blocks, list):
        raise SlackRefusal("invalid_blocks_format")
    breaches = _Breaches()
    if len(blocks) > MOST_BLOCKS:
        breaches.add(f"no more than {MOST_BLOCKS} items allowed", "/blocks")
        raise SlackRefusal("invalid_blocks", tuple(breaches.found))
    seen: set[str] = set()
    for number, block in enumerate(blocks):
        pointer = f"/blocks/{number}"
        if not isinstance(block, dict):
            breaches.add("must be an object", pointer)
            continue
        block_id = block.get("block_id")
        if block_id is not None:
            if not isinstance(block_id, str) or len(block_id) > 255:
                breaches.add("must be less than 256 characters", f"{pointer}/block_id")
            elif block_id in seen:
                breaches.add("`block_id` already exists", f"{pointer}/block_id")
            else:
                seen.add(block_id)
        _check_block(block, pointer, breaches)
    if breaches.found:
        raise SlackRefusal("invalid_blocks", tuple(breaches.found[:10]))
    if breaches.characters > MOST_CHARACTERS:
        raise SlackRefusal("msg_blocks_too_long")
    return blocks


def _check_block(block: Json, pointer: str, breaches: _Breaches) -> None:
    kind = block.get("type")
    if kind == "rich_text":
        _check_rich_text(block, pointer, breaches)
    elif kind == "section":
        _check_section(block, pointer, breaches)
    elif kind == "header":
        breaches.composition(block.get("text"), f"{pointer}/text", 150, ("plain_text",))
    elif kind == "context":
        _check_context(block, pointer, breaches)
    elif kind == "image":
        _check_image(block, pointer, breaches)
    elif kind == "actions":
        elements = block.get("elements")
        if not isinstance(elements, list) or not 0 < len(elements) <= 25:
            breaches.add("must have 1 to 25 items", f"{pointer}/elements")
    elif kind == "markdown":
        breaches.text(block.get("text"), f"{pointer}/text", 12_000)
    elif kind == "file":
        if block.get("source") != "remote":
            breaches.add("invalid value", f"{pointer}/source")
    elif kind == "video":
        for name in ("alt_text", "thumbnail_url", "video_url"):
            breaches.text(block.get(name), f"{pointer}/{name}", 3000)
    elif kind == "table":
        rows = block.get("rows")
        if not isinstance(rows, list) or not 0 < len(rows) <= 100:
            breaches.add("must have 1 to 100 rows", f"{pointer}/rows")
    elif kind != "divider":
        breaches.add(f"unsupported type: {kind}", f"{pointer}/type")


def _check_section(block: Json, pointer: str, breaches: _Breaches) -> None:
    fields = block.get("fields")
    if block.get("text") is None and not fields:
        breaches.add("missing required field: text", pointer)
    if block.get("text") is not None:
        breaches.composition(block["text"], f"{pointer}/text", 3000)
    if fields is not None:
        if not isinstance(fields, list) or not 0 < len(fields) <= 10:
            breaches.add("no more than 10 items allowed", f"{pointer}/fields")
            return
        for number, entry in enumerate(fields):
            breaches.composition(entry, f"{pointer}/fields/{number}", 2000)


def _check_context(block: Json, pointer: str, breaches: _Breaches) -> None:
    elements = block.get("elements")
    if not isinstance(elements, list) or not 0 < len(elements) <= 10:
        breaches.add("must have 1 to 10 items", f"{pointer}/elements")
        return
    for number, element in enumerate(elements):
        where = f"{pointer}/elements/{number}"
        if isinstance(element, dict) and element.get("type") == "image":
            _check_image(element, where, breaches)
        else:
            breaches.composition(element, where, 3000)


def _check_image(block: Json, pointer: str, breaches: _Breaches) -> None:
    breaches.text(block.get("alt_text"), f"{pointer}/alt_text", 2000)
    if isinstance(block.get("slack_file"), dict):
        return
    url = block.get("image_url")
    breaches.text(url, f"{pointer}/image_url", 3000)
    if isinstance(url, str) and not url.startswith(("http://", "https://")):
        breaches.add("must be a valid URL", f"{pointer}/image_url")


def _check_rich_text(block: Json, pointer: str, breaches: _Breaches) -> None:
    elements = block.get("elements")
    if not isinstance(elements, list) or not elements:
        breaches.add("must have at least 1 item", f"{pointer}/elements")
        return
    for number, element in enumerate(elements):
        where = f"{pointer}/elements/{number}"
        kind = element.get("type") if isinstance(element, dict) else None
        inner = element.get("elements") if isinstance(element, dict) else None
        if kind not in _CONTAINERS or not isinstance(inner, list):
            breaches.add(f"unsupported type: {kind}", f"{where}/type")
        elif kind == "rich_text_list":
            _check_list(element, inner, where, breaches)
        else:
            only = ("text", "link") if kind == "rich_text_preformatted" else None
            _check_inline(inner, f"{where}/elements", breaches, only)
            _check_small_number(element, "border", 1, where, breaches)


def _check_list(element: Json, inner: list[Any], where: str, breaches: _Breaches) -> None:
    if element.get("style") not in ("bullet", "ordered"):
        breaches.add("must be one of: bullet, ordered", f"{where}/style")
    _check_small_number(element, "indent", 8, where, breaches)
    _check_small_number(element, "border", 1, where, breaches)
    _check_small_number(element, "offset", 1_000_000, where, breaches)
    for place, item in enumerate(inner):
        if not isinstance(item, dict) or item.get("type") != "rich_text_section":
            breaches.add("must be a rich_text_section", f"{where}/elements/{place}")
        else:
            _check_inline(item.get("elements"), f"{where}/elements/{place}/elements", breaches)


def _check_small_number(element: Json, name: str, most: int, where: str, breaches: _Breaches) -> None:
    value = element.get(name, 0)
    if type(value) is not int or not 0 <= value <= most:
        breaches.add(f"must be a number from 0 to {most}", f"{where}/{name}")


def _check_inline(elements: Any, pointer: str, breaches: _Breaches, only: tuple[str, ...] | None = None) -> None:
    if not isinstance(elements, list):
        breaches.add("must be an array", pointer)
        return
    for number, element in enumerate(elements):
        where = f"{pointer}/{number}"
        kind = element.get("type") if isinstance(element, dict) else None
        if kind not in _INLINE_FIELD or (only and kind not in only):
            breaches.add(f"unsupported type: {kind}", f"{where}/type")
            continue
        name = _INLINE_FIELD[kind]
        value = element.get(name)
        breaches.text(value, f"{where}/{name}", None)
        if not isinstance(value, str):
            continue
        if kind == "broadcast" and value not in ("here", "channel", "everyone"):
            breaches.add("must be one of: here, channel, everyone", f"{where}/range")
        if kind == "color" and not _COLOR.fullmatch(value):
            breaches.add("must be a hex colour", f"{where}/value")
        if kind in ("user", "usergroup", "channel", "team") and not _ID.fullmatch(value):
            breaches.add("must be a valid id", f"{where}/{name}")
        if kind == "date" and type(element.get("timestamp")) is not int:
            breaches.add("must be an integer", f"{where}/timestamp")
        _check_style(element.get("style"), f"{where}/style", breaches)


def _check_style(style: Any, pointer: str, breaches: _Breaches) -> None:
    if style is None:
        return
    if not isinstance(style, dict):
        breaches.add("must be an object", pointer)
        return
    for name, value in style.items():
        if name not in _STYLES or not isinstance(value, bool):
            breaches.add(f"invalid additional property: {name}", pointer)
