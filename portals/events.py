"""What happened, on either side, as frozen values.

The readers in `portals.reading` make these of foreign JSON; nothing further in sees a foreign dictionary again, but for
the content of a Matrix message, which `portals.text` opens when its turn comes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from portals.ids import NO_TS, ChannelId, EventId, MatrixUserId, RoomId, SlackUserId, Ts

if TYPE_CHECKING:
    from portals.text import Document

Json = Mapping[str, Any]  # Any: foreign JSON, opened by portals.text alone
NameKind = Literal["emoji", "usergroup"]
"""What a workspace gives names to besides people and channels."""


@dataclass(frozen=True, slots=True)
class AuthorProfile:
    """What a message tells of who wrote it: a name, and the address of a picture where there is one."""

    user: SlackUserId
    name: str
    picture: str = ""
    is_bot: bool = False


@dataclass(frozen=True, slots=True)
class SlackAuthor:
    """Who wrote a Slack message: a person, or a bot with the name and icon of this very message.

    `icon` is the address of a picture; `icon_emoji` is the name of an emoji in its place. `profile` is there where the
    message tells what its author is called at the time: a bot, or a person whom another workspace brings along.
    """

    id: SlackUserId
    is_bot: bool = False
    name: str = ""
    icon: str = ""
    icon_emoji: str = ""
    profile: AuthorProfile | None = None


@dataclass(frozen=True, slots=True)
class SlackPicture:
    """A thumbnail that Slack made; width and height are 0 and the type empty where it does not tell them."""

    url: str
    width: int = 0
    height: int = 0
    mimetype: str = ""


@dataclass(frozen=True, slots=True)
class SlackFile:
    """A file of a Slack message; `size` in bytes, `url` wants the bot's token, `refusal` tells why there is none.

    One with a `kind` has no bytes to bring over: it is kept at `link`, as what the kind says (a canvas, Google Drive).
    One that `must_ask` was shared by another workspace and is told by files.info alone. `snippet` is the whole text of
    a short one. `waveform` runs from 0 to 100. `alt` says what can be seen, to those who do not see it.
    """

    id: str
    name: str
    mimetype: str
    size: int
    url: str
    width: int = 0
    height: int = 0
    duration_ms: int = 0
    permalink: str = ""
    refusal: str = ""
    must_ask: bool = False
    kind: str = ""
    link: str = ""
    snippet: str | None = None
    language: str = ""
    thumbnail: SlackPicture | None = None
    animated: bool = False
    voice: bool = False
    waveform: tuple[int, ...] = ()
    alt: str = ""


@dataclass(frozen=True, slots=True)
class SlackMessage:
    """A message as it stands: new, changed, or seen again in the channel's history.

    `changed` says that Slack announced a change of it; `historic` that it was read back from history. `version` orders
    the changes of one message, `digest` names what its text says. `system` is the subtype of what nobody wrote: Slack's
    own message about something that its author did; it is shown for certain where it is `announced`. `edited` says that
    its author has edited it, now or before.
    """

    source: str
    channel: ChannelId
    ts: Ts
    author: SlackAuthor
    document: Document
    files: tuple[SlackFile, ...] = ()
    thread_ts: Ts | None = None
    broadcast: bool = False
    emote: bool = False
    own: bool = False
    changed: bool = False
    historic: bool = False
    version: Ts = NO_TS
    digest: str = ""
    system: str = ""
    announced: bool = False
    edited: bool = False


@dataclass(frozen=True, slots=True)
class SlackDeletion:
    """A message was deleted in Slack."""

    source: str
    channel: ChannelId
    ts: Ts


@dataclass(frozen=True, slots=True)
class SlackReaction:
    """A person added or removed a reaction; `name` is Slack's emoji name with its tone, without colons.

    `as_of` is when that was so; `historic` says that it was read back from history, with the message's own time.
    """

    source: str
    channel: ChannelId
    ts: Ts
    user: SlackUserId
    name: str
    added: bool
    as_of: Ts = NO_TS
    historic: bool = False


@dataclass(frozen=True, slots=True)
class SlackMembership:
    """A person joined or left a channel; `historic` says that it was told from how the channel stands."""

    source: str
    channel: ChannelId
    user: SlackUserId
    joined: bool
    historic: bool = False


@dataclass(frozen=True, slots=True)
class SlackBotMembership:
    """The bridge's own bot was invited to a channel, or removed from it."""

    source: str
    channel: ChannelId
    joined: bool


@dataclass(frozen=True, slots=True)
class SlackPin:
    """A message was pinned to its channel, or taken off."""

    source: str
    channel: ChannelId
    ts: Ts
    pinned: bool


@dataclass(frozen=True, slots=True)
class Bookmark:
    """A bookmark of a channel: its title, the address that it leads to, its emoji's name; each may be empty."""

    title: str
    link: str = ""
    emoji: str = ""


@dataclass(frozen=True, slots=True)
class SlackBookmarks:
    """All bookmarks of a channel, as they were read."""

    source: str
    channel: ChannelId
    bookmarks: tuple[Bookmark, ...]


@dataclass(frozen=True, slots=True)
class SlackChannelChange:
    """Something about the channel itself changed; only what changed is not None. A deleted channel is archived too."""

    source: str
    channel: ChannelId
    name: str | None = None
    topic: str | None = None
    purpose: str | None = None
    archived: bool | None = None
    private: bool | None = None
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class SlackPersonChange:
    """A person's profile changed; the directory reads it anew from `profile`."""

    source: str
    profile: Json


@dataclass(frozen=True, slots=True)
class SlackChannelIdChange:
    """A channel has another id from now on: Slack gives one to a private channel that is shared with others."""

    source: str
    old: ChannelId
    new: ChannelId


@dataclass(frozen=True, slots=True)
class SlackTokensEnd:
    """Slack says that tokens by which the app acts as these people are no longer good, or `all` that it has."""

    source: str
    users: tuple[SlackUserId, ...] = ()
    all: bool = False


@dataclass(frozen=True, slots=True)
class SlackNamesChange:
    """Custom emoji or user groups changed: those `given` have these values now, those `gone` exist no more.

    Without either, Slack does not say enough, and all of the kind are to be read anew.
    """

    source: str
    kind: NameKind
    given: tuple[tuple[str, str], ...] = ()
    gone: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SlackFileCame:
    """A file of a message is here by now; a notice may be shown in its place."""

    source: str
    channel: ChannelId
    ts: Ts
    file: SlackFile


@dataclass(frozen=True, slots=True)
class MatrixFile:
    """The file of a Matrix message; `size` in bytes as the sender claims, 0 when unsaid.

    `encryption` is what its reader needs to decrypt it (client-server API, "Sending encrypted attachments"), `alt` says
    what can be seen.
    """

    uri: str
    name: str
    mimetype: str
    size: int
    encryption: Json | None = None
    alt: str = ""


@dataclass(frozen=True, slots=True)
class Poll:
    """A question with its answers as (id, words); `most` is how many of them one person may choose."""

    question: str
    answers: tuple[tuple[str, str], ...]
    most: int = 1


@dataclass(frozen=True, slots=True)
class Ballot:
    """One person's vote at one time (milliseconds), by the ids of the answers."""

    voter: MatrixUserId
    at: int
    chosen: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunningPoll:
    """A poll with every vote that was cast, oldest first, the invalid ones as well; moderators may close it too."""

    poll: Poll
    author: MatrixUserId
    ballots: tuple[Ballot, ...]
    moderators: frozenset[MatrixUserId]


@dataclass(frozen=True, slots=True)
class MatrixMessage:
    """A message (or its edit, when `edits` is set: `content` is then the new content); `poll` where it begins one."""

    source: str
    room: RoomId
    event_id: EventId
    sender: MatrixUserId
    content: Json
    file: MatrixFile | None = None
    edits: EventId | None = None
    thread_root: EventId | None = None
    reply_to: EventId | None = None
    encrypted: bool = False
    poll: Poll | None = None


@dataclass(frozen=True, slots=True)
class MatrixPollEnd:
    """A poll was closed, at a time in milliseconds."""

    source: str
    room: RoomId
    event_id: EventId
    sender: MatrixUserId
    poll: EventId
    at: int


@dataclass(frozen=True, slots=True)
class MatrixReaction:
    """A reaction to an event; `key` is what the sender chose, mostly an emoji, `shortcode` names a custom one."""

    source: str
    room: RoomId
    event_id: EventId
    sender: MatrixUserId
    target: EventId
    key: str
    shortcode: str = ""


@dataclass(frozen=True, slots=True)
class MatrixRedaction:
    """An event was redacted."""

    source: str
    room: RoomId
    event_id: EventId
    sender: MatrixUserId
    target: EventId


@dataclass(frozen=True, slots=True)
class MatrixMembership:
    """A user's membership or profile in a room changed; `membership` is the spec's word for it."""

    source: str
    room: RoomId
    sender: MatrixUserId
    user: MatrixUserId
    membership: str
    name: str = ""
    avatar: str = ""
    is_direct: bool = False
    """Whether it invites into a room for talking directly."""


@dataclass(frozen=True, slots=True)
class MatrixPins:
    """The room's pinned events changed; `pinned` are all that are pinned now."""

    source: str
    room: RoomId
    event_id: EventId
    sender: MatrixUserId
    pinned: tuple[EventId, ...]
    added: tuple[EventId, ...]
    removed: tuple[EventId, ...]


@dataclass(frozen=True, slots=True)
class MatrixTopic:
    """The room's topic was set."""

    source: str
    room: RoomId
    event_id: EventId
    sender: MatrixUserId
    topic: str


@dataclass(frozen=True, slots=True)
class Ignored:
    """Nothing that concerns the bridge, or nothing that it could understand; the reason is logged."""

    reason: str


@dataclass(frozen=True, slots=True)
class Undeliverable:
    """Something that belongs on the other side and cannot go there; its author is told the reason."""

    reason: str


SlackEvent = (
    SlackMessage
    | SlackDeletion
    | SlackReaction
    | SlackMembership
    | SlackBotMembership
    | SlackPin
    | SlackBookmarks
    | SlackChannelChange
    | SlackPersonChange
    | SlackNamesChange
    | SlackChannelIdChange
    | SlackTokensEnd
    | SlackFileCame
)
MatrixEvent = (
    MatrixMessage | MatrixPollEnd | MatrixReaction | MatrixRedaction | MatrixMembership | MatrixPins | MatrixTopic
)
Event = SlackEvent | MatrixEvent
