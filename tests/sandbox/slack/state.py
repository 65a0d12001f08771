"""What a Slack workspace remembers: teams, people, channels, messages, files, and the apps installed in it.

Plain records without behaviour towards the network. Timestamps are Slack's: seconds with six digits, unique in a
workspace, compared as numbers. Whatever changes these records and tells the world about it is in `acts`.
"""

from __future__ import annotations

import bisect
import hashlib
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]
"""One JSON object as Slack sends it. `Any`, because this is the foreign side itself."""

SLACKBOT = "USLACKBOT"
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def micros(ts: str) -> int:
    """The number behind a timestamp. Raises ValueError when it is none."""
    seconds, _, fraction = ts.partition(".")
    if not seconds.isdigit() or (fraction and not fraction.isdigit()):
        raise ValueError(ts)
    return int(seconds) * 1_000_000 + int(fraction[:6].ljust(6, "0") or "0")


def stamp(value: int) -> str:
    """The timestamp of a number of microseconds."""
    return f"{value // 1_000_000}.{value % 1_000_000:06d}"


class Mint:
    """Makes ids that look like Slack's, the same ones in every run."""

    def __init__(self) -> None:
        self._count = 0

    def make(self, prefix: str) -> str:
        """A new id such as C07K2M9QX1B."""
        self._count += 1
        number = (self._count * 61_803_398_874_989 + 31_415_926_535) % 36**9
        digits = ""
        for _ in range(9):
            number, rest = divmod(number, 36)
            digits = _ALPHABET[rest] + digits
        return f"{prefix}0{digits}"

    def secret(self, length: int = 24) -> str:
        """A token-like word, different for each call and the same in every run."""
        self._count += 1
        return hashlib.sha256(f"causeway sandbox {self._count}".encode()).hexdigest()[:length]


class Clock:
    """Gives every message of a workspace its own microsecond. A seed may turn it back, and forward again."""

    def __init__(self) -> None:
        self._last = 0
        self._step = 0

    def next(self) -> str:
        """A timestamp later than all before; in the past, by the step that was chosen."""
        self._last = self._last + self._step if self._step else max(time.time_ns() // 1000, self._last + 1)
        return stamp(self._last)

    def pass_by(self, seconds: float) -> None:
        """Let so much time go by since the last timestamp."""
        self._last = max(time.time_ns() // 1000, self._last) + int(seconds * 1_000_000)

    def turn_back(self, hours: float, step_minutes: float = 3.0) -> None:
        """What follows happened so long ago, with so much time from one to the next."""
        self._last = time.time_ns() // 1000 - int(hours * 3_600_000_000)
        self._step = int(step_minutes * 60_000_000) + 7919

    def turn_forward(self) -> None:
        """It is now again."""
        self._step = 0


@dataclass(slots=True)
class User:
    """A member of a workspace: human, bot or guest."""

    id: str
    name: str
    real_name: str
    display_name: str = ""
    email: str = ""
    title: str = ""
    avatar: str = ""
    tz: str = "Europe/Berlin"
    is_bot: bool = False
    is_admin: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    deleted: bool = False
    bot_id: str = ""
    app_id: str = ""
    status_text: str = ""
    status_emoji: str = ""
    updated: int = 1_700_000_000

    @property
    def shown_name(self) -> str:
        """The name that people see beside a message."""
        return self.display_name or self.real_name or self.name


@dataclass(slots=True)
class Message:
    """One message of a channel. `extra` holds what only some subtypes have (topic, old_name, inviter ...)."""

    ts: str
    text: str
    user: str | None = None
    subtype: str | None = None
    thread_ts: str | None = None
    broadcast: bool = False
    blocks: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    reactions: dict[str, list[str]] = field(default_factory=dict)
    edited: Json | None = None
    client_msg_id: str | None = None
    bot_id: str | None = None
    app_id: str | None = None
    username: str | None = None
    icons: Json | None = None
    metadata: Json | None = None
    upload: bool = False
    extra: Json = field(default_factory=dict)

    @property
    def is_reply(self) -> bool:
        """Whether it hangs in a thread of another message."""
        return self.thread_ts is not None and self.thread_ts != self.ts


class Timeline:
    """Messages in order of their timestamps, found by timestamp or by range."""

    def __init__(self) -> None:
        self._keys: list[int] = []
        self._messages: list[Message] = []

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[Message]:
        return iter(self._messages)

    def add(self, message: Message) -> None:
        """Puts a message in its place."""
        key = micros(message.ts)
        if not self._keys or key > self._keys[-1]:
            self._keys.append(key)
            self._messages.append(message)
            return
        place = bisect.bisect_left(self._keys, key)
        self._keys.insert(place, key)
        self._messages.insert(place, message)

    def remove(self, message: Message) -> None:
        """Takes a message out."""
        place = bisect.bisect_left(self._keys, micros(message.ts))
        if place < len(self._keys) and self._messages[place] is message:
            del self._keys[place]
            del self._messages[place]

    def between(self, oldest: int | None, latest: int | None, inclusive: bool) -> list[Message]:
        """The messages of a range of microseconds, oldest first."""
        start, end = 0, len(self._keys)
        if oldest is not None:
            start = bisect.bisect_left(self._keys, oldest) if inclusive else bisect.bisect_right(self._keys, oldest)
        if latest is not None:
            end = bisect.bisect_right(self._keys, latest) if inclusive else bisect.bisect_left(self._keys, latest)
        return self._messages[start:end]


@dataclass(slots=True)
class Channel:
    """A conversation. `kind` is one of public, private, im, mpim."""

    id: str
    name: str
    kind: str
    creator: str
    created: int
    topic: Json = field(default_factory=lambda: {"value": "", "creator": "", "last_set": 0})
    purpose: Json = field(default_factory=lambda: {"value": "", "creator": "", "last_set": 0})
    is_general: bool = False
    archived: bool = False
    members: dict[str, None] = field(default_factory=dict)
    pins: dict[str, Json] = field(default_factory=dict)
    bookmarks: list[Json] = field(default_factory=list)
    previous_names: list[str] = field(default_factory=list)
    messages: dict[str, Message] = field(default_factory=dict)
    timeline: Timeline = field(default_factory=Timeline)
    threads: dict[str, Timeline] = field(default_factory=dict)

    @property
    def channel_type(self) -> str:
        """The word that message events use for the kind."""
        return {"public": "channel", "private": "group"}.get(self.kind, self.kind)

    def keep(self, message: Message) -> None:
        """Files a message under its timestamp, in the channel's line and in its thread."""
        self.messages[message.ts] = message
        if message.is_reply:
            thread_ts = message.thread_ts or ""
            if thread_ts not in self.threads:
                self.threads[thread_ts] = Timeline()
                root = self.messages.get(thread_ts)
                if root is not None:
                    root.thread_ts = thread_ts
            self.threads[thread_ts].add(message)
        if not message.is_reply or message.broadcast:
            self.timeline.add(message)

    def drop(self, message: Message) -> None:
        """Removes a message; the thread goes with its last reply."""
        del self.messages[message.ts]
        self.timeline.remove(message)
        self.pins.pop(message.ts, None)
        if message.is_reply:
            thread = self.threads.get(message.thread_ts or "")
            if thread is not None:
                thread.remove(message)
                if not len(thread):
                    del self.threads[message.thread_ts or ""]
                    root = self.messages.get(message.thread_ts or "")
                    if root is not None:
                        root.thread_ts = None


@dataclass(slots=True)
class FileRecord:
    """A hosted file; `content` is None until its bytes were uploaded.

    `must_ask` plays a file of another workspace: messages show only its id, and files.info has to be asked. A `snippet`
    is text that was written in Slack itself; a message shows its first lines. `form` is one of external, voice, canvas
    and hidden.
    """

    id: str
    user: str
    name: str
    title: str
    mimetype: str
    filetype: str
    created: int
    content: bytes | None = None
    thumbnail: bytes | None = None
    width: int = 0
    height: int = 0
    alt_txt: str = ""
    deleted: bool = False
    completed: bool = False
    bot_id: str = ""
    must_ask: bool = False
    snippet: bool = False
    form: str = ""
    shares: dict[str, list[Json]] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Length in bytes."""
        return len(self.content or b"")


@dataclass(slots=True)
class Usergroup:
    """A named group of people, mentioned as @handle."""

    id: str
    handle: str
    name: str
    users: list[str]
    disabled: bool = False


@dataclass(slots=True)
class Team:
    """A workspace's own data."""

    id: str
    name: str
    domain: str


@dataclass(slots=True)
class Token:
    """A credential. `state` is live or the error that its use answers (token_revoked, account_inactive ...)."""

    value: str
    kind: str
    app: App
    team_id: str
    user_id: str
    scopes: set[str]
    state: str = "live"


@dataclass(slots=True)
class App:
    """A Slack app: what its settings page shows. Its installations are the bot tokens in the workspaces."""

    id: str
    name: str
    client_id: str
    client_secret: str
    signing_secret: str
    verification_token: str
    subscriptions: set[str]
    app_token: str
    user_subscriptions: set[str] = field(default_factory=set)
    """What is subscribed to on behalf of people who agreed to that."""
    metadata_subscriptions: set[str] = field(default_factory=set)
    socket_mode: bool = True
    request_url: str | None = None
    redirect_urls: set[str] = field(default_factory=set)
    rotation: bool = False
    pkce: bool = False


@dataclass(slots=True)
class Installation:
    """An app in one workspace."""

    app: App
    team_id: str
    bot_user: str
    bot_id: str
    token: Token
