"""A channel read back as what people see there: a value that tests compare.

Timestamps, ids and URLs differ between two runs that show the same; so equality is of authors' shown names, texts,
places in threads, reactions with names, and files by their bytes.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.sandbox.slack.state import Channel, Message
    from tests.sandbox.slack.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Entry:
    """One message as it is shown. `thread` is the place of its root in the transcript; `ts` is not compared."""

    author: str
    text: str
    subtype: str | None = None
    edited: bool = False
    deleted: bool = False
    thread: int | None = None
    broadcast: bool = False
    reactions: tuple[tuple[str, tuple[str, ...]], ...] = ()
    files: tuple[tuple[str, str], ...] = ()
    metadata_key: str | None = field(default=None, compare=False)
    ts: str = field(default="", compare=False)


def transcript(workspace: Workspace, channel: Channel) -> tuple[Entry, ...]:
    """All messages of a channel and its threads, in order of their timestamps."""
    ordered = sorted(channel.messages.values(), key=lambda message: (len(message.ts), message.ts))
    places = {message.ts: place for place, message in enumerate(ordered)}
    return tuple(_entry(workspace, message, places) for message in ordered)


def _entry(workspace: Workspace, message: Message, places: dict[str, int]) -> Entry:
    deleted = message.subtype == "tombstone"
    reactions = tuple(
        (name, tuple(sorted(_name(workspace, user) for user in users)))
        for name, users in sorted(message.reactions.items())
    )
    files = []
    for file_id in message.files:
        file = workspace.files[file_id]
        digest = "deleted" if file.content is None else hashlib.sha256(file.content).hexdigest()
        files.append((file.name, digest))
    payload = (message.metadata or {}).get("event_payload") or {}
    return Entry(
        author=_author(workspace, message),
        text=message.text,
        subtype=message.subtype,
        edited=message.edited is not None,
        deleted=deleted,
        thread=places.get(message.thread_ts or "") if message.is_reply else None,
        broadcast=message.broadcast,
        reactions=reactions,
        files=tuple(files),
        metadata_key=payload.get("key"),
        ts=message.ts,
    )


def _author(workspace: Workspace, message: Message) -> str:
    if message.username is not None:
        return message.username
    return _name(workspace, message.user) if message.user else (message.bot_id or "")


def _name(workspace: Workspace, user_id: str) -> str:
    user = workspace.users.get(user_id)
    return user.shown_name if user else user_id
