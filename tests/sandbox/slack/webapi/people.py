"""users.*, bots.info, usergroups.*, emoji.list, team.info: who and what there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.sandbox.slack.errors import SlackRefusal
from tests.sandbox.slack.shapes import bot_profile_json, emoji_address, profile_json, user_json, usergroup_json
from tests.sandbox.slack.webapi.call import Method, page

if TYPE_CHECKING:
    from tests.sandbox.slack.state import Json, User
    from tests.sandbox.slack.webapi.call import Call


def _shown(call: Call, user: User) -> Json:
    body = user_json(call.workspace, user, call.may("users:read.email"))
    if call.args.flag("include_locale") and not user.deleted:
        body["locale"] = "en-US"
    return body


def list_users(call: Call) -> Json:
    """users.list"""
    users = list(call.workspace.users.values())
    cut, meta = page(users, call.args, len(users), 1000, "user:")
    shown = [_shown(call, user) for user in cut]
    return {"members": shown, "cache_ts": 1_700_000_000, "response_metadata": meta}


def _named(call: Call, user_id: str) -> User:
    user = call.workspace.users.get(user_id)
    if user is None:
        raise SlackRefusal("user_not_found")
    return user


def info(call: Call) -> Json:
    """users.info"""
    return {"user": _shown(call, _named(call, call.args.text("user")))}


def profile_get(call: Call) -> Json:
    """users.profile.get"""
    user = _named(call, call.args.text("user") or call.token.user_id)
    return {"profile": profile_json(call.workspace, user, call.may("users:read.email"))}


def lookup_by_email(call: Call) -> Json:
    """users.lookupByEmail"""
    email = call.args.need("email").lower()
    for user in call.workspace.users.values():
        if user.email.lower() == email and not user.deleted:
            return {"user": _shown(call, user)}
    raise SlackRefusal("users_not_found")


def bots_info(call: Call) -> Json:
    """bots.info"""
    bot_id = call.args.text("bot")
    installation = call.workspace.bot_of(bot_id)
    if installation is None and bot_id in call.workspace.other_bots:
        return {"bot": dict(call.workspace.other_bots[bot_id])}
    if installation is None:
        raise SlackRefusal("bot_not_found")
    body = bot_profile_json(call.workspace, installation)
    del body["team_id"]
    return {"bot": body}


def list_usergroups(call: Call) -> Json:
    """usergroups.list"""
    with_users, with_count = call.args.flag("include_users"), call.args.flag("include_count")
    groups = [
        usergroup_json(call.workspace, group, with_users, with_count)
        for group in call.workspace.usergroups.values()
        if not group.disabled or call.args.flag("include_disabled")
    ]
    return {"usergroups": groups}


def usergroup_users(call: Call) -> Json:
    """usergroups.users.list"""
    group = call.workspace.usergroups.get(call.args.text("usergroup"))
    if group is None or (group.disabled and not call.args.flag("include_disabled")):
        raise SlackRefusal("no_such_subteam")
    return {"users": list(group.users)}


def list_emoji(call: Call) -> Json:
    """emoji.list: the custom ones, as image addresses or `alias:name`."""
    shown = {name: emoji_address(call.workspace, name) for name in call.workspace.emoji}
    return {"emoji": shown, "cache_ts": "1700000000.000000"}


def team_info(call: Call) -> Json:
    """team.info"""
    team = call.workspace.team
    if call.args.text("team", team.id) not in ("", team.id):
        raise SlackRefusal("team_not_found")
    base = f"{call.workspace.site.base_url}/avatars/{team.id}-team"
    icon: Json = {f"image_{size}": f"{base}_{size}.png" for size in (34, 44, 68, 88, 102, 132, 230)}
    body: Json = {"id": team.id, "name": team.name, "domain": team.domain, "email_domain": f"{team.domain}.example"}
    return {"team": body | {"url": call.workspace.url, "icon": icon | {"image_default": True}}}


METHODS = {
    "users.list": Method(list_users, 2, ("users:read",)),
    "users.info": Method(info, 4, ("users:read",)),
    "users.profile.get": Method(profile_get, 4, ("users.profile:read",)),
    "users.lookupByEmail": Method(lookup_by_email, 3, ("users:read.email",)),
    "bots.info": Method(bots_info, 3, ("users:read",)),
    "usergroups.list": Method(list_usergroups, 2, ("usergroups:read",)),
    "usergroups.users.list": Method(usergroup_users, 2, ("usergroups:read",)),
    "emoji.list": Method(list_emoji, 2, ("emoji:read",)),
    "team.info": Method(team_info, 3, ("team:read",)),
}
