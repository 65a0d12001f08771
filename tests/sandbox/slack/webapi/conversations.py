"""conversations.* besides their messages, and users.conversations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.sandbox.slack import rooms
from tests.sandbox.slack.errors import SlackRefusal
from tests.sandbox.slack.shapes import channel_json
from tests.sandbox.slack.webapi.call import MANAGE_SCOPES, READ_SCOPES, Method, page, scope_for

if TYPE_CHECKING:
    from tests.sandbox.slack.state import Channel, Json, User
    from tests.sandbox.slack.webapi.call import Call

_TYPES = {"public_channel": "public", "private_channel": "private", "im": "im", "mpim": "mpim"}
_TOPIC_SCOPES = (
    *("channels:manage", "groups:write", "im:write", "mpim:write"),
    *("channels:write.topic", "groups:write.topic", "im:write.topic", "mpim:write.topic"),
)
MOST_PAGE = 1000


def _kinds(call: Call) -> set[str]:
    kinds = set()
    for word in call.args.text("types", "public_channel").split(","):
        if word.strip() not in _TYPES:
            raise SlackRefusal("invalid_types")
        kinds.add(_TYPES[word.strip()])
    for kind in sorted(kinds):
        call.need_scope(scope_for(kind, READ_SCOPES))
    return kinds


def _listed(call: Call, seen_by: str, all_public: bool, with_count: bool) -> Json:
    kinds = _kinds(call)
    channels = [
        channel
        for channel in call.workspace.channels.values()
        if channel.kind in kinds and (seen_by in channel.members or (all_public and channel.kind == "public"))
    ]
    # Slack cuts the page first and filters then: a page may be shorter than asked, even empty, with more to come.
    cut, meta = page(channels, call.args, 100, MOST_PAGE, "team:")
    if call.args.flag("exclude_archived"):
        cut = [channel for channel in cut if not channel.archived]
    viewer = call.token.user_id
    shown = [channel_json(call.workspace, channel, viewer, with_count) for channel in cut]
    return {"channels": shown, "response_metadata": meta}


def list_conversations(call: Call) -> Json:
    """conversations.list: all public channels, and the others that the caller is in."""
    return _listed(call, call.token.user_id, all_public=True, with_count=True)


def users_conversations(call: Call) -> Json:
    """users.conversations: those that a member is in, as far as the caller can see them."""
    user = call.args.text("user", call.token.user_id) or call.token.user_id
    if user not in call.workspace.users:
        raise SlackRefusal("user_not_found")
    body = _listed(call, user, all_public=False, with_count=False)
    mine = call.token.user_id
    members = call.workspace.channels
    body["channels"] = [
        shown
        for shown in body["channels"]
        if members[shown["id"]].kind == "public" or mine in members[shown["id"]].members
    ]
    for shown in body["channels"]:
        shown.pop("is_member", None)  # this method does not tell
    return body


def info(call: Call) -> Json:
    """conversations.info"""
    channel = call.conversation(call.args.need("channel"), READ_SCOPES)
    with_count = call.args.flag("include_num_members")
    shown = channel_json(call.workspace, channel, call.token.user_id, with_count)
    if call.args.flag("include_locale"):
        shown["locale"] = "en-US"
    return {"channel": shown | ({} if channel.kind == "im" else {"parent_conversation": None})}


def members(call: Call) -> Json:
    """conversations.members"""
    channel = call.conversation(call.args.need("channel"), READ_SCOPES)
    cut, meta = page(list(channel.members), call.args, 100, MOST_PAGE, "user:")
    return {"members": cut, "response_metadata": meta}


def join(call: Call) -> Json:
    """conversations.join: public channels only; joining twice is no error."""
    channel = call.conversation(call.args.need("channel"))
    if channel.kind != "public":
        raise SlackRefusal("method_not_supported_for_channel_type")
    if channel.archived:
        raise SlackRefusal("is_archived")
    already = call.token.user_id in channel.members
    rooms.join(call.workspace, channel, call.me)
    body: Json = {"channel": channel_json(call.workspace, channel, call.token.user_id)}
    if already:
        call.warnings.append("already_in_channel")
        body["warning"] = "already_in_channel"
    return body


def leave(call: Call) -> Json:
    """conversations.leave"""
    channel = _managed(call)
    if channel.kind in ("im", "mpim"):
        raise SlackRefusal("method_not_supported_for_channel_type")
    if channel.archived:
        raise SlackRefusal("is_archived")
    if channel.is_general:
        raise SlackRefusal("cant_leave_general")
    if call.token.user_id not in channel.members:
        return {"not_in_channel": True}
    if channel.kind == "private" and len(channel.members) == 1:
        raise SlackRefusal("last_member")
    rooms.leave(call.workspace, channel, call.me)
    return {}


def invite(call: Call) -> Json:
    """conversations.invite"""
    channel = _member(call)
    _check_open(channel)
    if not call.args.has("users"):
        raise SlackRefusal("no_user")
    guests: list[User] = []
    errors: list[Json] = []
    for user_id in call.args.text("users").split(","):
        refusal = _refuse_guest(call, channel, user_id.strip())
        if refusal:
            errors.append({"user": user_id, "ok": False, "error": refusal})
        else:
            guests.append(call.workspace.users[user_id.strip()])
    if errors and not (call.args.flag("force") and guests):
        raise SlackRefusal(errors[0]["error"], errors=errors)
    for guest in guests:
        rooms.join(call.workspace, channel, guest, inviter=call.token.user_id)
    return {"channel": channel_json(call.workspace, channel, call.token.user_id)}


def _refuse_guest(call: Call, channel: Channel, user_id: str) -> str:
    user = call.workspace.users.get(user_id)
    if user is None:
        return "user_not_found"
    if user_id == call.token.user_id:
        return "cant_invite_self"
    if user.deleted:
        return "cant_invite"
    return "already_in_channel" if user_id in channel.members else ""


def kick(call: Call) -> Json:
    """conversations.kick"""
    channel = _member(call)
    user = call.workspace.users.get(call.args.need("user"))
    if user is None:
        raise SlackRefusal("user_not_found")
    if user.id == call.token.user_id:
        raise SlackRefusal("cant_kick_self")
    if channel.is_general:
        raise SlackRefusal("cant_kick_from_general")
    if user.id not in channel.members:
        raise SlackRefusal("not_in_channel")
    rooms.leave(call.workspace, channel, user)
    return {"errors": {}}


def create(call: Call) -> Json:
    """conversations.create"""
    private = call.args.flag("is_private")
    call.need_scope("groups:write" if private else "channels:manage")
    if not call.args.has("name"):
        raise SlackRefusal("invalid_name_required")
    channel = rooms.create(call.workspace, call.args.text("name"), call.me, private)
    return {"channel": channel_json(call.workspace, channel, call.token.user_id)}


def archive(call: Call) -> Json:
    """conversations.archive"""
    channel = _member(call)
    if channel.archived:
        raise SlackRefusal("already_archived")
    if channel.is_general:
        raise SlackRefusal("cant_archive_general")
    rooms.archive(call.workspace, channel, call.me)
    return {}


def unarchive(call: Call) -> Json:
    """conversations.unarchive: not by a bot, which the archived channel has lost."""
    channel = _managed(call)
    if call.me.is_bot:
        raise SlackRefusal("not_in_channel")
    if not channel.archived:
        raise SlackRefusal("not_archived")
    rooms.unarchive(call.workspace, channel, call.me)
    return {}


def rename(call: Call) -> Json:
    """conversations.rename: only by who made the channel (or an admin, which a bot is not)."""
    channel = _member(call)
    _check_open(channel)
    if channel.creator != call.token.user_id and not call.me.is_admin:
        raise SlackRefusal("not_authorized")
    rooms.rename(call.workspace, channel, call.args.need("name"), call.me)
    return {"channel": channel_json(call.workspace, channel, call.token.user_id)}


def set_topic(call: Call) -> Json:
    """conversations.setTopic"""
    channel = _member(call, call.conversation(call.args.need("channel")))
    _check_open(channel)
    topic = call.args.text("topic")
    if len(topic) > rooms.MOST_TOPIC:
        raise SlackRefusal("too_long")
    if topic != channel.topic["value"]:
        rooms.set_topic(call.workspace, channel, topic, call.me)
    return {"channel": channel_json(call.workspace, channel, call.token.user_id)}


def set_purpose(call: Call) -> Json:
    """conversations.setPurpose"""
    channel = _member(call, call.conversation(call.args.need("channel")))
    _check_open(channel)
    purpose = call.args.text("purpose")
    if len(purpose) > rooms.MOST_TOPIC:
        raise SlackRefusal("too_long")
    if purpose != channel.purpose["value"]:
        rooms.set_purpose(call.workspace, channel, purpose, call.me)
    return {"channel": channel_json(call.workspace, channel, call.token.user_id)}


def open_direct(call: Call) -> Json:
    """conversations.open: a direct conversation with one to eight others."""
    if call.args.has("channel"):
        channel = call.conversation(call.args.text("channel"))
        if channel.kind not in ("im", "mpim"):
            raise SlackRefusal("method_not_supported_for_channel_type")
    else:
        channel = _direct_with(call)
    whole = call.args.flag("return_im")
    shown = channel_json(call.workspace, channel, call.token.user_id) if whole else {"id": channel.id}
    return {"channel": shown}


def _direct_with(call: Call) -> Channel:
    if not call.args.has("users"):
        raise SlackRefusal("users_list_not_supplied")
    ids = [word.strip() for word in call.args.text("users").split(",")]
    if len(ids) > 8:
        raise SlackRefusal("too_many_users")
    call.need_scope("im:write" if len(ids) == 1 else "mpim:write")
    others = [call.workspace.users.get(user_id) for user_id in ids]
    if any(user is None for user in others):
        raise SlackRefusal("user_not_found")
    if any(user is not None and user.deleted for user in others):
        raise SlackRefusal("user_disabled")
    return rooms.open_direct(call.workspace, [call.me, *(user for user in others if user is not None)])


def _managed(call: Call) -> Channel:
    return call.conversation(call.args.need("channel"), MANAGE_SCOPES)


def _member(call: Call, channel: Channel | None = None) -> Channel:
    """The channel, in which the caller is; without one, that of the arguments, which the caller may manage."""
    channel = channel or _managed(call)
    if channel.kind == "im":
        raise SlackRefusal("method_not_supported_for_channel_type")
    if call.token.user_id not in channel.members:
        raise SlackRefusal("not_in_channel")
    return channel


def _check_open(channel: Channel) -> None:
    if channel.archived:
        raise SlackRefusal("is_archived")


METHODS = {
    "conversations.list": Method(list_conversations, 2, READ_SCOPES),
    "users.conversations": Method(users_conversations, 3, READ_SCOPES),
    "conversations.info": Method(info, 3, READ_SCOPES),
    "conversations.members": Method(members, 4, READ_SCOPES),
    "conversations.join": Method(join, 3, ("channels:join",), json=True),
    "conversations.leave": Method(leave, 3, MANAGE_SCOPES, json=True),
    "conversations.invite": Method(invite, 3, MANAGE_SCOPES, json=True),
    "conversations.kick": Method(kick, 3, MANAGE_SCOPES, json=True),
    "conversations.create": Method(create, 2, MANAGE_SCOPES, json=True),
    "conversations.archive": Method(archive, 2, MANAGE_SCOPES, json=True),
    "conversations.unarchive": Method(unarchive, 2, MANAGE_SCOPES, json=True),
    "conversations.rename": Method(rename, 2, MANAGE_SCOPES, json=True),
    "conversations.setTopic": Method(set_topic, 2, _TOPIC_SCOPES, json=True),
    "conversations.setPurpose": Method(set_purpose, 2, _TOPIC_SCOPES, json=True),
    "conversations.open": Method(open_direct, 3, MANAGE_SCOPES, json=True),
}
