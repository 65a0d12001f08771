"""Text as Slack keeps it, and the `rich_text` block that Slack's composer makes of it.

`normalise` is what Slack does to the text of a post: control characters escaped, bare links bracketed. `compose` reads
the usual mrkdwn (bold, italic, strike, code, quotes, lists, links, mentions, emoji). It is a modest reader of what
people type, not the whole of Slack's grammar.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.sandbox.slack.emoji import code_points

if TYPE_CHECKING:
    from tests.sandbox.slack.state import Json

_CONTROL = re.compile(r"<(?:[@#!][^<>\s]+[^<>]*|(?:https?|mailto|tel|slack|matrix):[^<>]+)>")
_ENTITY = re.compile(r"&(?!amp;|lt;|gt;)")
_LINK = re.compile(r"https?://[^\s<>|]+[^\s<>|.,:;!?)'\"*_~`\]]")
_INLINE = re.compile(
    r"<(?P<control>[^<>]+)>"
    r"|(?<!\w):(?P<emoji>[a-z0-9_+'\-]+(?:::skin-tone-[2-6])?):"
    r"|`(?P<code>[^`\n]+)`"
    r"|(?<![\w*])\*(?P<bold>[^\s*](?:[^*\n]*[^\s*])?)\*(?![\w*])"
    r"|(?<![\w_])_(?P<italic>[^\s_](?:[^_\n]*[^\s_])?)_(?![\w_])"
    r"|(?<![\w~])~(?P<strike>[^\s~](?:[^~\n]*[^\s~])?)~(?![\w~])"
)
_LIST_LINE = re.compile(r"^( *)(?:(•|◦|-) |(\d+)\. )(.*)$")


def escape(text: str) -> str:
    """What a person typed, with the three characters escaped that Slack reserves."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unescape(text: str) -> str:
    """The characters behind Slack's escapes."""
    if "&" not in text:
        return text
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def normalise(text: str) -> str:
    """The text of a post as Slack stores it: what is no control sequence is escaped, bare links are bracketed."""
    if "&" in text:
        text = _ENTITY.sub("&amp;", text)
    if "<" not in text and ">" not in text:
        return _LINK.sub(r"<\g<0>>", text) if "://" in text else text
    parts: list[str] = []
    end = 0
    for found in _CONTROL.finditer(text):
        parts.append(_plain(text[end : found.start()]))
        parts.append(_short_mention(found.group()))
        end = found.end()
    parts.append(_plain(text[end:]))
    return "".join(parts)


def _plain(text: str) -> str:
    lines = text.split("\n")
    text = "\n".join(
        ("&gt;" + line[1:] if line.startswith(">") else line).replace("<", "&lt;").replace(">", "&gt;")
        for line in lines
    )
    return _LINK.sub(r"<\g<0>>", text) if "://" in text else text


def _short_mention(control: str) -> str:
    return control.partition("|")[0] + ">" if control.startswith("<@") and "|" in control else control


def compose(text: str, block_id: str) -> list[Json]:
    """The blocks that Slack adds to a message of this text.

    As in Slack, the line break before a list, quote or code block stays at the end of the section before it, and the
    one after it is dropped.
    """
    composer = _Composer()
    pieces = text.split("```")
    for number, piece in enumerate(pieces):
        if number % 2 and number < len(pieces) - 1:
            composer.code(piece)
        else:
            composer.lines(("```" if number % 2 else "") + piece)
    elements = composer.finish()
    return [{"type": "rich_text", "block_id": block_id, "elements": elements}] if elements else []


class _Composer:
    """Collects the elements of a block, line by line."""

    def __init__(self) -> None:
        self._elements: list[Json] = []
        self._section = ""

    def finish(self) -> list[Json]:
        """All elements."""
        self._close_section()
        return self._elements

    def code(self, piece: str) -> None:
        """A code block."""
        self._close_section()
        code = piece.removeprefix("\n").removesuffix("\n")
        if code:
            self._elements.append({"type": "rich_text_preformatted", "elements": [_text(code)]})

    def lines(self, piece: str) -> None:
        """Lines of anything else."""
        if not self._section and self._elements:
            piece = piece.removeprefix("\n")
        lines = piece.split("\n")
        for number, line in enumerate(lines):
            item = _LIST_LINE.match(line)
            if line.startswith("&gt;"):
                self._quote(inline_elements(line[4:].lstrip(" ")))
            elif item:
                self._item("bullet" if item[2] else "ordered", len(item[1]) // 4, inline_elements(item[4]))
            else:
                self._section += line + ("\n" if number < len(lines) - 1 else "")

    def _close_section(self) -> None:
        if self._section:
            self._elements.append({"type": "rich_text_section", "elements": inline_elements(self._section)})
            self._section = ""

    def _quote(self, inline: list[Json]) -> None:
        self._close_section()
        last = self._elements[-1] if self._elements else None
        if last and last["type"] == "rich_text_quote":
            last["elements"] += [_text("\n"), *inline]
        else:
            self._elements.append({"type": "rich_text_quote", "elements": inline})

    def _item(self, style: str, indent: int, inline: list[Json]) -> None:
        self._close_section()
        entry = {"type": "rich_text_section", "elements": inline}
        last = self._elements[-1] if self._elements else None
        if last and (last["type"], last.get("style"), last.get("indent")) == ("rich_text_list", style, indent):
            last["elements"].append(entry)
        else:
            new = {"type": "rich_text_list", "style": style, "indent": indent, "border": 0, "elements": [entry]}
            self._elements.append(new)


def _text(escaped: str) -> Json:
    return {"type": "text", "text": unescape(escaped)}


def _emoji(name: str) -> Json:
    base, _, tone = name.partition("::skin-tone-")
    element: Json = {"type": "emoji", "name": base}
    points = code_points(base, int(tone) if tone else None)
    if points:
        element["unicode"] = points
    if tone:
        element["skin_tone"] = int(tone)
    return element


def inline_elements(text: str, style: tuple[str, ...] = ()) -> list[Json]:
    """The elements of one run of text."""
    found: list[Json] = []
    end = 0
    for match in _INLINE.finditer(text):
        if match.start() > end:
            found.append(_styled(_text(text[end : match.start()]), style))
        end = match.end()
        kind = match.lastgroup or ""
        inner = match[kind]
        if kind == "control":
            found.append(_styled(_control(inner), style))
        elif kind == "emoji":
            found.append(_styled(_emoji(inner), style))
        elif kind == "code":
            found.append(_styled(_text(inner), (*style, "code")))
        else:
            found += inline_elements(inner, (*style, kind))
    if end < len(text):
        found.append(_styled(_text(text[end:]), style))
    return found


def _styled(element: Json, style: tuple[str, ...]) -> Json:
    if style:
        element["style"] = dict.fromkeys(style, True)
    return element


def _control(inner: str) -> Json:
    target, _, label = inner.partition("|")
    if target.startswith("@"):
        return {"type": "user", "user_id": target[1:]}
    if target.startswith("#"):
        return {"type": "channel", "channel_id": target[1:]}
    if target.startswith("!subteam^"):
        return {"type": "usergroup", "usergroup_id": target.removeprefix("!subteam^")}
    if target in ("!here", "!channel", "!everyone"):
        return {"type": "broadcast", "range": target[1:]}
    if target.startswith("!date^"):
        _, moment, form, *_ = [*target.split("^"), ""]
        return {"type": "date", "timestamp": int(moment or 0), "format": form, "fallback": unescape(label)}
    link: Json = {"type": "link", "url": unescape(target)}
    if label:
        link["text"] = unescape(label)
    return link


def plain_text(blocks: list[Json]) -> str:
    """The text that Slack makes of blocks posted without any."""
    return "\n".join(filter(None, (_block_text(block) for block in blocks)))


def _block_text(block: Json) -> str:
    kind = block.get("type")
    if kind == "rich_text":
        return "\n".join(_element_text(element) for element in block.get("elements", []))
    if kind in ("section", "header"):
        text = block.get("text") or {}
        return str(text.get("text", ""))
    if kind == "context":
        return " ".join(str(element.get("text", "")) for element in block.get("elements", []))
    return ""


def _element_text(element: Json) -> str:
    kind = element["type"]
    if kind == "rich_text_list":
        return "\n".join("• " + _element_text(item) for item in element["elements"])
    if kind == "rich_text_quote":
        return "&gt; " + "".join(_inline_text(item) for item in element["elements"])
    if kind == "rich_text_preformatted":
        return "```" + "".join(_inline_text(item) for item in element["elements"]) + "```"
    return "".join(_inline_text(item) for item in element.get("elements", []))


def _inline_text(element: Json) -> str:
    kind = element.get("type")
    if kind == "text":
        return escape(str(element["text"]))
    if kind == "link":
        label = element.get("text")
        return f"<{escape(element['url'])}|{escape(label)}>" if label else f"<{escape(element['url'])}>"
    marks = {"user": "@", "channel": "#", "usergroup": "!subteam^", "broadcast": "!"}
    if kind in marks:
        target = element.get("user_id") or element.get("channel_id") or element.get("usergroup_id")
        return f"<{marks[kind]}{target or element.get('range')}>"
    if kind == "emoji":
        tone = element.get("skin_tone")
        return f":{element['name']}::skin-tone-{tone}:" if tone else f":{element['name']}:"
    return escape(str(element.get("fallback") or element.get("value") or ""))
