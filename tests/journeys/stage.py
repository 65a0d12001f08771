"""A stage: a Slack, a homeserver and the bridge between them, all in this process and all over HTTP."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import orjson

from bridge.app import Hooks, run
from bridge.store.ledger import TO_MATRIX, Ledger
from bridge.store.opening import open_database
from bridge.store.people import People
from config.loader import parse
from config.registration import double_puppet, registration
from portals.ids import MatrixUserId, SlackUserId, TeamId
from portals.people.links import How, Wanted
from tests.journeys.gate import Gate, GatedDatabase, GatedHomeserver, GatedSlack
from tests.sandbox.child import free_port
from tests.sandbox.slack import DeliveryTimes, Limits

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.store.database import Database
    from config.settings import Settings
    from tests.sandbox.homeserver.person import Person
    from tests.sandbox.homeserver.timeline import Line
    from tests.sandbox.slack import Entry, Reality, SlackSandbox, Workspace

LAST_OF_THE_ROSTER = "/api/usergroups.list"
WORK = {
    "an open row": "SELECT seq, state, source_key FROM inbox WHERE state < 2",
    "a portal behind": (
        "SELECT portals.channel, portals.caught_up, workspaces.gap FROM portals JOIN workspaces "
        "ON portals.team = workspaces.team WHERE portals.state <> 'live' "
        "OR (portals.caught_up < workspaces.gap AND portals.direction <> 'to_slack')"
    ),
}
REST = {
    "open": "SELECT seq, state, source_key FROM inbox WHERE state < 2",
    "parked": "SELECT seq, source_key, reason FROM inbox WHERE state = 3",
    "left over": "SELECT inbox_seq, n, action FROM outbox",
}

_LOOK_AFTER = 0.2
QUICK = DeliveryTimes(ack=0.3, retries=(0.0, 0.06, 0.2))
"""Slack repeats an event three times within a moment, and then never again."""


def groups_for(
    slack: SlackSandbox, homeserver_url: str, database_url: str, port: int, /, **more: Any
) -> dict[str, Any]:
    """Return the configuration of a bridge between this sandbox and this homeserver; `more` are groups of settings."""
    workspace = slack.team()
    app = workspace.installation.app
    asking = {"client_id": app.client_id, "client_secret": app.client_secret} if "oauth" in more else {}
    groups: dict[str, Any] = {
        "homeserver": {"domain": "localhost", "address": homeserver_url},
        "appservice": {
            "as_token": "as" * 24,
            "hs_token": "hs" * 24,
            "listen": f"127.0.0.1:{port}",
            "url": f"http://127.0.0.1:{port}",
        },
        "database": {"url": database_url},
        "slack": {
            "api_url": slack.api_url,
            "workspaces": [
                {"name": "acme", "bot_token": workspace.bot_token, "app_token": workspace.app_token} | asking
            ],
        },
        "portals": {"automatic": {"include": ["*"]}},
        "rooms": {"join_rule": "public"},
    }
    return groups | more


def settings_for(slack: SlackSandbox, homeserver_url: str, database_url: str, port: int, /, **more: Any) -> Settings:
    """Return the settings that `groups_for` describes."""
    groups = groups_for(slack, homeserver_url, database_url, port, **more)
    return parse(orjson.dumps(groups).decode(), "stage", Path.cwd(), {})


async def link(database_url: str, workspace: Workspace, name: str, account: str) -> None:
    """Have the store know the account of somebody of Slack, as another process does it."""
    wanted = Wanted(SlackUserId(workspace.user(name).id), MatrixUserId(account), How.HAND)
    database = await open_database(database_url)
    try:
        await People(database).link(TeamId(workspace.id), [wanted], "a test")
        await Ledger(database).request(TO_MATRIX, workspace.id)
    finally:
        await database.close()


@dataclass
class Stage:
    """The three of them; `start` and `stop` are the bridge's, whose store outlives it."""

    database_url: str
    more: dict[str, Any] = field(default_factory=dict)
    seed: Callable[[SlackSandbox], object] | None = None
    reality: Reality | None = None
    times: DeliveryTimes = QUICK
    gate: Gate = field(default_factory=Gate)
    slack: GatedSlack = field(init=False)
    homeserver: GatedHomeserver = field(init=False)
    settings: Settings = field(init=False)
    told: asyncio.Event = field(default_factory=asyncio.Event)
    """Set, it has the bridge come to rest."""
    database: Database | None = None
    """The store of the bridge that runs, for tests to read."""
    _bridge: asyncio.Task[None] | None = None
    _stack: contextlib.AsyncExitStack = field(default_factory=contextlib.AsyncExitStack)

    async def __aenter__(self) -> Self:
        self.slack = GatedSlack(self.seed, reality=self.reality, limits=Limits.off(), times=self.times)
        self.slack.gate = self.gate
        await self._stack.enter_async_context(self.slack)
        port = free_port()
        provisional = settings_for(self.slack, "http://127.0.0.1:1", self.database_url, port, **self.more)
        both = (registration(provisional), double_puppet(provisional))
        self.homeserver = GatedHomeserver(registrations=[one for one in both if one is not None])
        self.homeserver.gate = self.gate
        await self._stack.enter_async_context(self.homeserver)
        self.settings = settings_for(self.slack, self.homeserver.url, self.database_url, port, **self.more)
        self.gate.on_cut.append(self._break_sockets)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
        await self._stack.aclose()

    @property
    def workspace(self) -> Workspace:
        """The one Slack workspace."""
        return self.slack.team()

    @property
    def is_running(self) -> bool:
        """Whether the bridge was started and not cut off since."""
        return self._bridge is not None and not self.gate.cut.is_set()

    async def start(self, *, steps: int = 0) -> None:
        """Start the bridge and wait until it listens, or is cut off, which it is at the n-th step where `steps` is n.

        Raises what the bridge raises when it cannot start.
        """
        await self.stop()
        self.gate.open()
        self.gate.arm(steps)
        self.database = await open_database(self.database_url)
        ready = asyncio.Event()
        hooks = Hooks(
            database=GatedDatabase(self.database, self.gate),
            ready=ready.set,
            limits_scale=0,
            look_after=_LOOK_AFTER,
            told=self.told,
        )
        self._bridge = asyncio.create_task(run(self.settings, hooks), name="bridge")
        waiting = [asyncio.create_task(event.wait()) for event in (ready, self.gate.cut)]
        await asyncio.wait([self._bridge, *waiting], return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        if self._bridge.done() and not self.gate.cut.is_set():
            await self._bridge

    async def come_to_rest(self) -> None:
        """Tell the bridge to stop, as SIGTERM does, and wait until it has."""
        bridge, self._bridge = self._bridge, None
        assert bridge is not None
        self.told.set()
        await bridge
        self.told.clear()
        self.database = None

    async def stop(self) -> None:
        """Cut the bridge off where it is; raises what it died of, if it died before that."""
        bridge, self._bridge = self._bridge, None
        if bridge is None:
            return
        if bridge.done() and not self.gate.cut.is_set():
            await bridge
        self.gate.close()
        bridge.cancel()
        await asyncio.wait([bridge])
        if not bridge.cancelled():
            bridge.exception()  # what happens to a bridge behind a closed gate is of no interest

    def raise_its_failure(self) -> None:
        """Raise what the bridge died of, if it ended by itself."""
        if self._bridge is not None and self._bridge.done() and not self.gate.cut.is_set():
            self._bridge.result()
            raise AssertionError("the bridge ended")

    # --- what a world asks of its stage

    pace: ClassVar[float] = 0.001
    """Seconds between two looks at what is to come about."""

    async def newcomer(self, name: str) -> Person:
        """Return a person of Matrix."""
        return await self.homeserver.person(name)

    async def link(self, name: str) -> Person:
        """Give somebody of Slack an account of the same name, and have the store know it; returns them in Matrix."""
        person = await self.newcomer(name)
        await link(self.database_url, self.workspace, name, person.user_id)
        return person

    async def find_room(self, channel: str) -> str:
        """Return the room that mirrors a channel; nothing while there is none."""
        alias = f"#slack_{self.workspace.id}_{self.workspace.channel(channel).id}:localhost".lower()
        return self.homeserver.world.aliases.get(alias, ("",))[0]

    async def events(self, room: str) -> list[dict[str, Any]]:
        """Return the events of a room, oldest first."""
        return self.homeserver.events(room)

    async def media(self, address: str) -> bytes:
        """Return a file of the homeserver's."""
        return self.homeserver.world.media[address.rpartition("/")[2]].data

    async def unsettled(self) -> str:
        """Return what is still under way, nothing when all is settled.

        Nothing is under way when there is no request and no commit of the bridge, no envelope or transaction on its
        way to it, no open row, no gap to look back over, and its workspace was read since it was started.
        """
        if self.gate.requests or self.gate.commits:
            return f"{self.gate.requests} requests and {self.gate.commits} commits"
        if not self.gate.answered[LAST_OF_THE_ROSTER]:
            return "the workspace is not read yet"
        if self.slack.delivery.open:
            return f"{len(self.slack.delivery.open)} envelopes"
        if waiting := sum(pusher.waiting for pusher in self.homeserver.pushers):
            return f"{waiting} events of the homeserver"
        if not self.slack.sockets.connections and self.settings.slack.mode == "socket":
            return "no socket"
        assert self.database is not None
        return "; ".join([f"{what} {tuple(row)}" for what in WORK for row in await self.database.fetch(WORK[what])])

    async def left_over(self) -> list[str]:
        """Return what the store holds although all is done: open and parked rows, actions of settled rows."""
        assert self.database is not None
        return [f"{what} {tuple(row)}" for what in REST for row in await self.database.fetch(REST[what])]

    def _break_sockets(self) -> None:
        for connection in self.slack.sockets.connections:
            connection.closing = True
            if connection.transport is not None:
                connection.transport.abort()

    async def room(self, channel: str, seconds: float = 10) -> str:
        """Return the room that mirrors a channel, as soon as there is one."""
        alias = f"#slack_{self.workspace.id}_{self.workspace.channel(channel).id}:localhost".lower()
        room: str = (await until(lambda: self.homeserver.world.aliases.get(alias), seconds))[0]
        return room

    async def person(self, name: str, channel: str) -> Person:
        """Return a Matrix person who is in the room of a channel."""
        person = await self.homeserver.person(name)
        await person.join(await self.room(channel))
        return person

    async def lines(self, channel: str) -> tuple[Line, ...]:
        """Return what the room of a channel shows."""
        return self.homeserver.timeline(await self.room(channel))

    def entries(self, channel: str) -> tuple[Entry, ...]:
        """Return what a channel shows."""
        return self.workspace.transcript(channel)


async def until(holds: Callable[[], Any], seconds: float = 10) -> Any:
    """Return the first true answer; raises TimeoutError when there is none in time."""
    async with asyncio.timeout(seconds):
        while not (found := holds()):
            await asyncio.sleep(0.005)
        return found
