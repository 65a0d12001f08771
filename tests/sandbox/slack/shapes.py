"""Records as Slack's JSON: the same shapes in answers and in events."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from tests.sandbox.slack.file_forms import in_its_form

if TYPE_CHECKING:
    from tests.sandbox.slack.state import Channel, FileRecord, Installation, Json, Message, User, Usergroup
    from tests.sandbox.slack.workspace import Workspace

_AVATAR_SIZES = (24, 32, 48, 72, 192, 512)
_WITHOUT_TEAM = ("channel_topic", "group_topic", "channel_purpose", "group_purpose", "tombstone", "file_share")
_THUMBNAIL_SIZES = (64, 80, 160, 360, 480, 720)
_PREVIEW = 5
"""Lines of a snippet that its message shows."""


def profile_json(workspace: Workspace, user: User, with_email: bool) -> Json:
    """A member's profile."""
    image = user.avatar or f"{workspace.site.base_url}/avatars/{workspace.id}-{user.id}"
    first, _, last = user.real_name.partition(" ")
    profile: Json = {
        "title": user.title,
        "phone": "",
        "skype": "",
        "real_name": user.real_name,
        "real_name_normalized": user.real_name,
        "display_name": user.display_name,
        "display_name_normalized": user.display_name,
        "status_text": user.status_text,
        "status_emoji": user.status_emoji,
        "status_expiration": 0,
        "avatar_hash": f"{zlib.crc32((user.id + user.avatar).encode()):08x}",
        "first_name": first,
        "last_name": last,
        "team": workspace.id,
    }
    for size in _AVATAR_SIZES:
        profile[f"image_{size}"] = f"{image}_{size}.png" if not user.avatar else image
    if user.avatar or user.id in workspace.avatars:
        profile |= {"image_original": f"{image}_original.png" if not user.avatar else image, "is_custom_image": True}
    if user.is_bot:
        profile |= {"api_app_id": user.app_id, "always_active": False, "bot_id": user.bot_id}
    elif with_email:
        profile["email"] = user.email
    return profile


def user_json(workspace: Workspace, user: User, with_email: bool) -> Json:
    """A member as users.info shows them; the address only for those who may read it."""
    body: Json = {
        "id": user.id,
        "team_id": workspace.id,
        "name": user.name,
        "deleted": user.deleted,
        "profile": profile_json(workspace, user, with_email),
        "is_bot": user.is_bot,
        "is_app_user": False,
        "updated": user.updated,
    }
    if not user.deleted:
        body |= {
            "color": "9f69e7",
            "real_name": user.real_name,
            "tz": user.tz,
            "tz_label": "Central European Time",
            "tz_offset": 3600,
            "is_admin": user.is_admin,
            "is_owner": False,
            "is_primary_owner": False,
            "is_restricted": user.is_restricted or user.is_ultra_restricted,
            "is_ultra_restricted": user.is_ultra_restricted,
            "is_email_confirmed": not user.is_bot,
            "who_can_share_contact_card": "EVERYONE",
        }
    return body


def channel_json(workspace: Workspace, channel: Channel, viewer: str, num_members: bool = False) -> Json:
    """A conversation as the viewer sees it."""
    if channel.kind == "im":
        other = next((user for user in channel.members if user != viewer), viewer)
        return {
            "id": channel.id,
            "created": channel.created,
            "is_archived": channel.archived,
            "is_im": True,
            "is_org_shared": False,
            "context_team_id": workspace.id,
            "updated": channel.created * 1000,
            "user": other,
            "is_user_deleted": workspace.users[other].deleted,
            "priority": 0,
        }
    body: Json = {
        "id": channel.id,
        "name": channel.name,
        "is_channel": channel.kind == "public",
        "is_group": channel.kind == "private",
        "is_im": False,
        "is_mpim": channel.kind == "mpim",
        "is_private": channel.kind != "public",
        "created": channel.created,
        "creator": channel.creator,
        "is_archived": channel.archived,
        "is_general": channel.is_general,
        "unlinked": 0,
        "name_normalized": channel.name,
        "is_shared": False,
        "is_org_shared": False,
        "is_ext_shared": False,
        "is_pending_ext_shared": False,
        "pending_shared": [],
        "pending_connected_team_ids": [],
        "shared_team_ids": [workspace.id],
        "context_team_id": workspace.id,
        "updated": channel.created * 1000,
        "is_member": viewer in channel.members,
        "topic": dict(channel.topic),
        "purpose": dict(channel.purpose),
        "previous_names": list(channel.previous_names),
    }
    if num_members:
        body["num_members"] = len(channel.members)
    return body


def bot_profile_json(workspace: Workspace, installation: Installation) -> Json:
    """The bot as it is shown beside what it posts."""
    user = workspace.users[installation.bot_user]
    base = f"{workspace.site.base_url}/avatars/{workspace.id}-{user.id}"
    return {
        "id": installation.bot_id,
        "deleted": user.deleted,
        "name": user.real_name,
        "updated": user.updated,
        "app_id": installation.app.id,
        "user_id": user.id,
        "icons": {f"image_{size}": f"{base}_{size}.png" for size in (36, 48, 72)},
        "team_id": workspace.id,
    }


def message_json(workspace: Workspace, channel: Channel, message: Message, root: bool = True) -> Json:
    """A message as history and events show it, without its metadata (who may see that differs)."""
    body: Json = {"type": "message", "ts": message.ts, "text": message.text}
    if message.subtype:
        body["subtype"] = message.subtype
    if message.user:
        body["user"] = message.user
    if message.client_msg_id:
        body["client_msg_id"] = message.client_msg_id
    if message.bot_id:
        body["bot_id"] = message.bot_id
    if message.app_id and workspace.reality.app_id_in_messages:
        body["app_id"] = message.app_id
    if message.username is not None:
        body["username"] = message.username
    if message.icons:
        body["icons"] = message.icons
    if message.user and message.subtype not in _WITHOUT_TEAM:
        body["team"] = workspace.id
    installation = workspace.bot_of(message.bot_id) if message.bot_id and message.app_id else None
    if installation is not None and message.subtype != "bot_message":
        body["bot_profile"] = bot_profile_json(workspace, installation)
    elif message.bot_id in workspace.other_bots and message.app_id:
        body["bot_profile"] = workspace.other_bots[message.bot_id] | {"team_id": workspace.id}
    if message.blocks:
        body["blocks"] = message.blocks
    if message.attachments:
        body["attachments"] = message.attachments
    if message.files:
        body["files"] = [file_json(workspace, workspace.files[file_id]) for file_id in message.files]
        body["upload"] = message.upload
        body["display_as_bot"] = False
    if message.edited:
        body["edited"] = message.edited
    if message.reactions:
        body["reactions"] = reactions_json(message, workspace.reality.reaction_users_shown)
    if message.ts in channel.pins:
        body["pinned_to"] = [channel.id]
        body["pinned_info"] = channel.pins[message.ts]
    if message.is_reply:
        parent = channel.messages.get(message.thread_ts or "")
        body["thread_ts"] = message.thread_ts
        if parent is not None and parent.user:
            body["parent_user_id"] = parent.user
        if message.broadcast and root and parent is not None:
            body["root"] = message_json(workspace, channel, parent)
    elif message.ts in channel.threads:
        body |= thread_json(channel, message.ts)
    return body | message.extra if message.extra else body


def thread_json(channel: Channel, thread_ts: str) -> Json:
    """What a root says of its thread."""
    replies = channel.threads[thread_ts]
    users: dict[str, None] = {}
    latest = thread_ts
    for reply in replies:
        users[reply.user or reply.bot_id or ""] = None
        latest = reply.ts
    return {
        "thread_ts": thread_ts,
        "reply_count": len(replies),
        "reply_users_count": len(users),
        "latest_reply": latest,
        "reply_users": list(users)[:5],
        "is_locked": False,
        "subscribed": False,
    }


def reactions_json(message: Message, most_users: int | None = None) -> list[Json]:
    """The reactions of a message, with so many of their users."""
    return [
        {"name": name, "users": users[:most_users], "count": len(users)} for name, users in message.reactions.items()
    ]


def whole_file_json(workspace: Workspace, file: FileRecord) -> Json:
    """A file as the files.* methods show it: also where it was shared."""
    kinds = {channel: workspace.channels[channel].kind for channel in file.shares}
    shares: Json = {}
    for channel, entries in file.shares.items():
        side = "public" if kinds[channel] == "public" else "private"
        shares.setdefault(side, {})[channel] = [dict(entry) for entry in entries]
    return _known_file_json(workspace, file) | {
        "comments_count": 0,
        "shares": shares,
        "channels": [channel for channel, kind in kinds.items() if kind == "public"],
        "groups": [channel for channel, kind in kinds.items() if kind in ("private", "mpim")],
        "ims": [channel for channel, kind in kinds.items() if kind == "im"],
    }


def file_json(workspace: Workspace, file: FileRecord) -> Json:
    """A file as a message shows it; what is left of a deleted one is its id."""
    if file.deleted:
        return {"id": file.id, "mode": "tombstone"}
    if file.must_ask:
        return {"id": file.id, "created": 0, "timestamp": 0, "mode": "file_access", "file_access": "check_file_info"}
    return _known_file_json(workspace, file)


def _known_file_json(workspace: Workspace, file: FileRecord) -> Json:
    base = workspace.site.base_url
    key = f"{workspace.id}-{file.id}"
    is_public = any(workspace.channels[channel].kind == "public" for channel in file.shares)
    body: Json = {
        "id": file.id,
        "created": file.created,
        "timestamp": file.created,
        "name": file.name,
        "title": file.title,
        "mimetype": file.mimetype,
        "filetype": file.filetype,
        "pretty_type": file.filetype.upper(),
        "user": file.user,
        "user_team": workspace.id,
        "editable": False,
        "size": file.size,
        "mode": "hosted",
        "is_external": False,
        "external_type": "",
        "is_public": is_public,
        "public_url_shared": False,
        "display_as_bot": False,
        "username": "",
        "url_private": f"{base}/files-pri/{key}/{_slug(file.name)}",
        "url_private_download": f"{base}/files-pri/{key}/download/{_slug(file.name)}",
        "permalink": f"{workspace.url}files/{file.user}/{file.id}/{_slug(file.name)}",
        "permalink_public": f"https://slack-files.com/{key}-abcdef0123",
        "is_starred": False,
        "has_rich_preview": False,
        "file_access": "visible",
        "media_display_type": "unknown",
    }
    if file.alt_txt:
        body["alt_txt"] = file.alt_txt
    if file.snippet:
        lines = (file.content or b"").decode(errors="replace").splitlines(keepends=True)
        body |= {"mode": "snippet", "editable": True, "edit_link": f"{body['permalink']}/edit"}
        body |= {"preview": "".join(lines[:_PREVIEW]), "preview_is_truncated": len(lines) > _PREVIEW}
        body |= {"lines": len(lines), "lines_more": max(0, len(lines) - _PREVIEW)}
    if file.width:
        body |= {"original_w": file.width, "original_h": file.height}
        for size in _THUMBNAIL_SIZES:
            body[f"thumb_{size}"] = f"{base}/files-tmb/{key}-00ff00/{_slug(file.name)}_{size}.png"
            if size >= 360:
                body[f"thumb_{size}_w"] = min(size, file.width)
                body[f"thumb_{size}_h"] = max(1, file.height * min(size, file.width) // file.width)
    return in_its_form(workspace, file, body)


def _slug(name: str) -> str:
    return "".join(c if c.isascii() and (c.isalnum() or c in ".-_") else "_" for c in name.lower()) or "file"


def emoji_address(workspace: Workspace, name: str) -> str:
    """Where a custom emoji's picture is, another place for another picture; or `alias:` and the other name."""
    value = workspace.emoji[name]
    if value.startswith("alias:"):
        return value
    picture = zlib.crc32(workspace.emoji_images.get(name, b""))
    return f"{workspace.site.base_url}/emoji/{workspace.id}/{name}/{picture:08x}.png"


def usergroup_json(workspace: Workspace, group: Usergroup, with_users: bool, with_count: bool) -> Json:
    """A usergroup."""
    body: Json = {
        "id": group.id,
        "team_id": workspace.id,
        "is_usergroup": True,
        "is_subteam": True,
        "name": group.name,
        "description": "",
        "handle": group.handle,
        "is_external": False,
        "date_create": 1_700_000_000,
        "date_update": 1_700_000_000,
        "date_delete": 1_700_000_000 if group.disabled else 0,
        "auto_type": None,
        "prefs": {"channels": [], "groups": []},
    }
    if with_users:
        body["users"] = list(group.users)
    if with_count:
        body["user_count"] = len(group.users)
    return body
