"""Slack's JSON becomes events: the one door for what Socket Mode, the Events API and the history methods deliver.

Two readings of the same payload: `address` says under which name and in which queue it is kept, before anything else is
known; `read` makes the event of it when its turn comes; messages are read by `slack_messages`. Nothing foreign raises:
what cannot be understood is `Ignored`, with the reason. Sources: https://docs.slack.dev/reference/events and the
conversations.* methods.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from portals.events import (
    Ignored,
    Json,
    SlackBookmarks,
    SlackBotMembership,
    SlackChannelChange,
    SlackChannelIdChange,
    SlackDeletion,
    SlackEvent,
    SlackMembership,
    SlackMessage,
    SlackNamesChange,
    SlackPersonChange,
    SlackPin,
    SlackReaction,
    SlackTokensEnd,
)
from portals.ids import ChannelId, SlackUserId, TeamId, channel_queue, is_slack_id
from portals.reading.bookmarks import BOOKMARKS, bookmarks_of
from portals.reading.late_files import FILE_CAME, read_file_came
from portals.reading.slack_messages import message_of
from portals.reading.values import mapping, text_of, ts_of

if TYPE_CHECKING:
    from portals.facts import Workspace

LOOK_BACK = "causeway_look_back"
"""A field that the bridge adds to payloads which it made of history: the number of the gap that they fill."""

ANNOUNCED = "causeway_announced"
"""A field that the bridge adds where Slack's own words are to be shown that a room does not show of live traffic."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a payload is kept until its turn comes: its queue, and the name that makes its repetitions one."""

    queue: str
    source_key: str


def address(payload: Json, team: TeamId) -> Address | None:
    """Return where to keep an `event_callback` payload that came for a workspace, or None when nothing names it.

    A message has the same name however often and on whatever way it comes; other events have Slack's `event_id`. A
    channel that two workspaces share has a name in each of them.
    """
    event = mapping(payload.get("event"))
    kind = text_of(event.get("type"))
    channel = _channel(event)
    queue = channel_queue(team, channel) if channel else team
    event_id = text_of(payload.get("event_id"))
    if kind == "message" and channel:
        subtype, ts, deleted = text_of(event.get("subtype")), ts_of(event.get("ts")), ts_of(event.get("deleted_ts"))
        if subtype == "message_deleted" and deleted:
            return Address(queue, f"slack:{queue}/{deleted}/deleted")
        # an event about another message (message_replied may come without its subtype) must not take that one's name
        if ts and not subtype.startswith("message_") and "message" not in event:
            gap = payload.get(LOOK_BACK)
            return Address(queue, f"slack:{queue}/{ts}" + (f"/seen:{gap}" if isinstance(gap, int) else ""))
    return Address(queue, f"slack:{team}/{event_id}") if event_id else None


def read(payload: Json, source: str, workspace: Workspace) -> SlackEvent | Ignored:
    """Return what a payload tells; `source` is the name under which it is kept."""
    event = mapping(payload.get("event"))
    kind = text_of(event.get("type"))
    reader = _READERS.get(kind)
    if reader is None:
        return Ignored(f"events of type {kind[:40]!r} are not relayed")
    if kind == "message" and payload.get(ANNOUNCED):
        message = message_of(event, source, _channel(event), workspace, historic=True)
        return replace(message, announced=True) if isinstance(message, SlackMessage) else message
    return reader(event, source, workspace, isinstance(payload.get(LOOK_BACK), int))


def is_looked_up(raw: str) -> bool:
    """Tell whether a payload, as it is stored, was made of what history knows, and was not delivered by Slack."""
    return f'"{LOOK_BACK}":' in raw or f'"{FILE_CAME}"' in raw


def is_direct(payload: Json) -> bool:
    """Tell whether a payload is a message of a direct conversation: Slack says so in each."""
    return text_of(mapping(payload.get("event")).get("channel_type")) in ("im", "mpim")


def told_for(payload: Json) -> tuple[SlackUserId, ...]:
    """Return for whom Slack delivered a payload, one of all whom it could name, and whom it is by."""
    named = payload.get("authorizations")
    people = [mapping(one).get("user_id") for one in named] if isinstance(named, list) else []
    people.append(mapping(payload.get("event")).get("user"))
    return tuple(SlackUserId(one) for one in dict.fromkeys(map(text_of, people)) if is_slack_id(one))


def channel_of(payload: Json) -> ChannelId | None:
    """Return the channel that a payload is about, or None."""
    return _channel(mapping(payload.get("event"))) or None


# --- messages


def _read_message(event: Json, source: str, workspace: Workspace, historic: bool) -> SlackEvent | Ignored:
    channel = _channel(event)
    if not channel:
        return Ignored("a message without a channel")
    subtype = text_of(event.get("subtype"))
    if subtype == "message_changed":
        message = mapping(event.get("message"))
        if text_of(message.get("subtype")) == "tombstone":
            return _deletion(message.get("ts"), source, channel)
        version = ts_of(event.get("event_ts")) or ts_of(event.get("ts"))
        return message_of(message, source, channel, workspace, changed=True, historic=historic, version=version)
    if subtype == "message_deleted":
        return _deletion(event.get("deleted_ts"), source, channel)
    if subtype in _ANNOUNCEMENTS:
        return _ANNOUNCEMENTS[subtype](event, source, channel)
    return message_of(event, source, channel, workspace, historic=historic)


def _deletion(ts: object, source: str, channel: ChannelId) -> SlackDeletion | Ignored:
    found = ts_of(ts)
    return SlackDeletion(source, channel, found) if found else Ignored("a deletion without a time stamp")


# --- the other events


def _read_reaction(event: Json, source: str, workspace: Workspace, historic: bool) -> SlackEvent | Ignored:
    item = mapping(event.get("item"))
    ts, user, name = ts_of(item.get("ts")), text_of(event.get("user")), text_of(event.get("reaction"))
    channel = _channel(event)
    if not (channel and ts and name and is_slack_id(user)):
        return Ignored("a reaction to something that is not a message")
    if user == workspace.bot_user:
        return Ignored("our own reaction")
    added, as_of = event.get("type") == "reaction_added", ts_of(event.get("event_ts"))
    return SlackReaction(source, channel, ts, SlackUserId(user), name, added, as_of, historic)


def _read_membership(event: Json, source: str, workspace: Workspace, historic: bool) -> SlackEvent | Ignored:
    channel, user = _channel(event), text_of(event.get("user"))
    if not (channel and is_slack_id(user)):
        return Ignored("a membership without channel or person")
    joined = event.get("type") == "member_joined_channel"
    if user == workspace.bot_user:
        return SlackBotMembership(source, channel, joined)
    return SlackMembership(source, channel, SlackUserId(user), joined, historic)


def _read_removal(event: Json, source: str, workspace: Workspace, historic: bool) -> SlackEvent | Ignored:
    """Read `channel_left`, which Slack tells to the one who left alone."""
    channel = _channel(event)
    return SlackBotMembership(source, channel, False) if channel else Ignored("a removal from nowhere")


def _read_pin(event: Json, source: str, workspace: Workspace, historic: bool) -> SlackEvent | Ignored:
    ts = ts_of(mapping(mapping(event.get("item")).get("message")).get("ts"))
    channel = _channel(event)
    if not (channel and ts):
        return Ignored("a pin on something that is not a message")
    return SlackPin(source, channel, ts, event.get("type") == "pin_added")


def _read_bookmarks(event: Json, source: str, workspace: Workspace, historic: bool) -> SlackEvent | Ignored:
    channel = _channel(event)
    if not channel:
        return Ignored("bookmarks of no channel")
    return SlackBookmarks(source, channel, bookmarks_of(event.get("bookmarks")))


def _read_rename(event: Json, source: str, workspace: Workspace, historic: bool) -> SlackEvent | Ignored:
    name = text_of(mapping(event.get("channel")).get("name"))
    channel = _channel(event)
    return SlackChannelChange(source, channel, name=name) if channel and name else Ignored("a rename without a name")


def _read_archive(event: Json, source: str, workspace: Workspace, historic: bool) -> SlackEvent | Ignored:
    channel = _channel(event)
    archived = text_of(event.get("type")).endswith("_archive")
    return SlackChannelChange(source, channel, archived=archived) if channel else Ignored("an archive of nothing")


def _read_end(event: Json, source: str, workspace: Workspace, historic: bool) -> SlackEvent | Ignored:
    channel = _channel(event)
    return SlackChannelChange(source, channel, archived=True, deleted=True) if channel else Ignored("an end of nothing")


def _read_person(event: Json, source: str, workspace: Workspace, historic: bool) -> SlackEvent | Ignored:
    profile = mapping(event.get("user"))
    if not is_slack_id(text_of(profile.get("id"))):
        return Ignored("a profile without a person")
    return SlackPersonChange(source, profile)


def _read_emoji(event: Json, source: str, workspace: Workspace, historic: bool) -> SlackEvent | Ignored:
    """Read a changed emoji. A rename moves its aliases too, without a word of them: then all are read anew."""
    subtype, name, value = (text_of(event.get(key)) for key in ("subtype", "name", "value"))
    if subtype == "add" and name and value:
        return SlackNamesChange(source, "emoji", given=((name, value),))
    gone = event.get("names") if subtype == "remove" else None
    names = gone if isinstance(gone, list) else []
    return SlackNamesChange(source, "emoji", gone=tuple(one for one in names if isinstance(one, str) and one))


def _read_usergroup(event: Json, source: str, workspace: Workspace, historic: bool) -> SlackEvent | Ignored:
    group = mapping(event.get("subteam"))
    name, handle = text_of(group.get("id")), text_of(group.get("handle"))
    return SlackNamesChange(source, "usergroup", given=((name, handle),) if name and handle else ())


def _read_id_change(event: Json, source: str, workspace: Workspace, historic: bool) -> SlackEvent | Ignored:
    old, new = (text_of(event.get(f"{which}_channel_id")) for which in ("old", "new"))
    if not (is_slack_id(old) and is_slack_id(new)) or old == new:
        return Ignored("a channel's new id without both ids")
    return SlackChannelIdChange(source, ChannelId(old), ChannelId(new))


def _read_tokens(event: Json, source: str, workspace: Workspace, historic: bool) -> SlackEvent | Ignored:
    """Read `tokens_revoked`, whose `oauth` names people and `bot` bots, or `app_uninstalled`."""
    if event.get("type") == "app_uninstalled":
        return SlackTokensEnd(source, all=True)
    named = mapping(event.get("tokens")).get("oauth")
    users = named if isinstance(named, list) else []
    return SlackTokensEnd(source, tuple(SlackUserId(one) for one in users if isinstance(one, str) and is_slack_id(one)))


def _topic(event: Json, source: str, channel: ChannelId) -> SlackEvent | Ignored:
    return SlackChannelChange(source, channel, topic=text_of(event.get("topic")))


def _purpose(event: Json, source: str, channel: ChannelId) -> SlackEvent | Ignored:
    return SlackChannelChange(source, channel, purpose=text_of(event.get("purpose")))


def _name(event: Json, source: str, channel: ChannelId) -> SlackEvent | Ignored:
    name = text_of(event.get("name"))
    return SlackChannelChange(source, channel, name=name) if name else Ignored("a rename without a name")


def _archived(event: Json, source: str, channel: ChannelId) -> SlackEvent | Ignored:
    return SlackChannelChange(source, channel, archived=text_of(event.get("subtype")).endswith("_archive"))


def _converted(event: Json, source: str, channel: ChannelId) -> SlackEvent | Ignored:
    return SlackChannelChange(source, channel, private=text_of(event.get("subtype")).endswith("_private"))


_ANNOUNCEMENTS = {
    "channel_topic": _topic,
    "channel_purpose": _purpose,
    "channel_name": _name,
    "channel_archive": _archived,
    "channel_unarchive": _archived,
    "channel_convert_to_private": _converted,
    "channel_convert_to_public": _converted,
    "group_topic": _topic,
    "group_purpose": _purpose,
    "group_name": _name,
    "group_archive": _archived,
    "group_unarchive": _archived,
}


def _read_file_came(event: Json, source: str, workspace: Workspace, historic: bool) -> SlackEvent | Ignored:
    return read_file_came(event, source, _channel(event))


_READERS = {
    "message": _read_message,
    "reaction_added": _read_reaction,
    "reaction_removed": _read_reaction,
    "member_joined_channel": _read_membership,
    "member_left_channel": _read_membership,
    "channel_left": _read_removal,
    "group_left": _read_removal,
    "pin_added": _read_pin,
    "pin_removed": _read_pin,
    BOOKMARKS: _read_bookmarks,
    FILE_CAME: _read_file_came,
    "channel_rename": _read_rename,
    "group_rename": _read_rename,
    "channel_archive": _read_archive,
    "channel_unarchive": _read_archive,
    "group_archive": _read_archive,
    "group_unarchive": _read_archive,
    "channel_deleted": _read_end,
    "group_deleted": _read_end,
    "channel_id_changed": _read_id_change,
    "user_change": _read_person,
    "team_join": _read_person,
    "emoji_changed": _read_emoji,
    "subteam_created": _read_usergroup,
    "subteam_updated": _read_usergroup,
    "tokens_revoked": _read_tokens,
    "app_uninstalled": _read_tokens,
}


# --- foreign values


def _channel(event: Json) -> ChannelId:
    value = event.get("channel")
    if isinstance(value, Mapping):
        value = value.get("id")
    if not isinstance(value, str):
        value = event.get("channel_id")
    if not isinstance(value, str):
        value = mapping(event.get("item")).get("channel")
    return ChannelId(value) if isinstance(value, str) and is_slack_id(value) else ChannelId("")
