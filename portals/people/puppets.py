"""Double puppeting: which accounts the bridge may act as, and what is done where one of them may not act.

What an account of a person sends for them comes back to us as if the person had sent it in Matrix. Of what nobody
copies, a reaction, an edit or a redaction, the stamp tells that it is ours: the ledger may have forgotten it by then,
for what was taken back or edited again since. Whether a message is ours is for the ledger to say; a stamp only tells
that it is worth waiting until the ledger knows, for a person's own copy of a message carries the stamp as well.
"""

from __future__ import annotations

from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from portals.actions import STAMP, RecordLink, RecordReaction, RedactEvent, SendEvent, SendFile, SetMembership
from portals.reading.values import mapping, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from portals.actions import Action, Content, Record
    from portals.events import Json
    from portals.ids import MatrixUserId

PUPPETS_UNKNOWN = "double_puppet"
"""The code of a refusal because the homeserver does not know the token for acting as people."""

_NEVER_COPIED = frozenset({"m.reaction", "m.room.redaction"})

_NOT_AS_THEM = frozenset(
    {
        "M_FORBIDDEN",
        "M_EXCLUSIVE",
        "M_USER_DEACTIVATED",
        "M_USER_LOCKED",
        "M_USER_SUSPENDED",
        "M_USER_ACCOUNT_SUSPENDED",
        "M_CONSENT_NOT_GIVEN",
        "M_GUEST_ACCESS_FORBIDDEN",
        "M_UNABLE_TO_AUTHORISE_JOIN",
        PUPPETS_UNKNOWN,
    }
)


def is_puppet(account: MatrixUserId, patterns: Iterable[str], domain: str) -> bool:
    """Tell whether the bridge may act as an account: one of the homeserver's that fits one of the patterns."""
    return account.endswith(f":{domain}") and any(fnmatchcase(account, pattern) for pattern in patterns)


def is_about_the_account(code: str) -> bool:
    """Tell whether a refusal may be about the account that acts, so that its ghost might not be refused."""
    return code in _NOT_AS_THEM


def by_ghost(action: Action) -> Action | None:
    """Return what the ghost does where the person's own account may not; None where no ghost stands behind it.

    Nobody can replace what somebody else said: an edit becomes a reply that says how the message reads now.
    """
    if not isinstance(action, SendEvent | SendFile | SetMembership) or action.ghost is None:
        return None
    if isinstance(action, SetMembership):
        return replace(action, user=action.ghost, ghost=None)
    record, content = _record_of(action.record, action.ghost), _unreplaced(action.content)
    return replace(action, sender=action.ghost, ghost=None, content=content, record=record)


def _record_of(record: Record | None, sender: MatrixUserId) -> Record | None:
    return replace(record, sender=sender) if isinstance(record, RecordLink | RecordReaction) else record


def _unreplaced(content: Content) -> Content:
    relation = mapping(content.get("m.relates_to"))
    if relation.get("rel_type") != "m.replace":
        return content
    answer = {"m.in_reply_to": {"event_id": relation["event_id"]}}
    return {name: value for name, value in content.items() if name != "m.new_content"} | {"m.relates_to": answer}


def stamp_of(event: Json) -> str:
    """Return the stamp that an event of the homeserver's carries, nothing where it carries none."""
    return text_of(mapping(event.get("content")).get(STAMP))


def is_never_copied(event: Json) -> bool:
    """Tell whether an event is of a kind that no client makes by copying what another event says."""
    kind = text_of(event.get("type"))
    relation = mapping(mapping(event.get("content")).get("m.relates_to"))
    return kind in _NEVER_COPIED or (kind == "m.room.message" and relation.get("rel_type") == "m.replace")


def made(action: Action, event: Json) -> bool:
    """Tell whether an event of the homeserver's can only be what this action made: its stamp, sender and room."""
    if not isinstance(action, SendEvent | SendFile | RedactEvent):
        return False
    whole = (action.key, action.sender, action.room)
    return whole == (stamp_of(event), event.get("sender"), event.get("room_id"))
