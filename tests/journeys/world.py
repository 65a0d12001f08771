"""A world in which a script is played: people act on both sides, the bridge is cut off and started anew beside them."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Generic, TypeVar

from tests.journeys import picture
from tests.journeys.script import (
    BRIDGE,
    EMOJI,
    MATRIX,
    PEOPLE,
    SLACK,
    Cut,
    Delete,
    Edit,
    Member,
    Post,
    React,
    Tale,
    Topic,
)
from tests.sandbox.homeserver.transport import RequestRefused
from tests.sandbox.slack import Upload

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from tests.journeys.process import ProcessStage
    from tests.journeys.script import Act, Picture
    from tests.journeys.stage import Stage
    from tests.sandbox.homeserver.person import Person
    from tests.sandbox.slack import SlackSandbox

_STEADY = 3


def people_of(slack: SlackSandbox, channels: tuple[str, ...] = ("general",)) -> None:
    """Seed a workspace with the people of the scripts, all in every channel."""
    workspace = slack.new_team("Acme")
    for name in PEOPLE[SLACK]:
        workspace.add_user(name, name.title(), display_name=name, is_admin=name == "alice")
    for channel in channels:
        members = [*PEOPLE[SLACK], workspace.installation.bot_user]
        workspace.person("alice").create(channel, members=members)


Scene = TypeVar("Scene", bound="Stage | ProcessStage")


@dataclass
class Around(Generic[Scene]):
    """A stage with its people; `cuts` wait for their turn."""

    stage: Scene
    channels: tuple[str, ...] = ("general",)
    patience: float = 20.0
    tale: Tale = field(init=False)
    cuts: list[Cut] = field(default_factory=list)
    down: int = 0
    """For how many acts more the bridge stays down."""
    people: dict[str, Person] = field(default_factory=dict)
    rooms: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    ids: dict[int, str] = field(default_factory=dict)
    """By what each message is known on the side where it was written."""
    marks: dict[tuple[int, str, str], str] = field(default_factory=dict)
    """The events of the reactions that people of Matrix made."""
    linked: tuple[str, ...] = ()
    """Those of Slack who have accounts of their own."""
    own: dict[str, Person] = field(default_factory=dict)
    """The linked ones, as they are in Matrix."""

    def __post_init__(self) -> None:
        self.tale = Tale(self.channels)

    async def open(self) -> None:
        """Start the bridge, with the first cut ahead of it, and bring everybody into their rooms."""
        await self.link()
        await self.start()
        await self.enter()

    async def link(self) -> None:
        """Give those who are to be linked their accounts."""
        self.own = {name: await self.stage.link(name) for name in self.linked}

    async def enter(self) -> None:
        """Bring everybody into their rooms, as soon as there are such."""
        workspace = self.stage.workspace
        names = {user.id: user.shown_name for user in workspace.users.values()}
        self.names = {f"@slack_{workspace.id}_{user}:localhost".lower(): name for user, name in names.items()}
        self.names |= {f"@{name}:localhost": name for name in PEOPLE[MATRIX]}
        self.names |= {person.user_id: name for name, person in self.own.items()}
        self.names["@causeway:localhost"] = BRIDGE
        self.people = {name: await self.stage.newcomer(name) for name in PEOPLE[MATRIX]}
        for channel in self.channels:
            for person in self.people.values():
                self.rooms[channel] = await self._until(partial(self._enter, person, channel), f"the room of {channel}")

    async def _enter(self, person: Person, channel: str) -> str:
        """Join the room of a channel; nothing while it is not there, or not ready for people yet."""
        room = await self.stage.find_room(channel)
        try:
            return await person.join(room) if room else ""
        except RequestRefused:
            return ""

    # --- the bridge

    async def start(self) -> None:
        """Start the bridge anew, with the next cut ahead of it."""
        cut = self.cuts.pop(0) if self.cuts else Cut(0)
        self.down = cut.down
        await self.stage.start(steps=cut.steps)

    async def _until(self, find: Callable[[], Awaitable[str]], what: str) -> str:
        """Return what is looked for as soon as it is there; a bridge that is cut off meanwhile is started anew."""
        try:
            async with asyncio.timeout(self.patience):
                while not (found := await find()):
                    if not self.stage.is_running:
                        await self.start()
                    self.stage.raise_its_failure()
                    await asyncio.sleep(self.stage.pace)
                return found
        except TimeoutError:
            raise AssertionError(f"{what} did not come about: {await self.stage.unsettled()}") from None

    async def settle(self) -> None:
        """Return when nothing is under way any more; whatever cuts are left are suffered on the way."""
        steady = 0
        why = ""
        try:
            async with asyncio.timeout(self.patience):
                while steady < _STEADY:
                    if not self.stage.is_running:
                        await self.start()
                    self.stage.raise_its_failure()
                    why = await self.stage.unsettled()
                    steady = 0 if why else steady + 1
                    await asyncio.sleep(self.stage.pace)
        except TimeoutError:
            raise AssertionError(f"it does not settle: {why}") from None

    # --- acting

    async def play(self, script: Iterable[Act]) -> None:
        """Have people act, one after the other; while the bridge is down they go on."""
        for act in script:
            if not self.stage.is_running:
                if self.down <= 0:
                    await self.start()
                self.down -= 1
            await self._act(act)
            await asyncio.sleep(0)

    async def _act(self, act: Act) -> None:
        side = self.tale.side_of(act)
        target = act.root if isinstance(act, Post) else act.number if isinstance(act, React) else 0
        at = await self._until(partial(self._here, target, side), f"the message m{target}") if target else ""
        self.tale.apply(act)
        if side == SLACK:
            self._act_in_slack(act, at)
        else:
            await self._act_in_matrix(act, at)

    async def _here(self, number: int, side: str) -> str:
        """Return by what a message is known on a side; nothing while it is not there."""
        post = self.tale.messages[number].post
        if post.side == side:
            return self.ids[number]
        if side == SLACK:
            entries = self.stage.workspace.transcript(post.channel)
            found = [
                entry.ts
                for entry in entries
                if picture.number_of(entry.text, *(name for name, _ in entry.files)) == number
            ]
        else:
            found = [
                event["event_id"]
                for event in await self.stage.events(self.rooms[post.channel])
                if event["type"] == "m.room.message" and picture.number_of(str(event["content"].get("body"))) == number
            ]
        return found[0] if found else ""

    def _act_in_slack(self, act: Act, at: str) -> None:
        self.stage.workspace.clock.pass_by(1)  # people take their time, and Slack tells the time of an edit in seconds
        match act:
            case Post():
                person = self.stage.workspace.person(act.who)
                files = [Upload(f"m{act.number}.bin", act.file)] if act.size else []
                words = f"*{act.words}*" if act.formatted else act.words
                message = person.post(act.channel, words, thread_ts=at or None, broadcast=act.broadcast, files=files)
                self.ids[act.number] = message.ts
            case Edit():
                post = self.tale.messages[act.number].post
                self.stage.workspace.person(post.who).edit(post.channel, self.ids[act.number], act.words)
            case Delete():
                post = self.tale.messages[act.number].post
                self.stage.workspace.person(post.who).delete(post.channel, self.ids[act.number])
            case React():
                post = self.tale.messages[act.number].post
                person = self.stage.workspace.person(act.who)
                do = person.react if act.on else person.unreact
                do(post.channel, at, act.emoji)
            case Topic():
                self.stage.workspace.person("alice").set_topic(act.channel, act.topic)
            case Member():
                person = self.stage.workspace.person(act.who)
                (person.join if act.joins else person.leave)(act.channel)

    async def _act_in_matrix(self, act: Act, at: str) -> None:
        match act:
            case Post():
                self.ids[act.number] = await self._say_in_matrix(act, at)
            case Edit():
                post = self.tale.messages[act.number].post
                await self.people[post.who].edit(self.rooms[post.channel], self.ids[act.number], act.words)
            case Delete():
                post = self.tale.messages[act.number].post
                await self.people[post.who].redact(self.rooms[post.channel], self.ids[act.number])
            case React():
                room = self.rooms[self.tale.messages[act.number].post.channel]
                mark, person = (act.number, act.who, act.emoji), self.people[act.who]
                if act.on:
                    self.marks[mark] = await person.react(room, at, EMOJI[act.emoji])
                else:
                    await person.redact(room, self.marks.pop(mark))
            case _:
                raise TypeError(f"{act} is nothing that is done in Matrix")

    async def _say_in_matrix(self, act: Post, at: str) -> str:
        person, room = self.people[act.who], self.rooms[act.channel]
        if act.size:
            return await person.send_file(room, act.file, f"m{act.number}.bin", "application/octet-stream")
        if act.root and act.reply:
            return await person.reply(room, at, act.words)
        if act.root:
            return await person.thread(room, at, act.words)
        return await person.say(room, act.words, f"<strong>{act.words}</strong>" if act.formatted else None)

    # --- what is to be seen in the end

    async def differences(self, *, in_order: bool = True) -> list[str]:
        """Return where the sides differ from the tale, in words; nothing when nothing is lost and nothing twice."""
        found: list[str] = []
        for channel in self.channels:
            slack = picture.of_slack(self.stage.workspace, channel, self.tale)
            found += _between(f"#{channel} in Slack", slack, self.tale.picture(channel, SLACK), in_order)
            events = await self.stage.events(self.rooms[channel])
            matrix = await picture.of_matrix(events, self.names, self.stage.media, self.tale)
            found += _between(f"the room of #{channel}", matrix, self.tale.picture(channel, MATRIX), in_order)
        return found + await self.stage.left_over()


class World(Around["Stage"]):
    """The world around a stage of this process."""


class ProcessWorld(Around["ProcessStage"]):
    """The world around a bridge that is a process of its own, and a real Synapse."""


def _between(where: str, seen: Picture, told: Picture, in_order: bool) -> list[str]:
    pairs = (
        ("what Slack wrote", seen.from_slack, told.from_slack),
        ("what Matrix wrote", seen.from_matrix, told.from_matrix),
        ("reactions", seen.reactions, told.reactions),
        ("the topic", (seen.topic,), (told.topic,)),
        ("members", seen.members, told.members),
    )
    found: list[str] = []
    for what, shown, wanted in pairs:
        if shown == wanted or (not in_order and Counter(shown) == Counter(wanted)):
            continue
        missing = [one for one in wanted if one not in shown]
        beyond = [one for one in shown if one not in wanted]
        told_all = f"missing {missing}, too much {beyond}" if missing or beyond else f"{shown} in place of {wanted}"
        found.append(f"{where}, {what}: {told_all}")
    return found
