"""A stage for encrypted rooms: the bridge in this process, a real Synapse, and clients that we did not write."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

from bridge.app import Hooks, run
from bridge.errors import StoreUnavailable
from bridge.store.database import Statement
from bridge.store.opening import open_database
from config.registration import registration
from tests.journeys.gate import GatedDatabase
from tests.journeys.stage import QUICK, settings_for
from tests.sandbox.child import free_port
from tests.sandbox.homeserver.synapse import Synapse
from tests.sandbox.homeserver.transport import RequestRefused
from tests.sandbox.slack import Limits, SlackSandbox

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bridge.store.database import Database
    from config.settings import Settings
    from tests.journeys.gate import Gate
    from tests.sandbox.homeserver.nio_client import NioPerson
    from tests.sandbox.homeserver.person import Person
    from tests.sandbox.slack import Entry, Workspace


@dataclass
class EncryptedStage:
    """The three of them; `start` and `stop` are the bridge's, whose store outlives it."""

    directory: Path
    template: Path
    database_url: str
    seed: Callable[[SlackSandbox], object]
    encryption: dict[str, Any] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)
    gate: Gate | None = None
    slack: SlackSandbox = field(init=False)
    homeserver: Synapse = field(init=False)
    settings: Settings = field(init=False)
    admin: Person = field(init=False)
    database: Database | None = None
    _bridge: asyncio.Task[None] | None = None
    _stack: contextlib.AsyncExitStack = field(default_factory=contextlib.AsyncExitStack)

    async def __aenter__(self) -> Self:
        sandbox = SlackSandbox(self.seed, limits=Limits.off(), times=QUICK)
        self.slack = await self._stack.enter_async_context(sandbox)
        port, homeserver_port = free_port(), free_port()
        groups = {
            "rooms": {"join_rule": "public", "encryption": True},
            "encryption": {"key": "0123456789abcdef-of-tests", "wait": "3s", **self.encryption},
            **self.more,
        }
        address = f"http://127.0.0.1:{homeserver_port}"
        self.settings = settings_for(self.slack, address, self.database_url, port, **groups)
        self.homeserver = Synapse(
            self.directory / "synapse",
            registrations=[registration(self.settings)],
            template=self.template,
            port=homeserver_port,
        )
        await self._stack.enter_async_context(self.homeserver)
        self.admin = await self.homeserver.person("admin")
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            await self.stop()
        finally:
            await self._stack.aclose()

    @property
    def workspace(self) -> Workspace:
        """The one Slack workspace."""
        return self.slack.team()

    async def start(self, *, steps: int = 0) -> None:
        """Start the bridge and wait until it listens, or is cut off at the n-th step where `steps` is n."""
        await self.stop()
        self.database = await open_database(self.database_url)
        ready = asyncio.Event()
        database: Any = self.database
        if self.gate is not None:
            self.gate.open()
            self.gate.arm(steps)
            database = GatedDatabase(self.database, self.gate)
        hooks = Hooks(database=database, ready=ready.set, limits_scale=0)
        self._bridge = asyncio.create_task(run(self.settings, hooks), name="bridge")
        events = [ready, self.gate.cut] if self.gate is not None else [ready]
        waiting = [asyncio.create_task(event.wait()) for event in events]
        await asyncio.wait([self._bridge, *waiting], return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        if self._bridge.done() and (self.gate is None or not self.gate.cut.is_set()):
            failed, self._bridge = self._bridge, None
            await failed

    async def stop(self) -> None:
        """Cut the bridge off where it is."""
        bridge, self._bridge = self._bridge, None
        if bridge is None:
            return
        if self.gate is not None:
            self.gate.close()
        bridge.cancel()
        await asyncio.wait([bridge])
        if self.database is not None:
            with contextlib.suppress(StoreUnavailable):
                await self.database.release()  # as the end of a process does
        if not bridge.cancelled():
            failure = bridge.exception()
            if self.gate is None and failure is not None:
                raise failure  # what happens to a bridge behind a closed gate is of no interest

    async def cut_off(self, within: float) -> bool:
        """Wait until the gate has closed, and end what is left of the bridge; false where it did not close in time."""
        assert self.gate is not None
        try:
            async with asyncio.timeout(within):
                await self.gate.cut.wait()
        except TimeoutError:
            return False
        await self.stop()
        return True

    async def room(self, channel: str, seconds: float = 60) -> str:
        """Return the room that mirrors a channel, as soon as people can enter it."""
        alias = f"#slack_{self.workspace.id}_{self.workspace.channel(channel).id}:localhost".lower()
        async with asyncio.timeout(seconds):
            while True:
                with contextlib.suppress(RequestRefused):
                    return await self.admin.join(alias)
                await asyncio.sleep(0.05)

    async def enter(self, channel: str, *people: NioPerson) -> str:
        """Bring people into the room of a channel; returns it."""
        room = await self.room(channel)
        for person in people:
            await person.join(room)
        return room

    def entries(self, channel: str) -> tuple[Entry, ...]:
        """Return what a channel shows."""
        return self.workspace.transcript(channel)

    async def until(self, holds: Callable[[], Any], seconds: float = 60) -> Any:
        """Return the first true answer."""
        async with asyncio.timeout(seconds):
            while not (found := holds()):
                await asyncio.sleep(0.05)
        return found

    async def until_in_slack(self, channel: str, text: str, seconds: float = 60) -> Entry:
        """Return the entry of a channel with this text, as soon as it is there."""
        try:
            found: Entry = await self.until(
                lambda: next((one for one in self.entries(channel) if one.text == text), None), seconds
            )
        except TimeoutError:
            raise AssertionError(f"{text!r} is not among {[one.text for one in self.entries(channel)]}") from None
        return found

    async def forget_sessions_with_people(self) -> None:
        """Lose what the bot's device shares with the devices of others."""
        assert self.database is not None
        await self.database.commit(Statement("DELETE FROM olm_sessions WHERE owner = $1", (self.bot,)))

    def change(self, **chosen: object) -> None:
        """Configure encryption otherwise for the next start."""
        encryption = self.settings.encryption.model_copy(update=chosen)
        self.settings = self.settings.model_copy(update={"encryption": encryption})

    async def until_heard(self, room: str, person: NioPerson, words: str) -> None:
        """Wait until the bridge has heard of all that happened in a room: a homeserver tells it in order."""
        await person.say(room, words)
        await self.until_in_slack("general", words)

    async def until_stale(self, user: str) -> None:
        """Wait until the bridge has heard that a person's devices have changed."""
        assert self.database is not None
        async with asyncio.timeout(60):
            while not await self.database.fetch("SELECT 1 FROM tracked WHERE user_id = $1 AND stale = 1", user):
                await asyncio.sleep(0.05)

    @property
    def bot(self) -> str:
        """The bot's user id."""
        return self.settings.bot_id

    async def parked(self) -> list[str]:
        """Return why rows were put aside."""
        assert self.database is not None
        rows = await self.database.fetch("SELECT reason FROM inbox WHERE state = 3")
        return [str(row[0]) for row in rows]

    async def until_parked(self, seconds: float = 60) -> list[str]:
        """Return why rows were put aside, as soon as one is."""
        async with asyncio.timeout(seconds):
            while not (found := await self.parked()):
                await asyncio.sleep(0.05)
        return found

    async def set_encryption(self, room: str, **more: Any) -> None:
        """Switch a room's encryption on, or change how it is done, as its bot, who alone may."""
        path = f"rooms/{quote(room)}/state/m.room.encryption/"
        await self._as_one_of_ours("PUT", path, self.bot, {"algorithm": "m.megolm.v1.aes-sha2", **more})

    async def remove_devices(self, user: str) -> None:
        """Remove all devices of one of the bridge's users, as an admin of the homeserver might."""
        for device in (await self._as_one_of_ours("GET", "devices", user, None))["devices"]:
            await self._as_one_of_ours("DELETE", f"devices/{device['device_id']}", user, {})

    async def _as_one_of_ours(self, method: str, path: str, user: str, body: dict[str, Any] | None) -> Any:
        token = self.settings.appservice.as_token.reveal()
        return await self.homeserver.transport.request(
            method, f"/_matrix/client/v3/{path}", token=token, query={"user_id": user}, body=body
        )

    async def sealed(self, room: str) -> list[dict[str, Any]]:
        """Return all events of a room that are messages, as the homeserver has them."""
        kinds = ("m.room.message", "m.room.encrypted", "m.sticker")
        return [event for event in await self.admin.events(room) if event["type"] in kinds]
