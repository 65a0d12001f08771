"""Both sides of the running demo, joined: who is there, what they see, and the report of what was checked."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiohttp

from tests.demo.matrix_side import MatrixSide
from tests.demo.parts import DOMAIN, GUESTS, PASSWORD, DemoFailed
from tests.demo.report import Report, Seen
from tests.demo.screen import Screen
from tests.demo.slack_side import SlackSide
from tests.sandbox.homeserver.transport import RequestRefused

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from rich.console import Console

    from tests.demo.matrix_side import Json, Room
    from tests.demo.parts import Parts
    from tests.sandbox.homeserver.person import Person

BRIDGED = ("general", "engineering", "design", "support", "random")
"""The seed's channels that the bot is in or may join."""
GALLERY = "gallery"
"""The channel that is made while the bridge runs, for whatever looks otherwise on the other side."""
_NAMES = {"robin": "Robin Vale", "mira": "Mira Sol"}
_PATIENCE = 90
BOT = f"@causeway:{DOMAIN}"


@dataclass
class Stage:
    """Everything that a scene needs."""

    parts: Parts
    slack: SlackSide
    matrix: MatrixSide
    robin: Person
    mira: Person
    report: Report
    screen: Screen
    console: Console
    people: dict[str, str]
    """Names in Slack, by id."""

    def ghost(self, user_id: str) -> str:
        """The Matrix user that stands for somebody in Slack."""
        return f"@slack_{self.slack.team['id']}_{user_id}:{DOMAIN}".lower()

    def ghost_of(self, name: str) -> str:
        """The same, by their handle."""
        return self.ghost(self.slack.user_id(name))

    def room(self, channel: str) -> Room:
        """The room of a channel."""
        return self.matrix.room(channel)

    async def play(self, *parts: Callable[[Stage], Awaitable[None]]) -> None:
        """Play parts of the script at the same time; one that cannot go on is a failed check, and the others do."""
        await asyncio.gather(*(self._play(part) for part in parts))

    async def _play(self, part: Callable[[Stage], Awaitable[None]]) -> None:
        try:
            await part(self)
        except (RequestRefused, RuntimeError, aiohttp.ClientError) as failure:
            name = f"{part.__module__.rpartition('.')[2]}.{part.__name__}"
            self.report.note("The script", name, "played to its end", Seen(False, f"{failure}"))


@asynccontextmanager
async def stage_on(parts: Parts, console: Console) -> AsyncIterator[Stage]:
    """A stage on running programs; both sides are looked at as long as it stands."""
    team = parts.team
    async with aiohttp.ClientSession() as session:
        slack = SlackSide(session, parts.info["url"], team)
        people = [await parts.homeserver.login(guest, PASSWORD) for guest in GUESTS]
        for person, guest in zip(people, GUESTS, strict=True):
            await person.set_name(_NAMES[guest])

        def alias(channel: str) -> str:
            return f"#slack_{team['id']}_{slack.channel_id(channel)}:{DOMAIN}".lower()

        matrix, mira = MatrixSide(people[0], alias), MatrixSide(people[1], alias)
        screen = Screen(console)
        stage = Stage(
            parts,
            slack,
            matrix,
            people[0],
            people[1],
            Report(),
            screen,
            console,
            await slack.shown_names(),
        )

        def tell(room: Room, event: Json, target: str) -> None:
            screen.hear_matrix(matrix, room, event, target)

        async def watch_slack() -> None:
            while True:
                await slack.look()
                screen.look_at_slack(slack)

        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(parts.watch(), name="watch"),
                group.create_task(matrix.follow(tell), name="robin"),
                group.create_task(mira.follow(lambda *_: None), name="mira"),
                group.create_task(watch_slack(), name="slack"),
            ]
            yield stage
            for task in tasks:
                task.cancel()


async def mirrored(stage: Stage) -> None:
    """Wait until every channel has its room with both guests in it; raises DemoFailed."""
    deadline = time.monotonic() + _PATIENCE
    while not await stage.matrix.locate([*BRIDGED]) or not all(
        stage.room(channel).is_joined(stage.mira.user_id) for channel in BRIDGED
    ):
        if time.monotonic() > deadline:
            raise DemoFailed(f"Not all rooms are there after {_PATIENCE} s. The bridge:\n{stage.parts.bridge_log()}")
        await asyncio.sleep(0.1)
