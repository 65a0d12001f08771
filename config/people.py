"""The settings of Slack's people who have Matrix accounts of their own, and of acting as those accounts."""

# No `from __future__ import annotations`: pydantic evaluates these annotations while the classes are made.
from typing import Annotated, Literal

from pydantic import Field

from config.secrets import SharedToken
from config.section import Section
from config.values import Flag, Kind, Name, UserPattern


class DoublePuppet(Section):
    """Acting as people's own accounts: the homeserver lets the bridge do so by a second registration."""

    as_token: Annotated[SharedToken | None, Kind("secret")] = Field(
        default=None,
        description="What the bridge shows to the homeserver when it acts as somebody; blank switches all of this off.",
    )
    id: Name = Field(default="causeway-doublepuppet", description="That registration's name on the homeserver.")
    accounts: Annotated[tuple[UserPattern, ...], Kind("list of patterns", literal=False)] = Field(
        default=(),
        description="Accounts that the bridge may act as, with * and ?, like `@*:example.org`; [] is the whole server.",
    )


class People(Section):
    """Slack's people who have Matrix accounts of their own; `causeway people` says who is who."""

    email: Flag = Field(
        default=False,
        description="Whether the app asks Slack for people's e-mail addresses, by which `causeway people match` goes.",
    )
    invite: Flag = Field(
        default=True,
        description="Whether people's own accounts are invited to their channels' rooms, in place of their ghosts.",
    )
    direct_messages: Literal["everybody", "anybody"] = Field(
        default="everybody",
        description="Who of a direct message's people must have agreed before it may cross.",
    )
    live_direct_messages: Flag = Field(
        default=False,
        description="Whether who connects their own account of Slack has their direct messages in Matrix; "
        "asks for more.",
    )
