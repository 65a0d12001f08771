"""How the author of a message is told something about it: in Slack in its thread, in Matrix in an answer."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from portals.actions import STAMP, PostMessage, SendEvent
from portals.ids import action_key
from portals.relay.content import notice

if TYPE_CHECKING:
    from portals.actions import Record
    from portals.ids import ChannelId, EventId, MatrixUserId, RoomId, Ts


def in_slack(source: str, channel: ChannelId, thread: Ts, words: str, record: Record) -> PostMessage:
    """Return what tells it in a thread of the channel, once for each `source`."""
    return PostMessage(
        key=action_key(source, "told"),
        channel=channel,
        text=html.escape(words, quote=False),  # Slack escapes the same three signs
        blocks=(),
        username="",
        thread_ts=thread,
        record=record,
        unfurl=False,
    )


def in_matrix(source: str, room: RoomId, bot: MatrixUserId, event: EventId, words: str, record: Record) -> SendEvent:
    """Return what tells it in an answer, once for each `source`."""
    key = action_key(source, "told")
    said = {**notice(words), "m.relates_to": {"m.in_reply_to": {"event_id": event}}, STAMP: key}
    return SendEvent(key, room, bot, "m.room.message", said, record=record)
