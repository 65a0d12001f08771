"""Text as Slack keeps it, and the `rich_text` block that Slack's composer makes of it.

`normalise` is what Slack does to the text of a post: control characters escaped, bare links bracketed. `compose` reads
the usual mrkdwn (bold, italic, strike, code, quotes, lists, links, mentions, emoji). It is a modest reader of what
people type, not the whole of Slack's grammar.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

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
    """The blocks that Slack adds to a message of this text."""
    if not text:
        return []
    elements: list[Json] = []
    section: list[str] = []

    def close_section() -> None:
        if section:
            inline = inline_elements("\n".join(section))
            if inline:
                elements.append({"type": "rich_text_section", "elements": inline})
            section.clear()

    pieces = text.split("```")
    for number, piece in enumerate(pieces):
        if number % 2 and number < len(pieces) - 1:
            close_section()
            code = piece.removeprefix("\n").removesuffix("\n")
            if code:
                body = [{"type": "text", "text": unescape(code)}]
                elements.append({"type": "rich_text_preformatted", "elements": body})
            continue
        _lines(("```" if number % 2 else "") + piece, section, close_section, elements)
    close_section()
    return [{"type": "rich_text", "block_id": block_id, "elements": elements}] if elements else []


def _lines(piece: str, section: list[str], close_section: object, elements: list[Json]) -> None:
    assert callable(close_section)
    for line in piece.split("\n"):
        item = _LIST_LINE.match(line)
        if line.startswith("&gt;"):
            close_section()
            inline = inline_elements(line[4:].lstrip(" "))
            last = elements[-1] if elements else None
            if last and last["type"] == "rich_text_quote":
                last["elements"] += [{"type": "text", "text": "\n"}, *inline]
            else:
                elements.append({"type": "rich_text_quote", "elements": inline})
        elif item:
            close_section()
            style = "bullet" if item[2] else "ordered"
            indent = len(item[1]) // 4
            entry = {"type": "rich_text_section", "elements": inline_elements(item[4])}
            last = elements[-1] if elements else None
            if last and (last["type"], last.get("style"), last.get("indent")) == ("rich_text_list", style, indent):
                last["elements"].append(entry)
            else:
                new = {"type": "rich_text_list", "style": style, "indent": indent, "border": 0, "elements": [entry]}
                elements.append(new)
        else:
            section.append(line)
    if section and section[-1] == "" and "\n" in piece:
        section.pop()


def inline_elements(text: str, style: tuple[str, ...] = ()) -> list[Json]:
    """The elements of one run of text."""
    found: list[Json] = []
    end = 0
    for match in _INLINE.finditer(text):
        if match.start() > end:
            found.append(_styled({"type": "text", "text": unescape(text[end : match.start()])}, style))
        end = match.end()
        kind = match.lastgroup or ""
        inner = match[kind]
        if kind == "control":
            found.append(_styled(_control(inner), style))
        elif kind == "emoji":
            found.append(_styled({"type": "emoji", "name": inner}, style))
        elif kind == "code":
            found.append(_styled({"type": "text", "text": unescape(inner)}, (*style, "code")))
        else:
            found += inline_elements(inner, (*style, kind))
    if end < len(text):
        found.append(_styled({"type": "text", "text": unescape(text[end:])}, style))
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
        return f":{element['name']}:"
    return escape(str(element.get("fallback") or element.get("value") or ""))
