"""Accounts of an instant homeserver: registration, profiles, media, and the weather (typing, receipts)."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING

from tests.sandbox.homeserver import rooms, rules
from tests.sandbox.homeserver.call import MatrixError, bad, forbidden, not_found
from tests.sandbox.homeserver.world import Account, Media

if TYPE_CHECKING:
    from tests.sandbox.homeserver.call import Call
    from tests.sandbox.homeserver.transport import Json
    from tests.sandbox.homeserver.world import World

MAX_NAME = 256
VERSIONS = [*(f"r0.{minor}.0" for minor in range(7)), *(f"v1.{minor}" for minor in range(1, 16))]


def versions(_world: World, _call: Call) -> Json:
    return {"versions": VERSIONS, "unstable_features": {"fi.mau.msc2659.stable": True}}


def register(world: World, call: Call) -> Json:
    """An account in the namespace of the application service that asks."""
    if call.service is None or call.body.get("type") != "m.login.application_service":
        raise forbidden("Registration has been disabled. Only m.login.application_service registrations are allowed.")
    user_id = world.user_id(str(call.need("username")))
    if not call.service.owns_user(user_id):
        raise bad("Invalid user localpart for this application service.", "M_EXCLUSIVE")
    if user_id in world.accounts:
        raise bad("User ID already taken.", "M_USER_IN_USE")
    add_account(world, user_id)
    answer: Json = {"user_id": user_id, "home_server": world.server_name}
    if not call.body.get("inhibit_login"):
        answer |= {"access_token": world.new_token(user_id), "device_id": secrets.token_hex(5).upper()}
    return answer


def add_account(world: World, user_id: str, password: str = "") -> None:
    """A new account, named after its localpart as Synapse does it."""
    world.accounts[user_id] = Account(password, {"displayname": user_id[1:].partition(":")[0]})


def login(world: World, call: Call) -> Json:
    if call.body.get("type") != "m.login.password":
        raise bad("Unknown login type", "M_UNKNOWN")
    user_id = world.user_id(str(call.need("identifier").get("user", "")))
    account = world.accounts.get(user_id)
    if account is None or not account.password or account.password != call.body.get("password"):
        raise forbidden("Invalid username or password")
    return {
        "user_id": user_id,
        "access_token": world.new_token(user_id),
        "home_server": world.server_name,
        "device_id": secrets.token_hex(5).upper(),
    }


def whoami(_world: World, call: Call) -> Json:
    return {"user_id": call.sender, "is_guest": False}


# Profiles


def profile_get(world: World, call: Call) -> Json:
    user_id, *field = call.arguments
    account = world.accounts.get(user_id)
    if account is None:
        raise MatrixError(404, "M_UNKNOWN", "No row found (profiles)")
    return {field[0]: account.profile.get(field[0])} if field else account.profile


def profile_put(world: World, call: Call) -> Json:
    user_id, field = call.arguments
    if user_id != call.sender:
        raise bad(f"Cannot set another user's {field}", "M_FORBIDDEN")
    value = call.need(field)
    if field == "displayname" and len(value) > MAX_NAME:
        raise bad(f"Displayname is too long (max {MAX_NAME})")
    account = world.accounts[user_id]
    kept = {key: old for key, old in account.profile.items() if key != field}
    account.profile = {**kept, field: value} if value else kept
    rooms.show_profile(world, user_id)
    return {}


# Media


def upload(world: World, call: Call) -> Json:
    if len(call.content) > world.max_upload:
        raise MatrixError(413, "M_TOO_LARGE", "Upload request body is too large")
    media_id = secrets.token_urlsafe(18).replace("-", "x").replace("_", "y")
    content_type = call.content_type or "application/octet-stream"
    world.media[media_id] = Media(call.content, content_type, call.query.get("filename"))
    return {"content_uri": f"mxc://{world.server_name}/{media_id}"}


def download(world: World, call: Call) -> Media:
    server, media_id, *_ = call.arguments
    if server != world.server_name or media_id not in world.media:
        raise not_found(f"Not found '{call.path}'")
    return world.media[media_id]


def media_config(world: World, _call: Call) -> Json:
    return {"m.upload.size": world.max_upload}


# Weather


def typing(world: World, call: Call) -> Json:
    room_id, user_id = call.arguments
    if user_id != call.sender:
        raise bad("Cannot set another user's typing state", "M_FORBIDDEN")
    room = rules.require_member(world.room(room_id), room_id, call.sender)
    on = bool(call.need("typing"))
    if on == (user_id in room.typing):
        return {}
    if on:
        room.typing.append(user_id)
    else:
        room.typing.remove(user_id)
    world.ephemeral(room, "m.typing", {"user_ids": list(room.typing)})
    return {}


def receipt(world: World, call: Call) -> Json:
    room_id, kind, event_id = call.arguments
    room = rules.require_member(world.room(room_id), room_id, call.sender)
    if kind == "m.read":
        read = {call.sender: {"ts": time.time_ns() // 1_000_000}}
        world.ephemeral(room, "m.receipt", {event_id: {"m.read": read}})
    return {}


def read_markers(world: World, call: Call) -> Json:
    (room_id,) = call.arguments
    room = rules.require_member(world.room(room_id), room_id, call.sender)
    if event_id := call.body.get("m.read"):
        read = {call.sender: {"ts": time.time_ns() // 1_000_000}}
        world.ephemeral(room, "m.receipt", {event_id: {"m.read": read}})
    return {}


def presence(_world: World, _call: Call) -> Json:
    return {}


# What a user keeps on the server


def data_put(world: World, call: Call) -> Json:
    world.account_data[_data_key(call)] = call.body
    return {}


def data_get(world: World, call: Call) -> Json:
    key = _data_key(call)
    if key not in world.account_data:
        raise not_found("Account data not found")
    return world.account_data[key]


def _data_key(call: Call) -> tuple[str, str, str]:
    user_id, *rest = call.arguments
    if user_id != call.sender:
        raise forbidden("Cannot get account data for other users.")
    return user_id, rest[0] if len(rest) > 1 else "", rest[-1]


# Push rules, of the one kind that bridges make: those that override all others


def rule_put(world: World, call: Call) -> Json:
    (name,) = call.arguments
    rules = world.push_rules.setdefault(call.sender, {})
    rules[name] = {"enabled": True, **rules.get(name, {}), **call.body, "rule_id": name, "default": False}
    return {}


def rule_get(world: World, call: Call) -> Json:
    (name,) = call.arguments
    return _rule(world, call, name)


def rule_delete(world: World, call: Call) -> Json:
    (name,) = call.arguments
    _rule(world, call, name)
    del world.push_rules[call.sender][name]
    return {}


def rule_switch(world: World, call: Call) -> Json:
    (name,) = call.arguments
    _rule(world, call, name, "Unknown rule")["enabled"] = call.need("enabled")
    return {}


def _rule(world: World, call: Call, name: str, otherwise: str = "Not found") -> Json:
    found = world.push_rules.get(call.sender, {}).get(name)
    if found is None:
        raise not_found(otherwise)
    return found
