"""Slack to Matrix through the whole route, against a bare loop of sends by ghosts on the same Synapse.

    sandbox (process) ─ socket ─▶ bridge (process) ─ PUT …/send ─▶ Synapse (process)
    this process ──────────────────────── PUT …/send ─────────────▶ the same Synapse, the same rooms, ghosts and content

Both take turns many times and each pair of neighbours is compared, so that what else the machine does meets both alike;
the figure is the median of the pairs. The clock of the route runs from the first word in Slack to the last record in
the bridge's store.
"""

from __future__ import annotations

import asyncio
import time
from itertools import count
from statistics import median
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import aiohttp
import orjson

from tests.bench.figures import at_least, told
from tests.bench.service import Service
from tests.bench.workspace import PEOPLE, WorkspaceProcess
from tests.sandbox.homeserver.synapse import Synapse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.bench.figures import Figure

ROOMS = 16


async def measure(directory: Path, quick: bool) -> AsyncIterator[Figure]:
    """Yield the ratio with one room in flight and with sixteen."""
    async with WorkspaceProcess(directory, ROOMS) as slack:
        team = slack.team
        service = Service(
            directory,
            api_url=slack.info["api_url"],
            bot_token=team["bot_token"],
            app_token=team["app_token"],
        )
        synapse = Synapse(directory / "synapse", registrations=[service.registration])
        async with synapse, service.between(synapse.url), aiohttp.ClientSession() as session:
            race = _Race(slack, service, synapse.url, session)
            await race.warm_up()
            for rooms, messages in ((1, 80), (ROOMS, 20 * ROOMS)):
                bare, whole = await race.run(rooms, messages, turns=3 if quick else 9)
                label = "1 room" if rooms == 1 else f"{rooms} rooms"
                yield at_least(
                    f"Slack → Matrix, share of a bare loop's rate, {label} in flight",
                    100 * median(one / other for one, other in zip(bare, whole, strict=True)),
                    90,
                    " %",
                    f" ({messages / median(whole):.1f}/s of {messages / median(bare):.1f}/s)",
                )
            yield told("Bridge's processor time a message, of that run", f"{race.cpu_per_message():.2f} ms")


class _Race:
    """The same messages on both ways."""

    def __init__(self, slack: WorkspaceProcess, service: Service, url: str, session: aiohttp.ClientSession) -> None:
        self._slack, self._service, self._url, self._session = slack, service, url, session
        self._rooms: list[str] = []
        self._ghosts: list[str] = []
        self._content: dict[str, Any] = {}
        self._relayed = 0
        self._cpu = 0.0
        self._counted = 0
        self._numbers = count(time.time_ns())

    async def warm_up(self) -> None:
        """Have every room made and every ghost in it; take the content of a message that was relayed."""
        await self._service.until("SELECT COUNT(*) FROM portals WHERE state = 'live'", lambda n: n == ROOMS)
        team = self._slack.team
        self._ghosts = [f"@slack_{team['id']}_{team['people'][name]}:localhost".lower() for name in PEOPLE]
        await self._slack.say(ROOMS, len(PEOPLE))
        self._relayed += ROOMS * len(PEOPLE)
        await self._service.until_relayed(self._relayed)
        for number in range(ROOMS):
            alias = f"#slack_{team['id']}_{team['channels'][f'c{number}']}:localhost".lower()
            found = await self._ask("GET", f"directory/room/{quote(alias)}", self._ghosts[0])
            self._rooms.append(found["room_id"])
        page = await self._ask("GET", f"rooms/{quote(self._rooms[0])}/messages?dir=b", self._ghosts[0])
        self._content = next(one["content"] for one in page["chunk"] if one["type"] == "m.room.message")

    async def run(self, rooms: int, messages: int, turns: int) -> tuple[list[float], list[float]]:
        """Return the seconds of every turn of both."""
        bare, whole = [], []
        for _ in range(turns):
            bare.append(await self._bare(rooms, messages))
            whole.append(await self._whole(rooms, messages))
        return bare, whole

    def cpu_per_message(self) -> float:
        return 1000 * self._cpu / self._counted

    async def _bare(self, rooms: int, messages: int) -> float:
        began = time.perf_counter()
        await asyncio.gather(*(self._send(room, messages // rooms) for room in self._rooms[:rooms]))
        return time.perf_counter() - began

    async def _send(self, room: str, messages: int) -> None:
        for number in range(messages):
            key = f"bare{next(self._numbers)}"
            sender = self._ghosts[number % len(self._ghosts)]
            path = f"rooms/{quote(room)}/send/m.room.message/{key}?ts={time.time_ns() // 1_000_000}"
            await self._ask("PUT", path, sender, {**self._content, "dev.causeway.key": key})

    async def _whole(self, rooms: int, messages: int) -> float:
        self._relayed += messages
        used, began = self._service.cpu_seconds(), time.perf_counter()
        await self._slack.say(rooms, messages // rooms)
        await self._service.until_relayed(self._relayed)
        took = time.perf_counter() - began
        self._cpu += self._service.cpu_seconds() - used
        self._counted += messages
        return took

    async def _ask(self, method: str, path: str, user: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        join = "&" if "?" in path else "?"
        url = f"{self._url}/_matrix/client/v3/{path}{join}user_id={quote(user)}"
        headers = {"Authorization": f"Bearer {self._service.as_token}"}
        data = orjson.dumps(body) if body is not None else None
        async with self._session.request(method, url, data=data, headers=headers) as answer:
            assert answer.status == 200, await answer.text()
            found: dict[str, Any] = orjson.loads(await answer.read())
            return found
