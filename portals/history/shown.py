"""What one event of a room tells about messages of Slack: the reader of rooms for whoever compares.

It trusts what homeservers vouch for (who sent an event, when, in which order) and takes an event's own words about what
it shows (`portals.actions.SOURCE`) for a claim. Nothing foreign raises.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from portals.actions import SOURCE, STAMP
from portals.history.evidence import Shown, ShownFile, ShownPart, ShownReaction
from portals.history.expected import excerpt, form_of
from portals.ids import EventId, Ts
from portals.reading.values import mapping, number, text_of, ts_of
from portals.text import emoji

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from portals.events import Json
    from portals.ids import ChannelId, GhostNames, TeamId

__all__ = [
    "Described",
    "Edit",
    "Entered",
    "Pinned",
    "Reacted",
    "Redacted",
    "Room",
    "Shown",
    "ShownMessage",
    "Stray",
    "Tells",
    "tells",
]


@dataclass(frozen=True, slots=True)
class Room:
    """Whose room is read: the channel that it mirrors, also under `former` ids, and whom its users stand for.

    `who` returns the Slack id that a Matrix user id stands for, or nothing. `hands` are the Slack ids by which people
    of Matrix act there.
    """

    team: TeamId
    channel: ChannelId
    names: GhostNames
    who: Callable[[str], str]
    former: frozenset[ChannelId] = frozenset()
    hands: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ShownMessage:
    """An event that shows a part of a Slack message."""

    ts: Ts
    part: ShownPart


@dataclass(frozen=True, slots=True)
class Edit:
    """A new content for an earlier event; one of another sender is none."""

    target: str
    sender: str
    event_id: str
    time: int
    content: Json


@dataclass(frozen=True, slots=True)
class Reacted:
    """A reaction by somebody who stands for a person of Slack."""

    target: str
    reaction: ShownReaction


@dataclass(frozen=True, slots=True)
class Redacted:
    """An event of ours of which only its place is left; `at` is when it was redacted."""

    event_id: str
    author: str
    time: int
    at: int


@dataclass(frozen=True, slots=True)
class Pinned:
    """What the room has pinned from now on."""

    events: tuple[str, ...]
    time: int


@dataclass(frozen=True, slots=True)
class Described:
    """What the room says that it is about from now on."""

    topic: str
    time: int


@dataclass(frozen=True, slots=True)
class Entered:
    """How a user stands to the room from now on, and how they are called in it."""

    user: str
    membership: str
    name: str
    time: int


@dataclass(frozen=True, slots=True)
class Stray:
    """An event of a ghost, or one that claims to show a message of another channel; or one that cannot be read."""

    event_id: str
    sender: str
    time: int
    what: str
    words: str = ""


Tells = ShownMessage | Edit | Reacted | Redacted | Pinned | Described | Entered | Stray

NO_MESSAGE = "an event of a ghost that names no message of Slack"
ELSEWHERE = "an event that says it shows a message of another channel"
ENCRYPTED = "an encrypted event, which cannot be read back"
WRITTEN = "written in Matrix"


def tells(event: Json, position: int, room: Room) -> Tells | None:
    """Return what an event tells, or None for one that tells nothing of Slack."""
    kind, content = text_of(event.get("type")), mapping(event.get("content"))
    event_id, sender = text_of(event.get("event_id")), text_of(event.get("sender"))
    time = number(event.get("origin_server_ts"))
    if "state_key" in event:
        return _state(kind, event, content, time)
    author = room.who(sender)
    if kind == "m.room.encrypted":
        return Stray(event_id, sender, time, ENCRYPTED)
    if kind not in ("m.room.message", "m.reaction"):
        return None
    cause = mapping(mapping(event.get("unsigned")).get("redacted_because"))
    if cause or not content:
        return Redacted(event_id, author, time, number(cause.get("origin_server_ts"))) if author else None
    relation = mapping(content.get("m.relates_to"))
    if kind == "m.reaction":
        is_ours = room.names.is_ours(sender) or STAMP in content
        hand = "" if is_ours else author or room.hands.get(sender, "")
        if not (author or hand):
            return None
        key = _key(content, relation)
        key = (emoji.unicode_of(emoji.name_of(key) or "") or key) if hand else key
        reaction = ShownReaction(EventId(event_id), author, sender, key, time, hand)
        return Reacted(text_of(relation.get("event_id")), reaction)
    if relation.get("rel_type") == "m.replace":
        new = mapping(content.get("m.new_content"))
        return Edit(text_of(relation.get("event_id")), sender, event_id, time, new)
    source = mapping(content.get(SOURCE))
    ts = ts_of(source.get("ts"))
    if not ts:
        if sender == room.names.bot:
            return None  # a notice of the bridge's
        is_ghost = room.names.slack_author(sender) is not None
        return Stray(event_id, sender, time, NO_MESSAGE if is_ghost else WRITTEN, excerpt(content))
    if source.get("team") != room.team or source.get("channel") not in (room.channel, *room.former):
        return Stray(event_id, sender, time, ELSEWHERE, excerpt(content))
    root = text_of(relation.get("event_id")) if relation.get("rel_type") == "m.thread" else ""
    part = ShownPart(
        part=text_of(source.get("part")),
        event_id=EventId(event_id),
        sender=sender,
        author=author,
        time=time,
        position=position,
        form="",
        plain="",
        line="",
        words="",
        root=root,
    )
    return ShownMessage(ts, with_content(part, ts, content, room.who))


def with_content(part: ShownPart, ts: str, content: Json, who: Callable[[str], str]) -> ShownPart:
    """Return a part with what a content says, be it the event's own or that of its edit."""
    form, plain, line, nameless = form_of(ts, part.part, part.author or part.sender, content, who)
    info, sealed = mapping(content.get("info")), mapping(content.get("file"))
    uri = text_of(content.get("url")) or text_of(sealed.get("url"))
    file = None
    if uri:
        name = text_of(content.get("filename")) or text_of(content.get("body"))
        file = ShownFile(name, text_of(info.get("mimetype")), number(info.get("size")), uri, dict(sealed) or None)
    return replace(
        part,
        form=form,
        plain=plain,
        line=line,
        nameless=nameless,
        words=excerpt(content),
        name=text_of(mapping(content.get("com.beeper.per_message_profile")).get("displayname")),
        notice=content.get("msgtype") == "m.notice",
        file=file,
    )


def _state(kind: str, event: Json, content: Json, time: int) -> Tells | None:
    if kind == "m.room.pinned_events":
        pinned = content.get("pinned")
        events = pinned if isinstance(pinned, list) else []
        return Pinned(tuple(one for one in events if isinstance(one, str)), time)
    if kind == "m.room.topic":
        return Described(text_of(content.get("topic")), time)
    if kind == "m.room.member":
        user, membership = text_of(event.get("state_key")), text_of(content.get("membership"))
        return Entered(user, membership, text_of(content.get("displayname")), time)
    return None


def _key(content: Json, relation: Json) -> str:
    """Return how a reaction is told from others, as `Expecting` does from Slack's name."""
    key = text_of(content.get("shortcode")) or text_of(relation.get("key"))
    named = emoji.NAMED.fullmatch(key)
    return (emoji.unicode_of(named[1]) or key) if named else key
