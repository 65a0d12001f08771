"""api.test, auth.*, apps.*, oauth.*, assistant.*: the app's own affairs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.sandbox.slack.errors import SlackRefusal
from tests.sandbox.slack.webapi.call import Method

if TYPE_CHECKING:
    from tests.sandbox.slack.state import Json
    from tests.sandbox.slack.webapi.call import Call


def auth_test(call: Call) -> Json:
    """auth.test"""
    team = call.workspace.team
    body: Json = {"url": call.workspace.url, "team": team.name, "user": call.me.name, "team_id": team.id}
    body["user_id"] = call.me.id
    if call.token.kind == "bot":
        body["bot_id"] = call.installation.bot_id
    return body | {"is_enterprise_install": False}


def auth_revoke(call: Call) -> Json:
    """auth.revoke"""
    if call.args.flag("test"):
        return {"revoked": False}
    call.sandbox.revoke(call.token)
    return {"revoked": True}


def connections_open(call: Call) -> Json:
    """apps.connections.open: an address that lets one socket in."""
    if not call.token.app.socket_mode:
        raise SlackRefusal("socket_mode_not_enabled")
    return {"url": call.sandbox.sockets.new_address(call.token.app, call.args.flag("debug_reconnects"))}


def set_status(call: Call) -> Json:
    """assistant.threads.setStatus"""
    channel = call.workspace.channels.get(call.args.need("channel_id"))
    if channel is None or (channel.kind != "public" and call.token.user_id not in channel.members):
        raise SlackRefusal("channel_not_found")
    thread_ts = call.args.need("thread_ts")
    if thread_ts not in channel.messages:
        raise SlackRefusal("invalid_thread_ts")
    call.workspace.statuses[channel.id, thread_ts] = call.args.text("status")
    return {}


METHODS = {
    "auth.test": Method(auth_test, 0, kinds=("bot", "user", "app")),
    "auth.revoke": Method(auth_revoke, 3),
    "apps.connections.open": Method(connections_open, 3, ("connections:write",), kinds=("app",)),
    "assistant.threads.setStatus": Method(set_status, 0, ("chat:write",), json=True),
}
