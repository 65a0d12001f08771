"""What to do: each action is a value with a deterministic key, complete enough to be performed after a restart.

An action is written to the outbox before it is performed, as JSON (`encode`, `decode`), and says in `record` what the
ledger must know once it is done. What has a `hand` is done in Slack as that person, by a token of theirs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

from portals.crossing.records import RecordHeld, RecordHeldEnd, RecordNotice

if TYPE_CHECKING:
    from portals.ids import ActionKey, ChannelId, EventId, MatrixUserId, RoomId, SlackUserId, Ts

Content = Mapping[str, Any]  # Any: the JSON of a Matrix event or of Slack's blocks, made by portals.text

STAMP = "dev.causeway.key"
"""The field of a Matrix event's content that holds its action's key, so that a lost answer can be settled."""
SOURCE = "dev.causeway.slack"
"""The field of a Matrix event's content that names the Slack message of which it is a part, for whoever proves later
that nothing was lost: `team`, `channel`, `ts`, and `part` where it is not the text."""


@dataclass(frozen=True, slots=True)
class RecordLink:
    """Remember that a message is shown on the other side; the id that the action yields completes it.

    An action towards Matrix knows `ts` and yields the event id; one towards Slack knows `event_id` and yields the ts.
    `hand` is the person of Slack as whom it was posted there; empty for the app.
    """

    origin: str
    sender: str
    part: str = ""
    ts: str = ""
    event_id: str = ""
    thread_ts: str | None = None
    digest: str = ""
    version: str = ""
    hand: str = ""


@dataclass(frozen=True, slots=True)
class RecordReaction:
    """Remember a reaction; towards Matrix the action yields the event id, towards Slack it is known.

    `as_of` is when Slack says that it was so: what an older source tells does not undo it. `sender` is the account of a
    person that made it for them in Matrix, `hand` the person of Slack as whom it was made there.
    """

    origin: str
    ts: str
    emoji: str
    person: str
    event_id: str = ""
    as_of: str = ""
    sender: str = ""
    hand: str = ""


@dataclass(frozen=True, slots=True)
class RecordEdit:
    """Remember which state of a message is shown now; `shown` are the names of states that come back to us.

    Where that is None, the action yields the name of one more such state, and nothing else is remembered.
    """

    ts: str
    digest: str
    version: str
    shown: str | None = ""


@dataclass(frozen=True, slots=True)
class RecordDeletion:
    """Remember that a message, or one part of it, is gone on both sides."""

    ts: str
    part: str | None = None


@dataclass(frozen=True, slots=True)
class RecordUnreaction:
    """Remember that a reaction was taken back, as of a time."""

    ts: str
    emoji: str
    person: str
    as_of: str = ""


@dataclass(frozen=True, slots=True)
class RecordChannel:
    """Remember what is known of the channel itself; None leaves it as it was."""

    name: str | None = None
    topic: str | None = None
    purpose: str | None = None
    archived: bool | None = None
    private: bool | None = None


@dataclass(frozen=True, slots=True)
class RecordPin:
    """Remember that a message is pinned in Slack, or no longer."""

    ts: str
    pinned: bool


@dataclass(frozen=True, slots=True)
class RecordBookmarks:
    """Remember the notice of a channel's bookmarks, none where `digest` is empty; the action yields a lacking id."""

    digest: str
    event_id: str = ""
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class RecordTrouble:
    """Remember why nothing comes from the channel; an empty text ends that, and what was missed is looked for."""

    trouble: str


@dataclass(frozen=True, slots=True)
class RecordTold:
    """Remember that a person was told that the channel has moved."""

    person: str


@dataclass(frozen=True, slots=True)
class RecordWithheld:
    """Remember in the audit log that a policy kept something from crossing: by which rule, and where it stands.

    With a `ts`, that part of the message counts as deleted from now on, so that it is not tried again.
    """

    rule: str
    subject: str
    ts: str = ""
    part: str = ""


Record = (
    RecordLink
    | RecordReaction
    | RecordEdit
    | RecordDeletion
    | RecordUnreaction
    | RecordChannel
    | RecordPin
    | RecordBookmarks
    | RecordTrouble
    | RecordTold
    | RecordWithheld
    | RecordHeld
    | RecordHeldEnd
    | RecordNotice
)
Told = RecordTold | RecordWithheld | RecordNotice
"""What is remembered of words to people: who cannot be told keeps nothing else from being done."""


@dataclass(frozen=True, slots=True)
class SendEvent:
    """Send an event into a room as one of our users; `ts` is its original time in milliseconds, for history.

    Where the sender is a person's own account, `ghost` is who sends in its place if the account may not.
    """

    key: ActionKey
    room: RoomId
    sender: MatrixUserId
    type: str
    content: Content
    ts: int | None = None
    record: Record | None = None
    ghost: MatrixUserId | None = None


@dataclass(frozen=True, slots=True)
class SendFile:
    """Bring a Slack file into Matrix and send it; `content`, an edit's too, lacks its `url`, which the transfer yields.

    So it does with `thumbnail`, the address of a smaller picture, where there is one.
    Where the file turns out to be unreachable for good, `fallback` is sent in its place with the reason appended.
    `ghost` is as in SendEvent.
    """

    key: ActionKey
    room: RoomId
    sender: MatrixUserId
    file_id: str
    url: str
    name: str
    mimetype: str
    size: int
    content: Content
    fallback: str
    thumbnail: str = ""
    ts: int | None = None
    record: Record | None = None
    ghost: MatrixUserId | None = None


@dataclass(frozen=True, slots=True)
class RedactEvent:
    """Redact an event; who redacts is one of our users with the right to."""

    key: ActionKey
    room: RoomId
    sender: MatrixUserId
    event_id: EventId
    ts: int | None = None
    record: Record | None = None


@dataclass(frozen=True, slots=True)
class SetState:
    """Set a state event of the room."""

    key: ActionKey
    room: RoomId
    sender: MatrixUserId
    type: str
    state_key: str
    content: Content
    record: Record | None = None


@dataclass(frozen=True, slots=True)
class ChangePins:
    """Pin a message to the room, or take it off; `events` are all the events that show it, any one of which will do."""

    key: ActionKey
    room: RoomId
    events: tuple[EventId, ...]
    pinned: bool
    record: Record | None = None


@dataclass(frozen=True, slots=True)
class CloseRoom:
    """Let only moderators speak in the room, or everybody again who could before."""

    key: ActionKey
    room: RoomId
    closed: bool
    record: Record | None = None


@dataclass(frozen=True, slots=True)
class SetMembership:
    """Have a ghost, or the own account of its person, join or leave the room; `ghost` is as in SendEvent."""

    key: ActionKey
    room: RoomId
    user: MatrixUserId
    joined: bool
    record: Record | None = None
    ghost: MatrixUserId | None = None


@dataclass(frozen=True, slots=True)
class ObeyCommand:
    """Do what a person asks the bot for, and answer in the room; `words` are theirs, `thread` is where they stand."""

    key: ActionKey
    room: RoomId
    sender: MatrixUserId
    event_id: EventId
    words: str
    thread: EventId | None = None
    record: Record | None = None


@dataclass(frozen=True, slots=True)
class PostMessage:
    """Post to a channel under a person's name; without `unfurl`, Slack shows no preview of what its links lead to."""

    key: ActionKey
    channel: ChannelId
    text: str
    blocks: tuple[Content, ...]
    username: str
    icon_url: str = ""
    thread_ts: Ts | None = None
    record: Record | None = None
    unfurl: bool = True
    hand: SlackUserId | None = None


@dataclass(frozen=True, slots=True)
class PostFile:
    """Bring a Matrix file into Slack and share it in a channel; `blocks` name its author where Slack shows the bot.

    `encryption` is the `file` object of an encrypted one, for whatever decrypts it on the way. `signed` are the blocks
    that name the author, for the bot to take up what a `hand` could not do. `alt` says what can be seen.
    """

    key: ActionKey
    channel: ChannelId
    uri: str
    name: str
    mimetype: str
    size: int
    blocks: tuple[Content, ...]
    encryption: Content | None = None
    thread_ts: Ts | None = None
    record: Record | None = None
    hand: SlackUserId | None = None
    signed: tuple[Content, ...] = ()
    alt: str = ""


@dataclass(frozen=True, slots=True)
class UpdateMessage:
    """Replace the text of a message of ours."""

    key: ActionKey
    channel: ChannelId
    ts: Ts
    text: str
    blocks: tuple[Content, ...]
    record: Record | None = None
    hand: SlackUserId | None = None


@dataclass(frozen=True, slots=True)
class DeleteMessage:
    """Delete a message of ours; where it `has_file`, the file goes too, which would outlive its message otherwise."""

    key: ActionKey
    channel: ChannelId
    ts: Ts
    record: Record | None = None
    has_file: bool = False
    thread_ts: Ts | None = None
    hand: SlackUserId | None = None


@dataclass(frozen=True, slots=True)
class AddReaction:
    """React to a message; `name` is Slack's emoji name, without colons."""

    key: ActionKey
    channel: ChannelId
    ts: Ts
    name: str
    record: Record | None = None
    hand: SlackUserId | None = None


@dataclass(frozen=True, slots=True)
class RemoveReaction:
    """Take a reaction of ours away."""

    key: ActionKey
    channel: ChannelId
    ts: Ts
    name: str
    record: Record | None = None
    hand: SlackUserId | None = None


@dataclass(frozen=True, slots=True)
class SetPin:
    """Pin a message to its channel, or take it off."""

    key: ActionKey
    channel: ChannelId
    ts: Ts
    pinned: bool
    record: Record | None = None


@dataclass(frozen=True, slots=True)
class SetTopic:
    """Set the channel's topic."""

    key: ActionKey
    channel: ChannelId
    topic: str
    record: Record | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """Only write something into the ledger: both sides already agree."""

    key: ActionKey
    record: Record | None = None


MatrixAction = SendEvent | SendFile | RedactEvent | SetState | ChangePins | CloseRoom | SetMembership | ObeyCommand
SlackAction = PostMessage | PostFile | UpdateMessage | DeleteMessage | AddReaction | RemoveReaction | SetPin | SetTopic
Action = MatrixAction | SlackAction | Note

_ACTIONS: Mapping[str, type[Action]] = {
    kind.__name__: kind
    for kind in (
        SendEvent,
        SendFile,
        RedactEvent,
        SetState,
        ChangePins,
        CloseRoom,
        SetMembership,
        ObeyCommand,
        PostMessage,
        PostFile,
        UpdateMessage,
        DeleteMessage,
        AddReaction,
        RemoveReaction,
        SetPin,
        SetTopic,
        Note,
    )
}
_RECORDS: Mapping[str, type[Record]] = {kind.__name__: kind for kind in get_args(Record)}


def encode(action: Action) -> dict[str, Any]:
    """Return the action with the names of its type and of its record's, for a JSON writer that knows dataclasses."""
    record = type(action.record).__name__ if action.record is not None else None
    return {"action": type(action).__name__, "record": record, "fields": action}


def decode(data: Mapping[str, Any]) -> Action:
    """Return the action that `encode` described, read back from JSON; raises KeyError on what is none of ours."""
    fields = dict(data["fields"])
    if data["record"] is not None:
        fields["record"] = _RECORDS[data["record"]](**fields["record"])
    fields |= {name: tuple(fields[name]) for name in ("blocks", "events", "signed") if name in fields}
    return _ACTIONS[data["action"]](**fields)
