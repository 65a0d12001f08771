"""Acts on conversations and people: create, join, leave, rename, topic, archive, profile changes.

As in Slack, an act leaves a message in the channel (`channel_join`, `channel_topic` ...) and sends an event of its own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.sandbox.slack.errors import SlackRefusal
from tests.sandbox.slack.messages import Draft, post
from tests.sandbox.slack.shapes import emoji_address, user_json, usergroup_json
from tests.sandbox.slack.state import Channel, micros

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.sandbox.slack.state import Json, User, Usergroup
    from tests.sandbox.slack.workspace import Workspace

MOST_TOPIC = 250
MOST_BOOKMARKS = 100
_NAME = re.compile(r"[^\s.A-Z!\"#$%&()*+,/:;<=>?@\[\\\]^`{|}~]+")


def checked_name(workspace: Workspace, name: str) -> str:
    """A channel name that keeps the rules. Raises `invalid_name_*`, `name_taken`."""
    name = name.removeprefix("#")
    if not name:
        raise SlackRefusal("invalid_name_required")
    if len(name) > 80:
        raise SlackRefusal("invalid_name_maxlength")
    if not _NAME.fullmatch(name):
        raise SlackRefusal("invalid_name_specials")
    if not re.search(r"\w", name):
        raise SlackRefusal("invalid_name_punctuation")
    if any(channel.name == name for channel in workspace.channels.values()):
        raise SlackRefusal("name_taken")
    return name


def create(
    workspace: Workspace, name: str, creator: User, private: bool = False, members: Iterable[User] = ()
) -> Channel:
    """A new channel with its creator in it."""
    now = workspace.clock.next()
    kind = "private" if private else "public"
    channel = Channel(workspace.mint.make("C"), checked_name(workspace, name), kind, creator.id, _seconds(now))
    workspace.channels[channel.id] = channel
    channel.members[creator.id] = None
    if not private:
        shown = {"id": channel.id, "name": channel.name, "created": channel.created, "creator": creator.id}
        shown |= {"is_channel": True, "name_normalized": channel.name, "context_team_id": workspace.id}
        workspace.emit({"type": "channel_created", "channel": shown, "event_ts": now}, channel)
    for user in members:
        if user.id != creator.id:
            join(workspace, channel, user)
    return channel


def open_direct(workspace: Workspace, users: list[User]) -> Channel:
    """The direct conversation of these people, made when there is none."""
    ids = dict.fromkeys(user.id for user in users)
    kind = "im" if len(ids) <= 2 else "mpim"
    for channel in workspace.channels.values():
        if channel.kind == kind and channel.members.keys() == ids.keys():
            return channel
    now = _seconds(workspace.clock.next())
    name = "" if kind == "im" else "mpdm-" + "--".join(user.name for user in users) + "-1"
    channel = Channel(workspace.mint.make("D" if kind == "im" else "C"), name, kind, users[0].id, now)
    channel.members.update(ids)
    workspace.channels[channel.id] = channel
    return channel


def join(workspace: Workspace, channel: Channel, user: User, inviter: str | None = None) -> None:
    """Makes somebody a member; nothing happens when they are."""
    if user.id in channel.members:
        return
    channel.members[user.id] = None
    group = channel.kind == "private"
    extra: Json = {"inviter": inviter} if inviter else {}
    event: Json = {"type": "member_joined_channel", "user": user.id, "channel": channel.id}
    event |= {"channel_type": "G" if group else "C", "team": workspace.id, **extra}
    if channel.kind in ("public", "private"):
        subtype = "group_join" if group else "channel_join"
        text = f"<@{user.id}> has joined the {'group' if group else 'channel'}"
        post(workspace, channel, Draft(text, user.id, subtype, extra=extra))
    workspace.emit(event | {"event_ts": workspace.clock.next()}, channel)


def leave(workspace: Workspace, channel: Channel, user: User) -> None:
    """Ends a membership; nothing happens when there is none."""
    if user.id not in channel.members:
        return
    del channel.members[user.id]
    group = channel.kind == "private"
    event: Json = {"type": "member_left_channel", "user": user.id, "channel": channel.id}
    event |= {"channel_type": "G" if group else "C", "team": workspace.id, "event_ts": workspace.clock.next()}
    workspace.emit(event, channel)
    gone: Json = {"type": "group_left" if group else "channel_left", "channel": channel.id, "actor_id": user.id}
    workspace.emit(gone | {"event_ts": workspace.clock.next()}, channel, for_removed=user.id)
    subtype = "group_leave" if group else "channel_leave"
    text = f"<@{user.id}> has left the {'group' if group else 'channel'}"
    post(workspace, channel, Draft(text, user.id, subtype))


def rename(workspace: Workspace, channel: Channel, name: str, by: User) -> None:
    """Gives a channel another name."""
    name = checked_name(workspace, name)
    old, channel.name = channel.name, name
    channel.previous_names.insert(0, old)
    group = channel.kind == "private"
    text = f'has renamed the channel from "{old}" to "{name}"'
    extra: Json = {"old_name": old, "name": name}
    post(workspace, channel, Draft(text, by.id, "group_name" if group else "channel_name", extra=extra))
    shown: Json = {"id": channel.id, "is_channel": not group, "is_group": group, "is_mpim": False, "name": name}
    shown |= {"name_normalized": name, "created": channel.created}
    event_ts = workspace.clock.next()
    kind = "group_rename" if group else "channel_rename"
    workspace.emit({"type": kind, "channel": shown, "event_ts": event_ts}, channel)


def set_topic(workspace: Workspace, channel: Channel, topic: str, by: User) -> None:
    """Sets what stands in the channel's head."""
    channel.topic = {"value": topic, "creator": by.id, "last_set": _seconds(workspace.clock.next())}
    subtype = "group_topic" if channel.kind == "private" else "channel_topic"
    text = f"set the channel topic: {topic}" if topic else "cleared channel topic"
    post(workspace, channel, Draft(text, by.id, subtype, extra={"topic": topic}))


def set_purpose(workspace: Workspace, channel: Channel, purpose: str, by: User) -> None:
    """Sets the channel's description."""
    channel.purpose = {"value": purpose, "creator": by.id, "last_set": _seconds(workspace.clock.next())}
    subtype = "group_purpose" if channel.kind == "private" else "channel_purpose"
    post(
        workspace, channel, Draft(f"set the channel description: {purpose}", by.id, subtype, extra={"purpose": purpose})
    )


def archive(workspace: Workspace, channel: Channel, by: User) -> None:
    """Closes a channel."""
    _close_or_open(workspace, channel, by, "archive")


def unarchive(workspace: Workspace, channel: Channel, by: User) -> None:
    """Opens a closed channel again."""
    _close_or_open(workspace, channel, by, "unarchive")


def convert_to_private(workspace: Workspace, channel: Channel, by: User) -> None:
    """Makes a public channel private; nobody leaves it."""
    channel.kind = "private"
    text = "made this channel *private*. Now, it can only be viewed or joined by invitation."
    post(workspace, channel, Draft(text, by.id, "channel_convert_to_private"))


def share(workspace: Workspace, channel: Channel, *, tell: bool = True) -> str:
    """Shares a private channel with another organisation, which gives it a new id for ever; returns that."""
    old, new = channel.id, workspace.mint.make("C")
    del workspace.channels[old]
    channel.id = new
    workspace.channels[new] = channel
    event: Json = {"type": "channel_id_changed", "old_channel_id": old, "new_channel_id": new}
    if tell:
        workspace.emit(event | {"event_ts": workspace.clock.next()}, channel)
    return new


def delete(workspace: Workspace, channel: Channel, by: User) -> None:
    """Ends a channel for good; those who were in it are told."""
    del workspace.channels[channel.id]
    kind = "group_deleted" if channel.kind == "private" else "channel_deleted"
    event: Json = {"type": kind, "channel": channel.id, "actor_id": by.id}
    workspace.emit(event | {"event_ts": workspace.clock.next()}, channel)


def _close_or_open(workspace: Workspace, channel: Channel, by: User, what: str) -> None:
    kind = "group" if channel.kind == "private" else "channel"
    text = "archived the channel" if what == "archive" else "un-archived the channel"
    post(workspace, channel, Draft(text, by.id, f"{kind}_{what}"))
    channel.archived = what == "archive"
    event: Json = {"type": f"{kind}_{what}", "channel": channel.id, "user": by.id}
    workspace.emit(event | {"is_moved": 0, "event_ts": workspace.clock.next()}, channel)


def add_bookmark(workspace: Workspace, channel: Channel, title: str, link: str, emoji: str, by: User) -> Json:
    """Adds a bookmark at the end of the channel's; raises what bookmarks.add refuses."""
    if not link.startswith(("https://", "http://")):
        raise SlackRefusal("invalid_link")
    if len(channel.bookmarks) >= MOST_BOOKMARKS:
        raise SlackRefusal("too_many_bookmarks")
    now = _seconds(workspace.clock.next())
    bookmark: Json = {
        "id": workspace.mint.make("Bk"),
        "channel_id": channel.id,
        "title": title,
        "link": link,
        "emoji": emoji,
        "icon_url": None,
        "type": "link",
        "entity_id": None,
        "date_created": now,
        "date_updated": 0,
        "rank": f"{len(channel.bookmarks):04d}",
        "last_updated_by_user_id": by.id,
        "last_updated_by_team_id": workspace.id,
        "shortcut_id": None,
        "app_id": None,
    }
    channel.bookmarks.append(bookmark)
    return bookmark


def remove_bookmark(channel: Channel, bookmark_id: str) -> None:
    """Takes a bookmark away; raises what bookmarks.remove refuses."""
    kept = [bookmark for bookmark in channel.bookmarks if bookmark["id"] != bookmark_id]
    if len(kept) == len(channel.bookmarks):
        raise SlackRefusal("not_found")
    channel.bookmarks = kept


def announce_user(workspace: Workspace, user: User, kind: str = "user_change") -> None:
    """Tells that somebody's profile changed, or with `team_join` that they are new."""
    now = workspace.clock.next()
    user.updated = _seconds(now)
    event: Json = {"type": kind, "user": user_json(workspace, user, with_email=True), "event_ts": now}
    workspace.emit(event if kind != "user_change" else event | {"cache_ts": user.updated})


def announce_emoji(workspace: Workspace, name: str) -> None:
    """Tells that there is a new custom emoji."""
    event: Json = {"type": "emoji_changed", "subtype": "add", "name": name, "value": emoji_address(workspace, name)}
    workspace.emit(event | {"event_ts": workspace.clock.next()})


def announce_renamed_emoji(workspace: Workspace, old: str, new: str) -> None:
    """Tells that a custom emoji has another name."""
    event: Json = {"type": "emoji_changed", "subtype": "rename", "old_name": old, "new_name": new}
    workspace.emit(event | {"value": emoji_address(workspace, new), "event_ts": workspace.clock.next()})


def announce_removed_emoji(workspace: Workspace, names: list[str]) -> None:
    """Tells that custom emoji are there no more."""
    event: Json = {"type": "emoji_changed", "subtype": "remove", "names": names}
    workspace.emit(event | {"event_ts": workspace.clock.next()})


def announce_usergroup(workspace: Workspace, group: Usergroup, kind: str) -> None:
    """Tells that a usergroup was made (`subteam_created`) or changed (`subteam_updated`)."""
    shown = usergroup_json(workspace, group, with_users=True, with_count=True)
    workspace.emit({"type": kind, "subteam": shown, "event_ts": workspace.clock.next()})


def _seconds(ts: str) -> int:
    return micros(ts) // 1_000_000
