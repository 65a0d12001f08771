"""How long to wait, and when a refusal is the installation's trouble and not the message's."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from portals.actions import PostFile, PostMessage, RecordLink

if TYPE_CHECKING:
    from portals.actions import Action

_FIRST = 0.5
_LONGEST = 60.0
TROUBLED = 15.0
"""Seconds between two tries at what an admin must mend first."""

BAD_TOKEN = frozenset(
    {
        "invalid_auth",
        "not_authed",
        "token_revoked",
        "token_expired",
        "account_inactive",
        "not_allowed_token_type",
        "missing_scope",
        "no_permission",
    }
)
"""What Slack says of a token that is not good, or not good enough yet, whosever it is."""

_INSTALLATION = frozenset(
    {
        *BAD_TOKEN,
        # Slack: the workspace or its organisation shuts the app out, for now
        "team_access_not_granted",
        "forbidden_team",
        "ekm_access_denied",
        "enterprise_is_restricted",
        "org_login_required",
        # the homeserver: our token, or the whole service
        "M_UNKNOWN_TOKEN",
        "M_MISSING_TOKEN",
        "M_RESOURCE_LIMIT_EXCEEDED",
        "M_LIMIT_EXCEEDED",
        # ours: the room is encrypted, and the configuration has no key for that
        "room_is_encrypted",
    }
)


_ROOT_IS_GONE = frozenset({"cannot_reply_to_message", "thread_not_found"})


def is_installation_trouble(code: str) -> bool:
    """Tell whether the same refusal would meet every message: then it waits until an admin mended the installation."""
    return code in _INSTALLATION


def pause(attempt: int, retry_after: float | None = None) -> float:
    """Return how many seconds to wait before the next try; `attempt` counts the failed ones, from 1.

    What the other side asked for is kept to, up to an hour; otherwise the pause doubles, up to a minute.
    """
    if retry_after is not None:
        return min(max(0.0, retry_after), 3600.0)
    return float(min(_FIRST * 2 ** min(attempt - 1, 10), _LONGEST))


def out_of_thread(action: Action, code: str) -> Action | None:
    """Return an answer as a message of the channel, where Slack says that the thread's root is gone; else None."""
    if code not in _ROOT_IS_GONE or not isinstance(action, PostMessage | PostFile) or action.thread_ts is None:
        return None
    record = action.record
    if isinstance(record, RecordLink):
        record = replace(record, thread_ts=None)
    return replace(action, thread_ts=None, record=record)
