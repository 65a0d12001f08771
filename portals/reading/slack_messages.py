"""Slack's message objects become messages: those of events, and those of the history methods.

Sources: https://docs.slack.dev/reference/events/message and the object `reaction` there.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from portals.events import AuthorProfile, Ignored, Json, SlackAuthor, SlackFile, SlackMessage
from portals.ids import NO_TS, ChannelId, SlackUserId, Ts, is_slack_id
from portals.reading.slack_files import files_of
from portals.reading.values import mapping, number, objects, picture_of, text_of, ts_of
from portals.text import from_slack

if TYPE_CHECKING:
    from portals.facts import Workspace

SAID = frozenset(
    {
        "",
        "bot_message",
        "file_share",
        "me_message",
        "thread_broadcast",
        "reply_broadcast",
        "file_comment",
        "slackbot_response",
    }
)
"""The subtypes of what somebody said; all others are Slack's own words about what somebody did."""

_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=str)
_ICONS = ("image_72", "image_64", "image_48", "image_36")
"""The largest first; Slack makes a picture of an emoji too, as image_64."""


def message_of(
    message: Json,
    source: str,
    channel: ChannelId,
    workspace: Workspace,
    *,
    changed: bool = False,
    historic: bool = False,
    version: Ts = NO_TS,
) -> SlackMessage | Ignored:
    """Return a message object of an event or of history, or why it is not relayed."""
    subtype = text_of(message.get("subtype"))
    if is_hidden(message):
        return Ignored("a message that Slack does not show, or to one person alone")
    ts = ts_of(message.get("ts"))
    if ts == NO_TS:
        return Ignored("a message without a time stamp")
    author = _author(message)
    if author is None:
        return Ignored("a message without an author")
    thread = ts_of(message.get("thread_ts"))
    files = tuple(files_in(message))
    attachments = objects(message.get("attachments"))
    text = text_of(message.get("text"))
    system = "" if subtype in SAID else subtype
    if system:
        text = re.sub(rf"^<@{author.id}(\|[^>]*)?>\s*", "", text)
    blocks = objects(message.get("blocks"))
    edited = mapping(message.get("edited"))
    return SlackMessage(
        source=source,
        channel=channel,
        ts=ts,
        author=author,
        document=from_slack(text, blocks, attachments),
        files=files,
        thread_ts=thread if thread not in (NO_TS, ts) else None,
        broadcast=subtype in ("thread_broadcast", "reply_broadcast"),
        emote=subtype == "me_message",
        own=_is_own(message, workspace),
        changed=changed,
        historic=historic,
        version=version or ts_of(edited.get("ts")),
        digest=_digest(text, blocks, attachments),
        system=system,
        edited=edited.get("user") == author.id,
    )


def digest_of(message: Json) -> str:
    """Name what a message object says that somebody wrote, as `SlackMessage.digest` does."""
    blocks, attachments = objects(message.get("blocks")), objects(message.get("attachments"))
    return _digest(text_of(message.get("text")), blocks, attachments)


def files_in(message: Json) -> Iterable[SlackFile]:
    """Yield the files that a message object shares; one of before 2018 shares a single one, in a field of its own."""
    old = [message.get("file")] if message.get("subtype") == "file_share" else []
    return files_of(message.get("files") or old)


def is_hidden(message: Json) -> bool:
    """Tell whether a message object is one that nobody sees: what is left of a deleted one, or meant for one person."""
    subtype = text_of(message.get("subtype"))
    return subtype == "tombstone" or message.get("hidden") is True or message.get("is_ephemeral") is True


def _author(message: Json) -> SlackAuthor | None:
    bot = text_of(message.get("bot_id"))
    user = text_of(message.get("user"))
    profile = mapping(message.get("bot_profile"))
    if is_slack_id(bot) and (message.get("subtype") == "bot_message" or not is_slack_id(user)):
        name = text_of(message.get("username")) or text_of(profile.get("name"))
        icons = mapping(message.get("icons"))
        pictures = (text_of(icons.get(size)) for size in _ICONS)
        icon = next((url for url in pictures if url.startswith("http")), "")
        emoji = text_of(icons.get("emoji")).strip(":")
        return SlackAuthor(SlackUserId(bot), True, name, icon, emoji, _of_bot(SlackUserId(bot), profile))
    if not is_slack_id(user):
        user = text_of(mapping(message.get("comment")).get("user"))  # a comment on a file, before 2018
    if is_slack_id(user):
        own = mapping(message.get("user_profile"))
        name = text_of(own.get("display_name")) or text_of(profile.get("name"))
        return SlackAuthor(SlackUserId(user), bool(bot), name, profile=_of_person(SlackUserId(user), own))
    return None


def _of_bot(bot: SlackUserId, profile: Json) -> AuthorProfile | None:
    name = text_of(profile.get("name"))
    if profile.get("id") != bot or not name.strip():
        return None
    return AuthorProfile(bot, name, picture_of(mapping(profile.get("icons"))), True)


def _of_person(user: SlackUserId, profile: Json) -> AuthorProfile | None:
    names = (text_of(profile.get(key)) for key in ("display_name", "real_name", "name"))
    name = next((name for name in names if name.strip()), "")
    return AuthorProfile(user, name, picture_of(profile)) if name else None


def _is_own(message: Json, workspace: Workspace) -> bool:
    app = text_of(message.get("app_id")) or text_of(mapping(message.get("bot_profile")).get("app_id"))
    if app and workspace.app:
        return app == workspace.app
    return (bool(workspace.bot) and message.get("bot_id") == workspace.bot) or (
        bool(workspace.bot_user) and message.get("user") == workspace.bot_user
    )


def reactions_of(message: Json) -> Iterable[tuple[str, SlackUserId]]:
    """Yield (emoji name, person) of every reaction that a message object carries."""
    for reaction in objects(message.get("reactions")):
        name = text_of(reaction.get("name"))
        users = reaction.get("users")
        if name and isinstance(users, Sequence) and not isinstance(users, str):
            yield from ((name, SlackUserId(user)) for user in users if isinstance(user, str) and is_slack_id(user))


def cut_reactions(message: Json) -> frozenset[str]:
    """Return the emoji names for which a message object names fewer people than it counts: Slack cuts long lists."""
    found: set[str] = set()
    for reaction in objects(message.get("reactions")):
        users = reaction.get("users")
        if not isinstance(users, Sequence) or len(users) < number(reaction.get("count")):
            found.add(text_of(reaction.get("name")))
    return frozenset(found)


def _digest(text: str, blocks: Sequence[Json], attachments: Sequence[Json]) -> str:
    """Name what a message's text says; what Slack adds by itself (unfurls, block ids) does not count."""
    own = [item for item in attachments if not item.get("from_url") and not item.get("app_unfurl_url")]
    said = _CANONICAL.encode([text, _without_ids(blocks), own])
    return hashlib.sha256(said.encode(errors="surrogatepass")).hexdigest()[:24]


def _without_ids(blocks: Sequence[Json]) -> list[dict[str, Any]]:
    return [{name: value for name, value in block.items() if name != "block_id"} for block in blocks]
