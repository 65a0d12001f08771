"""What people do on both sides, as values; and the tale of it: what both sides must show in the end.

Every message has a number, which is in its words (`m7`) or in the name of its file (`m7.bin`), so that it is known on
either side whatever happened on the way. A `Tale` is told one act after another and foretells the picture of each side;
it knows nothing of the bridge but what the bridge promises.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from random import Random

SLACK, MATRIX = "slack", "matrix"
PEOPLE = {SLACK: ("alice", "bob", "carol"), MATRIX: ("ada", "brian")}
EMOJI = {"+1": "👍", "tada": "🎉", "eyes": "👀"}
BRIDGE = "Causeway"


@dataclass(frozen=True, slots=True)
class Post:
    """Somebody says something: in words, as a file, or both; in the thread of `root`, or as a rich `reply` to it."""

    number: int
    side: str
    who: str
    channel: str
    words: str
    root: int = 0
    reply: bool = False
    broadcast: bool = False
    formatted: bool = False
    size: int = 0
    """Of the file; 0 for none."""

    @property
    def file(self) -> bytes:
        """The bytes of the file, which are no other message's."""
        some = hashlib.sha256(str(self.number).encode()).digest()
        return (some * (self.size // len(some) + 1))[: self.size]


@dataclass(frozen=True, slots=True)
class Edit:
    """The author changes the words."""

    number: int
    words: str


@dataclass(frozen=True, slots=True)
class Delete:
    """The author takes it back."""

    number: int


@dataclass(frozen=True, slots=True)
class React:
    """Somebody reacts, or takes that back."""

    number: int
    side: str
    who: str
    emoji: str
    on: bool = True


@dataclass(frozen=True, slots=True)
class Topic:
    """Somebody in Slack sets the topic."""

    channel: str
    topic: str


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody in Slack joins or leaves."""

    channel: str
    who: str
    joins: bool


@dataclass(frozen=True, slots=True)
class Cut:
    """The bridge is cut off at the n-th step from here or from its next start, and is down for so many acts."""

    steps: int
    down: int = 0


Act = Post | Edit | Delete | React | Topic | Member


@dataclass(frozen=True, slots=True)
class Shown:
    """One message, or one part of it, as a person sees it; `thread` is the number of its root."""

    number: int
    who: str
    words: str
    thread: int = 0
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """A channel or a room as people see it; what both sides write at once may stand in either order, so each side's
    own messages are a list of their own."""

    from_slack: tuple[Shown, ...]
    from_matrix: tuple[Shown, ...]
    reactions: tuple[tuple[int, str, str], ...]
    topic: str
    members: tuple[str, ...]


@dataclass(slots=True)
class Message:
    """A message as the tale goes."""

    post: Post
    words: str
    deleted: bool = False
    edited: bool = False
    reactions: set[tuple[str, str, str]] = field(default_factory=set)


@dataclass(slots=True)
class Tale:
    """All that happened; `apply` tells the next act."""

    channels: tuple[str, ...]
    messages: dict[int, Message] = field(default_factory=dict)
    topics: dict[str, str] = field(default_factory=dict)
    members: dict[str, set[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for channel in self.channels:
            self.topics[channel] = ""
            self.members[channel] = set(PEOPLE[SLACK])

    @classmethod
    def of(cls, channels: tuple[str, ...], acts: Iterable[Act]) -> Tale:
        """Return the tale of these acts."""
        tale = cls(channels)
        for act in acts:
            tale.apply(act)
        return tale

    def apply(self, act: Act) -> None:
        """Tell one act more."""
        match act:
            case Post():
                self.messages[act.number] = Message(act, act.words)
            case Edit():
                message = self.messages[act.number]
                message.words, message.edited = act.words, True
            case Delete():
                self.messages[act.number].deleted = True
            case React():
                mark = (act.side, act.who, act.emoji)
                marks = self.messages[act.number].reactions
                (marks.add if act.on else marks.discard)(mark)
            case Topic():
                self.topics[act.channel] = act.topic
            case Member():
                members = self.members[act.channel]
                (members.add if act.joins else members.discard)(act.who)

    def side_of(self, act: Act) -> str:
        """Return the side on which an act happens."""
        match act:
            case Post() | React():
                return act.side
            case Edit() | Delete():
                return self.messages[act.number].post.side
            case Topic() | Member():
                return SLACK

    def thread_of(self, number: int, side: str) -> int:
        """Return the root under which a message stands on a side: a rich reply of Matrix is a thread in Slack alone."""
        post = self.messages[number].post
        if not post.root or (post.reply and side == MATRIX) or self.messages[post.root].deleted:
            return 0
        return post.root

    # --- what is to be seen

    def picture(self, channel: str, side: str) -> Picture:
        """Return what one side must show."""
        here = [message for message in self.messages.values() if message.post.channel == channel]
        alive = [message for message in here if not message.deleted]
        shown = {
            origin: tuple(part for one in alive if one.post.side == origin for part in self._parts(one, side))
            for origin in (SLACK, MATRIX)
        }
        reactions = {mark for message in alive for mark in _reactions(message, side)}
        members = tuple(sorted(self.members[channel]))
        return Picture(shown[SLACK], shown[MATRIX], tuple(sorted(reactions)), self.topics[channel], members)

    def _parts(self, message: Message, side: str) -> Iterable[Shown]:
        post = message.post
        thread = self.thread_of(post.number, side)
        digests = (hashlib.sha256(post.file).hexdigest(),) if post.size else ()
        if side == SLACK:
            if post.side == MATRIX and post.size:
                yield Shown(post.number, BRIDGE, f"{post.who}:", thread, digests)
            else:
                yield Shown(post.number, post.who, message.words, thread, digests)
            return
        if message.words:
            yield Shown(post.number, post.who, message.words, thread)
        if post.broadcast and post.side == SLACK:
            yield Shown(post.number, post.who, message.words, 0)
        if digests:
            yield Shown(post.number, post.who, "", thread, digests)


def _reactions(message: Message, side: str) -> Iterable[tuple[int, str, str]]:
    for origin, who, emoji in message.reactions:
        shown = BRIDGE if side == SLACK and origin == MATRIX else who
        yield message.post.number, emoji, shown


# --- scripts


class Playwright:
    """Writes scripts that people could act out: nobody answers what is gone, nobody speaks where they are not."""

    def __init__(self, chance: Random, channels: tuple[str, ...], sides: tuple[str, ...] = (SLACK, MATRIX)) -> None:
        self._chance = chance
        self._sides = sides
        self._next = 1
        self.tale = Tale(channels)

    def acts(self, count: int) -> list[Act]:
        """Return the next acts."""
        return [self.act() for _ in range(count)]

    def last_words(self) -> list[Act]:
        """Return that somebody says something in every channel, which is told already."""
        acts: list[Act] = [self._said(self._chance.choice(self._sides), channel) for channel in self.tale.channels]
        for act in acts:
            self.tale.apply(act)
        return acts

    def act(self) -> Act:
        """Return the next act, which is told already."""
        ways = (
            *[self._post] * 6,
            *[self._answer] * 3,
            *[self._edit] * 2,
            self._delete,
            *[self._react] * 2,
            self._unreact,
            self._file,
            self._topic,
            self._member,
        )
        act = self._chance.choice(ways)() or self._post()
        self.tale.apply(act)
        return act

    def _post(self, **more: object) -> Act:
        side = self._chance.choice(self._sides)
        channel = self._chance.choice(self.tale.channels)
        return self._said(side, channel, **more)

    def _said(self, side: str, channel: str, **more: object) -> Post:
        number, self._next = self._next, self._next + 1
        words = {"words": f"m{number} said", "formatted": self._chance.random() < 0.2}
        return Post(number, side, self._somebody(side, channel), channel, **{**words, **more})  # type: ignore[arg-type]

    def _answer(self) -> Act | None:
        roots = [one.post for one in self._alive() if not one.post.root]
        if not roots:
            return None
        root = self._chance.choice(roots)
        side = self._chance.choice(self._sides)
        way = self._chance.random() < 0.25
        return self._said(
            side, root.channel, root=root.number, broadcast=way and side == SLACK, reply=way and side == MATRIX
        )

    def _edit(self) -> Act | None:
        message = self._one_of([one for one in self._alive() if not one.post.size and self._is_there(one)])
        if message is None:
            return None
        before = message.words.count("again")
        return Edit(message.post.number, f"m{message.post.number} said" + " again" * (before + 1))

    def _delete(self) -> Act | None:
        message = self._one_of([one for one in self._alive() if self._is_there(one)])
        return None if message is None else Delete(message.post.number)

    def _react(self) -> Act | None:
        message = self._one_of(self._alive())
        if message is None:
            return None
        side = self._chance.choice(self._sides)
        who, emoji = self._somebody(side, message.post.channel), self._chance.choice(sorted(EMOJI))
        return None if (side, who, emoji) in message.reactions else React(message.post.number, side, who, emoji)

    def _unreact(self) -> Act | None:
        message = self._one_of([one for one in self._alive() if one.reactions])
        if message is None:
            return None
        side, who, emoji = self._chance.choice(sorted(message.reactions))
        if side == SLACK and who not in self.tale.members[message.post.channel]:
            return None
        return React(message.post.number, side, who, emoji, on=False)

    def _file(self) -> Act:
        side = self._chance.choice(self._sides)
        size = self._chance.choice((1, 700, 70_000))
        words = f"m{self._next} said" if side == SLACK and self._chance.random() < 0.5 else ""
        channel = self._chance.choice(self.tale.channels)
        return self._said(side, channel, size=size, words=words, formatted=False)

    def _topic(self) -> Act:
        self._next += 1
        return Topic(self._chance.choice(self.tale.channels), f"t{self._next}")

    def _member(self) -> Act:
        """carol comes and goes; the others stay, so that there is always somebody to speak."""
        channel = self._chance.choice(self.tale.channels)
        return Member(channel, "carol", "carol" not in self.tale.members[channel])

    def _alive(self) -> list[Message]:
        return [one for one in self.tale.messages.values() if not one.deleted]

    def _is_there(self, message: Message) -> bool:
        post = message.post
        return post.side == MATRIX or post.who in self.tale.members[post.channel]

    def _one_of(self, messages: list[Message]) -> Message | None:
        return self._chance.choice(messages[-6:]) if messages else None

    def _somebody(self, side: str, channel: str) -> str:
        people = PEOPLE[side]
        return self._chance.choice([who for who in people if side == MATRIX or who in self.tale.members[channel]])
