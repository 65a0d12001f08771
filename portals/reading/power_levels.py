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
    users = mapping(levels.get("users"))
    own = users[user] if user in users else levels.get("users_default")
    return _level(own, 0) >= _level(mapping(levels.get("notifications")).get("room"), _MODERATOR)


def _level(value: object, otherwise: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else otherwise
