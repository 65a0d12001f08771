"""By which hand somebody of Matrix acts in Slack: by that of their own account there, or by the app's.

Who connected their account acts by a token of theirs. Where Slack refuses that one, the app does instead what it can do
for anybody: post, share and react. What the person's own hand has posted, nobody else can edit or delete.
"""

from __future__ import annotations

from dataclasses import replace
from enum import Enum, auto
from typing import TYPE_CHECKING

from portals.actions import (
    AddReaction,
    DeleteMessage,
    PostFile,
    PostMessage,
    RecordLink,
    RecordReaction,
    RemoveReaction,
    UpdateMessage,
)
from portals.events import SlackMessage, SlackReaction
from portals.retry import BAD_TOKEN

if TYPE_CHECKING:
    from collections.abc import Collection

    from portals.actions import Action, Record
    from portals.events import SlackEvent
    from portals.facts import Portal
    from portals.ids import SlackUserId

BY_APP = "by_app"
"""The code of a refusal of something that a person's own hand may not do, or does not any more."""


class Fault(Enum):
    """What a refusal of a person's token is about."""

    TOKEN = auto()
    PLACE = auto()


_ABOUT_THE_TOKEN = frozenset(
    {
        *BAD_TOKEN,
        "team_access_not_granted",
        "org_login_required",
        "access_denied",
        "user_is_bot",
    }
)
_ABOUT_THE_PLACE = frozenset(
    {
        "not_in_channel",
        "channel_not_found",
        "restricted_action",
        "restricted_action_read_only_channel",
        "restricted_action_thread_only_channel",
        "restricted_action_thread_locked",
        "user_is_restricted",
        "posting_to_channel_denied",
        "ekm_access_denied",
    }
)


def fault_of(code: str) -> Fault | None:
    """Return what a refusal of a person's token is about; None where the app would be refused the same."""
    if code in _ABOUT_THE_TOKEN:
        return Fault.TOKEN
    return Fault.PLACE if code in _ABOUT_THE_PLACE else None


_WHY = {
    "token_revoked": "it was taken back in Slack",
    "account_inactive": "the account was switched off in Slack",
    "token_expired": "it has expired",
    "missing_scope": "it does not allow enough",
    "not_in_channel": "you are not in the channel there",
    "channel_not_found": "you are not in the channel there",
}


def why(code: str) -> str:
    """Say why a person's own hand may not do something, to that person."""
    if code in _WHY:
        return _WHY[code]
    return "the channel does not let you write there" if code in _ABOUT_THE_PLACE else f"Slack refuses it ({code})"


def word_of_break(workspace: str, reason: str) -> str:
    """Tell a person, in their own room with the bot, that they do not speak as themself any more."""
    return (
        f"Your connection to your account of Slack ({workspace}) has ended: {reason}. What you write is shown there by "
        "the app again, under your name. To speak as yourself, write: connect"
    )


def word_of_place(name: str, reason: str) -> str:
    """Tell a person in a portal's room that the app posts what they write there."""
    return (
        f"{name}: in Slack, what you write here is posted by the app, under your name, although you have connected "
        f"your own account: {reason}. As soon as that has changed, you speak as yourself."
    )


def hand_of(action: Action) -> SlackUserId | None:
    """Return the person of Slack as whom something is done; None for the app."""
    by_hand = PostMessage | PostFile | UpdateMessage | DeleteMessage | AddReaction | RemoveReaction
    return action.hand if isinstance(action, by_hand) else None


def by_app(action: Action, portal: Portal) -> Action | None:
    """Return what the app does where the person's own hand may not; None where it cannot: then nobody can.

    The app takes no part in direct conversations.
    """
    if portal.is_conversation:
        return None
    if not isinstance(action, PostMessage | PostFile | AddReaction) or action.hand is None:
        return None
    record = _of_app(action.record)
    if isinstance(action, PostFile):
        return replace(action, hand=None, blocks=action.signed, signed=(), record=record)
    return replace(action, hand=None, record=record)


def _of_app(record: Record | None) -> Record | None:
    return replace(record, hand="") if isinstance(record, RecordLink | RecordReaction) else record


def may_be_ours(event: SlackEvent, hands: Collection[SlackUserId]) -> bool:
    """Tell whether an event may be what we did as one of these people, without saying so by the app's name.

    Slack names the app in a message that it posts as somebody, but not beside a file or a reaction; and it names it
    still when the person edits what was posted so.
    """
    if isinstance(event, SlackReaction):
        return event.user in hands
    if not isinstance(event, SlackMessage) or event.author.id not in hands:
        return False
    return event.edited if event.own else bool(event.files) or event.changed
