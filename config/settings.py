"""Every setting that Causeway has: its type, its default and what it means.

The descriptions here are the only ones: the example file, the README's table and the comments that an upgrade writes
are made from them. A setting without a default must be given. All objects are frozen.
"""

# No `from __future__ import annotations`: pydantic evaluates these annotations while the classes are made.
import re
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from config.console import Console
from config.cutover import CutOver
from config.encryption import Encryption
from config.imports import Imports
from config.layout import LAYOUT
from config.oauth import OAuth
from config.people import DoublePuppet, People
from config.permissions import Commands, Permissions
from config.policy import HostGlob, Policy, check_policies
from config.public import Public
from config.scanner import Scanner
from config.secrets import DatabaseUrl, Secret, SharedToken
from config.section import Section
from config.slack import Slack
from config.values import (
    Address,
    Count,
    Domain,
    Duration,
    Flag,
    Kind,
    Listen,
    Localpart,
    MatrixRoom,
    MatrixUser,
    Name,
    Size,
    SlackChannel,
    Text,
    TypeGlob,
    Url,
    read_duration,
    read_size,
    template,
    wrong,
)


def _known_layout(value: int) -> int:
    if not 1 <= value <= LAYOUT:
        raise wrong(f"{value} is not a layout that this version knows", f"use a newer Causeway, or write {LAYOUT}")
    return value


class Homeserver(Section):
    """The Matrix homeserver that the bridge is registered with."""

    domain: Domain = Field(description="The server name: what stands after the colon in its user ids.")
    address: Url = Field(
        default="http://127.0.0.1:8008", description="Where the bridge reaches the homeserver's client API."
    )
    verify_tls: Flag = Field(default=True, description="Whether the homeserver's certificate must be valid.")
    admin_token: Annotated[Secret | None, Kind("secret")] = Field(
        default=None,
        description="The access token of a server admin, with which `causeway people` looks accounts up; else unused.",
    )


class Appservice(Section):
    """How the bridge appears to the homeserver; after a change here, run `causeway register` and load the result."""

    id: Name = Field(default="causeway", description="The registration's name, unique on the homeserver.")
    listen: Address = Field(
        default=Listen("127.0.0.1", 29330), description="Where the bridge listens for the homeserver's transactions."
    )
    url: Url = Field(default="http://127.0.0.1:29330", description="How the homeserver reaches that listener.")
    as_token: SharedToken = Field(description="What the bridge shows to the homeserver; `causeway init` makes one.")
    hs_token: SharedToken = Field(description="What the homeserver shows to the bridge; `causeway init` makes one.")
    bot_localpart: Localpart = Field(default="causeway", description="The bot's user id without @ and server name.")
    bot_display_name: Text = Field(default="Causeway", description="The bot's display name.")
    ghost_localpart: Annotated[str, AfterValidator(template("team", "user", localpart=True))] = Field(
        default="slack_{team}_{user}",
        description="User ids of Slack's people in Matrix; team and user are Slack's ids in lower case.",
    )
    alias_localpart: Annotated[str, AfterValidator(template("team", "channel", localpart=True))] = Field(
        default="slack_{team}_{channel}",
        description="Aliases of the rooms that the bridge makes; team and channel are Slack's ids in lower case.",
    )
    ghost_name: Annotated[str, AfterValidator(template("name"))] = Field(
        default="{name}", description="Display names of Slack's people in Matrix, such as `{name} (Slack)`."
    )

    @model_validator(mode="after")
    def _names_are_apart(self) -> Self:
        if self.as_token == self.hs_token:
            raise wrong("is the same as as_token", "make two different tokens", at=("hs_token",))
        if re.fullmatch(localpart_regex(self.ghost_localpart), self.bot_localpart):
            raise wrong(
                "looks like a ghost's name", "choose one that ghost_localpart cannot make", at=("bot_localpart",)
            )
        return self


class Database(Section):
    """Where the bridge keeps its inbox, outbox, links, portals and people."""

    url: DatabaseUrl = Field(
        default=Secret("sqlite:///causeway.db"),
        description="`sqlite:///path` (from this file's directory) or `postgres://user:password@host/name`.",
    )

    @property
    def sqlite_path(self) -> Path | None:
        """The absolute path of the SQLite file, or None where it is PostgreSQL."""
        url = self.url.reveal()
        return Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite:") else None

    @property
    def shown(self) -> str:
        """The address without its password, fit for logs."""
        return re.sub(r"(?<=://).*@|[?].*", "", self.url.reveal())


Direction = Literal["both", "to_matrix", "to_slack"]


class Mapping(Section):
    """One Slack channel and its Matrix room."""

    workspace: Annotated[Name | None, Kind("text")] = Field(
        default=None, description="The workspace's name; may be left out where there is only one."
    )
    slack: SlackChannel = Field(description='The channel: its name in quotes, `"#general"`, or its id, `C0123456789`.')
    matrix: MatrixRoom = Field(
        default="create", description="`create` for a new room, or the alias or id of an existing one, in quotes."
    )
    direction: Direction = Field(
        default="both", description="Which way messages go: `both`, `to_matrix` or `to_slack`."
    )
    policy: Annotated[Name | None, Kind("text")] = Field(
        default=None, description="What may cross: one of `policies`; the channel is then given by id."
    )


class Automatic(Section):
    """Portals that come into being by themselves, by channel name."""

    include: Annotated[tuple[Text, ...], Kind("list of patterns", literal=False)] = Field(
        default=(), description='Names of channels to bridge, with * and ?; ["*"] for all, [] for none.'
    )
    exclude: Annotated[tuple[Text, ...], Kind("list of patterns", literal=False)] = Field(
        default=(), description="Names of channels to leave out although they are included."
    )
    private: Flag = Field(
        default=False, description="Whether private channels that the bot is in are bridged by these patterns too."
    )


class Portals(Section):
    """Which channels and rooms are joined."""

    map: Annotated[tuple[Mapping, ...], Kind("list", literal=False)] = Field(
        default=(), description="Channels and rooms joined one by one; these come before the patterns below."
    )
    automatic: Automatic = Field(default=Automatic(), description=Automatic.__doc__)


class Rooms(Section):
    """The shape of the rooms that the bridge makes; existing rooms keep theirs."""

    space: Flag = Field(default=True, description="Whether each workspace gets a Space that holds its rooms.")
    space_name: Annotated[str, AfterValidator(template("team"))] = Field(
        default="{team}", description="The Space's name; team is the workspace's name in Slack."
    )
    join_rule: Literal["space", "invite", "public"] = Field(
        default="space",
        description="Who may join the room of a public channel: members of the Space, the invited, or everybody.",
    )
    history_visibility: Literal["shared", "invited", "joined", "world_readable"] = Field(
        default="shared", description="Who may read earlier messages, in Matrix's words."
    )
    federate: Flag = Field(default=True, description="Whether people of other homeservers may take part, ever.")
    servers: Annotated[tuple[HostGlob, ...], Kind("list of patterns", literal=False)] = Field(
        default=("*",), description="Homeservers that may take part in new rooms, with * and ?; ours always may."
    )
    encryption: Flag = Field(default=False, description="Whether they are encrypted; needs encryption.key.")
    invite: Annotated[tuple[MatrixUser, ...], Kind("list of user ids", literal=False)] = Field(
        default=(), description="People invited to the Space and to every room that the bridge makes."
    )
    member_limit: Annotated[Count, Field(ge=0, le=10_000)] = Field(
        default=100,
        description="Channels with more members than this show only those who write; smaller ones show everybody.",
    )

    @model_validator(mode="after")
    def _the_space_exists(self) -> Self:
        if self.join_rule == "space" and not self.space:
            raise wrong("'space' needs a Space", "set rooms.space to true, or choose invite", at=("join_rule",))
        return self


class Relay(Section):
    """How messages look on the other side."""

    name: Annotated[str, AfterValidator(template("name", "user"))] = Field(
        default="{name}",
        description="Names of Matrix people in Slack; name is the display name, user the full user id.",
    )
    typing: Flag = Field(default=True, description="Whether it is shown that somebody is typing.")
    topic: Flag = Field(
        default=True,
        description="Whether a topic set in Matrix becomes the channel's; the app then asks for the scopes of that.",
    )
    bookmarks: Duration = Field(
        default=read_duration("6h"),
        description="How often a channel's bookmarks are read, one call each, to be shown in its room; `0s` never.",
    )
    reply: Literal["thread", "quote"] = Field(
        default="thread",
        description="What a Matrix reply outside a thread becomes in Slack: a thread, or a quotation with a link.",
    )
    allow_room_mention: Flag = Field(
        default=False,
        description="Whether Slack's @here, @channel and @everyone notify the room; in new rooms, everybody may then.",
    )
    allow_broadcast: Flag = Field(
        default=False, description="Whether @room of somebody who may use it notifies the whole Slack channel."
    )


class Files(Section):
    """Which files may cross."""

    max_size: Size = Field(default=read_size("100 MiB"), description="The largest file that is carried across.")
    allow: Annotated[tuple[TypeGlob, ...], Kind("list of types", literal=False)] = Field(
        default=("*/*",), description="Content types that may cross, with *."
    )
    deny: Annotated[tuple[TypeGlob, ...], Kind("list of types", literal=False)] = Field(
        default=(), description="Content types that may not cross although they are allowed."
    )
    scanner: Scanner = Field(default=Scanner(), description=Scanner.__doc__)


class CatchUp(Section):
    """What is re-read from Slack's history at a start or reconnect; new messages are always fetched, however old."""

    look_back: Duration = Field(
        default=read_duration("24h"),
        description="How far before the last known message edits, deletions and reactions are looked for at least.",
    )
    messages: Annotated[Count, Field(ge=0, le=10_000)] = Field(
        default=200, description="At most so many known messages of a channel are read again for that."
    )
    threads: Annotated[Count, Field(ge=0, le=1000)] = Field(
        default=20,
        description="At most so many older threads of a channel are asked for what changed in them; 0: no older ones.",
    )
    thread_age: Duration = Field(
        default=read_duration("7d"),
        description="Threads that are older than that, and without a message for so long, are not asked.",
    )


class Logging(Section):
    """What the bridge says about its work, on standard error."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least important lines shown; message texts appear at `debug` only."
    )
    format: Literal["text", "json"] = Field(default="text", description="`text` for people, `json` for log collectors.")


class Settings(Section):
    """All settings."""

    version: Annotated[Count, AfterValidator(_known_layout)] = Field(
        default=LAYOUT, description="The layout of this file; `causeway upgrade` changes it."
    )
    homeserver: Homeserver = Field(description=Homeserver.__doc__)
    appservice: Appservice = Field(description=Appservice.__doc__)
    double_puppet: DoublePuppet = Field(default=DoublePuppet(), description=DoublePuppet.__doc__)
    database: Database = Field(default_factory=Database, description=Database.__doc__)
    slack: Slack = Field(description=Slack.__doc__)
    oauth: OAuth = Field(default=OAuth(), description=OAuth.__doc__)
    portals: Portals = Field(default=Portals(), description=Portals.__doc__)
    policies: Annotated[tuple[Policy, ...], Kind("list", literal=False)] = Field(
        default=(), description="What may cross, by name; without one called `default`, everything may."
    )
    rooms: Rooms = Field(default=Rooms(), description=Rooms.__doc__)
    encryption: Encryption = Field(default=Encryption(), description=Encryption.__doc__)
    people: People = Field(default=People(), description=People.__doc__)
    relay: Relay = Field(default=Relay(), description=Relay.__doc__)
    public: Public = Field(default=Public(), description=Public.__doc__)
    console: Console = Field(default=Console(), description=Console.__doc__)
    files: Files = Field(default=Files(), description=Files.__doc__)
    catch_up: CatchUp = Field(default=CatchUp(), description=CatchUp.__doc__)
    imports: Imports = Field(default=Imports(), description=Imports.__doc__)
    cutover: CutOver = Field(default=CutOver(), description=CutOver.__doc__)
    admins: Annotated[tuple[MatrixUser, ...], Kind("list of user ids", literal=False)] = Field(
        default=(),
        description="Matrix people who may give the bot commands, and moderate the rooms that it makes.",
    )
    permissions: Permissions = Field(default=Permissions(), description=Permissions.__doc__)
    commands: Commands = Field(default=Commands(), description=Commands.__doc__)
    logging: Logging = Field(default=Logging(), description=Logging.__doc__)

    @model_validator(mode="before")
    @classmethod
    def _a_default_database_lies_beside_the_file(cls, given: object) -> object:
        """Have the default read like a given value, for only then is it known where relative paths start."""
        return {"database": {}, **given} if isinstance(given, dict) else given

    @model_validator(mode="after")
    def _registrations_are_apart(self) -> Self:
        token, service, puppet = self.double_puppet.as_token, self.appservice, self.double_puppet
        if token in (service.as_token, service.hs_token):
            raise wrong("is a token of appservice's", "make a token of its own", at=("double_puppet", "as_token"))
        if puppet.id == service.id:
            raise wrong("is the same as appservice.id", "give it a name of its own", at=("double_puppet", "id"))
        return self

    @model_validator(mode="after")
    def _what_is_encrypted_can_be(self) -> Self:
        if self.rooms.encryption and self.encryption.key is None:
            raise wrong("needs encryption.key", "give a key: `openssl rand -hex 32`", at=("rooms", "encryption"))
        return self

    @model_validator(mode="after")
    def _consent_finds_its_way(self) -> Self:
        if all(one.client_id is None for one in self.slack.workspaces):
            if self.people.live_direct_messages:
                hint = "give a workspace its client_id, with which people connect: see OAuth in the README"
                raise wrong("needs a client_id", hint, at=("people", "live_direct_messages"))
            return self
        for missing, at in ((self.oauth.key, ("oauth", "key")), (self.public.url, ("public", "url"))):
            if missing is None:
                raise wrong("is needed where a workspace has a client_id", "see OAuth in the README", at=at)
        if self.public.listen is None:
            hint = "say where the bridge listens for those who come back from Slack"
            raise wrong("is needed where a workspace has a client_id", hint, at=("public", "listen"))
        return self

    @model_validator(mode="after")
    def _policies_are_known(self) -> Self:
        check_policies(
            self.policies,
            [
                *((("slack", "workspaces", n), one.policy, "") for n, one in enumerate(self.slack.workspaces)),
                *((("portals", "map", n), one.policy, one.slack) for n, one in enumerate(self.portals.map)),
            ],
        )
        return self

    @model_validator(mode="after")
    def _portals_can_be_told_apart(self) -> Self:
        names = [workspace.name for workspace in self.slack.workspaces]
        channels: set[tuple[str, str]] = set()
        rooms: set[str] = set()
        for number, mapping in enumerate(self.portals.map):
            at = ("portals", "map", number)
            if mapping.workspace is None and len(names) > 1:
                raise wrong(
                    "is needed where there are several", f"write one of {', '.join(names)}", at=(*at, "workspace")
                )
            if mapping.workspace is not None and mapping.workspace not in names:
                hint = f"write one of {', '.join(names)}"
                raise wrong(f"{mapping.workspace!r} is not among slack.workspaces", hint, at=(*at, "workspace"))
            channel = (mapping.workspace or names[0], mapping.slack)
            if channel in channels:
                raise wrong(f"{mapping.slack!r} is mapped twice", "a channel has one room: drop one", at=(*at, "slack"))
            if mapping.matrix in rooms:
                raise wrong(
                    f"{mapping.matrix!r} is mapped twice", "a room has one channel: drop one", at=(*at, "matrix")
                )
            channels.add(channel)
            rooms |= {mapping.matrix} - {"create"}
        return self

    def secrets(self) -> tuple[str, ...]:
        """Every secret text among the settings: what must not appear in a log."""
        service = self.appservice
        optional = (self.homeserver.admin_token, self.double_puppet.as_token, self.encryption.key, self.oauth.key)
        held = [service.as_token, service.hs_token, *(secret for secret in optional if secret)]
        held += [one.token for one in self.console.tokens]
        for workspace in self.slack.workspaces:
            held += workspace.secrets()
        password = urlsplit(self.database.url.reveal()).password
        return (*(secret.reveal() for secret in held), *((password,) if password else ()))

    @property
    def bot_is_sender(self) -> bool:
        """Whether the registration's sender is the bot: Synapse lets that one read no keys by /sync."""
        return self.encryption.key is None

    @property
    def bot_id(self) -> str:
        """The bot's full Matrix user id."""
        return f"@{self.appservice.bot_localpart}:{self.homeserver.domain}"


def localpart_regex(layout: str) -> str:
    """The regular expression of all local parts that a template can make."""
    return "".join(
        "[a-z0-9]+" if part.startswith("{") else re.escape(part) for part in re.split(r"(\{\w+\})", layout) if part
    )
