"""A workspace with something of everything, and readings of it that can be broken off at any call."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import aiohttp

from bridge.exports.from_api import ApiExport
from bridge.slack.client import SlackClient
from bridge.slack.limits import Limits as ClientLimits
from portals.history.selection import Selection
from tests.sandbox.slack import Limits, SlackSandbox, Upload
from tests.sandbox.slack.seed import demo_workspace
from tests.sandbox.slack.shapes import message_json

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from bridge.exports.from_api import Written
    from bridge.exports.outlook import Progress
    from tests.sandbox.slack import Reality, Workspace
    from tests.sandbox.slack.state import Channel

NOW = 1_800_000_000
"""When readings begin, by the clock that they are given; the workspace's own clock is before it."""

PAGE_METHODS = ("conversations.history", "conversations.replies")


class BrokenOff(BaseException):
    """What ends a reading from outside, as a signal would."""


class CuttingClient(SlackClient):
    """Breaks off before the n-th call leaves, or when its answer is there (`after`)."""

    cut_at = 0
    after = False
    asked = 0

    async def call(self, method: str, /, **args: object) -> dict[str, Any]:
        self.asked += 1
        if self.asked == self.cut_at and not self.after:
            raise BrokenOff
        answer = await super().call(method, **args)
        if self.asked >= self.cut_at > 0 and self.after:
            raise BrokenOff
        return answer


def seed(sandbox: SlackSandbox) -> Workspace:
    """The demo's workspace, all of it open to the bot, with history over two months."""
    workspace = demo_workspace(sandbox)
    amara, bruno, greta = (workspace.person(name) for name in ("amara", "bruno", "greta"))
    bot = workspace.installation.bot_user
    greta.invite("#random", bot)
    greta.unarchive("#summer-party-2023")
    greta.invite("#summer-party-2023", bot)
    greta.archive("#summer-party-2023")
    workspace.person("eszter").invite("#finance-private", bot)
    workspace.clock.turn_back(24 * 60, 55)
    bruno.create("archive-of-talk", members=["amara", bot])
    roots = [bruno.post("#archive-of-talk", f"question {number}") for number in range(20)]
    for root in roots[::4]:
        for number in range(3):
            amara.post("#archive-of-talk", f"answer {number}", thread_ts=root.ts, broadcast=number == 1)
    long = bruno.post("#archive-of-talk", "a long one")
    for number in range(450):
        amara.post("#archive-of-talk", f"and {number}", thread_ts=long.ts)
    buried = bruno.post("#archive-of-talk", "never mind")
    amara.post("#archive-of-talk", "too late", thread_ts=buried.ts)
    bruno.delete("#archive-of-talk", buried.ts)
    for root in roots[5:8]:
        amara.pin("#archive-of-talk", root.ts)
    bruno.react("#archive-of-talk", roots[0].ts, "tada")
    greta.create("busy", members=["amara", bot])
    for number in range(420):
        greta.post("#busy", f"<{number}> & more", files=[Upload("a.txt", b"a")] if number == 7 else ())
    workspace.clock.turn_forward()
    direct = amara.direct(bot)
    amara.post(direct.id, "hello, bot")
    group = bruno.direct("greta", bot)
    greta.post(group.id, "among us")
    return workspace


@dataclass
class Scene:
    """A running workspace, and readings of it."""

    slack: SlackSandbox
    team: Workspace
    session: aiohttp.ClientSession
    told: list[Progress] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    def client(self, *, scale: float = 0, cut_at: int = 0, after: bool = False) -> CuttingClient:
        """A client of the workspace's bot."""
        limits = ClientLimits(scale=scale)
        client = CuttingClient(
            "acme", self.team.bot_token, session=self.session, limits=limits, api_url=self.slack.api_url
        )
        client.cut_at, client.after = cut_at, after
        return client

    async def read(
        self,
        directory: Path,
        selection: Selection = Selection(),  # noqa: B008  frozen
        *,
        client: SlackClient | None = None,
        joins: bool = False,
        now: float = NOW,
    ) -> Written:
        """Read the workspace into a folder."""

        async def sleep(seconds: float) -> None:
            self.slept.append(seconds)

        export = ApiExport(client or self.client(), directory, joins=joins, clock=lambda: now, sleep=sleep)
        return await export.write(selection, self.told.append)

    def pages_asked(self) -> int:
        """How many pages of messages were asked for so far."""
        return sum(self.slack.calls.counts[method] for method in PAGE_METHODS)


@asynccontextmanager
async def scene(
    make: Callable[[SlackSandbox], object] = seed, reality: Reality | None = None, limits: Limits | None = None
) -> AsyncIterator[Scene]:
    """A workspace to read, without rates unless some are given."""
    async with (
        SlackSandbox(make, reality=reality, limits=limits or Limits.off()) as slack,
        aiohttp.ClientSession() as session,
    ):
        yield Scene(slack, slack.team(), session)


def files_in(directory: Path) -> dict[str, bytes]:
    """The files of an export without what readings keep for themselves."""
    found = (path for path in directory.rglob("*") if path.is_file() and not path.name.startswith(".reading"))
    return {str(path.relative_to(directory)): path.read_bytes() for path in found}


def folder_of(directory: Path, folder: str) -> list[dict[str, Any]]:
    """All messages of a channel's folder, in the order of the day files."""
    days = sorted((directory / folder).iterdir())
    return [message for day in days for message in json.loads(day.read_bytes())]


def listed(directory: Path, name: str) -> dict[str, dict[str, Any]]:
    """A list of an export by the names (or ids) in it."""
    return {str(entry.get("name") or entry["id"]): entry for entry in json.loads((directory / name).read_bytes())}


def truth(team: Workspace, channel: Channel) -> list[dict[str, Any]]:
    """What a channel holds, as the Web API shows it."""
    held = []
    for message in sorted(channel.messages.values(), key=lambda message: message.ts):
        shown = message_json(team, channel, message, root=not message.is_reply or message.broadcast)
        held.append(shown | ({"metadata": message.metadata} if message.metadata else {}))
    return held


def folder_name(channel: Channel) -> str:
    """The folder of a channel."""
    return channel.name or channel.id
