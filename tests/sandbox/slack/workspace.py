"""One workspace: its records, how they are found, and the door through which its events leave.

Acts on the workspace live in `messages`, `rooms` and `files`; each changes the records first and announces afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.sandbox.slack.errors import SlackRefusal
from tests.sandbox.slack.state import SLACKBOT, Channel, Clock, Mint, User

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.slack.people import Person
    from tests.sandbox.slack.reality import Reality
    from tests.sandbox.slack.state import FileRecord, Installation, Json, Message, Team, Usergroup
    from tests.sandbox.slack.transcript import Entry


@dataclass(slots=True)
class Site:
    """Where the sandbox is reached; known once it listens."""

    base_url: str = "http://127.0.0.1:0"

    @property
    def ws_url(self) -> str:
        """The same place for sockets."""
        return "ws" + self.base_url.removeprefix("http")


@dataclass(frozen=True, slots=True)
class Announcement:
    """An event on its way to the apps. `carried` names the parts of it whose message has metadata ("" is the event)."""

    workspace: Workspace
    event: Json
    channel: Channel | None = None
    carried: tuple[tuple[str, Json], ...] = ()
    only_app: str | None = None
    for_removed: str | None = None


@dataclass(slots=True)
class Workspace:
    """The records of one team. Made by the sandbox, by nobody else."""

    team: Team
    site: Site
    reality: Reality
    mint: Mint
    announce: Callable[[Announcement], None]
    later: Callable[[float, Callable[[], None]], None]
    clock: Clock = field(default_factory=Clock)
    users: dict[str, User] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    files: dict[str, FileRecord] = field(default_factory=dict)
    emoji: dict[str, str] = field(default_factory=dict)
    emoji_images: dict[str, bytes] = field(default_factory=dict)
    usergroups: dict[str, Usergroup] = field(default_factory=dict)
    installations: dict[str, Installation] = field(default_factory=dict)
    other_bots: dict[str, Json] = field(default_factory=dict)
    ephemerals: list[Json] = field(default_factory=list)
    statuses: dict[tuple[str, str], str] = field(default_factory=dict)
    avatars: dict[str, bytes] = field(default_factory=dict)
    export_tokens: dict[str, set[str]] = field(default_factory=dict)
    """The tokens of exports that have not expired, each with the files that it opens."""

    def __post_init__(self) -> None:
        self.users[SLACKBOT] = User(SLACKBOT, "slackbot", "Slackbot", "Slackbot", is_bot=False)

    @property
    def id(self) -> str:
        """The team id."""
        return self.team.id

    @property
    def url(self) -> str:
        """The workspace's address in a browser."""
        return f"https://{self.team.domain}.slack.com/"

    @property
    def installation(self) -> Installation:
        """The app of this workspace, where there is just one."""
        return next(iter(self.installations.values()))

    @property
    def bot_token(self) -> str:
        """Its bot token."""
        return self.installation.token.value

    @property
    def app_token(self) -> str:
        """Its app-level token."""
        return self.installation.app.app_token

    def emit(
        self,
        event: Json,
        channel: Channel | None = None,
        carried: tuple[tuple[str, Json], ...] = (),
        for_removed: str | None = None,
    ) -> None:
        """Sends an event on its way to the apps that may have it."""
        self.announce(Announcement(self, event, channel, carried, None, for_removed))

    def add_user(self, name: str, real_name: str = "", **fields: object) -> User:
        """A new member; further fields as in `User`."""
        user_id = self.mint.make("U")
        user = User(user_id, name, real_name or name.title())
        if not fields.get("is_bot"):
            user.email = f"{name}@{self.team.domain}.example"
        for key, value in fields.items():
            setattr(user, key, value)  # the fields come from the callers of this package, under their own names
        self.users[user_id] = user
        return user

    def user(self, ref: str) -> User:
        """A member by id or name. Raises KeyError."""
        if ref in self.users:
            return self.users[ref]
        for user in self.users.values():
            if user.name == ref:
                return user
        raise KeyError(ref)

    def channel(self, ref: str) -> Channel:
        """A conversation by id or name, with or without #. Raises KeyError."""
        if ref in self.channels:
            return self.channels[ref]
        name = ref.removeprefix("#")
        for channel in self.channels.values():
            if channel.name == name:
                return channel
        raise KeyError(ref)

    def message(self, channel: Channel, ts: str) -> Message:
        """A message. Raises `message_not_found`."""
        message = channel.messages.get(ts)
        if message is None:
            raise SlackRefusal("message_not_found")
        return message

    def person(self, ref: str) -> Person:
        """A member to act through."""
        from tests.sandbox.slack.people import Person  # the acts import this module

        return Person(self, self.user(ref))

    def transcript(self, ref: str) -> tuple[Entry, ...]:
        """What the channel shows, in order."""
        from tests.sandbox.slack.transcript import transcript  # likewise

        return transcript(self, self.channel(ref))

    def permalink(self, channel: Channel, message: Message) -> str:
        """The address of a message."""
        link = f"{self.url}archives/{channel.id}/p{message.ts.replace('.', '')}"
        if message.is_reply:
            link += f"?thread_ts={message.thread_ts}&cid={channel.id}"
        return link

    def bot_of(self, bot_id: str) -> Installation | None:
        """The installation behind a bot id."""
        for installation in self.installations.values():
            if installation.bot_id == bot_id:
                return installation
        return None
