"""The settings of end-to-end encryption."""

# No `from __future__ import annotations`: pydantic evaluates these annotations while the classes are made.
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from config.secrets import SharedToken
from config.section import Section
from config.values import Duration, Kind, pattern, read_duration

RoomId = Annotated[str, AfterValidator(pattern(r"![^\s:]+(:\S+)?", "a room id", "write it as `!abc:example.org`"))]


class Encryption(Section):
    """End-to-end encryption of rooms, between Matrix and this bridge; what crosses to Slack, Slack reads."""

    key: Annotated[SharedToken | None, Kind("secret")] = Field(
        default=None,
        description="Seals the device keys in the database, so keep it elsewhere; blank switches encryption off.",
    )
    ghosts: Literal["own", "bridge"] = Field(
        default="own",
        description="Whether ghosts speak with verified devices of their own, or all with the bot's, to be warned of.",
    )
    otherwise: Annotated[tuple[RoomId, ...], Kind("list of room ids", literal=False)] = Field(
        default=(), description="Rooms in which ghosts speak the other way than `ghosts` says."
    )
    devices: Literal["all", "verified"] = Field(
        default="all",
        description="Whose devices get keys and are heard: `verified` leaves out those that their owners do not sign.",
    )
    keep: Duration = Field(
        default=read_duration("0s"),
        description="After how long without a message a session's key is given up, at least two rotations; 0s: never.",
    )
    wait: Duration = Field(
        default=read_duration("30s"),
        description="How long a message whose key did not come yet holds up those behind it; then it waits aside.",
    )
