"""Slack's own words in a channel: every subtype met in exports, with the fields that come with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.sandbox.exports.cast import GHOSTLY_ID

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.sandbox.exports.attached import Files
    from tests.sandbox.slack.state import Json

IN_ANY = (
    "bot_add",
    "bot_remove",
    "channel_canvas_updated",
    "channel_tab_added",
    "file_comment",
    "file_mention",
    "file_share",
    "huddle_thread",
    "me_message",
    "pinned_item",
    "reminder_add",
    "reply_broadcast",
    "sh_room_created",
    "slackbot_response",
    "welcome_party",
)
_OF_ROOMS = ("join", "leave", "topic", "purpose", "name", "unarchive")
IN_PUBLIC = tuple(f"channel_{what}" for what in _OF_ROOMS)
IN_PRIVATE = (*(f"group_{what}" for what in _OF_ROOMS), "channel_convert_to_private")
_SPECIAL = {"public": IN_PUBLIC, "private": IN_PRIVATE}
USUAL = ("join", "join", "join", "join", "leave", "topic", "purpose")
"""What happens again and again, so that most of what a channel announces is this."""


def fitting(subtypes: Iterable[str], kind: str) -> list[str]:
    """Those that can occur in a conversation of this kind."""
    return [subtype for subtype in subtypes if subtype in IN_ANY or subtype in _SPECIAL.get(kind, ())]


def announced(subtype: str, user: str, other: str, name: str, at: int, files: Files, file_id: str) -> Json:
    """A record without its ts."""
    what = subtype.partition("_")[2]
    body: Json = {"type": "message", "subtype": subtype, "user": user}
    if subtype.startswith("file_"):
        return body | _about_file(subtype, user, other, at, files, file_id)
    if subtype in _SAID:
        return body | _SAID[subtype](user, other, at)
    group = "group" if subtype.startswith("group_") else "channel"
    if what == "name":
        old = f"old-{name}"
        text = f'has renamed the {group} from "{old}" to "{name}"'
        return body | {"user": GHOSTLY_ID, "text": text, "old_name": old, "name": name}
    if what in ("topic", "purpose"):
        return body | {"text": f"set the {group} {what}: Fragen &amp; Antworten", what: "Fragen &amp; Antworten"}
    if what == "unarchive":
        return body | {"text": f"un-archived the {group}"}
    verb = "joined" if what == "join" else "left"
    joined: Json = {"inviter": other} if what == "join" and at % 3 == 0 else {}
    return body | {"text": f"<@{user}> has {verb} the {group}"} | joined


def archiving(kind: str, user: str, members: list[str]) -> Json:
    """What closes a channel."""
    group = "group" if kind == "private" else "channel"
    body: Json = {"type": "message", "subtype": f"{group}_archive", "user": user, "members": members}
    return body | {"text": f"<@{user}> archived the {group} (w/ {len(members)} members)"}


def _about_file(subtype: str, user: str, other: str, at: int, files: Files, file_id: str) -> Json:
    """The records of Slack's older days, with one `file` instead of `files`."""
    file = files.body(file_id, other if subtype != "file_share" else user, at, "plan.txt", "text/plain", "text", "Text")
    link = f"<{file['permalink']}|plan.txt>"
    if subtype == "file_share":
        shown: Json = {"file": file, "upload": True, "display_as_bot": False, "username": "old handle", "bot_id": None}
        return shown | {"text": f"<@{user}> uploaded a file: {link} and commented: See page 2"}
    if subtype == "file_mention":
        return {"file": file, "text": f"<@{user}> mentioned a file: {link}"}
    comment: Json = {"id": f"Fc{file_id[1:]}", "created": at, "timestamp": at, "user": user, "comment": "Page 2?"}
    return {"file": file, "comment": comment, "is_intro": False, "text": f"<@{user}> commented on {link}: Page 2?"}


def _bot(verb: str, user: str) -> Json:
    return {"bot_id": "B0OLDBOT1", "text": f"{verb} an integration: <https://firma.slack.com/services/B0OLDBOT1|ci>"}


def _huddle(user: str, other: str, at: int) -> Json:
    room: Json = {"id": f"R{at:010d}", "created_by": user, "date_start": at, "date_end": at + 600, "has_ended": True}
    room |= {"participant_history": [user, other], "call_family": "huddle", "name": "", "channels": []}
    return {"user": "USLACKBOT", "text": "A huddle happened", "room": room, "no_notifications": True}


def _pinned(user: str, other: str, at: int) -> Json:
    card: Json = {"fallback": "[a day] someone: this", "text": "this", "is_msg_unfurl": True, "author_name": "someone"}
    return {"item_type": "C", "text": f"<@{user}> pinned a message to this channel.", "attachments": [card]}


_SAID: dict[str, Callable[[str, str, int], Json]] = {
    "bot_add": lambda user, other, at: _bot("added", user),
    "bot_remove": lambda user, other, at: _bot("removed", user),
    "channel_canvas_updated": lambda user, other, at: {
        "text": "updated the canvas",
        "canvas": {"file_id": "F0CANVAS1"},
    },
    "channel_convert_to_private": lambda user, other, at: {"text": "made this channel *private*."},
    "channel_tab_added": lambda user, other, at: {"text": "added a tab", "tab": {"label": "Plan"}},
    "huddle_thread": _huddle,
    "me_message": lambda user, other, at: {"text": "goes for a coffee"},
    "pinned_item": _pinned,
    "reminder_add": lambda user, other, at: {"text": f'set a reminder "stand-up" for <@{other}>, every weekday'},
    "reply_broadcast": lambda user, other, at: {"text": "", "attachments": [{"text": "an answer", "fallback": "x"}]},
    "sh_room_created": lambda user, other, at: {
        "text": "",
        "room": {"id": f"R{at}", "created_by": user},
        "no_notifications": True,
    },
    "slackbot_response": lambda user, other, at: {"user": "USLACKBOT", "text": "The wifi password is on the fridge."},
    "welcome_party": lambda user, other, at: {"user": "USLACKBOT", "text": f"<@{other}> is new here, say hello!"},
}
"""By subtype: what it says beside type, subtype and user."""
