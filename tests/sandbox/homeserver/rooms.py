"""Rooms of an instant homeserver: making them, aliases, membership."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.sandbox.homeserver import rules
from tests.sandbox.homeserver.call import bad, forbidden, not_found
from tests.sandbox.homeserver.world import ROOM_VERSION

if TYPE_CHECKING:
    from tests.sandbox.homeserver.call import Call
    from tests.sandbox.homeserver.transport import Json
    from tests.sandbox.homeserver.world import Room, World

LEVELS: Json = {
    "ban": 50,
    "events": {
        "m.room.avatar": 50,
        "m.room.canonical_alias": 50,
        "m.room.encryption": 100,
        "m.room.history_visibility": 100,
        "m.room.name": 50,
        "m.room.power_levels": 100,
        "m.room.server_acl": 100,
        "m.room.tombstone": 150,
    },
    "events_default": 0,
    "historical": 100,
    "invite": 50,
    "kick": 50,
    "redact": 50,
    "state_default": 50,
    "users": {},
    "users_default": 0,
}
# What each preset sets: join rule, whether guests may join, power levels that differ.
PRESETS: dict[str, tuple[str, bool, Json]] = {
    "private_chat": ("invite", True, {"invite": 0}),
    "trusted_private_chat": ("invite", True, {"invite": 0}),
    "public_chat": ("public", False, {"events": {**LEVELS["events"], "m.call.invite": 50}}),
}


def capabilities(_world: World, _call: Call) -> Json:
    """What version a new room has; nothing else is told."""
    versions = {"default": ROOM_VERSION, "available": {ROOM_VERSION: "stable"}}
    return {"capabilities": {"m.room_versions": versions}}


def create(world: World, call: Call) -> Json:
    body = call.body
    alias = f"#{body['room_alias_name']}:{world.server_name}" if body.get("room_alias_name") else None
    if alias:
        if alias in world.aliases:
            raise bad("Room alias already taken", "M_ROOM_IN_USE")
        if call.service and not call.service.owns_alias(alias):
            raise bad("This application service has not reserved this kind of alias.", "M_EXCLUSIVE")
    preset = body.get("preset") or ("public_chat" if body.get("visibility") == "public" else "private_chat")
    if preset not in PRESETS:
        raise bad(f"'{preset}' is not a valid preset", "M_BAD_JSON")
    join_rule, guests, differing = PRESETS[preset]
    levels = LEVELS | differing | body.get("power_level_content_override", {})
    if call.sender in levels["users"]:
        raise bad(f"Creator user {call.sender} must not appear in content.users")

    room = world.new_room(call.sender, {"room_version": ROOM_VERSION, **body.get("creation_content", {})})
    if alias:
        world.aliases[alias] = (room.room_id, call.sender)
    _change(world, room, call.sender, call.sender, "join")
    state: dict[tuple[str, str], Json] = {("m.room.power_levels", ""): levels}
    if alias:
        state["m.room.canonical_alias", ""] = {"alias": alias}
    state["m.room.join_rules", ""] = {"join_rule": join_rule}
    state["m.room.history_visibility", ""] = {"history_visibility": "shared"}
    if guests:
        state["m.room.guest_access", ""] = {"guest_access": "can_join"}
    for given in body.get("initial_state", ()):
        state[given["type"], given.get("state_key", "")] = given["content"]
    if body.get("name"):
        state["m.room.name", ""] = {"name": body["name"]}
    if body.get("topic"):
        state["m.room.topic", ""] = {"topic": body["topic"], "m.topic": {"m.text": [{"body": body["topic"]}]}}
    for (kind, key), content in state.items():
        rules.check_size(content)
        world.append(room, kind, call.sender, content, key)
    for invited in body.get("invite", ()):
        more: Json = {"is_direct": True} if body.get("is_direct") else {}
        invite_user(world, room, call.sender, invited, more)
    return {"room_id": room.room_id}


# Aliases


def alias_get(world: World, call: Call) -> Json:
    (alias,) = call.arguments
    if alias not in world.aliases:
        raise not_found(f"Room alias {alias} not found")
    return {"room_id": world.aliases[alias][0], "servers": [world.server_name]}


def alias_put(world: World, call: Call) -> Json:
    (alias,) = call.arguments
    if call.service and not call.service.owns_alias(alias):
        raise bad("This application service has not reserved this kind of alias.", "M_EXCLUSIVE")
    if alias in world.aliases:
        raise bad(f"Room alias {alias} already exists", "M_UNKNOWN")
    room_id = str(call.need("room_id"))
    rules.require_member(world.room(room_id), room_id, call.sender)
    world.aliases[alias] = (room_id, call.sender)
    return {}


def alias_delete(world: World, call: Call) -> Json:
    (alias,) = call.arguments
    if alias not in world.aliases:
        raise not_found(f"Room alias {alias} not found")
    del world.aliases[alias]
    return {}


def aliases_of(world: World, call: Call) -> Json:
    (room_id,) = call.arguments
    rules.require_reader(world.room(room_id), room_id, call.sender)
    return {"aliases": [alias for alias, (room, _) in world.aliases.items() if room == room_id]}


# Membership


def join(world: World, call: Call) -> Json:
    (address,) = call.arguments
    if address.startswith("#"):
        if address not in world.aliases:
            raise not_found(f"Room alias {address} not found")
        address = world.aliases[address][0]
    room = rules.require_room(world, address)
    join_user(world, room, call.sender, _reason(call))
    return {"room_id": room.room_id}


def leave(world: World, call: Call) -> Json:
    (room_id,) = call.arguments
    room = world.room(room_id)
    if room is None or room.membership(call.sender) not in {"join", "invite", "knock"}:
        raise forbidden(f"{call.sender} not in room {room_id}.")
    _change(world, room, call.sender, call.sender, "leave", _reason(call))
    return {}


def forget(world: World, call: Call) -> Json:
    (room_id,) = call.arguments
    room = rules.require_room(world, room_id)
    if call.sender in room.joined:
        raise bad(f"User {call.sender} is in room {room_id}")
    return {}


def invite(world: World, call: Call) -> Json:
    (room_id,) = call.arguments
    target = str(call.need("user_id"))
    room = _own_room(world, room_id, call.sender)
    invite_user(world, room, call.sender, target, _reason(call))
    return {}


def kick(world: World, call: Call) -> Json:
    return _remove(world, call, "kick", "leave")


def ban(world: World, call: Call) -> Json:
    return _remove(world, call, "ban", "ban")


def unban(world: World, call: Call) -> Json:
    return _remove(world, call, "unban", "leave")


def joined_rooms(world: World, call: Call) -> Json:
    return {"joined_rooms": [room.room_id for room in world.rooms_of(call.sender)]}


def joined_members(world: World, call: Call) -> Json:
    (room_id,) = call.arguments
    room = rules.require_member(world.room(room_id), room_id, call.sender)
    contents = {user_id: room.content("m.room.member", user_id) for user_id in room.joined}
    return {
        "joined": {
            user_id: {"display_name": content.get("displayname"), "avatar_url": content.get("avatar_url")}
            for user_id, content in contents.items()
        }
    }


def members(world: World, call: Call) -> Json:
    (room_id,) = call.arguments
    room = rules.require_reader(world.room(room_id), room_id, call.sender)
    wanted, unwanted = call.query.get("membership"), call.query.get("not_membership")
    return {
        "chunk": [
            event.shown()
            for (kind, _), event in room.state.items()
            if kind == "m.room.member"
            and wanted in {None, event.content["membership"]}
            and event.content["membership"] != unwanted
        ]
    }


def join_user(world: World, room: Room, user_id: str, more: Json) -> None:
    """Join; joining again changes nothing unless `more` says something new."""
    rules.check_join(room, user_id)
    _change(world, room, user_id, user_id, "join", more)


def invite_user(world: World, room: Room, sender: str, target: str, more: Json) -> None:
    rules.check_invite(room, sender, target)
    _change(world, room, sender, target, "invite", more)


def show_profile(world: World, user_id: str) -> None:
    """Carry a changed profile into every room that the user is in."""
    for room in world.rooms_of(user_id):
        _change(world, room, user_id, user_id, "join")


def _remove(world: World, call: Call, action: str, membership: str) -> Json:
    (room_id,) = call.arguments
    target = str(call.need("user_id"))
    room = _own_room(world, room_id, call.sender)
    rules.check_removal(room, call.sender, target, action)
    _change(world, room, call.sender, target, membership, _reason(call))
    return {}


def _own_room(world: World, room_id: str, user_id: str) -> Room:
    """Synapse has words of its own for this where membership is concerned."""
    room = world.room(room_id)
    if room is None or user_id not in room.joined:
        raise forbidden(f"{user_id} not in room {room_id}.")
    return room


def _change(world: World, room: Room, sender: str, target: str, membership: str, more: Json | None = None) -> None:
    content: Json = {"membership": membership, **(more or {})}
    account = world.accounts.get(target)
    if membership in {"join", "invite"} and account:
        content = {**account.profile, **content}
    before = room.state.get(("m.room.member", target))
    if before and before.content == content and before.sender == sender:
        return
    unsigned: Json = {"invite_room_state": room.stripped_state(sender)} if membership == "invite" else {}
    world.append(room, "m.room.member", sender, content, target, unsigned=unsigned)


def _reason(call: Call) -> Json:
    reason = call.body.get("reason")
    return {"reason": reason} if reason else {}
