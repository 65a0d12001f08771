"""Acts on messages: post, change, delete, react, pin, unfurl. Each changes the channel and announces what apps see.

Whether somebody may act is the caller's question; what an act does to the channel is decided here, once for people
and for apps.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.sandbox.slack.emoji import first_name, is_emoji
from tests.sandbox.slack.errors import SlackRefusal
from tests.sandbox.slack.shapes import message_json
from tests.sandbox.slack.state import Message, micros

if TYPE_CHECKING:
    from tests.sandbox.slack.state import Channel, Json
    from tests.sandbox.slack.workspace import Workspace

MOST_EMOJI = 50
MOST_REACTIONS_OF_ONE = 23
MOST_PINS = 100
_NO_THREADS = ("channel_join", "channel_leave", "group_join", "group_leave")
_REACTION = re.compile(r"([a-z0-9_+'\-\u00c0-\uffff]+)(::skin-tone-[2-6])*")


@dataclass(frozen=True, slots=True)
class Draft:
    """A message before it has a timestamp."""

    text: str
    user: str | None = None
    subtype: str | None = None
    thread_ts: str | None = None
    broadcast: bool = False
    blocks: tuple[Json, ...] = ()
    attachments: tuple[Json, ...] = ()
    files: tuple[str, ...] = ()
    client_msg_id: str | None = None
    bot_id: str | None = None
    app_id: str | None = None
    username: str | None = None
    icons: Json | None = None
    metadata: Json | None = None
    upload: bool = False
    extra: Json | None = None


def post(workspace: Workspace, channel: Channel, draft: Draft) -> Message:
    """Puts a message into the channel. Raises `cannot_reply_to_message`."""
    root = _root_of(workspace, channel, draft.thread_ts)
    subtype = draft.subtype
    if draft.broadcast and root is not None and subtype in (None, "bot_message"):
        subtype = "thread_broadcast"
    message = Message(
        ts=workspace.clock.next(),
        text=draft.text,
        user=draft.user,
        subtype=subtype,
        thread_ts=draft.thread_ts,
        broadcast=draft.broadcast and root is not None,
        blocks=list(draft.blocks),
        attachments=list(draft.attachments),
        files=list(draft.files),
        client_msg_id=draft.client_msg_id,
        bot_id=draft.bot_id,
        app_id=draft.app_id,
        username=draft.username,
        icons=draft.icons,
        metadata=draft.metadata,
        upload=draft.upload,
        extra=draft.extra or {},
    )
    channel.keep(message)
    for file_id in draft.files:
        _share(workspace, channel, message, file_id)
    event = message_json(workspace, channel, message)
    _announce(workspace, channel, event, message.ts, (("", message.metadata),))
    if root is not None:
        _announce_reply(workspace, channel, root)
    return message


def _root_of(workspace: Workspace, channel: Channel, thread_ts: str | None) -> Message | None:
    if thread_ts is None:
        return None
    root = channel.messages.get(thread_ts)
    if root is not None and (root.is_reply or root.subtype in _NO_THREADS):
        raise SlackRefusal("cannot_reply_to_message")
    if root is None and workspace.reality.unknown_thread != "posts":
        raise SlackRefusal("cannot_reply_to_message")
    return root


def _share(workspace: Workspace, channel: Channel, message: Message, file_id: str) -> None:
    file = workspace.files[file_id]
    entry: Json = {"ts": message.ts, "reply_users": [], "reply_users_count": 0, "reply_count": 0}
    entry |= {"channel_name": channel.name, "team_id": workspace.id, "share_user_id": message.user or file.user}
    if message.is_reply:
        entry["thread_ts"] = message.thread_ts
    file.shares.setdefault(channel.id, []).append(entry)
    event = {"type": "file_shared", "file_id": file_id, "user_id": file.user, "file": {"id": file_id}}
    workspace.emit(event | {"channel_id": channel.id, "event_ts": message.ts}, channel)


def _announce(
    workspace: Workspace,
    channel: Channel,
    event: Json,
    event_ts: str,
    carried: tuple[tuple[str, Json | None], ...] = (),
) -> None:
    event["channel"] = channel.id
    event["event_ts"] = event_ts
    event["channel_type"] = channel.channel_type
    kept = tuple((where, metadata) for where, metadata in carried if metadata)
    workspace.emit(event, channel, kept)


def _announce_reply(workspace: Workspace, channel: Channel, root: Message) -> None:
    form = workspace.reality.message_replied
    if form == "none":
        return
    event: Json = {"type": "message", "message": message_json(workspace, channel, root), "hidden": True}
    if form == "with_subtype":
        event["subtype"] = "message_replied"
    event["ts"] = workspace.clock.next()
    _announce(workspace, channel, event, event["ts"])


def announce_change(workspace: Workspace, channel: Channel, message: Message, before: Json, had: Json | None) -> None:
    """Announces `message_changed`; `before` is the message as it was, `had` its metadata then."""
    ts = workspace.clock.next()
    event: Json = {
        "type": "message",
        "subtype": "message_changed",
        "message": message_json(workspace, channel, message),
        "previous_message": before,
        "hidden": True,
        "ts": ts,
    }
    _announce(workspace, channel, event, ts, (("message", message.metadata), ("previous_message", had)))


@dataclass(frozen=True, slots=True)
class Change:
    """What an edit sets; None leaves as it is."""

    text: str | None = None
    blocks: tuple[Json, ...] | None = None
    attachments: tuple[Json, ...] | None = None
    metadata: Json | None = None
    marks_edited: bool = True


def change(workspace: Workspace, channel: Channel, message: Message, new: Change, by: str) -> None:
    """Edits a message."""
    before, had = message_json(workspace, channel, message), message.metadata
    if new.text is not None:
        message.text = new.text
    if new.blocks is not None:
        message.blocks = list(new.blocks)
    if new.attachments is not None:
        message.attachments = list(new.attachments)
    if new.metadata is not None:
        message.metadata = new.metadata or None
    if new.marks_edited:
        message.edited = {"user": by, "ts": workspace.clock.next().partition(".")[0] + ".000000"}
    announce_change(workspace, channel, message, before, had)


def unfurl(workspace: Workspace, channel: Channel, message: Message, attachment: Json) -> None:
    """Adds the preview of a link: a change whose text stays the same."""
    before = message_json(workspace, channel, message)
    message.attachments = [*message.attachments, attachment]
    announce_change(workspace, channel, message, before, message.metadata)


def delete(workspace: Workspace, channel: Channel, message: Message) -> None:
    """Deletes a message. A root with replies leaves a tombstone, announced as a change."""
    before, had = message_json(workspace, channel, message), message.metadata
    if not message.is_reply and message.ts in channel.threads:
        _bury(channel, message)
        announce_change(workspace, channel, message, before, had)
        return
    channel.drop(message)
    _unshare(workspace, channel, message)
    ts = workspace.clock.next()
    event: Json = {
        "type": "message",
        "subtype": "message_deleted",
        "previous_message": before,
        "hidden": True,
        "deleted_ts": message.ts,
        "ts": ts,
    }
    _announce(workspace, channel, event, ts, (("previous_message", had),))


def _bury(channel: Channel, message: Message) -> None:
    message.text = "This message was deleted."
    message.subtype = "tombstone"
    message.user = "USLACKBOT"
    message.blocks, message.attachments, message.files, message.reactions = [], [], [], {}
    message.edited = message.client_msg_id = message.bot_id = message.app_id = None
    message.username = message.icons = message.metadata = None
    message.extra = {"hidden": True}
    channel.pins.pop(message.ts, None)


def _unshare(workspace: Workspace, channel: Channel, message: Message) -> None:
    for file_id in message.files:
        file = workspace.files[file_id]
        left = [entry for entry in file.shares.get(channel.id, []) if entry["ts"] != message.ts]
        if left:
            file.shares[channel.id] = left
        else:
            file.shares.pop(channel.id, None)


def react(workspace: Workspace, channel: Channel, message: Message, name: str, user: str) -> None:
    """Adds a reaction. Raises `invalid_name`, `already_reacted`, `too_many_emoji`, `too_many_reactions`."""
    name = checked_emoji(workspace, name)
    users = message.reactions.get(name, [])
    if user in users:
        raise SlackRefusal("already_reacted")
    if not users and len(message.reactions) >= MOST_EMOJI:
        raise SlackRefusal("too_many_emoji")
    if sum(user in others for others in message.reactions.values()) >= MOST_REACTIONS_OF_ONE:
        raise SlackRefusal("too_many_reactions")
    message.reactions.setdefault(name, []).append(user)
    _announce_reaction(workspace, channel, message, "reaction_added", name, user)


def unreact(workspace: Workspace, channel: Channel, message: Message, name: str, user: str) -> None:
    """Takes a reaction back. Raises `invalid_name`, `no_reaction`."""
    name = checked_emoji(workspace, name)
    users = message.reactions.get(name, [])
    if user not in users:
        raise SlackRefusal("no_reaction")
    users.remove(user)
    if not users:
        del message.reactions[name]
    _announce_reaction(workspace, channel, message, "reaction_removed", name, user)


def checked_emoji(workspace: Workspace, name: str) -> str:
    """The emoji's name without colons. Raises `invalid_name`."""
    name = name.strip(":") if "::" not in name else name
    match = _REACTION.fullmatch(name)
    if match is None or not (match[1] in workspace.emoji or is_emoji(match[1])):
        raise SlackRefusal("invalid_name")
    if workspace.reality.reaction_names == "first":
        return first_name(match[1]) + name[len(match[1]) :]
    return name


def _announce_reaction(
    workspace: Workspace, channel: Channel, message: Message, kind: str, name: str, user: str
) -> None:
    event: Json = {"type": kind, "user": user, "reaction": name}
    event["item"] = {"type": "message", "channel": channel.id, "ts": message.ts}
    if message.user:
        event["item_user"] = message.user
    event["event_ts"] = workspace.clock.next()
    workspace.emit(event, channel)


def pin(workspace: Workspace, channel: Channel, message: Message, user: str) -> None:
    """Pins a message. Raises `already_pinned`, `too_many_pins`."""
    if message.ts in channel.pins:
        raise SlackRefusal("already_pinned")
    if len(channel.pins) >= MOST_PINS:
        raise SlackRefusal("too_many_pins")
    now = workspace.clock.next()
    channel.pins[message.ts] = {"channel": channel.id, "pinned_by": user, "pinned_ts": micros(now) // 1_000_000}
    _announce_pin(workspace, channel, message, "pin_added", user, channel.pins[message.ts])


def unpin(workspace: Workspace, channel: Channel, message: Message, user: str) -> None:
    """Takes a pin off. Raises `no_pin`."""
    info = channel.pins.pop(message.ts, None)
    if info is None:
        raise SlackRefusal("no_pin")
    _announce_pin(workspace, channel, message, "pin_removed", user, info)


def _announce_pin(workspace: Workspace, channel: Channel, message: Message, kind: str, user: str, info: Json) -> None:
    event: Json = {"type": kind, "user": user, "channel_id": channel.id}
    event["item"] = pin_json(workspace, channel, message, info)
    event |= {"item_user": message.user, "pin_count": len(channel.pins), "pinned_info": info}
    if kind == "pin_removed":
        event["has_pins"] = bool(channel.pins)
    event["event_ts"] = workspace.clock.next()
    workspace.emit(event, channel)


def pin_json(workspace: Workspace, channel: Channel, message: Message, info: Json) -> Json:
    """A pinned message as pins.list shows it."""
    shown = message_json(workspace, channel, message) | {"permalink": workspace.permalink(channel, message)}
    item: Json = {"type": "message", "channel": channel.id, "message": shown}
    return item | {"created": info["pinned_ts"], "created_by": info["pinned_by"]}
