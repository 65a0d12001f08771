"""A scene for delays: Slack and an instant homeserver in this process, which sees both ends; the bridge in its own."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING, Any, Self

import aiohttp
import orjson

from tests.bench.service import Service
from tests.bench.workspace import PEOPLE, seed
from tests.sandbox.homeserver.instant import InstantHomeserver
from tests.sandbox.slack import DeliveryTimes, Limits, SlackSandbox

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.sandbox.homeserver.call import Call
    from tests.sandbox.homeserver.instant import Answer
    from tests.sandbox.homeserver.person import Person
    from tests.sandbox.slack.faults import CallRecord


class Scene:
    """Sends on one side and waits for what arrives on the other."""

    def __init__(
        self,
        directory: Path,
        channels: int,
        limits: Limits,
        store: str = "",
        *,
        times: DeliveryTimes | None = None,
        more: Mapping[str, Any] | None = None,
        max_upload: int = 0,
    ) -> None:
        self._directory = directory
        self.channels = [f"c{number}" for number in range(channels)]
        self.slack = SlackSandbox(partial(seed, channels), limits=limits, times=times or DeliveryTimes())
        self._store = store
        self._more = more
        self._max_upload = max_upload
        self._stack = AsyncExitStack()
        self._awaited: dict[str, asyncio.Future[float]] = {}
        self._numbers = 0
        self.rooms: dict[str, str] = {}

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self.slack)
        team = self.slack.team()
        self.service = Service(
            self._directory,
            api_url=self.slack.api_url,
            bot_token=team.bot_token,
            app_token=team.app_token,
            store=self._store,
            more=self._more,
        )
        self.homeserver = InstantHomeserver(registrations=[self.service.registration])
        self.homeserver.world.max_upload = self._max_upload or self.homeserver.world.max_upload
        self.homeserver.watch.append(self._on_put)
        self.slack.calls.add = self._on_call  # type: ignore[method-assign]  # the sandbox has no watch of its own
        await self._stack.enter_async_context(self.homeserver)
        await self._stack.enter_async_context(self.service.between(self.homeserver.url))
        self._session = await self._stack.enter_async_context(aiohttp.ClientSession())
        await self.service.until("SELECT COUNT(*) FROM portals WHERE state = 'live'", lambda n: n == len(self.channels))
        self.person: Person = await self.homeserver.person("ada")
        for channel in self.channels:
            alias = f"#slack_{team.id}_{team.channel(channel).id}:localhost".lower()
            self.rooms[channel] = self.homeserver.world.aliases[alias][0]
            await self.person.join(self.rooms[channel])
            for name in PEOPLE:
                await self.to_matrix(channel, name)
            await self.to_slack(channel)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def to_matrix(self, channel: str, person: str = PEOPLE[0]) -> float:
        """Seconds from a person's word in Slack to the bridge's request at the homeserver."""
        words, arrival = self._expect()
        began = time.perf_counter()
        self.slack.team().person(person).post(f"#{channel}", words)
        return await arrival - began

    async def to_slack(self, channel: str) -> float:
        """Seconds from a person's word in Matrix, which the homeserver passes on at once, to the post in Slack."""
        words, arrival = self._expect()
        began = time.perf_counter()
        await self.person.say(self.rooms[channel], words)
        return await arrival - began

    async def transaction_to_slack(self, channel: str) -> float:
        """Seconds from a transaction's request to the bridge to the post in Slack."""
        words, arrival = self._expect()
        event = {
            "type": "m.room.message",
            "room_id": self.rooms[channel],
            "event_id": f"$bench{self._numbers}",
            "sender": self.person.user_id,
            "origin_server_ts": time.time_ns() // 1_000_000,
            "content": {"msgtype": "m.text", "body": words},
        }
        url = f"{self.service.url}/_matrix/app/v1/transactions/bench{self._numbers}"
        headers = {"Authorization": f"Bearer {self.service.hs_token}"}
        began = time.perf_counter()
        async with self._session.put(url, data=orjson.dumps({"events": [event]}), headers=headers) as answer:
            assert answer.status == 200
        return await arrival - began

    def _expect(self) -> tuple[str, asyncio.Future[float]]:
        self._numbers += 1
        words = f"number {self._numbers} of the measurement"
        self._awaited[words] = asyncio.get_running_loop().create_future()
        return words, self._awaited[words]

    def _on_put(self, call: Call, _answer: Answer) -> None:
        if call.method == "PUT" and "/send/m.room.message/" in call.path and call.sender != self.person_id:
            self._arrived(str(orjson.loads(call.content).get("body")))

    @property
    def person_id(self) -> str:
        return "@ada:localhost"

    def _on_call(self, record: CallRecord) -> None:
        self.slack.calls.records.append(record)
        self.slack.calls.counts[record.method] += 1
        if record.method == "chat.postMessage" and record.outcome == "ok":
            self._arrived(str(record.args.get("text")))

    def _arrived(self, words: str) -> None:
        awaited = self._awaited.pop(words, None)
        if awaited is not None:
            awaited.set_result(time.perf_counter())
