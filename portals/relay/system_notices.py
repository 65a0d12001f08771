"""What Slack says itself about what somebody did in a channel, and whether a room shows it as a notice.

Slack's own words are shown, whatever the subtype, for new subtypes come without notice. The tables name the exceptions:
what the room shows in another way or what says nothing to its readers, what Slack's words do not tell, and what stands
for a message without any. Sources: the subtypes at https://docs.slack.dev/reference/events/message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portals.text import from_slack

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portals.events import SlackMessage
    from portals.text import Document

AS_LIVE, ALL, WITHOUT_MEMBERSHIP, NONE = "live", "all", "without_membership", "none"
"""Which of Slack's own words are brought over with a history."""

_MEMBERSHIP = frozenset({"channel_join", "channel_leave", "group_join", "group_leave", "mpim_join", "mpim_leave"})
_NEVER = frozenset(
    {
        # for one person, for apps alone, or about another message
        "ephemeral", "bot_enable", "bot_disable", "assistant_app_thread", "message_replied", "message_deleted",
        "message_changed",
    }
)  # fmt: skip
_SILENT = _MEMBERSHIP | _NEVER | frozenset(
    {
        # the room's name, topic and power levels, and the notices that come with the event itself
        "channel_name", "channel_topic", "channel_purpose", "channel_archive", "channel_unarchive",
        "channel_convert_to_private", "channel_convert_to_public",
        "group_name", "group_topic", "group_purpose", "group_archive", "group_unarchive",
    }
)  # fmt: skip
_INSTEAD: Mapping[str, str] = {
    "huddle_thread": "A huddle was started. It can be joined in Slack only.",
    "sh_room_created": "A call was started. It can be joined in Slack only.",
    "ekm_access_denied": "A message is withheld: the workspace's encryption keys do not let it be read at present.",
}
"""Words in place of Slack's, which change while the thing goes on; such a notice is never edited."""
_WITHOUT_WORDS: Mapping[str, str] = {
    "bot_add": "added an integration to this channel.",
    "bot_remove": "removed an integration from this channel.",
    "channel_canvas_updated": "updated the canvas of this channel.",
    "tabbed_canvas_updated": "updated a canvas of this channel.",
    "channel_tab_added": "added a tab to this channel.",
    "channel_posting_permissions": "changed who may post in this channel.",
    "pinned_item": "pinned a message to this channel.",
    "unpinned_item": "took a pinned message off this channel.",
    "reminder_add": "set a reminder.",
}


def is_shown(message: SlackMessage) -> bool:
    """Tell whether a room shows the message: all that somebody said, and most of what Slack says itself."""
    return message.announced or message.system not in _SILENT


def is_brought(message: SlackMessage, choice: str) -> bool:
    """Tell whether a message is brought over with a history, where `choice` says which of Slack's own words are."""
    if not message.system:
        return True
    if choice == AS_LIVE:
        return is_shown(message)
    is_left_out = choice == WITHOUT_MEMBERSHIP and message.system in _MEMBERSHIP
    return choice != NONE and message.system not in _NEVER and not is_left_out


def is_fixed(message: SlackMessage) -> bool:
    """Tell whether the words are the bridge's own, so that Slack's changes do not change them."""
    return message.system in _INSTEAD


def words_of(message: SlackMessage) -> Document:
    """Return what the room shows of a message."""
    if message.system in _INSTEAD:
        return from_slack(_INSTEAD[message.system])
    if message.system and message.document.is_empty():
        return from_slack(_WITHOUT_WORDS.get(message.system, ""))
    return message.document
