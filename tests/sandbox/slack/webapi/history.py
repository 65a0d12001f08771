"""conversations.history and conversations.replies: pages of messages, with Slack's rules of range and order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.sandbox.slack.errors import SlackRefusal
from tests.sandbox.slack.shapes import message_json
from tests.sandbox.slack.state import micros
from tests.sandbox.slack.webapi.call import HISTORY_SCOPES, Method, decode_cursor, encode_cursor

if TYPE_CHECKING:
    from tests.sandbox.slack.state import Channel, Json, Message
    from tests.sandbox.slack.webapi.call import Call

MOST_HISTORY = 999
MOST_REPLIES = 1000
MOST_OUTSIDE = 15


def shown(call: Call, channel: Channel, message: Message, root: bool = True) -> Json:
    """A message with as much of its metadata as this call may see."""
    body = message_json(call.workspace, channel, message, root)
    if message.metadata and call.may("metadata.message:read"):
        event_type = message.metadata["event_type"]
        whole = call.args.flag("include_all_metadata") or event_type in call.token.app.metadata_subscriptions
        body["metadata"] = message.metadata if whole else {"event_type": event_type}
    return body


def _range(call: Call) -> tuple[int | None, int | None, bool]:
    oldest = call.args.moment("oldest", "invalid_ts_oldest")
    latest = call.args.moment("latest", "invalid_ts_latest")
    return oldest, latest, call.args.flag("inclusive") and (oldest is not None or latest is not None)


def _readable(call: Call) -> Channel:
    channel = call.conversation(call.args.need("channel"), HISTORY_SCOPES)
    if channel.kind == "public" and call.token.kind == "bot" and call.token.user_id not in channel.members:
        raise SlackRefusal("not_in_channel")
    return channel


def _limit(call: Call, default: int, most: int) -> int:
    if call.sandbox.limits.outside_marketplace:
        default = most = MOST_OUTSIDE
    return call.args.count("limit", default, most)


def history(call: Call) -> Json:
    """conversations.history: the channel's own line, newest first; replies only when they were broadcast."""
    channel = _readable(call)
    limit = _limit(call, 100, MOST_HISTORY)
    oldest, latest, inclusive = _range(call)
    forward = oldest is not None and latest is None and call.workspace.reality.oldest_alone == "oldest"
    found = channel.timeline.between(oldest, latest, inclusive)
    if call.args.has("cursor"):
        edge = _edge(call.args.text("cursor"), "next_ts:")
        found = [message for message in found if (micros(message.ts) > edge if forward else micros(message.ts) < edge)]
    cut = found[:limit] if forward else found[-limit:]
    body: Json = {
        "messages": [shown(call, channel, message, root=True) for message in reversed(cut)],
        "has_more": len(cut) < len(found),
        "pin_count": len(channel.pins),
        "channel_actions_ts": None,
        "channel_actions_count": 0,
    }
    if body["has_more"]:
        last = cut[-1] if forward else cut[0]
        body["response_metadata"] = {"next_cursor": encode_cursor(f"next_ts:{micros(last.ts)}")}
    return body


def replies(call: Call) -> Json:
    """conversations.replies: the root, always, then replies oldest first."""
    channel = _readable(call)
    limit = _limit(call, MOST_REPLIES, MOST_REPLIES)
    try:
        ts = call.args.need("ts")
        micros(ts)
    except ValueError:
        raise SlackRefusal("thread_not_found") from None
    message = channel.messages.get(ts)
    if message is None:
        raise SlackRefusal("thread_not_found")
    if message.is_reply:
        message = channel.messages.get(message.thread_ts or "", message)
    oldest, latest, inclusive = _range(call)
    thread = channel.threads.get(message.ts)
    found = thread.between(oldest, latest, inclusive) if thread is not None else []
    if call.args.has("cursor"):
        edge = _edge(call.args.text("cursor"), "next_reply_ts:")
        found = [reply for reply in found if micros(reply.ts) > edge]
    cut = found[: max(limit - 1, 1)]
    body: Json = {
        "messages": [shown(call, channel, entry, root=False) for entry in (message, *cut)],
        "has_more": len(cut) < len(found),
    }
    if body["has_more"]:
        body["response_metadata"] = {"next_cursor": encode_cursor(f"next_reply_ts:{micros(cut[-1].ts)}")}
    return body


def _edge(cursor: str, prefix: str) -> int:
    word = decode_cursor(cursor, prefix)
    if not word.isdigit():
        raise SlackRefusal("invalid_cursor")
    return int(word)


METHODS = {
    "conversations.history": Method(history, 3, HISTORY_SCOPES),
    "conversations.replies": Method(replies, 3, HISTORY_SCOPES),
}
