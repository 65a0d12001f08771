"""Direct conversations of Slack: when one may be in Matrix, and what those in its room are told.

It is read and written by the tokens of people who take part and have connected their accounts, and crosses only where
those who take part agreed (see `consent`). A conversation with the bridge's own app never does: there it sends people
what proves who they are. Nor does one with Slackbot, which says what is meant for one person's eyes in Slack.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portals.facts import PortalKind
from portals.ids import SlackUserId
from portals.people.consent import dm_is_allowed

if TYPE_CHECKING:
    from collections.abc import Collection

    from portals.people.consent import Rule

SLACKBOT = SlackUserId("USLACKBOT")
MOST_OTHERS = 8
"""With how many others at most somebody talks directly (conversations.open)."""

NAMES = {PortalKind.DM: "direct conversation", PortalKind.GROUP_DM: "group conversation"}
"""What portals are called that are made while people talk: nobody reads in a list of them who talks with whom."""

OFF = "direct messages are not carried here any more"
STRANGER = "somebody is in this room who does not take part in the conversation"
UNREAD = "nobody who takes part has connected their account of Slack"
_REFUSED = {
    "everybody": "not everybody who takes part has agreed that it is shown in Matrix",
    "anybody": "nobody who takes part has agreed that it is shown in Matrix",
}
NOT_CONNECTED = (
    "only who has connected their own account of Slack can write here: write `connect` to the bot, in a room of your "
    "own with it"
)
CONNECT_ANEW = (
    "Your direct messages cannot be shown in Matrix: what you have allowed is from before they were carried. To have "
    "them here, connect your account of Slack again. Write: connect"
)
GOES_ON = "The conversation goes on: what was said in Slack meanwhile follows."


def is_private_to_slack(people: Collection[SlackUserId], bot: SlackUserId) -> bool:
    """Tell whether a conversation has no place in Matrix whatever anybody agrees to."""
    return bool({SLACKBOT, bot} & set(people)) or len(people) < 2


def closed_by(
    people: Collection[SlackUserId], readers: Collection[SlackUserId], agreed: Collection[SlackUserId], rule: Rule
) -> str:
    """Return why nothing of a conversation crosses, or nothing where it does.

    `people` take part, bots left out; `readers` are those of them by whose tokens it can be read.
    """
    if not dm_is_allowed(people, agreed, rule):
        return _REFUSED[rule]
    return "" if readers else UNREAD


def word_of_close(reason: str) -> str:
    """Tell those in a conversation's room that it stops."""
    return (
        f"This conversation stops here: {reason}. What is written here does not reach Slack, and nothing comes from "
        "there."
    )


def word_of_refusal(reason: str) -> str:
    """Say as a ghost why it does not take up an invitation."""
    return f"No direct conversation begins here: {reason}."
