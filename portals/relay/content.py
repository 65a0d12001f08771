"""The JSON of the Matrix events that the bridge writes, apart from the words in them.

Sources: the client-server API, "m.room.message msgtypes", "Event replacements"; MSC4144 for the name of one message.
"""

from __future__ import annotations

import hashlib
import html
import json
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from portals import text

if TYPE_CHECKING:
    from portals.events import SlackFile
    from portals.facts import Rules
    from portals.ids import EventId
    from portals.text import Document, MatrixText, Names

Content = dict[str, Any]  # Any: the JSON of an event

_MOST_BYTES = 40_000
"""An event may have 65,536 bytes with everything that the homeserver adds (client-server API, "Size limits")."""
_MOST_CHARS = 8_000


def pieces(document: Document, names: Names, msgtype: str) -> list[Content]:
    """Return the contents that show a document: one, or as many as Matrix's limit for an event forces."""
    whole = _message(text.to_matrix(document, names), msgtype)
    if len(json.dumps(whole)) <= _MOST_BYTES:
        return [whole]
    halves = text.halves(document)
    if halves is not None:
        return [piece for half in halves for piece in pieces(half, names, msgtype)]
    body = str(whole["body"])
    return [
        {"msgtype": msgtype, "body": body[start : start + _MOST_CHARS], "m.mentions": {}}
        for start in range(0, len(body), _MOST_CHARS)
    ]


def _message(said: MatrixText, msgtype: str) -> Content:
    content: Content = {"msgtype": msgtype, "body": said.body}
    if said.formatted_body is not None:
        content["format"] = "org.matrix.custom.html"
        content["formatted_body"] = said.formatted_body
    mentions: Content = {}
    if said.user_ids:
        mentions["user_ids"] = list(said.user_ids)
    if said.room:
        mentions["room"] = True
    content["m.mentions"] = mentions
    return content


def topic(said: str, names: Names) -> str:
    """Return a channel's topic as the plain words that a room shows."""
    return text.to_matrix(text.from_slack(said), names).body


def edit(content: Content, target: EventId) -> Content:
    """Return the event that replaces an earlier one by this content."""
    fallback = {**content, "body": f"* {content['body']}"}
    if "formatted_body" in content:
        fallback["formatted_body"] = f"* {content['formatted_body']}"
    return {
        **fallback,
        "m.mentions": {},
        "m.new_content": content,
        "m.relates_to": {"rel_type": "m.replace", "event_id": target},
    }


def with_profile(content: Content, name: str) -> Content:
    """Return the content under a name of its own, told in words too for clients that do not know MSC4144."""
    label = text.label_of(name)
    shown = html.escape(label)
    words = content.get("formatted_body") or html.escape(str(content["body"])).replace("\n", "<br>")
    profile = {"id": hashlib.sha256(label.encode()).hexdigest()[:16], "displayname": label, "has_fallback": True}
    return {
        **content,
        "body": f"{label}: {content['body']}",
        "format": "org.matrix.custom.html",
        "formatted_body": f"<strong data-mx-profile-fallback>{shown}: </strong>{words}",
        "com.beeper.per_message_profile": profile,
    }


def notice(words: str, link: str = "") -> Content:
    """Return a notice, with a link behind its words where there is one."""
    content: Content = {"msgtype": "m.notice", "body": f"{words} {link}".rstrip(), "m.mentions": {}}
    if link.startswith("https://"):
        content["format"] = "org.matrix.custom.html"
        content["formatted_body"] = f'{html.escape(words)} <a href="{html.escape(link)}">Slack</a>'
    return content


def file(file: SlackFile) -> Content:
    """Return the content that shows a file, without its `url`."""
    kind = file.mimetype.split("/", 1)[0]
    info: Content = {"mimetype": file.mimetype, "size": file.size}
    if file.width and file.height:
        info |= {"w": file.width, "h": file.height}
    if file.duration_ms:
        info["duration"] = file.duration_ms
    name = text.label_of(file.name, file.id)
    msgtype = f"m.{kind}" if kind in ("image", "audio", "video") else "m.file"
    return {"msgtype": msgtype, "body": name, "filename": name, "info": info, "m.mentions": {}}


def absence(file: SlackFile, reason: str) -> str:
    """Return the words that stand for a file that was not brought over."""
    extent = f" ({size(file.size)})" if file.size else ""
    return f"The file “{text.label_of(file.name, file.id)}”{extent} was not brought over: {reason}."


def type_refusal(mimetype: str, rules: Rules) -> str:
    """Return why files of this type may not cross, or nothing."""
    if any(fnmatchcase(mimetype, pattern) for pattern in rules.refused_types):
        return f"files of type {mimetype} may not cross"
    if rules.allowed_types and not any(fnmatchcase(mimetype, pattern) for pattern in rules.allowed_types):
        return f"files of type {mimetype} may not cross"
    return ""


def size(count: int) -> str:
    """Return a number of bytes in words."""
    amount = float(count)
    for unit in ("bytes", "KiB", "MiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}"
        amount /= 1024
    return f"{amount:.1f} GiB"


def room_name(channel: str) -> str:
    """Return the name of a channel's room."""
    return f"#{text.label_of(channel)}"
