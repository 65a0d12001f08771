"""What requests of the API say, and those of its answers that are no values of the administration itself."""

# No `from __future__ import annotations`: pydantic evaluates these annotations while the classes are made.
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from bridge.administration.moving import PATIENCE
from bridge.administration.papers import NEWEST, ShownPaper
from bridge.administration.parked import ShownParked
from bridge.administration.portals import ShownPortal
from bridge.api.contract import Asked
from config.values import MatrixRoom
from portals.facts import Direction, PortalState
from portals.readiness import Weight

Item = TypeVar("Item")

MOST = 500
_LONGEST = 255


def _plain(text: str) -> str:
    if not text.isprintable():
        raise ValueError("only printable characters are allowed")
    return text


Word = Annotated[str, Field(min_length=1, max_length=_LONGEST), AfterValidator(_plain)]
Limit = Annotated[int, Field(ge=1, le=MOST, description="At most so many.")]
Number = Annotated[int, Field(ge=1, lt=2**63)]
Cursor = Annotated[int, Field(ge=0, lt=2**63, description="The `next` of the page before.")]
Team = Annotated[str, Field(pattern=r"^[TE][A-Z0-9]{2,31}$", description="The workspace's id in Slack.")]
Channel = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]{2,31}(-history)?$", description="The channel's id in Slack.")]
Person = Annotated[str, Field(pattern=r"^[UW][A-Z0-9]{2,31}$", description="The person's id in Slack.")]


class Page(BaseModel, Generic[Item]):
    """Some of a list; `next` is the `after` of the next page, null on the last one."""

    items: list[Item]
    next: str | None


# --- requests


class Body(BaseModel):
    """What stands in a request's body; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class OfPage(Asked):
    """A page of a list."""

    after: Cursor = 0
    limit: Limit = 100


class OfPortals(OfPage):
    """Which portals."""

    state: PortalState | None = None
    search: Annotated[str, Field(max_length=_LONGEST), AfterValidator(_plain)] = Field(
        default="", description="Part of the channel's name or id, or of the room's."
    )


class OfPortal(Asked):
    """Which portal."""

    team: Team
    channel: Channel


class NewPortal(Body):
    """A channel to bridge."""

    channel: Word = Field(description="Its name or id.")
    workspace: Word | None = Field(default=None, description="Its name in the configuration or its id, T…")
    matrix: MatrixRoom | None = Field(
        default=None, description="`create`, or the alias or id of a room that the bot may join."
    )
    direction: Direction | None = None


class OfParked(OfPage):
    """Which parked messages."""

    portal: Word | None = Field(
        default=None, description="Those of this portal alone: its channel's name or id, or its room."
    )


class OfHeld(OfParked):
    """Which messages that wait."""


class OfNumber(Asked):
    """Which one."""

    number: Number


class OfPeople(Asked):
    """Which people."""

    workspace: Word | None = Field(default=None, description="Its name or id; may be left out where there is only one.")
    after: Annotated[str, Field(max_length=_LONGEST), AfterValidator(_plain)] = Field(
        default="", description="The `next` of the page before."
    )
    limit: Limit = 100
    linked: bool | None = Field(default=None, description="Only the linked, or only the others.")
    search: Annotated[str, Field(max_length=_LONGEST), AfterValidator(_plain)] = Field(
        default="", description="Part of a name, an id or an account."
    )


class OfPerson(Asked):
    """Which person."""

    team: Team
    user: Person


class NewLink(Body):
    """The account that a person has."""

    matrix_id: Word = Field(description="`@name:server`")


class OfRecord(Asked):
    """Which record."""

    id: Annotated[str, Field(pattern=r"^[qp][0-9]{1,18}$")]


class Channels(Body):
    """Channels that move together."""

    channels: list[Word] = Field(min_length=1, max_length=MOST, description="Each by its name or id.")


class OfPlan(Channels):
    """Channels whose move is to be planned, and how they would be frozen."""

    topic: bool = Field(default=True, description="Have the channel's topic lead to the room.")
    archive: bool = Field(default=False, description="Archive the channel in Slack, too.")


class Ordered(Channels):
    """An order for channels."""

    wait: Annotated[int, Field(ge=0, le=86_400)] = Field(
        default=int(PATIENCE), description="Seconds to wait for what must still come across, and for what is away."
    )


class Announcement(Ordered):
    """Telling both sides when channels will move."""

    date: Word = Field(description="When it will be, in the words that people are to read.")


class Freeze(OfPlan, Ordered):
    """Bringing the rest across, then relaying nothing more to Slack."""

    anyway: bool = Field(default=False, description="Although messages are parked or in quarantine, or history lacks.")


class Finish(Ordered):
    """Proving it, attaching the report, and ending the move for good."""

    for_good: Literal[True] = Field(description="This cannot be undone.")
    report: bool = Field(default=True, description="Prove first, by the exports that were imported.")
    accept_differences: bool = Field(default=False, description="Although the report leaves something unexplained.")


class OfPapers(Asked):
    """A page of plans and reports, the newest first."""

    after: Cursor = NEWEST
    limit: Limit = 100


# --- answers


class PaperWhole(BaseModel):
    """A plan or report, and its page."""

    paper: ShownPaper
    html: str


class Finding(BaseModel):
    """One thing to know before a channel moves: `stop` must be mended first, `loss` may be accepted."""

    weight: Weight
    what: str
    remedy: str


class BothWays(BaseModel):
    """Messages, by direction."""

    to_matrix: int
    to_slack: int


class PeopleOfChannel(BaseModel):
    """A channel's people, without bots."""

    members: int
    in_the_room: int
    not_in_the_room: list[str] = Field(description="The accounts of those who are linked and not in the room.")
    without_account: list[str] = Field(description="The names of those who are not linked.")


class HistoryOfChannel(BaseModel):
    """What an import says of a channel."""

    model_config = ConfigDict(serialize_by_alias=True)

    number: int = Field(alias="import")
    state: str
    reason: str


class ChannelInSlack(BaseModel):
    """A channel as Slack shows it to the bot."""

    archived: bool
    bot_is_member: bool


class MovePlan(BaseModel):
    """What the move of one channel would do, and what stands against it; nothing was changed."""

    team: str
    channel: str
    name: str
    room: str | None
    state: str
    phase: str
    ready: bool
    findings: list[Finding]
    waiting: BothWays
    parked: BothWays
    quarantined: int
    people: PeopleOfChannel | None
    history: HistoryOfChannel | None
    slack: ChannelInSlack | None = Field(description="Null where the workspace is known by its export alone.")
    topic: str = Field(description="The topic that the channel would get.")
    announce: list[str]
    freeze: list[str]


class PortalMade(BaseModel):
    """A portal, and whether it was there before."""

    portal: ShownPortal
    was_there: bool


class ParkedWhole(BaseModel):
    """A parked message with its content."""

    parked: ShownParked
    event: Any = Field(description="What Slack or the homeserver delivered.")


class LinkMade(BaseModel):
    """A link, and whether it is new."""

    slack_id: str
    matrix_id: str
    new: bool


class LinkEnded(BaseModel):
    """A link that there is no more."""

    slack_id: str
    matrix_id: str


class FilesOfImport(BaseModel):
    """The files of a workspace, in bytes and numbers."""

    here: int
    waiting: int
    absent: int
    bytes: int
    bytes_waiting: int
    bytes_per_second: int | None


class ChannelOfImport(BaseModel):
    """One channel of an import."""

    id: str
    name: str
    state: str
    records: int
    taken: int
    shown: int
    waiting: int
    reason: str


class ImportStatus(BaseModel):
    """How far an import is."""

    model_config = ConfigDict(serialize_by_alias=True)

    number: int = Field(alias="import")
    state: str
    source: str
    records: int
    shown: int
    waiting: int
    quarantined: int
    records_per_second: float | None
    seconds_left: int | None
    files: FilesOfImport
    channels: list[ChannelOfImport]


class QuarantinedRecord(BaseModel):
    """A record that could not be taken; never what it says."""

    id: str
    channel: str
    where: str
    reason: str


class RecordTried(BaseModel):
    """A record that was tried again, and why it stays, if it does."""

    id: str
    stays: str
