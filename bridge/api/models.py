"""What requests of the API say, and those of its answers that are no values of the administration itself."""

# No `from __future__ import annotations`: pydantic evaluates these annotations while the classes are made.
from typing import Annotated, Any, Generic, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from bridge.administration.papers import NEWEST, ShownPaper
from bridge.administration.parked import ShownParked
from bridge.administration.portals import ShownPortal
from bridge.api.contract import Asked
from config.values import MatrixRoom
from portals.facts import Direction, PortalState

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


class OfPapers(Asked):
    """A page of plans and reports, the newest first."""

    after: Cursor = NEWEST
    limit: Limit = 100


# --- answers


class PaperWhole(BaseModel):
    """A plan or report, and its page."""

    paper: ShownPaper
    html: str


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
