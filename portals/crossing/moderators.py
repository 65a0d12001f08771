"""Whether what is held may be quoted in a room of moderators: only where nobody else can read it.

Sources: the client-server API, "m.room.join_rules", "m.room.history_visibility", "m.room.encryption".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from portals.events import Json

ENCRYPTED = "m.room.encryption"
_CLOSED = ("invite", "private", "knock")


def reason_to_hide(
    rules: Json | None, history: Json | None, *, is_portal: bool, is_clear: bool, from_encrypted: bool
) -> str:
    """Return why nothing may be quoted in a room, or nothing where it may; both states may be missing.

    `is_clear` says that the room is not encrypted, `from_encrypted` that what is held comes from one that is.
    """
    if is_portal:
        return "this room is bridged itself"
    if (rules or {}).get("join_rule", "invite") not in _CLOSED:
        return "more people than the invited may join this room"
    if (history or {}).get("history_visibility") == "world_readable":
        return "everybody may read this room"
    if is_clear and from_encrypted:
        return "it comes from an encrypted room, and this one is not"
    return ""
