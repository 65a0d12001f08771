"""What an instant homeserver allows: membership, power levels, relations, sizes; in Synapse's words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from tests.sandbox.homeserver.call import MatrixError, bad, forbidden

if TYPE_CHECKING:
    from tests.sandbox.homeserver.transport import Json
    from tests.sandbox.homeserver.world import Room, World

MAX_EVENT = 65_536
# What the signed form of an event carries around its content.
ENVELOPE = 700
CREATOR_POWER = 1 << 53


def require_member(room: Room | None, room_id: str, user_id: str) -> Room:
    """The room, where the user is in it."""
    if room is None or user_id not in room.joined:
        raise forbidden(f"User {user_id} not in room {room_id}")
    return room


def require_reader(room: Room | None, room_id: str, user_id: str) -> Room:
    """The room, where the user is or was in it."""
    if room is None or (user_id not in room.joined and not _was_joined(room, user_id)):
        raise forbidden(f"User {user_id} not in room {room_id}, and room previews are disabled")
    return room


def power_of(room: Room, user_id: str) -> int:
    if user_id == room.creator:
        return CREATOR_POWER
    levels = room.content("m.room.power_levels")
    return int(levels.get("users", {}).get(user_id, levels.get("users_default", 0)))


def check_send(room: Room, sender: str, kind: str, content: Json, state_key: str | None = None) -> None:
    """Raise unless `sender`, who is in the room, may send this."""
    levels = room.content("m.room.power_levels")
    default = levels.get("events_default", 0) if state_key is None else levels.get("state_default", 50)
    needed = levels.get("events", {}).get(kind, default)
    power = power_of(room, sender)
    if power < needed:
        raise forbidden(
            f"You don't have permission to post that to the room. user_level ({power}) < send_level ({needed})"
        )
    if state_key is not None and state_key.startswith("@") and state_key != sender and kind != "m.room.member":
        raise forbidden("You are not allowed to set others state")
    if kind == "m.room.power_levels":
        _check_levels(room, content)
    if kind == "m.room.redaction":
        _check_redaction(room, sender, content.get("redacts", ""))
    _check_relation(room, sender, kind, content)
    check_size(content)


def check_size(content: Json) -> None:
    if len(orjson.dumps(content)) + ENVELOPE > MAX_EVENT:
        raise MatrixError(413, "M_TOO_LARGE", "event too large")


def check_join(room: Room, user_id: str) -> None:
    membership = room.membership(user_id)
    if membership == "ban":
        raise forbidden("You are banned from this room")
    rule = room.content("m.room.join_rules").get("join_rule", "invite")
    if membership not in {"join", "invite"} and rule != "public" and user_id != room.creator:
        raise forbidden("You are not invited to this room.")


def check_invite(room: Room, sender: str, target: str) -> None:
    membership = room.membership(target)
    if membership == "join":
        raise forbidden(f"{target} is already in the room.")
    if membership == "ban":
        raise forbidden(f"{target} is banned from the room")
    _need(room, sender, "invite", 0, "You don't have permission to invite users")


def check_removal(room: Room, sender: str, target: str, action: str) -> None:
    """`action` is kick, ban or unban."""
    membership = room.membership(target)
    if action == "kick" and membership == "leave":
        raise forbidden("The target user is not in the room")
    if action == "unban" and membership != "ban":
        raise forbidden("Cannot unban user who was not banned")
    level = "kick" if action == "kick" else "ban"
    _need(room, sender, level, 50, f"You cannot {action} user {target}.")
    if power_of(room, sender) <= power_of(room, target):
        raise forbidden(f"You cannot {action} user {target}.")


def _need(room: Room, sender: str, what: str, otherwise: int, error: str) -> None:
    if power_of(room, sender) < room.content("m.room.power_levels").get(what, otherwise):
        raise forbidden(error)


def _was_joined(room: Room, user_id: str) -> bool:
    member = room.state.get(("m.room.member", user_id))
    return bool(member and member.unsigned.get("prev_content", {}).get("membership") == "join")


def _check_levels(room: Room, content: Json) -> None:
    if room.creator in content.get("users", {}):
        raise bad(f"Creator user {room.creator} must not appear in content.users")


def _check_redaction(room: Room, sender: str, target: str) -> None:
    event = room.by_id.get(target)
    if event is None or event.sender == sender:
        return
    _need(room, sender, "redact", 50, "You don't have permission to redact events")


def _check_relation(room: Room, sender: str, kind: str, content: Json) -> None:
    relation = content.get("m.relates_to")
    if not isinstance(relation, dict) or not relation.get("event_id"):
        return
    target = room.by_id.get(relation["event_id"])
    if relation.get("rel_type") == "m.annotation":
        if (relation["event_id"], relation.get("key", ""), sender) in room.annotations:
            raise bad("Can't send same reaction twice", "M_DUPLICATE_ANNOTATION")
    elif relation.get("rel_type") == "m.thread" and target and target.relation.get("rel_type"):
        raise bad("Cannot start threads from an event with a relation")


def require_room(world: World, room_id: str) -> Room:
    room = world.room(room_id)
    if room is None:
        raise MatrixError(404, "M_NOT_FOUND", "No known servers")
    return room
