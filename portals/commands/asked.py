"""What is said to the bot: in a room of one's own with it every message, elsewhere what begins with the prefix.

Refuses everything that nobody typed as a command: edits, files, notices (which bots write), and whatever the bridge
itself made of a message from Slack, be it in a person's own account.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portals.actions import STAMP
from portals.reading.values import mapping, text_of

if TYPE_CHECKING:
    from portals.events import Json, MatrixMessage


def words_of(message: MatrixMessage, prefix: str) -> str | None:
    """Return what a message asks of the bot by the prefix, which is left out; None where it asks nothing."""
    return None if message.edits or message.encrypted else _addressed(message.content, prefix)


def words_alone(message: MatrixMessage) -> str | None:
    """Return what a message asks of the bot that nobody else is there to hear."""
    if message.edits or message.encrypted or not _is_typed(message.content):
        return None
    return _without_quotation(message.content) or None


def is_addressed(event: Json, prefix: str) -> bool:
    """Tell of an event as it came whether it asks something of the bot by the prefix."""
    if event.get("type") != "m.room.message" or "state_key" in event:
        return False
    content = mapping(event.get("content"))
    is_edit = mapping(content.get("m.relates_to")).get("rel_type") == "m.replace"
    return not is_edit and _addressed(content, prefix) is not None


def _addressed(content: Json, prefix: str) -> str | None:
    if not _is_typed(content):
        return None
    words = _without_quotation(content)
    start, rest = words[: len(prefix)], words[len(prefix) :]
    if start.casefold() != prefix.casefold() or (rest and not rest[0].isspace()):
        return None
    return rest.strip()


def _is_typed(content: Json) -> bool:
    return text_of(content.get("msgtype")) == "m.text" and STAMP not in content


def _without_quotation(content: Json) -> str:
    """Leave out the quotation that older clients put before an answer."""
    words = text_of(content.get("body"))
    if not mapping(mapping(content.get("m.relates_to")).get("m.in_reply_to")):
        return words.strip()
    lines = words.split("\n")
    while lines and lines[0].startswith("> "):
        lines.pop(0)
    return "\n".join(lines).strip()
