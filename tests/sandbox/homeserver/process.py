"""An instant homeserver as a process of its own, for tests and measurements that need the core for themselves.

    async with InstantProcess(directory, registrations=[registration]) as homeserver:
        ada = await homeserver.person("ada")

It is the same server; what a test does to it goes over HTTP under `/_matrix/sandbox/`.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import aiohttp
import uvloop

from tests.sandbox.child import LOOPBACK, Child, free_port, listens
from tests.sandbox.homeserver.instant import InstantHomeserver
from tests.sandbox.homeserver.person import Person
from tests.sandbox.homeserver.timeline import Line
from tests.sandbox.homeserver.transport import HttpTransport, Json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.sandbox.homeserver.call import Call
    from tests.sandbox.homeserver.routes import Handler
    from tests.sandbox.homeserver.world import World

ROOT = Path(__file__).parents[3]


class InstantProcess:
    """The process, and the same ways to act on it as on an InstantHomeserver in this process."""

    def __init__(self, directory: Path, *, registrations: Sequence[Mapping[str, Any]] = (), push: bool = True) -> None:
        self.port = free_port()
        self.url = f"http://{LOOPBACK}:{self.port}"
        settings = {"port": self.port, "registrations": list(registrations), "push": push}
        self.child = Child(
            [sys.executable, "-m", "tests.sandbox.homeserver.process", json.dumps(settings)],
            log=directory / "instant.log",
            directory=ROOT,
        )
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self.child.start()
        await self.child.until(lambda: listens(self.port))
        self._session = aiohttp.ClientSession()
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._session is not None
        await self._session.close()
        await self.child.stopped(signal.SIGTERM)

    @property
    def transport(self) -> HttpTransport:
        assert self._session is not None, "not started"
        return HttpTransport(self._session, self.url)

    async def person(self, name: str) -> Person:
        made = await self._do("person", name=name)
        return Person(self.transport, made["user_id"], made["token"])

    async def timeline(self, room_id: str) -> tuple[Line, ...]:
        lines = (await self._do("timeline", room_id=room_id))["lines"]
        return tuple(Line(**line | {"reactions": tuple(map(tuple, line["reactions"]))}) for line in lines)

    async def fault(self, kind: str, **settings: Any) -> None:
        """Call a method of `Faults` by name: refuse, limit, drop, lose_answer, hang, release, clear."""
        await self._do("fault", kind=kind, settings=settings)

    async def settled(self) -> None:
        await self._do("settled")

    async def counts(self) -> Json:
        """How many events and rooms it holds and how many events wait for the application services."""
        return await self._do("counts")

    async def _do(self, what: str, **body: Any) -> Json:
        answer = await self.transport.request("POST", f"/_matrix/sandbox/{what}", body=body)
        assert isinstance(answer, dict)
        return answer


class Control:
    """The other end of it."""

    def __init__(self, homeserver: InstantHomeserver) -> None:
        self._homeserver = homeserver

    def routes(self) -> dict[str, Handler]:
        return {
            "POST sandbox/person": self.person,
            "POST sandbox/timeline": self.timeline,
            "POST sandbox/fault": self.fault,
            "POST sandbox/settled": self.settled,
            "POST sandbox/counts": self.counts,
        }

    async def person(self, _world: World, call: Call) -> Json:
        person = await self._homeserver.person(call.need("name"))
        return {"user_id": person.user_id, "token": person.token}

    def timeline(self, _world: World, call: Call) -> Json:
        return {"lines": [asdict(line) for line in self._homeserver.timeline(call.need("room_id"))]}

    def fault(self, _world: World, call: Call) -> Json:
        getattr(self._homeserver.faults, call.need("kind"))(**call.need("settings"))
        return {}

    async def settled(self, _world: World, _call: Call) -> Json:
        await self._homeserver.settled()
        return {}

    def counts(self, world: World, _call: Call) -> Json:
        waiting = sum(pusher.waiting for pusher in self._homeserver.pushers)
        return {"events": world.position, "rooms": len(world.rooms), "waiting": waiting}


async def serve(settings: Mapping[str, Any]) -> None:
    """Run until told to stop."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    homeserver = InstantHomeserver(**settings)
    homeserver.add_routes(Control(homeserver).routes())
    async with homeserver:
        print(homeserver.url, flush=True)
        await stop.wait()


if __name__ == "__main__":
    uvloop.run(serve(json.loads(sys.argv[1]) if len(sys.argv) > 1 else {}))
