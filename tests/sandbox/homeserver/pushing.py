"""How an instant homeserver brings events to an application service, as Synapse does.

One transaction at a time, at most 100 events in it, in order; one that is not answered with 200 is repeated under the
same id, first soon and then ever later, and no other goes out before it. A repeated transaction has lost its typing and
receipts. What waits survives `restart`, as it is in Synapse's database.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

import aiohttp
import orjson

from tests.sandbox.homeserver.call import MatrixError

if TYPE_CHECKING:
    from tests.sandbox.homeserver.call import Call, Service
    from tests.sandbox.homeserver.transport import Json
    from tests.sandbox.homeserver.world import Event, Room, World

MOST = 100
LONGEST_WAIT = 512


@dataclass(slots=True)
class Transaction:
    number: int
    events: list[Json]
    ephemeral: list[Json]
    tries: int = field(default=0)

    def body(self) -> Json:
        ephemeral = [] if self.tries else self.ephemeral
        return {
            "events": self.events,
            "ephemeral": ephemeral,
            "de.sorunome.msc2409.ephemeral": ephemeral,
            "de.sorunome.msc2409.to_device": [],
        }


class Pusher:
    """Everything on its way to one application service; `patience` is the first wait in seconds (Synapse: 1)."""

    def __init__(self, world: World, service: Service, *, patience: float, timeout: float = 60) -> None:
        self.service = service
        self._world = world
        self._patience = patience
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._events: deque[Event] = deque()
        self._ephemeral: deque[Json] = deque()
        self._numbers = 0
        self._current: Transaction | None = None
        self._news = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._asked: set[str] = set()
        self.is_forgetful = False
        """Whether events are taken and never told of, as by a homeserver that is killed before it notes to tell."""
        world.on_event.append(self._on_event)
        world.on_ephemeral.append(self._on_ephemeral)

    @property
    def waiting(self) -> int:
        """How many events have not been accepted yet."""
        return len(self._events) + (len(self._current.events) if self._current else 0)

    async def settled(self) -> None:
        """Return when the service has accepted everything so far."""
        await self._idle.wait()

    async def run(self) -> None:
        """Push for ever."""
        async with aiohttp.ClientSession(timeout=self._timeout) as session:
            while True:
                if self._current is None:
                    await self._news.wait()
                    self._current = self._next()
                if not await self._put(session, self._current):
                    await asyncio.sleep(self._patience * min(2**self._current.tries, LONGEST_WAIT))
                    self._current.tries += 1
                    continue
                self._current = None
                if not self._events and not self._ephemeral:
                    self._news.clear()
                    self._idle.set()

    async def ping(self, world: World, call: Call) -> Json:
        """Answer `POST /appservice/{id}/ping`."""
        if call.service is not self.service or call.arguments != (self.service.id,):
            raise MatrixError(403, "M_FORBIDDEN", "Mismatching application service ID in path")
        if not self.service.url:
            raise MatrixError(400, "M_URL_NOT_SET", "The application service does not have a URL set")
        loop = asyncio.get_running_loop()
        began = loop.time()
        body = {"transaction_id": call.body.get("transaction_id")}
        status, text = await self._ask("POST", "/_matrix/app/v1/ping", body)
        if status == 0:
            raise MatrixError(502, "M_CONNECTION_FAILED", f"Failed to ping application service: {text}")
        if status != 200:
            error = f"Non-success status {status} was returned by application service"
            raise MatrixError(502, "M_BAD_STATUS", error, status=status, body=text)
        return {"duration_ms": int((loop.time() - began) * 1000)}

    async def asks_for_alias(self, alias: str) -> bool:
        """Whether the service makes a room of this name when it is asked for one."""
        if not self.service.owns_alias(alias):
            return False
        status, _ = await self._ask("GET", f"/_matrix/app/v1/rooms/{quote(alias, safe='')}", None)
        return status == 200

    async def _ask(self, method: str, path: str, body: Json | None) -> tuple[int, str]:
        """Status 0 stands for no answer at all."""
        try:
            async with (
                aiohttp.ClientSession(timeout=self._timeout) as session,
                session.request(method, f"{self.service.url}{path}", json=body, headers=self._headers()) as answer,
            ):
                return answer.status, await answer.text()
        except (aiohttp.ClientError, TimeoutError, OSError) as failure:
            return 0, str(failure)

    def _next(self) -> Transaction:
        self._numbers += 1
        events = [self._events.popleft() for _ in range(min(MOST, len(self._events)))]
        ephemeral = [self._ephemeral.popleft() for _ in range(min(MOST, len(self._ephemeral)))]
        return Transaction(self._numbers, [event.pushed() for event in events], ephemeral)

    async def _put(self, session: aiohttp.ClientSession, transaction: Transaction) -> bool:
        if transaction.tries == 0:
            await self._ask_for_strangers(transaction)
        url = f"{self.service.url}/_matrix/app/v1/transactions/{transaction.number}"
        body = orjson.dumps(transaction.body())
        with suppress(aiohttp.ClientError, TimeoutError, OSError):
            async with session.put(url, data=body, headers=self._headers()) as answer:
                await answer.read()
                return answer.status == 200
        return False

    async def _ask_for_strangers(self, transaction: Transaction) -> None:
        """Ask the service, once each, for users of its own who are invited but not registered."""
        for event in transaction.events:
            user_id = event.get("state_key", "")
            if event["type"] != "m.room.member" or not self.service.owns_user(user_id):
                continue
            if user_id not in self._world.accounts and user_id not in self._asked:
                self._asked.add(user_id)
                await self._ask("GET", f"/_matrix/app/v1/users/{quote(user_id, safe='')}", None)

    def _on_event(self, room: Room, event: Event) -> None:
        if self.is_forgetful:
            return
        hidden = event.type == "m.room.redaction" and event.content.get("redacts") not in room.by_id
        if not hidden and (self._cares(room) or self._concerns(event)):
            self._events.append(event)
            self._wake()

    def _on_ephemeral(self, room: Room, event: Json) -> None:
        if self.service.ephemeral and self._cares(room):
            self._ephemeral.append(event)
            self._wake()

    def _wake(self) -> None:
        self._news.set()
        self._idle.clear()

    def _cares(self, room: Room) -> bool:
        if any(map(self.service.owns_user, room.joined)):
            return True
        aliases = self._world.aliases.items()
        return any(room_id == room.room_id and self.service.owns_alias(alias) for alias, (room_id, _) in aliases)

    def _concerns(self, event: Event) -> bool:
        target = event.state_key if event.type == "m.room.member" else None
        return self.service.owns_user(event.sender) or (target is not None and self.service.owns_user(target))

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.service.hs_token}", "Content-Type": "application/json"}
