"""The settings of what may cross: policies by name, of which a portal has one."""

# No `from __future__ import annotations`: pydantic evaluates these annotations while the classes are made.
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field

from config.holding import PolicyHold, PolicyQuiet, Words
from config.section import Section
from config.values import (
    Count,
    Duration,
    Flag,
    Kind,
    Name,
    Size,
    Text,
    TypeGlob,
    UserPattern,
    pattern,
    read_duration,
    wrong,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

DEFAULT = "default"

_HOST = AfterValidator(
    pattern(r"[\w.*?\[\]:-]+", "a pattern of host names", "write it like example.org or *.example.org")
)
HostGlob = Annotated[str, _HOST, Kind("host name")]
_SLACK_ID = AfterValidator(pattern(r"[A-Z0-9*?]+", "a pattern of Slack ids", "write ids such as U0123456789, or *"))
SlackIdGlob = Annotated[str, _SLACK_ID, Kind("Slack id")]
NameGlob = Annotated[str, AfterValidator(pattern(r"[^/\s]+", "a file name", "write it like *.exe")), Kind("file name")]

KINDS = ("text", "files", "links", "mentions", "broadcasts", "reactions", "edits", "deletions", "topics", "pins")
Kinds = Annotated[
    str, AfterValidator(pattern("|".join(KINDS), "a kind", f"write any of {', '.join(KINDS)}")), Kind("kind")
]


class FromMatrix(Section):
    """Which people of Matrix may write to Slack; each of these must let them."""

    power_level: Annotated[Count | None, Kind("whole number", int, literal=False)] = Field(
        default=None, description="The least power level in the room that it takes; blank asks for none."
    )
    users: Annotated[tuple[UserPattern, ...], Kind("list of patterns", literal=False)] = Field(
        default=("@*:*",), description="User ids of those who may, with * and ?."
    )
    deny_users: Annotated[tuple[UserPattern, ...], Kind("list of patterns", literal=False)] = Field(
        default=(), description="User ids of those who may not although they are among them."
    )
    servers: Annotated[tuple[HostGlob, ...], Kind("list of patterns", literal=False)] = Field(
        default=("*",), description="Homeservers whose people may, with * and ?."
    )
    deny_servers: Annotated[tuple[HostGlob, ...], Kind("list of patterns", literal=False)] = Field(
        default=(), description="Homeservers whose people may not although they are among them."
    )


class FromSlack(Section):
    """Which people of Slack may write to Matrix; each of these must let them."""

    members: Flag = Field(default=True, description="Whether members of the workspace may.")
    guests: Flag = Field(default=True, description="Whether its guests may, of one channel or of several.")
    bots: Flag = Field(default=True, description="Whether bots and workflows may.")
    strangers: Flag = Field(default=True, description="Whether people of other workspaces may, by Slack Connect.")
    users: Annotated[tuple[SlackIdGlob, ...], Kind("list of patterns", literal=False)] = Field(
        default=("*",), description="Slack ids of those who may, with * and ?."
    )
    deny_users: Annotated[tuple[SlackIdGlob, ...], Kind("list of patterns", literal=False)] = Field(
        default=(), description="Slack ids of those who may not although they are among them."
    )


class PolicyFiles(Section):
    """Which files may cross; what `files` says counts as well."""

    types: Annotated[tuple[TypeGlob, ...], Kind("list of types", literal=False)] = Field(
        default=("*/*",), description="Content types that may, with *; what a file really is must be among them too."
    )
    deny_types: Annotated[tuple[TypeGlob, ...], Kind("list of types", literal=False)] = Field(
        default=(), description="Content types that may not although they are among them."
    )
    names: Annotated[tuple[NameGlob, ...], Kind("list of patterns", literal=False)] = Field(
        default=("*",), description="File names that may, with * and ?, such as *.pdf."
    )
    deny_names: Annotated[tuple[NameGlob, ...], Kind("list of patterns", literal=False)] = Field(
        default=(), description="File names that may not although they are among them, such as *.exe."
    )
    max_size: Annotated[Size | None, Kind("size")] = Field(
        default=None, description="The largest file that may cross; blank leaves it at files.max_size."
    )


WAYS_IN = ("space", "knock", "public")
WayIn = Annotated[
    str, AfterValidator(pattern("|".join(WAYS_IN), "a way in", f"write any of {', '.join(WAYS_IN)}")), Kind("way in")
]


class PolicyRoom(Section):
    """What the room itself must be like, made by the bridge or not; `causeway check portal` tells what departs."""

    federate: Flag = Field(default=True, description="Whether it may be open to other homeservers at all.")
    servers: Annotated[tuple[HostGlob, ...], Kind("list of patterns", literal=False)] = Field(
        default=("*",), description="Homeservers that may take part in it, with * and ?; ours always may."
    )
    join: Annotated[tuple[WayIn, ...], Kind("list of ways in", literal=False)] = Field(
        default=WAYS_IN,
        description="Who may join besides the invited: the Space's members, who knocks and is let in, everybody.",
    )
    guests: Flag = Field(default=True, description="Whether people without an account may join.")
    history_visibility: Literal["joined", "invited", "shared", "world_readable"] = Field(
        default="world_readable", description="The most that may read earlier messages, in Matrix's words."
    )
    when_it_departs: Literal["tell", "mend"] = Field(
        default="tell",
        description="What the bridge does then: `tell` in the room and the audit log, or `mend` what it may as well.",
    )


class Policy(Section):
    """What may cross in the portals that have this policy; what is left out lets everything cross."""

    name: Name = Field(description="What a portal names it by; the one called `default` holds wherever none is named.")
    matrix: FromMatrix = Field(default=FromMatrix(), description=FromMatrix.__doc__)
    slack: FromSlack = Field(default=FromSlack(), description=FromSlack.__doc__)
    kinds: Annotated[tuple[Kinds, ...], Kind("list of kinds", literal=False)] = Field(
        default=KINDS,
        description="What crosses at all; without `mentions`, a mention becomes a plain name, without `broadcasts` "
        "(which need both that and `relay`'s consent), @channel and @room become plain words.",
    )
    files: PolicyFiles = Field(default=PolicyFiles(), description=PolicyFiles.__doc__)
    links: Annotated[tuple[HostGlob, ...], Kind("list of patterns", literal=False)] = Field(
        default=("*",), description="Hosts that may be linked to, with * and ?; others withhold the message."
    )
    words: Annotated[tuple[Words, ...], Kind("list of words", literal=False)] = Field(
        default=(),
        description="Words, phrases and marks that withhold a message, in any case and spelling, with * and ?.",
    )
    hold: PolicyHold = Field(default=PolicyHold(), description=PolicyHold.__doc__)
    quiet: PolicyQuiet = Field(default=PolicyQuiet(), description=PolicyQuiet.__doc__)
    banner: Flag = Field(
        default=False,
        description="Whether a pinned notice in the room says where messages go and what this policy does.",
    )
    room: PolicyRoom = Field(default=PolicyRoom(), description=PolicyRoom.__doc__)
    keep: Duration = Field(
        default=read_duration("0s"),
        description="For how long messages are kept by the room (m.room.retention) and the bridge's store; 0s: always.",
    )
    line: Text = Field(
        default="", description="What the other side is shown in place of a withheld message; blank shows nothing."
    )


def check_policies(
    policies: "Sequence[Policy]", named: "Sequence[tuple[tuple[str | int, ...], str | None, str]]"
) -> None:
    """Refuse policies of one name, and what is named and is none: by (place, policy or None, channel or nothing)."""
    names = [policy.name for policy in policies]
    for number, name in enumerate(names):
        if name in names[:number]:
            raise wrong(f"{name!r} is used twice", "give each its own name", at=("policies", number, "name"))
    for at, chosen, channel in named:
        if chosen is None:
            continue
        if chosen not in (*names, DEFAULT):
            hint = f"write one of {', '.join(names)}" if names else "describe it under policies"
            raise wrong(f"{chosen!r} is not among policies", hint, at=(*at, "policy"))
        if channel.startswith("#"):
            hint = "write its id: whoever renames a channel would escape the policy"
            raise wrong(f"{channel!r} has a policy of its own by a name", hint, at=(*at, "slack"))
