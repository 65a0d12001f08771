"""The composition root of an import: its parts are built here, by hand, beside the bridge or with it.

    this process   reads the export, fetches files, admits ─▶ the store ─▶ lanes of the bridge, wherever it runs

Where no bridge works on the store, this process runs it as well, for as long as the import takes.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import aiohttp

from bridge.administration.imports import progress_of
from bridge.app import Hooks, run
from bridge.configured import client_from, names_from, rules_from
from bridge.errors import Later, Refused, StoreTaken
from bridge.policies import customs_from
from bridge.slack.client import SlackClient
from bridge.slack.files import SlackFiles
from bridge.slack.installation import Installation
from bridge.slack.limits import Limits
from bridge.store.directory import Directory
from bridge.store.files import Files
from bridge.store.imports import Imports
from bridge.store.ledger import Ledger
from bridge.store.links import Links
from bridge.store.opening import open_database
from bridge.store.people import People
from bridge.work.entitled import Entitled
from bridge.work.fetching import Fetcher
from bridge.work.importer import Importer
from bridge.work.late_files import LateFiles
from bridge.work.roster import workspace_of
from bridge.work.transfers import Transfers
from portals.ids import TeamId

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    from bridge.exports.export import Export
    from bridge.store.database import Database
    from bridge.store.imports import Import
    from bridge.work.importer import Wanted
    from config.settings import Settings
    from portals.history.progress import Progress

log = logging.getLogger(__name__)

_TELL = 1.0


async def bring(
    settings: Settings,
    export: Export,
    wanted: Wanted,
    tell: Callable[[Progress], None],
    hooks: Hooks = Hooks(),  # noqa: B008  frozen
) -> Progress:
    """Bring over what is wanted of an export; `tell` is called every second. Returns how it stands in the end.

    Raises Fatal where the bridge cannot run, and what the importer raises.
    """
    database = await open_database(settings.database.url.reveal())
    try:
        async with importer_on(settings, database, export, wanted.team) as importer:
            bridge = asyncio.create_task(bridge_meanwhile(settings, hooks), name="bridge")
            work = asyncio.create_task(importer.run(export, wanted), name="import")
            telling = asyncio.create_task(_tell(database, work, tell), name="import: tells how far it is")
            try:
                await asyncio.wait([bridge, work], return_when=asyncio.FIRST_COMPLETED)
                if not work.done():
                    bridge.result()
                done = await work
            finally:
                for task in (telling, work, bridge):
                    task.cancel()
                await asyncio.wait([telling, work, bridge])
        return await progress_of(database, done)
    finally:
        await database.close()


async def bridge_meanwhile(settings: Settings, hooks: Hooks) -> None:
    """Run the bridge, unless another process does; then return at once."""
    try:
        await run(settings, hooks)
    except StoreTaken:
        log.info("the bridge runs in another process, and shows what is admitted here")


@asynccontextmanager
async def importer_on(
    settings: Settings, database: Database, export: Export, team: TeamId, **more: Any
) -> AsyncIterator[Importer]:
    """Build an importer on a store; `more` stands in place of usual parts."""
    names = names_from(settings)
    directory, people = Directory(database, names), People(database)
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=10)
    async with (
        aiohttp.ClientSession(timeout=timeout, trust_env=True) as session,
        client_from(settings, database, aside=True) as matrix,
    ):
        teams = {channel.team or team for channel in export.channels} | {team}
        installations = await _installations(settings, session, directory, teams)
        files = Files(database)
        fetcher = Fetcher(
            files=files,
            transfers=Transfers(
                files,
                directory,
                matrix,
                installations,
                settings.files.max_size,
                seals=settings.rooms.encryption,
                customs=customs_from(settings),
            ),
            late=LateFiles(files, Links(database), Ledger(database)),
            rules=rules_from(settings),
            at_once=settings.imports.files_at_once,
        )
        usual: dict[str, Any] = {
            "names": names,
            "ledger": Ledger(database),
            "directory": directory,
            "links": Links(database),
            "imports": Imports(database),
            "fetcher": fetcher,
            "entitled": Entitled(people, directory, settings.people.direct_messages),
            "member_limit": settings.rooms.member_limit,
            "at_once": settings.imports.channels_at_once,
        }
        yield Importer(**{**usual, **more})


async def _installations(
    settings: Settings, session: aiohttp.ClientSession, directory: Directory, teams: Iterable[TeamId]
) -> dict[TeamId, Installation]:
    """Return what fetches the files of each workspace: with its token, else with the export's alone."""
    found: dict[TeamId, Installation] = {}
    for workspace in settings.slack.workspaces:
        made = _installation(workspace.name, workspace.bot_token.reveal(), settings, session)
        try:
            identity = await made.client.auth()
        except (Later, Refused) as error:
            log.warning("the workspace %s is not asked for files: %s", workspace.name, error)
            continue
        found[TeamId(identity.team_id)] = made
        if await directory.workspace(TeamId(identity.team_id)) is None:
            await directory.learn_workspace(workspace_of(identity, workspace.name))
    for team in teams:
        found.setdefault(team, _installation(team, "", settings, session))
    return found


def _installation(name: str, token: str, settings: Settings, session: aiohttp.ClientSession) -> Installation:
    api_url = settings.slack.api_url
    client = SlackClient(name, token, session=session, limits=Limits(), api_url=api_url)
    files = SlackFiles(client, token, session=session, max_bytes=settings.files.max_size, api_url=api_url)
    return Installation(name, client, files)


async def _tell(database: Database, work: asyncio.Task[Import], tell: Callable[[Progress], None]) -> None:
    began = time.monotonic()
    first: Progress | None = None
    while not work.done():
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(work), _TELL)
        found = await Imports(database).newest(1)
        if found:
            progress = await progress_of(database, found[0])
            first = first or progress
            seconds = time.monotonic() - began
            tell(replace(progress, seconds=seconds, began_with=first.shown, came_before=first.files.came))
