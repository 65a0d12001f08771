"""What a decision may know: the portal, the people and what was relayed before.

`needs` (in `portals.relay`) names what an event touches as a `Needs`; the shell answers with `Facts`. Both are values:
a decision never asks, it only reads.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from portals.crossing.policy import OPEN, Policy, Standing
from portals.crossing.waiting import NOTHING_WAITS, Waiting
from portals.ids import NO_TS, ChannelId, EventId, GhostNames, MatrixUserId, PortalId, RoomId, SlackUserId, TeamId, Ts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portals.avatars import AvatarAddresses
    from portals.events import AuthorProfile, MatrixMessage, RunningPoll, SlackFile


class Direction(StrEnum):
    """Which way a portal relays."""

    BOTH = "both"
    TO_MATRIX = "to_matrix"
    TO_SLACK = "to_slack"


class PortalState(StrEnum):
    """Where a portal is in its life; only a live one relays, a paused one keeps all waiting.

    One whose past is brought over keeps what is new from Slack waiting until that is in. A frozen one has moved to
    Matrix, and what people still write in Slack comes across; an archived one holds the past alone, and nothing new
    comes.
    """

    PLANNED = "planned"
    IMPORTING = "importing"
    LIVE = "live"
    PAUSED = "paused"
    FROZEN = "frozen"
    ARCHIVED = "archived"
    REMOVED = "removed"


class PortalKind(StrEnum):
    """What a portal mirrors: a channel, a conversation of two or of a few, or the past of a channel that is in use."""

    CHANNEL = ""
    DM = "dm"
    GROUP_DM = "group_dm"
    HISTORY = "history"


class Origin(StrEnum):
    """The side on which a message was written."""

    SLACK = "slack"
    MATRIX = "matrix"


@dataclass(frozen=True, slots=True)
class Portal:
    """A channel and a room that mirror each other; a row, with no behaviour."""

    id: PortalId
    team: TeamId
    channel: ChannelId
    room: RoomId | None
    direction: Direction
    state: PortalState
    name: str = ""
    topic: str = ""
    private: bool = False
    target: str = "create"
    """Where the room comes from: `create`, an alias or a room id."""
    caught_up: int = 0
    """The newest gap of the workspace's stream that this portal has looked back over."""
    trouble: str = ""
    """Why the portal cannot be opened at present, in words for an admin; empty when all is well."""
    purpose: str = ""
    archived: bool = False
    kind: PortalKind = PortalKind.CHANNEL
    history: int = 0
    """The place up to which rows are walked while the portal's past is brought over."""

    @property
    def is_conversation(self) -> bool:
        """Whether a few people talk there directly, and nobody else gets into its room."""
        return self.kind in (PortalKind.DM, PortalKind.GROUP_DM)

    @property
    def has_moved(self) -> bool:
        """Whether the channel was cut over to Matrix: its room then goes its own way."""
        is_end = self.state is PortalState.ARCHIVED and self.kind is not PortalKind.HISTORY
        return is_end or self.state is PortalState.FROZEN


@dataclass(frozen=True, slots=True)
class Workspace:
    """A Slack workspace as the bridge is installed in it."""

    team: TeamId
    name: str
    bot_user: SlackUserId
    bot: SlackUserId
    app: str
    url: str = ""
    space: RoomId | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """A Slack person or bot, and how their ghost is called."""

    user: SlackUserId
    name: str
    ghost: MatrixUserId
    avatar_url: str = ""
    is_bot: bool = False
    deactivated: bool = False
    """Slack tells little of somebody who is gone: what was known of them before is better."""


@dataclass(frozen=True, slots=True)
class Account:
    """A Slack person's own Matrix account; `acts` says whether the bridge may act as it (double puppeting)."""

    id: MatrixUserId
    acts: bool = False


@dataclass(frozen=True, slots=True)
class Member:
    """A Matrix person as the room shows them."""

    user: MatrixUserId
    name: str
    avatar: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """One Slack message (or one part of it: a file's id, or the number of a piece) and the Matrix event that shows it.

    A deleted link stays, so that what was deleted is never sent again. `digest` and `version` tell whether a later
    state of the message differs from the one shown.
    """

    ts: Ts
    part: str
    event_id: EventId
    origin: Origin
    sender: MatrixUserId
    thread_ts: Ts | None = None
    digest: str = ""
    version: Ts = NO_TS
    deleted: bool = False
    hand: SlackUserId | None = None
    """The person of Slack as whom we posted it; None for the app."""
    shown: frozenset[str] = frozenset()
    """The names of states that we made on the side of its author, as that person, and that come back to us from there:
    digests of what Slack shows, ids of edits in the room."""


@dataclass(frozen=True, slots=True)
class ReactionLink:
    """One person's reaction, as both sides show it; `person` is a Slack id or a Matrix id, by its origin.

    `as_of` is when Slack said so; one that was `removed` is remembered for the sake of that alone.
    """

    ts: Ts
    emoji: str
    person: str
    event_id: EventId
    origin: Origin
    as_of: Ts = NO_TS
    removed: bool = False
    sender: MatrixUserId | None = None
    """The account of a person that made it for them; None for their ghost."""
    hand: SlackUserId | None = None
    """The person of Slack as whom we made it there; None for the app."""


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel that a message mentions, and its room when it has a portal."""

    id: ChannelId
    name: str
    room: RoomId | None = None


@dataclass(frozen=True, slots=True)
class BookmarkNotice:
    """The notice that shows a channel's bookmarks; `digest` names what it says."""

    event_id: EventId
    digest: str
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class Quoted:
    """The message that is to be quoted before an answer, and its author's name."""

    message: MatrixMessage
    name: str


@dataclass(frozen=True, slots=True)
class Rules:
    """What the configuration says about relaying."""

    allow_room_mention: bool = False
    allow_broadcast: bool = False
    reply_style: str = "thread"
    topic_to_slack: bool = True
    name_template: str = "{name}"
    max_file_size: int = 100 * 1024 * 1024
    refused_types: tuple[str, ...] = ()
    allowed_types: tuple[str, ...] = ()
    avatars: AvatarAddresses | None = None
    """Where Slack finds the pictures of Matrix people; None shows none."""
    invite: bool = True
    """Whether people are invited in their own accounts where the bridge may not act as them."""
    moved: str = ""
    """What somebody is told who still writes in a channel that has moved; `{link}` leads to its room."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What must be known before an event can be decided."""

    slack_users: frozenset[SlackUserId] = frozenset()
    matrix_users: frozenset[MatrixUserId] = frozenset()
    channels: frozenset[ChannelId] = frozenset()
    rooms: frozenset[RoomId] = frozenset()
    usergroups: frozenset[str] = frozenset()
    emoji: frozenset[str] = frozenset()
    links: frozenset[str] = frozenset()
    """Addresses of messages and places that may have a counterpart on the other side."""
    profiles: frozenset[AuthorProfile] = frozenset()
    """What authors are called, as their messages tell: no event says when a bot's name changes, and no method tells of
    every stranger."""
    icons: frozenset[str] = frozenset()
    """Addresses of the icons that bots gave single messages."""
    files: frozenset[str] = frozenset()
    """Files of which Slack's message tells only the id."""
    pictures: frozenset[str] = frozenset()
    """Addresses of Matrix media that may be the picture of a custom emoji."""
    messages: frozenset[Ts] = frozenset()
    """Slack messages whose links are needed."""
    events: frozenset[EventId] = frozenset()
    """Matrix events whose links are needed."""
    quoted: MatrixMessage | None = None
    """A message before which what it answers may be quoted, or an edit of such a one."""
    poll: EventId | None = None
    """A poll whose votes are needed."""
    targets: frozenset[str] = frozenset()
    """Those of `messages` and `events` that must exist already: an edit's, answer's or reaction's object."""
    description: bool = False
    """Whether what the portal's topic and purpose mention is needed."""
    broadcaster: MatrixUserId | None = None
    """Who mentions the whole room: whether they may notify it is needed."""
    bookmarks: bool = False
    """Whether the notice of the channel's bookmarks is needed."""
    speaker: MatrixUserId | None = None
    """Who wants to be heard in Slack: by which hand is needed, and their power where the policy asks for any."""
    author: SlackUserId | None = None
    """Who wants to be heard in Matrix: their standing is needed where the policy tells people apart."""
    writer: SlackUserId | None = None
    """Who may still write in a channel that has moved: when it did is needed, if they were not told so yet."""
    whole: bool = False
    """Whether the other parts of these messages and events are needed: a message's files, an event's further pieces."""
    reactions: bool = False
    """Whether the reactions on these messages and events are needed."""
    tails: frozenset[Ts] = frozenset()
    """Threads whose first and newest event are needed."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known; a missing entry means that nobody knows."""

    names: GhostNames
    workspace: Workspace
    rules: Rules = field(default_factory=Rules)
    policy: Policy = OPEN
    waiting: Waiting = NOTHING_WAITS
    power: int | None = None
    """The speaker's power in the room, where it was needed and is known."""
    lookalikes: frozenset[SlackUserId] = frozenset()
    """Whom of the workspace the speaker's name could be confused with."""
    hand: SlackUserId | None = None
    """The person of Slack as whom the speaker writes there, by a token of their own; None has the app write."""
    closed: str = ""
    """Why nothing crosses at present in a direct conversation; empty where all that does is decided by the rest."""
    standing: Standing = Standing.MEMBER
    """How the author stands to the workspace, where it was needed."""
    people: Mapping[SlackUserId, Person] = field(default_factory=dict)
    accounts: Mapping[SlackUserId, Account] = field(default_factory=dict)
    members: Mapping[MatrixUserId, Member] = field(default_factory=dict)
    channels: Mapping[ChannelId, Channel] = field(default_factory=dict)
    rooms: Mapping[RoomId, Channel] = field(default_factory=dict)
    usergroups: Mapping[str, str] = field(default_factory=dict)
    emoji: Mapping[str, str] = field(default_factory=dict)
    """By the name of a custom emoji its `mxc:` address, or the standard emoji that it is an alias of."""
    permalinks: Mapping[str, str] = field(default_factory=dict)
    """The counterpart of each address that has one."""
    icons: Mapping[str, str] = field(default_factory=dict)
    """The `mxc:` address of each icon that could be brought over."""
    files: Mapping[str, SlackFile] = field(default_factory=dict)
    pictures: Mapping[str, str] = field(default_factory=dict)
    """Slack's name of the custom emoji whose picture lies at each address."""
    links: tuple[Link, ...] = ()
    """The links of every message and event that was asked for, oldest first."""
    reactions: tuple[ReactionLink, ...] = ()
    """The reactions on every message and event that was asked for, and those that are such an event."""
    quoted: Quoted | None = None
    bookmarks: BookmarkNotice | None = None
    may_broadcast: bool = False
    """Whether the one who mentions the whole room may notify it."""
    poll: RunningPoll | None = None
    moved_at: Ts | None = None
    """When the channel moved, where the writer was not told so yet."""
    tails: Mapping[Ts, tuple[EventId, EventId]] = field(default_factory=dict)
    """The first and the newest event of each thread that was asked for."""

    def sender(self, user: SlackUserId) -> MatrixUserId:
        """Return who speaks for a Slack author: the person's own account where the bridge may act as it, or a ghost."""
        return self.puppet(user) or self.names.ghost(self.workspace.team, user)

    def puppet(self, user: SlackUserId) -> MatrixUserId | None:
        """Return the account of a Slack person as which the bridge may act."""
        account = self.accounts.get(user)
        return account.id if account is not None and account.acts else None

    def stand_in(self, user: SlackUserId, sender: MatrixUserId) -> MatrixUserId | None:
        """Return the ghost that acts for a Slack author where the sender, an account of theirs, may not."""
        ghost = self.names.ghost(self.workspace.team, user)
        return None if self.names.is_ours(sender) else ghost

    def of_message(self, ts: Ts) -> tuple[Link, ...]:
        """Return the links of a Slack message, its parts in the order in which they were sent."""
        return tuple(link for link in self.links if link.ts == ts)

    def of_event(self, event_id: EventId) -> tuple[Link, ...]:
        """Return the links of a Matrix event: several when it was split for Slack."""
        return tuple(link for link in self.links if link.event_id == event_id)
