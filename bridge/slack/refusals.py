"""What Slack's error codes mean for us: whose turn it is, in plain English, and what an admin can do about it.

One table, so that `causeway check`, the notice in a room and the log say the same. A code that is not listed is a
refusal without a remedy: Slack understood and said no.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from bridge.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

BUSY: Final = frozenset(
    {
        "accesslimited",
        "external_channel_migrating",
        "message_limit_exceeded",
        "rate_limited",
        "ratelimited",
        "request_timeout",
        "team_added_to_org",
        "update_failed",
    }
)
"""Nothing was done and it may work later."""

NOT_CONNECTED: Final = "not_connected"
"""A code of our own: there is no token for the workspace, which is known by its export alone."""

UNCLEAR: Final = frozenset({"fatal_error", "internal_error", "service_unavailable"})
"""Slack says itself that parts of the request may have been carried out."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """A code in words: what is wrong, and what to do about it."""

    detail: str
    remedy: str = ""


_REINSTALL = (
    "Install the app to the workspace again at https://api.slack.com/apps and put the new token into the config"
)
_INVITE = "Invite the bot: type /invite @<name of the app> in the channel"
_UPLOADS = "A workspace admin can allow it under Settings & administration, Workspace settings, Permissions"

MEANINGS: Final[Mapping[str, Meaning]] = {
    # tokens
    "invalid_auth": Meaning(
        "Slack does not know this token",
        "Compare it with OAuth & Permissions (bot token, xoxb-) or Basic Information (app token, xapp-) of the app",
    ),
    "not_authed": Meaning("no token was sent", "Set the token in the config, the environment or its file"),
    "token_revoked": Meaning("the token was revoked", _REINSTALL),
    "token_expired": Meaning("the token has expired", "Switch token rotation off for this app, or install it again"),
    "account_inactive": Meaning("the bot's account or its workspace was switched off", _REINSTALL),
    "not_allowed_token_type": Meaning(
        "this kind of token cannot do that",
        "Use the bot token (xoxb-) as bot token and the app-level token (xapp-) with connections:write as app token",
    ),
    "forbidden_team": Meaning("the app may not be used in this workspace", "Ask an admin of the workspace to allow it"),
    "org_login_required": Meaning("the workspace is being moved into an organisation", _REINSTALL),
    "team_access_not_granted": Meaning("the app was not granted access to this workspace", _REINSTALL),
    "enterprise_is_restricted": Meaning(
        "the organisation does not let the app work here", "Ask an admin of the organisation to allow the app"
    ),
    "ekm_access_denied": Meaning(
        "the organisation's key management suspended access", "Ask an admin of the organisation"
    ),
    "access_denied": Meaning("the bot may not see this", "Ask an admin of the workspace"),
    "no_permission": Meaning("the bot lacks the permission", "Ask an admin of the workspace"),
    NOT_CONNECTED: Meaning(
        "the workspace is known by its export alone", "Add it with its tokens under slack.workspaces in the config"
    ),
    # channels
    "not_in_channel": Meaning("the bot is not a member of the channel", _INVITE),
    "channel_not_found": Meaning(
        "the channel does not exist or is private and closed to the bot", f"Check its id. {_INVITE}"
    ),
    "is_archived": Meaning("the channel is archived", "Unarchive it in Slack or remove the portal"),
    "is_inactive": Meaning("the channel is frozen, archived or deleted", "Remove the portal"),
    "method_not_supported_for_channel_type": Meaning(
        "a bot cannot do this in this kind of channel", f"A private channel cannot be joined. {_INVITE}"
    ),
    "channel_is_limited_access": Meaning("the channel is limited to certain people", "Ask its owner to add the bot"),
    "cant_archive_general": Meaning("Slack lets nobody archive the channel that everybody is in"),
    "cant_archive_required": Meaning("the channel is required, so that Slack does not let it be archived"),
    "too_long": Meaning("the text is longer than Slack takes: 250 characters in a topic"),
    "too_many_members": Meaning("the channel is full", "Ask an admin of the workspace to raise its limit"),
    "restricted_action": Meaning(
        "a workspace preference forbids this", "Ask an admin of the workspace to allow the app"
    ),
    "restricted_action_read_only_channel": Meaning(
        "nobody but its admins may post in this channel", "Allow the app under the channel's posting permissions"
    ),
    "restricted_action_thread_only_channel": Meaning("only replies in threads are allowed in this channel"),
    "restricted_action_non_threadable_channel": Meaning("this channel allows no threads"),
    "restricted_action_thread_locked": Meaning("the thread is locked", "An admin of the workspace can unlock it"),
    # messages
    "msg_too_long": Meaning("the text is longer than Slack takes: 4,000 characters when a message is edited"),
    "msg_blocks_too_long": Meaning("the formatted text is longer than Slack takes, about 13,200 characters"),
    "no_text": Meaning("the message is empty"),
    "invalid_blocks": Meaning("Slack does not accept the formatting of this message"),
    "invalid_blocks_format": Meaning("Slack does not accept the formatting of this message"),
    "invalid_arguments": Meaning("Slack does not accept the arguments of the call"),
    "message_not_found": Meaning("the message does not exist, or no longer"),
    "thread_not_found": Meaning("the thread does not exist, or no longer"),
    "cannot_reply_to_message": Meaning("this kind of message takes no replies"),
    "cant_update_message": Meaning("Slack lets a bot edit nothing but its own messages"),
    "cant_delete_message": Meaning("Slack does not let the bot delete this message"),
    "edit_window_closed": Meaning(
        "the workspace no longer lets this message be edited", "An admin can lengthen the time under Message editing"
    ),
    "block_mismatch": Meaning("Slack does not replace this kind of formatting by another one"),
    "invalid_name": Meaning("Slack has no emoji of that name"),
    "too_many_emoji": Meaning("the message has as many different reactions as Slack allows"),
    "too_many_reactions": Meaning("the bot has put as many reactions on the message as Slack allows"),
    "not_reactable": Meaning("this cannot be reacted to"),
    "thread_locked": Meaning("reactions are switched off, because the thread is locked"),
    "too_many_pins": Meaning("the channel has as many pinned messages as Slack allows: a hundred"),
    "not_pinnable": Meaning("Slack lets nobody pin this kind of message"),
    "user_is_restricted": Meaning(
        "a workspace preference forbids this", "Ask an admin of the workspace to allow the app"
    ),
    # files
    "file_not_found": Meaning("the file does not exist, or no longer"),
    "file_deleted": Meaning("the file was deleted"),
    "not_visible": Meaning("the bot may not see the file", "Add the bot to the channel where the file was shared"),
    "file_type_not_allowed": Meaning("the workspace does not take this type of file", _UPLOADS),
    "file_uploads_disabled": Meaning("the workspace has switched uploads off", _UPLOADS),
    "file_uploads_except_images_disabled": Meaning("the workspace takes no uploads but images", _UPLOADS),
    "file_upload_size_restricted": Meaning("the workspace does not take files of this size", _UPLOADS),
    "storage_limit_reached": Meaning("the workspace's file storage is full", "Delete old files or upgrade the plan"),
    "posting_to_channel_denied": Meaning("the bot may not share files in this channel", _INVITE),
    # sockets
    "link_disabled": Meaning(
        "Socket Mode is switched off for the app",
        "Switch it on at https://api.slack.com/apps, Socket Mode, or set the workspace to signed HTTP in the config",
    ),
    "too_many_websockets": Meaning(
        "the app has more than 10 open connections", "Stop other programs that run with the same app token"
    ),
}


def refusal(method: str, answer: Mapping[str, Any]) -> Refused:
    """Words for an `ok: false` answer of `method`; a missing scope is named with the manifest line that adds it."""
    code = str(answer.get("error") or "unknown_error")
    if code == "missing_scope":
        return _missing_scope(method, str(answer.get("needed") or ""))
    meaning = MEANINGS.get(code, Meaning("Slack refused the call"))
    notes = answer.get("response_metadata")
    messages = notes.get("messages") if isinstance(notes, dict) else None
    said = f": {'; '.join(str(note) for note in messages[:3])}"[:300] if isinstance(messages, list) and messages else ""
    return Refused(code, f"{method}: {meaning.detail}{said}", meaning.remedy)


def _missing_scope(method: str, needed: str) -> Refused:
    scopes = [scope.strip() for scope in needed.split(",") if scope.strip()]
    if not scopes:
        remedy = (
            "Compare the app's scopes with those of the manifest that `causeway init` writes, then install it again"
        )
        return Refused("missing_scope", f"{method}: the token lacks a scope", remedy)
    if scopes == ["connections:write"]:
        remedy = "Make an app-level token with it: https://api.slack.com/apps, Basic Information, App-Level Tokens"
    else:
        lines = " or ".join(f'"- {scope}"' for scope in scopes)
        remedy = (
            f"Add the line {lines} under oauth_config, scopes, bot in the app manifest"
            " (https://api.slack.com/apps, App Manifest), then install the app to the workspace again"
        )
    return Refused("missing_scope", f"{method}: the token lacks the scope {' or '.join(scopes)}", remedy)
