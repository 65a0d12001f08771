"""Slack's JSON becomes events: the one door for what Socket Mode, the Events API and the history methods deliver.

Two readings of the same payload: `address` says under which name and in which queue it is kept, before anything else is
known; `read` makes the event of it when its turn comes. Nothing foreign raises: what cannot be understood is `Ignored`,
with the reason. Sources: https://docs.slack.dev/reference/events and the conversations.* methods.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from portals.events import (
    Ignored,
    Json,
    SlackAuthor,
    SlackChannelChange,
    SlackDeletion,
    SlackEvent,
    SlackFile,
    SlackMembership,
    SlackMessage,
    SlackPersonChange,
    SlackReaction,
)
from portals.ids import NO_TS, ChannelId, SlackUserId, TeamId, Ts, channel_queue, is_slack_id, is_ts
from portals.text import from_slack

if TYPE_CHECKING:
    from portals.facts import Workspace

LOOK_BACK = "causeway_look_back"
"""A field that the bridge adds to payloads which it made of history: the number of the gap that they fill."""

_RELAYED = frozenset(
    {
        "",
        "bot_message",
        "file_share",
        "me_message",
        "thread_broadcast",
        "reply_broadcast",
        "file_comment",
        "reminder_add",
    }
)


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
    event = _object(payload.get("event"))
    kind = _text(event.get("type"))
    channel = _channel(event)
    queue = channel_queue(team, channel) if channel else team
    event_id = _text(payload.get("event_id"))
    if kind == "message" and channel:
        subtype, ts, deleted = _text(event.get("subtype")), _ts(event.get("ts")), _ts(event.get("deleted_ts"))
        if subtype == "message_deleted" and deleted:
            return Address(queue, f"slack:{queue}/{deleted}/deleted")
        # an event about another message (message_replied may come without its subtype) must not take that one's name
        if ts and not subtype.startswith("message_") and "message" not in event:
            gap = payload.get(LOOK_BACK)
            return Address(queue, f"slack:{queue}/{ts}" + (f"/seen:{gap}" if isinstance(gap, int) else ""))
    return Address(queue, f"slack:{team}/{event_id}") if event_id else None


def read(payload: Json, source: str, workspace: Workspace) -> SlackEvent | Ignored:
    """Return what a payload tells; `source` is the name under which it is kept."""
    event = _object(payload.get("event"))
    kind = _text(event.get("type"))
    reader = _READERS.get(kind)
    if reader is None:
        return Ignored(f"events of type {kind[:40]!r} are not relayed")
    return reader(event, source, workspace, isinstance(payload.get(LOOK_BACK), int))


def channel_of(payload: Json) -> ChannelId | None:
    """Return the channel that a payload is about, or None."""
    return _channel(_object(payload.get("event"))) or None


# --- messages


def _read_message(event: Json, source: str, workspace: Workspace, historic: bool) -> SlackEvent | Ignored:
    channel = _channel(event)
    if not channel:
        return Ignored("a message without a channel")
    subtype = _text(event.get("subtype"))
    if subtype == "message_changed":
        message = _object(event.get("message"))
        if _text(message.get("subtype")) == "tombstone":
            return _deletion(message.get("ts"), source, channel)
        version = _ts(event.get("event_ts")) or _ts(event.get("ts"))
        return message_of(message, source, channel, workspace, changed=True, version=version)
    if subtype == "message_deleted":
        return _deletion(event.get("deleted_ts"), source, channel)
    if subtype in _ANNOUNCEMENTS:
        return _ANNOUNCEMENTS[subtype](event, source, channel)
    return message_of(event, source, channel, workspace, historic=historic)


def message_of(
    message: Json,
    source: str,
    channel: ChannelId,
    workspace: Workspace,
    *,
    changed: bool = False,
    historic: bool = False,
    version: Ts = NO_TS,
) -> SlackMessage | Ignored:
    """Return a message object of an event or of history, or why it is not relayed."""
    subtype = _text(message.get("subtype"))
    if subtype not in _RELAYED:
        return Ignored(f"messages of subtype {subtype[:40]!r} are not relayed")
    ts = _ts(message.get("ts"))
    if ts == NO_TS:
        return Ignored("a message without a time stamp")
    author = _author(message)
    if author is None:
        return Ignored("a message without an author")
    thread = _ts(message.get("thread_ts"))
    files = tuple(_files(message.get("files")))
    attachments = _objects(message.get("attachments"))
    text = _text(message.get("text"))
    blocks = _objects(message.get("blocks"))
    edited = _ts(_object(message.get("edited")).get("ts"))
    return SlackMessage(
        source=source,
        channel=channel,
        ts=ts,
        author=author,
        document=from_slack(text, blocks, attachments),
        files=files,
        thread_ts=thread if thread not in (NO_TS, ts) else None,
        broadcast=subtype in ("thread_broadcast", "reply_broadcast"),
        emote=subtype == "me_message",
        own=_is_own(message, workspace),
        changed=changed,
        historic=historic,
        version=version or edited,
        digest=_digest(text, blocks, attachments),
    )


def _deletion(ts: object, source: str, channel: ChannelId) -> SlackDeletion | Ignored:
    found = _ts(ts)
    return SlackDeletion(source, channel, found) if found else Ignored("a deletion without a time stamp")


def _author(message: Json) -> SlackAuthor | None:
    bot = _text(message.get("bot_id"))
    user = _text(message.get("user"))
    profile = _object(message.get("bot_profile"))
    if is_slack_id(bot) and (message.get("subtype") == "bot_message" or not is_slack_id(user)):
        name = _text(message.get("username")) or _text(profile.get("name"))
        icons = _object(message.get("icons")) or _object(profile.get("icons"))
        return SlackAuthor(SlackUserId(bot), True, name, _text(icons.get("image_72") or icons.get("image_48")))
    if is_slack_id(user):
        name = _text(_object(message.get("user_profile")).get("display_name"))
        return SlackAuthor(SlackUserId(user), bool(bot), name or _text(profile.get("name")))
    return None


def _is_own(message: Json, workspace: Workspace) -> bool:
    app = _text(message.get("app_id")) or _text(_object(message.get("bot_profile")).get("app_id"))
    if app and workspace.app:
        return app == workspace.app
    return (bool(workspace.bot) and message.get("bot_id") == workspace.bot) or (
        bool(workspace.bot_user) and message.get("user") == workspace.bot_user
    )


def _files(value: object) -> Iterable[SlackFile]:
    """Yield each file once; one that was deleted leaves a tombstone, which is no file any more."""
    seen: set[str] = set()
    for file in _objects(value):
        file_id, mode = _text(file.get("id")), _text(file.get("mode"))
        if not (file_id.startswith("F") and is_slack_id(file_id)) or file_id in seen or mode == "tombstone":
            continue
        seen.add(file_id)
        access = _text(file.get("file_access"))
        url = _text(file.get("url_private_download")) or _text(file.get("url_private"))
        refusal = "hidden by the limits of the workspace's Slack plan" if mode == "hidden_by_limit" else ""
        if not refusal and access in ("access_denied", "file_not_found"):
            refusal = "Slack does not give it to the bridge"
        if not refusal and file.get("is_external") is True:
            refusal = "kept outside Slack"
        if not refusal and not url:
            refusal = "Slack names no address for it"
        yield SlackFile(
            id=file_id,
            name=_text(file.get("name")) or _text(file.get("title")) or file_id,
            mimetype=_text(file.get("mimetype")) or "application/octet-stream",
            size=_number(file.get("size")),
            url=url,
            width=_number(file.get("original_w")),
            height=_number(file.get("original_h")),
            duration_ms=_number(file.get("duration_ms")),
            permalink=_text(file.get("permalink")),
            refusal=refusal,
        )


def reactions_of(message: Json) -> Iterable[tuple[str, SlackUserId]]:
    """Yield (emoji name, person) of every reaction that a message object carries."""
    for reaction in _objects(message.get("reactions")):
        name = _text(reaction.get("name"))
        users = reaction.get("users")
        if name and isinstance(users, Sequence) and not isinstance(users, str):
            yield from ((name, SlackUserId(user)) for user in users if isinstance(user, str) and is_slack_id(user))


def cut_reactions(message: Json) -> frozenset[str]:
    """Return the emoji names for which a message object names fewer people than it counts: Slack cuts long lists."""
    found: set[str] = set()
    for reaction in _objects(message.get("reactions")):
        users = reaction.get("users")
        if not isinstance(users, Sequence) or len(users) < _number(reaction.get("count")):
            found.add(_text(reaction.get("name")))
    return frozenset(found)


def _digest(text: str, blocks: Sequence[Json], attachments: Sequence[Json]) -> str:
    """Name what a message's text says; what Slack adds by itself (unfurls, block ids) does not count."""
    own = [item for item in attachments if not item.get("from_url") and not item.get("app_unfurl_url")]
    said = json.dumps(
        [text, _without_ids(blocks), own],
        sort_keys=True,
        separators=(",", ":"),
        default=str,
    )
    return hashlib.sha256(said.encode(errors="surrogatepass")).hexdigest()[:24]


def _without_ids(blocks: Sequence[Json]) -> list[dict[str, Any]]:
    return [{name: value for name, value in block.items() if name != "block_id"} for block in blocks]


# --- the other events


def _read_reaction(event: Json, source: str, workspace: Workspace, historic: bool) -> SlackEvent | Ignored:
    item = _object(event.get("item"))
    ts, user, name = _ts(item.get("ts")), _text(event.get("user")), _text(event.get("reaction"))
    channel = _channel(event)
    if not (channel and ts and name and is_slack_id(user)):
        return Ignored("a reaction to something that is not a message")
    if user == workspace.bot_user:
        return Ignored("our own reaction")
    return SlackReaction(source, channel, ts, SlackUserId(user), name, event.get("type") == "reaction_added")


def _read_membership(event: Json, source: str, workspace: Workspace, historic: bool) -> SlackEvent | Ignored:
    channel, user = _channel(event), _text(event.get("user"))
    if not (channel and is_slack_id(user)):
        return Ignored("a membership without channel or person")
    if user == workspace.bot_user:
        return Ignored("our own membership")
    return SlackMembership(source, channel, SlackUserId(user), event.get("type") == "member_joined_channel")


def _read_rename(event: Json, source: str, workspace: Workspace, historic: bool) -> SlackEvent | Ignored:
    name = _text(_object(event.get("channel")).get("name"))
    channel = _channel(event)
    return SlackChannelChange(source, channel, name=name) if channel and name else Ignored("a rename without a name")


def _read_archive(event: Json, source: str, workspace: Workspace, historic: bool) -> SlackEvent | Ignored:
    channel = _channel(event)
    archived = _text(event.get("type")).endswith("_archive")
    return SlackChannelChange(source, channel, archived=archived) if channel else Ignored("an archive of nothing")


def _read_person(event: Json, source: str, workspace: Workspace, historic: bool) -> SlackEvent | Ignored:
    profile = _object(event.get("user"))
    if not is_slack_id(_text(profile.get("id"))):
        return Ignored("a profile without a person")
    return SlackPersonChange(source, profile)


def _topic(event: Json, source: str, channel: ChannelId) -> SlackEvent | Ignored:
    return SlackChannelChange(source, channel, topic=_text(event.get("topic")))


def _purpose(event: Json, source: str, channel: ChannelId) -> SlackEvent | Ignored:
    return SlackChannelChange(source, channel, purpose=_text(event.get("purpose")))


def _name(event: Json, source: str, channel: ChannelId) -> SlackEvent | Ignored:
    name = _text(event.get("name"))
    return SlackChannelChange(source, channel, name=name) if name else Ignored("a rename without a name")


_ANNOUNCEMENTS = {
    "channel_topic": _topic,
    "channel_purpose": _purpose,
    "channel_name": _name,
    "group_topic": _topic,
    "group_purpose": _purpose,
    "group_name": _name,
}
_READERS = {
    "message": _read_message,
    "reaction_added": _read_reaction,
    "reaction_removed": _read_reaction,
    "member_joined_channel": _read_membership,
    "member_left_channel": _read_membership,
    "channel_rename": _read_rename,
    "group_rename": _read_rename,
    "channel_archive": _read_archive,
    "channel_unarchive": _read_archive,
    "group_archive": _read_archive,
    "group_unarchive": _read_archive,
    "user_change": _read_person,
    "team_join": _read_person,
}


# --- foreign values


def _channel(event: Json) -> ChannelId:
    value = event.get("channel")
    if isinstance(value, Mapping):
        value = value.get("id")
    if not isinstance(value, str):
        value = _object(event.get("item")).get("channel")
    return ChannelId(value) if isinstance(value, str) and is_slack_id(value) else ChannelId("")


def _object(value: object) -> Json:
    return value if isinstance(value, Mapping) else {}


def _objects(value: object) -> tuple[Json, ...]:
    if not isinstance(value, Sequence) or isinstance(value, str | bytes):
        return ()
    return tuple(item for item in value if isinstance(item, Mapping))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _number(value: object) -> int:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 2**53 else 0


def _ts(value: object) -> Ts:
    return Ts(value) if isinstance(value, str) and is_ts(value) else NO_TS
