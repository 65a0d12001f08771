"""Bringing an export over, against a bare loop of sends by the same ghosts into the same rooms of the same Synapse.

    causeway import (process) ─ store ─▶ bridge (process) ─ PUT …/send ─▶ Synapse (process)
    this process ────────────────────────────────────────── PUT …/send ─▶ the same Synapse, rooms, ghosts and content

Both take turns and each pair of neighbours is compared; the figure is the median of the pairs. The clock of an import
runs from the first message that it shows to the last: how long a process takes to start says nothing about its pace.
"""

from __future__ import annotations

import asyncio
import sys
import time
from itertools import count
from statistics import median
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import aiohttp
import orjson

from tests.bench.figures import at_least, told
from tests.bench.service import ROOT, Service
from tests.sandbox.homeserver.synapse import Synapse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.bench.figures import Figure

ROOMS = 16
TEAM = "T0BENCH"
PEOPLE = ("U0ALICE", "U0BOB", "U0CAROL", "U0DAVE")
BARE = 30
EACH = 100
"""Messages of each room in a turn; an import has more, so that how its lanes begin and end does not count much."""
LINKS = "SELECT COALESCE(MAX(rowid), 0) FROM links"
"""Links are never deleted, so SQLite's newest row number is their number."""


async def measure(directory: Path, quick: bool) -> AsyncIterator[Figure]:
    """Yield the ratio with sixteen rooms in flight."""
    service = Service(directory)
    synapse = Synapse(directory / "synapse", registrations=[service.registration])
    async with synapse, service.between(synapse.url), aiohttp.ClientSession() as session:
        race = _Race(directory, service, synapse.url, session)
        await race.warm_up()
        bare, brought = [], []
        for _ in range(1 if quick else 4):
            bare.append(await race.bare())
            brought.append(await race.brought())
        ratios = [100 * one / other for one, other in zip(brought, bare, strict=True)]
        yield at_least(
            f"Import, share of a bare loop's rate, {ROOMS} rooms in flight",
            median(ratios),
            90,
            " %",
            f" ({median(brought):.1f}/s of {median(bare):.1f}/s)",
        )
        yield told("Messages of each turn of that", f"{ROOMS * EACH}, bare {ROOMS * BARE}")


class _Race:
    """The same messages on both ways."""

    def __init__(self, directory: Path, service: Service, url: str, session: aiohttp.ClientSession) -> None:
        self._directory = directory
        self._service = service
        self._url = url
        self._session = session
        self._rooms: list[str] = []
        self._content: dict[str, Any] = {}
        self._numbers = count(1)
        self._clock = count(1_600_000_000)
        self._shown = 0

    async def warm_up(self) -> None:
        """Have every room made and every ghost in it; take the content of a message that was brought."""
        await self._import(len(PEOPLE))
        for number in range(ROOMS):
            alias = f"#slack_{TEAM}_c{number:03d}:localhost".lower()
            self._rooms.append((await self._ask("GET", f"directory/room/{quote(alias)}", _ghost(0)))["room_id"])
        page = await self._ask("GET", f"rooms/{quote(self._rooms[0])}/messages?dir=b", _ghost(0))
        self._content = next(one["content"] for one in page["chunk"] if one["type"] == "m.room.message")

    async def bare(self) -> float:
        """Send as many messages in a loop for each room; return how many a second."""
        began = time.perf_counter()
        await asyncio.gather(*(self._send(room) for room in self._rooms))
        return ROOMS * BARE / (time.perf_counter() - began)

    async def brought(self) -> float:
        """Import as many; return how many a second."""
        return await self._import(EACH)

    async def _send(self, room: str) -> None:
        for number in range(BARE):
            key = f"bare{next(self._numbers)}"
            at = 1_600_000_000_000 + next(self._numbers)
            path = f"rooms/{quote(room)}/send/m.room.message/{key}?ts={at}"
            await self._ask("PUT", path, _ghost(number), {**self._content, "dev.causeway.key": key})

    async def _import(self, each: int) -> float:
        export = self._export(each)
        command = (sys.executable, "-m", "bridge.cli", "import", export, "-c", self._service.config)
        process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.DEVNULL)
        before, self._shown = self._shown, self._shown + ROOMS * each
        while (first := await self._service.count(LINKS)) == before:
            await asyncio.sleep(0.02)
        began = time.perf_counter()
        await self._service.until(LINKS, lambda links: links >= self._shown, 120)
        took = time.perf_counter() - began
        assert await process.wait() == 0
        return (self._shown - first) / took

    def _export(self, each: int) -> Path:
        """Write the export of one more day, in which the people speak in every channel in turn."""
        day = next(self._numbers)
        at = self._directory / f"export{day}"
        channels = [{"id": f"C{number:03d}", "name": f"c{number}", "members": PEOPLE} for number in range(ROOMS)]
        users = [{"id": user, "team_id": TEAM, "name": user.lower(), "profile": {}} for user in PEOPLE]
        at.mkdir()
        (at / "channels.json").write_bytes(orjson.dumps(channels))
        (at / "users.json").write_bytes(orjson.dumps(users))
        for channel in channels:
            (at / str(channel["name"])).mkdir()
            said = [
                {"type": "message", "user": PEOPLE[number % len(PEOPLE)], "text": f"This is message {number} of them."}
                for number in range(each)
            ]
            records = [{**one, "ts": f"{next(self._clock)}.000100"} for one in said]
            (at / str(channel["name"]) / "2020-09-13.json").write_bytes(orjson.dumps(records))
        return at

    async def _ask(self, method: str, path: str, user: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        join = "&" if "?" in path else "?"
        url = f"{self._url}/_matrix/client/v3/{path}{join}user_id={quote(user)}"
        headers = {"Authorization": f"Bearer {self._service.as_token}"}
        data = orjson.dumps(body) if body is not None else None
        async with self._session.request(method, url, data=data, headers=headers) as answer:
            assert answer.status == 200, await answer.text()
            found: dict[str, Any] = orjson.loads(await answer.read())
            return found


def _ghost(number: int) -> str:
    return f"@slack_{TEAM}_{PEOPLE[number % len(PEOPLE)]}:localhost".lower()
