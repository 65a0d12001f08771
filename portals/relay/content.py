"""The JSON of the Matrix events that the bridge writes, apart from the words in them.

Sources: the client-server API, "m.room.message msgtypes", "Event replacements"; MSC4144 for the name of one message.
"""

from __future__ import annotations

import hashlib
import html
import json
from typing import TYPE_CHECKING, Any

from portals import text

if TYPE_CHECKING:
    from portals.ids import EventId
    from portals.text import Document, MatrixText, Names

Content = dict[str, Any]  # Any: the JSON of an event

_MOST_BYTES = 40_000
"""An event may have 65,536 bytes with everything that the homeserver adds (client-server API, "Size limits")."""
_MOST_CHARS = 8_000
_SURELY_LESS = 3_000
"""Signs of a text that fits whatever they are: JSON in ASCII has at most twelve bytes for each."""


def pieces(document: Document, names: Names, msgtype: str) -> list[Content]:
    """Return the contents that show a document: one, or as many as Matrix's limit for an event forces."""
    said = text.to_matrix(document, names)
    whole = _message(said, msgtype)
    signs = len(said.body) + len(said.formatted_body or "")
    if (signs < _SURELY_LESS and not said.user_ids) or len(json.dumps(whole)) <= _MOST_BYTES:
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


def topic(topic: str, purpose: str, names: Names) -> str:
    """Return a channel's topic and its purpose as the plain words that a room shows: a line for each, one if equal."""
    lines = [text.to_matrix(text.from_slack(said), names).body.strip() for said in (topic, purpose)]
    return "\n".join(dict.fromkeys(line for line in lines if line))


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


def with_profile(content: Content, name: str, avatar: str = "", *, in_words: bool = True) -> Content:
    """Return the content under a name and picture of its own (MSC4144).

    `in_words` tells the name in the text as well, for clients that do not know such profiles.
    """
    label = text.label_of(name)
    profile = {"id": hashlib.sha256(f"{label}\n{avatar}".encode()).hexdigest()[:16], "displayname": label}
    if avatar:
        profile["avatar_url"] = avatar
    if not in_words:
        return {**content, "com.beeper.per_message_profile": profile}
    words = content.get("formatted_body") or html.escape(str(content["body"])).replace("\n", "<br>")
    return {
        **content,
        "body": f"{label}: {content['body']}",
        "format": "org.matrix.custom.html",
        "formatted_body": f"<strong data-mx-profile-fallback>{html.escape(label)}: </strong>{words}",
        "com.beeper.per_message_profile": {**profile, "has_fallback": True},
    }


def notice(words: str, link: str = "", label: str = "Slack") -> Content:
    """Return a notice, with a link behind its words where there is one; clients that show HTML show its label."""
    content: Content = {"msgtype": "m.notice", "body": f"{words} {link}".rstrip(), "m.mentions": {}}
    if link.startswith("https://"):
        content["format"] = "org.matrix.custom.html"
        content["formatted_body"] = f'{html.escape(words)} <a href="{html.escape(link)}">{html.escape(label)}</a>'
    return content


def room_name(channel: str, *, is_past: bool = False) -> str:
    """Return the name of a channel's room, or of the one that holds its past alone."""
    return f"#{text.label_of(channel)}{' (history)' if is_past else ''}"
