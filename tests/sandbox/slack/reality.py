"""Where it is not known what real Slack does, a switch plays each answer; and the limits that it documents.

The defaults are what Slack documents, or else the form that is harder for a client. A test that leans on one answer
should run under the other too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ALL_BOT_SCOPES = frozenset(
    [
        "channels:history",
        "channels:read",
        "channels:join",
        "channels:manage",
        "channels:write.topic",
        "groups:history",
        "groups:read",
        "groups:write",
        "groups:write.topic",
        "im:history",
        "im:read",
        "im:write",
        "mpim:history",
        "mpim:read",
        "mpim:write",
        "chat:write",
        "chat:write.customize",
        "chat:write.public",
        "files:read",
        "files:write",
        "reactions:read",
        "reactions:write",
        "pins:read",
        "pins:write",
        "bookmarks:read",
        "emoji:read",
        "usergroups:read",
        "users:read",
        "users:read.email",
        "users.profile:read",
        "team:read",
        "metadata.message:read",
    ]
)

ALL_SUBSCRIPTIONS = frozenset(
    [
        "message.channels",
        "message.groups",
        "message.im",
        "message.mpim",
        "reaction_added",
        "reaction_removed",
        "member_joined_channel",
        "member_left_channel",
        "channel_created",
        "channel_rename",
        "channel_archive",
        "channel_unarchive",
        "channel_deleted",
        "channel_left",
        "group_rename",
        "group_archive",
        "group_unarchive",
        "channel_id_changed",
        "group_deleted",
        "group_left",
        "pin_added",
        "pin_removed",
        "file_shared",
        "file_deleted",
        "file_change",
        "user_change",
        "team_join",
        "emoji_changed",
        "subteam_created",
        "subteam_updated",
        "app_uninstalled",
        "tokens_revoked",
        "team_rename",
    ]
)


@dataclass(frozen=True, slots=True)
class Reality:
    """Each field is a question that only Slack itself could answer."""

    customised_as: Literal["bot_message", "plain"] = "bot_message"
    """Whether a message posted with another username carries the subtype `bot_message` or none."""
    delete_customised: Literal["ok", "cant_delete_message"] = "ok"
    """Whether a bot may delete what it posted under another username."""
    customize_without_scope: Literal["ignored", "missing_scope"] = "ignored"
    """What a username does without chat:write.customize."""
    echo: Literal["after", "before"] = "after"
    """Whether the event of a post leaves before the answer to its request."""
    message_replied: Literal["none", "without_subtype", "with_subtype"] = "none"
    """Whether a reply also sends the hidden `message_replied` of its root, and in which form."""
    reaction_names: Literal["kept", "first"] = "kept"
    """Whether a reaction keeps the name it was added by (thumbsup) or gets the emoji's first one (+1)."""
    reaction_users_shown: int = 50
    """How many of a reaction's users a message names; the count is always right, reactions.get full names all."""
    metadata_in_events: Literal["subscribed", "full", "none"] = "subscribed"
    """How much metadata a message event carries: only its type unless the app subscribed to that type, all, or none."""
    app_id_in_messages: bool = True
    """Whether an app's messages carry its app_id; without it, only bot_id (and bot_profile, unless customised) tell."""
    file_share_names_bot: bool = True
    """Whether the message of a bot's uploaded file carries its bot_id beside its user."""
    share_delay: float | None = 0.01
    """Seconds from completeUploadExternal to the share being seen; None shares before the answer."""
    oldest_alone: Literal["newest", "oldest"] = "newest"
    """Which end of the range a page shows first when only `oldest` bounds it."""
    backlog: Literal["schedule", "on_connect"] = "schedule"
    """Whether what waited while no socket was open comes at its retry time or as soon as one opens."""
    edited_by_blocks: bool = False
    """Whether chat.update with blocks marks the message as edited."""
    refused_file: Literal["page", "redirect"] = "page"
    """Whether a download without the right to it answers with the login page itself or sends the client there."""
    unknown_thread: Literal["cannot_reply_to_message", "posts"] = "cannot_reply_to_message"
    """What a reply to a message that does not exist does."""


@dataclass(frozen=True, slots=True)
class DeliveryTimes:
    """How long Slack waits for an acknowledgement and between attempts, in seconds, stretched by `scale`.

    `ping` is the time between pings of a socket and is not stretched: a busy test must not look like a dead client.
    """

    scale: float = 1.0
    ack: float = 3.0
    retries: tuple[float, ...] = (0.0, 60.0, 300.0)
    per_hour: int = 30_000
    ping: float = 10.0

    @property
    def ack_wait(self) -> float:
        """Seconds until an attempt counts as failed."""
        return self.ack * self.scale

    def retry_wait(self, attempt: int) -> float | None:
        """Seconds before the given retry (1, 2, 3); None when there is none left."""
        return self.retries[attempt - 1] * self.scale if attempt <= len(self.retries) else None


@dataclass(frozen=True, slots=True)
class Limits:
    """The documented request rates. `scale` 0.1 lets time run ten times as fast; 0 counts nothing."""

    scale: float = 1.0
    post_burst: int = 4
    post_every: float = 1.0
    outside_marketplace: bool = False
    """Whether the app is sold, but not in Slack's marketplace: then 15 messages a minute may be read."""

    @classmethod
    def off(cls) -> Limits:
        """No limits, for tests that are about something else."""
        return cls(scale=0)
