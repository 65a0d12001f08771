"""The workspaces of Slack that the bridge works in: who each is, how it delivers, and what is read after each gap.

    start ─ who are we ─ its lanes work ─ gap ─ sockets (or signed HTTP) ─ roster: everybody and everything
    gap   ─ noted in the store ─ look back (bridge.work.catch_up), and behind it channels, emoji and groups anew;
            everybody once more, though not more often than every few minutes

A workspace that does not answer is asked again, for as long as it takes; the others work meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from bridge.errors import Later, Refused, StoreUnavailable
from bridge.slack.events_api import SignedApp
from bridge.slack.installation import install
from bridge.slack.limits import Limits
from bridge.slack.socket import SocketMode
from portals.retry import pause

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import aiohttp

    import config.slack as configured
    from bridge.oauth.app_tokens import AppTokens
    from bridge.slack.installation import Installation
    from bridge.store.directory import Directory
    from bridge.work.catch_up import CatchUp
    from bridge.work.ghosts import Ghosts
    from bridge.work.intake import Intake
    from bridge.work.roster import Roster
    from config.settings import Settings
    from portals.ids import TeamId

log = logging.getLogger(__name__)

_PEOPLE_EVERY = 300.0
"""Seconds between two readings of everybody: a workspace of 20,000 takes a hundred calls, and a gap comes any time."""


class Workspaces:
    """Connects each workspace of the configuration; `group` owns their tasks, `installations` is filled as they come.

    `hurry` has lanes try again that waited for a workspace.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        limits_scale: float,
        session: aiohttp.ClientSession,
        group: asyncio.TaskGroup,
        directory: Directory,
        roster: Roster,
        ghosts: Ghosts,
        catch_up: CatchUp,
        intake: Intake,
        installations: dict[TeamId, Installation],
        sockets: dict[str, SocketMode],
        hurry: Callable[[], None],
        tokens: AppTokens,
    ) -> None:
        self._settings = settings
        self._limits_scale = limits_scale
        self._session = session
        self._group = group
        self._directory = directory
        self._roster = roster
        self._ghosts = ghosts
        self._catch_up = catch_up
        self._intake = intake
        self._installations = installations
        self._sockets = sockets
        self._hurry = hurry
        self._tokens = tokens
        self._readings: dict[TeamId, asyncio.Task[None]] = {}
        self._unread: dict[TeamId, bool] = {}
        """Where a gap came since the reading that is under way, or the last one, began."""
        self._people_unread: dict[TeamId, bool] = {}
        """The same of everybody's profiles."""
        self._people_read: dict[TeamId, float] = {}
        """When that was read last."""
        self._people_readings: dict[TeamId, asyncio.Task[None]] = {}

    def connect(self) -> None:
        """Keep every workspace connected over Socket Mode, where that is how Slack delivers."""
        for workspace in self._settings.slack.workspaces:
            if self._settings.slack.mode == "socket":
                self._group.create_task(self._keep_connected(workspace), name=f"workspace {workspace.name}")

    def signed(self) -> list[SignedApp]:
        """Return the workspaces as those whose events come over signed HTTP, and find out who they are."""
        return [self._signed(workspace) for workspace in self._settings.slack.workspaces]

    async def _keep_connected(self, workspace: configured.Workspace) -> None:
        installation = await self._installation(workspace)
        team = await self._identified(installation)
        socket = SocketMode(
            workspace.name,
            installation.client,
            lambda payload: self._intake.from_slack(team, payload),
            lambda reason: self._mark(team, reason),
            session=self._session,
            connections=self._settings.slack.connections,
        )
        self._sockets[workspace.name] = socket
        await socket.run()

    async def _mark(self, team: TeamId, reason: str) -> None:
        """Note a gap, and read what it hides besides messages; that is admitted behind what the gap's look-back finds.

        The first gap is that of the start: then everybody and everything is read.
        """
        await self._catch_up.mark(team, reason)
        reading = self._readings.get(team)
        self._unread[team] = reading is not None
        if reading is None or reading.done():
            self._readings[team] = self._group.create_task(self._read(team), name=f"roster {team}")

    def _signed(self, workspace: configured.Workspace) -> SignedApp:
        """Return a workspace whose events come over signed HTTP; until its team is known, Slack is to repeat them."""
        known: list[TeamId] = []

        async def connect() -> None:
            installation = await self._installation(workspace)
            team = await self._identified(installation)
            await self._mark(team, "start")
            known.append(team)

        async def admit(payload: object) -> None:
            if not known or not isinstance(payload, dict):
                raise StoreUnavailable(f"the workspace {workspace.name} is not known yet")
            await self._intake.from_slack(known[0], payload)

        async def on_gap(reason: str) -> None:
            if known:
                await self._mark(known[0], reason)

        self._group.create_task(connect(), name=f"workspace {workspace.name}")
        secret = workspace.signing_secret
        assert secret is not None
        return SignedApp(workspace.name, secret.reveal(), admit, on_gap, lambda: known[0] if known else None)

    async def _installation(self, workspace: configured.Workspace) -> Installation:
        """Return what acts in a workspace, as soon as the app is installed there."""
        app_token = workspace.app_token.reveal() if workspace.app_token else ""
        installation = self._install(workspace.name, await self._tokens.installed(workspace), app_token)
        await self._tokens.follow(workspace, installation.use)
        return installation

    def _install(self, name: str, token: str, app_token: str = "") -> Installation:
        return install(
            name,
            token,
            session=self._session,
            limits=Limits(scale=self._limits_scale),
            api_url=self._settings.slack.api_url,
            max_bytes=self._settings.files.max_size,
            app_token=app_token,
        )

    async def take_up_unconnected(self) -> None:
        """Let the lanes of workspaces work that are known by their export alone; Slack answers nothing about them."""
        for workspace in await self._directory.unconnected():
            if workspace.team not in self._installations:
                self._installations[workspace.team] = self._install(workspace.name, "")

    async def _identified(self, installation: Installation) -> TeamId:
        """Return the workspace's id as soon as Slack tells it, and let its lanes work."""
        client = installation.client
        failures = 0
        while True:
            try:
                workspace = await self._roster.identify(client)
            except (Later, Refused) as error:
                failures += 1
                log.error("workspace %s: %s", client.name, error)
                await asyncio.sleep(pause(failures))
                continue
            self._installations[workspace.team] = installation
            self._hurry()
            log.info("workspace %s is %s (%s)", client.name, workspace.name, workspace.team)
            return workspace.team

    async def _read_all(self, team: TeamId, read: Callable[[TeamId], Awaitable[None]]) -> None:
        """Read who, or who and what, is in a workspace, and bring its ghosts up to date with it."""
        self._people_read[team] = asyncio.get_running_loop().time()
        for what, step in (("read", read), ("shown as they are now", self._ghosts.refresh_all)):
            failures = 0
            while True:
                try:
                    await step(team)
                    break
                except (Later, Refused) as error:
                    failures += 1
                    log.error("%s: channels and people could not be %s: %s", team, what, error)
                    await asyncio.sleep(pause(failures))

    async def _read(self, team: TeamId) -> None:
        """Read all after the start, and what may have changed unheard after each gap; the next one mends a failure."""
        if not self._unread[team]:
            await self._read_all(team, self._roster.read)
        while self._unread[team]:
            self._unread[team] = False
            self._read_people(team)
            try:
                await self._roster.read_again(team)
            except (Later, Refused) as error:
                log.error("%s: channels, emoji and user groups could not be read: %s", team, error)

    def _read_people(self, team: TeamId) -> None:
        """Have everybody read anew, whose changes may have been lost in a gap."""
        self._people_unread[team] = True
        reading = self._people_readings.get(team)
        if reading is None or reading.done():
            self._people_readings[team] = self._group.create_task(self._keep_people(team), name=f"people {team}")

    async def _keep_people(self, team: TeamId) -> None:
        while self._people_unread[team]:
            await asyncio.sleep(self._people_read[team] + _PEOPLE_EVERY - asyncio.get_running_loop().time())
            self._people_unread[team] = False
            await self._read_all(team, self._roster.read_people)
