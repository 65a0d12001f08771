"""Who may do what in a room, by its power levels; what is not said counts as the specification says.

Source: the client-server API, "m.room.power_levels".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portals.reading.values import mapping

if TYPE_CHECKING:
    from portals.events import Json
    from portals.ids import MatrixUserId

_MODERATOR = 50


def may_notify_room(levels: Json, user: MatrixUserId) -> bool:
    """Tell whether a user's mention of the whole room notifies it (`notifications.room`)."""
    return power_of(levels, user) >= _level(mapping(levels.get("notifications")).get("room"), _MODERATOR)


def power_of(levels: Json, user: MatrixUserId) -> int:
    """Return a user's power."""
    users = mapping(levels.get("users"))
    return _level(users[user] if user in users else levels.get("users_default"), 0)


def power_for_state(levels: Json, kind: str) -> int:
    """Return the power that it takes to set a state event of a type."""
    events = mapping(levels.get("events"))
    return _level(events[kind] if kind in events else levels.get("state_default"), _MODERATOR)


def power_to_invite(levels: Json) -> int:
    """Return the power that it takes to invite somebody."""
    return _level(levels.get("invite"), 0)


def _level(value: object, otherwise: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else otherwise
