"""What somebody asks of the bot, as frozen values; a channel or portal that is left out is that of the room."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Way = Literal["both", "to_matrix", "to_slack"]


@dataclass(frozen=True, slots=True)
class Help:
    """Say what can be asked, of one command where it is named."""

    topic: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """Say how a portal does, or the whole bridge where the room is none."""

    portal: str = ""


@dataclass(frozen=True, slots=True)
class ListPortals:
    """Say which portals there are."""


@dataclass(frozen=True, slots=True)
class Bridge:
    """Bridge a channel into a new room."""

    channel: str
    workspace: str = ""
    direction: Way | None = None


@dataclass(frozen=True, slots=True)
class ChangePortal:
    """End, pause or resume a portal."""

    what: Literal["remove", "pause", "resume"]
    portal: str = ""


@dataclass(frozen=True, slots=True)
class Plumb:
    """Ask to join this very room to a channel."""

    channel: str
    workspace: str = ""
    direction: Way | None = None


@dataclass(frozen=True, slots=True)
class ConfirmPlumb:
    """Join the room, as was explained with this code."""

    code: str


@dataclass(frozen=True, slots=True)
class InviteMe:
    """Invite whoever asks into a portal's room."""

    portal: str


@dataclass(frozen=True, slots=True)
class InviteBot:
    """Have the bot join a channel in Slack."""

    channel: str
    workspace: str = ""


@dataclass(frozen=True, slots=True)
class AskLink:
    """Ask to be linked to an account of Slack."""

    user: str
    workspace: str = ""


@dataclass(frozen=True, slots=True)
class ConfirmLink:
    """Prove by the code that was sent there that the account of Slack is one's own."""

    code: str


@dataclass(frozen=True, slots=True)
class LinkPerson:
    """Link somebody of Slack to an account of Matrix."""

    user: str
    account: str
    workspace: str = ""


@dataclass(frozen=True, slots=True)
class Unlink:
    """End one's own link, or that of a person of Slack."""

    user: str = ""
    workspace: str = ""


@dataclass(frozen=True, slots=True)
class Connect:
    """Ask for the link by which one connects one's own account of Slack, to write there as oneself."""

    workspace: str = ""


@dataclass(frozen=True, slots=True)
class Disconnect:
    """Write in Slack as oneself no more."""


@dataclass(frozen=True, slots=True)
class InstallLink:
    """Ask for the link by which the app is installed to a workspace by consent."""

    workspace: str = ""


@dataclass(frozen=True, slots=True)
class Talk:
    """Talk directly in Slack with one person or several: ids of Slack, or of their ghosts."""

    people: tuple[str, ...]
    workspace: str = ""


@dataclass(frozen=True, slots=True)
class Consent:
    """Agree that one's direct messages cross, or no longer."""

    given: bool


@dataclass(frozen=True, slots=True)
class ListParked:
    """Say what could not be delivered."""


@dataclass(frozen=True, slots=True)
class ChangeParked:
    """Try a parked message again, or give it up."""

    what: Literal["retry", "drop"]
    number: int


@dataclass(frozen=True, slots=True)
class ImportStatus:
    """Say how far an import is, the newest one where none is named."""

    number: int | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """Say how what a portal shows is proven."""

    portal: str = ""


@dataclass(frozen=True, slots=True)
class Console:
    """Give a link by which one signs in to the console."""


Command = (
    Help
    | Status
    | ListPortals
    | Bridge
    | ChangePortal
    | Plumb
    | ConfirmPlumb
    | InviteMe
    | InviteBot
    | AskLink
    | ConfirmLink
    | LinkPerson
    | Unlink
    | Connect
    | Disconnect
    | InstallLink
    | Talk
    | Consent
    | ListParked
    | ChangeParked
    | ImportStatus
    | Report
    | Console
)
