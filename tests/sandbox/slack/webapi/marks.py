"""reactions.*, pins.* and bookmarks.*: what hangs on messages and channels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.sandbox.slack import messages, rooms
from tests.sandbox.slack.errors import SlackRefusal
from tests.sandbox.slack.shapes import message_json, reactions_json
from tests.sandbox.slack.webapi.call import Method

if TYPE_CHECKING:
    from tests.sandbox.slack.state import Channel, Json, Message
    from tests.sandbox.slack.webapi.call import Call


def _item(call: Call) -> tuple[Channel, Message]:
    if not call.args.has("channel") or not call.args.has("timestamp"):
        raise SlackRefusal("no_item_specified")
    channel = call.conversation(call.args.text("channel"))
    return channel, call.message(channel, "timestamp")


def _check_open_member(call: Call, channel: Channel) -> None:
    if channel.archived:
        raise SlackRefusal("is_archived")
    if channel.kind != "public" and call.token.user_id not in channel.members:
        raise SlackRefusal("channel_not_found")


def add_reaction(call: Call) -> Json:
    """reactions.add"""
    name = call.args.need("name")
    channel, message = _item(call)
    _check_open_member(call, channel)
    if message.subtype == "tombstone":
        raise SlackRefusal("message_not_found")
    messages.react(call.workspace, channel, message, name, call.token.user_id)
    return {}


def remove_reaction(call: Call) -> Json:
    """reactions.remove"""
    name = call.args.need("name")
    channel, message = _item(call)
    messages.unreact(call.workspace, channel, message, name, call.token.user_id)
    return {}


def get_reactions(call: Call) -> Json:
    """reactions.get"""
    channel, message = _item(call)
    shown = message_json(call.workspace, channel, message) | {
        "permalink": call.workspace.permalink(channel, message),
    }
    if call.args.flag("full") and message.reactions:
        shown["reactions"] = reactions_json(message)
    return {"type": "message", "channel": channel.id, "message": shown}


def _pinnable(call: Call) -> tuple[Channel, Message]:
    if not call.args.has("channel"):
        raise SlackRefusal("channel_not_found")
    channel = call.conversation(call.args.text("channel"))
    if not call.args.has("timestamp"):
        raise SlackRefusal("no_item_specified")
    if call.token.user_id not in channel.members:
        raise SlackRefusal("not_in_channel")
    return channel, call.message(channel, "timestamp")


def add_pin(call: Call) -> Json:
    """pins.add"""
    channel, message = _pinnable(call)
    if message.subtype in ("channel_join", "channel_leave", "tombstone"):
        raise SlackRefusal("not_pinnable")
    messages.pin(call.workspace, channel, message, call.token.user_id)
    return {}


def remove_pin(call: Call) -> Json:
    """pins.remove"""
    channel, message = _pinnable(call)
    messages.unpin(call.workspace, channel, message, call.token.user_id)
    return {}


def list_pins(call: Call) -> Json:
    """pins.list: newest first"""
    channel = call.conversation(call.args.text("channel"))
    items = [
        messages.pin_json(call.workspace, channel, channel.messages[ts], pinned)
        for ts, pinned in reversed(channel.pins.items())
    ]
    return {"items": items}


def list_bookmarks(call: Call) -> Json:
    """bookmarks.list"""
    channel = call.conversation(call.args.need("channel_id"))
    return {"bookmarks": [dict(bookmark) for bookmark in channel.bookmarks]}


def add_bookmark(call: Call) -> Json:
    """bookmarks.add, for links"""
    channel = call.conversation(call.args.need("channel_id"))
    if call.args.need("type") != "link":
        raise SlackRefusal("invalid_bookmark_type")
    title, link, emoji = call.args.need("title"), call.args.text("link"), call.args.text("emoji")
    return {"bookmark": dict(rooms.add_bookmark(call.workspace, channel, title, link, emoji, call.me))}


def remove_bookmark(call: Call) -> Json:
    """bookmarks.remove"""
    rooms.remove_bookmark(call.conversation(call.args.need("channel_id")), call.args.need("bookmark_id"))
    return {}


METHODS = {
    "reactions.add": Method(add_reaction, 3, ("reactions:write",), json=True),
    "reactions.remove": Method(remove_reaction, 2, ("reactions:write",), json=True),
    "reactions.get": Method(get_reactions, 3, ("reactions:read",)),
    "pins.add": Method(add_pin, 2, ("pins:write",), json=True),
    "pins.remove": Method(remove_pin, 2, ("pins:write",), json=True),
    "pins.list": Method(list_pins, 2, ("pins:read",)),
    "bookmarks.list": Method(list_bookmarks, 3, ("bookmarks:read",)),
    "bookmarks.add": Method(add_bookmark, 2, ("bookmarks:write",), json=True),
    "bookmarks.remove": Method(remove_bookmark, 2, ("bookmarks:write",), json=True),
}
