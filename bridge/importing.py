"""The composition root of an import: its parts are built here, by hand, beside the bridge or with it.

    this process   reads the export, fetches files, admits ─▶ the store ─▶ lanes of the bridge, wherever it runs

Where no bridge works on the store, this process runs it as well, for as long as the import takes.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bridge.administration.imports import progress_of
from bridge.app import Hooks
from bridge.beside import with_bridge
from bridge.configured import client_from, names_from, rules_from
from bridge.errors import Later, Refused
from bridge.oauth.app_tokens import token_of
from bridge.policies import customs_from
from bridge.slack.installation import install
from bridge.slack.limits import Limits
from bridge.slack.reach import slack_session
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
from bridge.work.stillness import Stillness
from bridge.work.transfers import Transfers
from portals.ids import TeamId

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    import aiohttp

    from bridge.exports.export import Export
    from bridge.slack.installation import Installation
    from bridge.store.database import Database
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
            telling = asyncio.create_task(_tell(database, tell), name="import: tells how far it is")
            try:
                done = await with_bridge(settings, importer.run(export, wanted), hooks)
            finally:
                telling.cancel()
                await asyncio.wait([telling])
        return await progress_of(database, done)
    finally:
        await database.close()


@asynccontextmanager
async def importer_on(
    settings: Settings, database: Database, export: Export, team: TeamId, **more: Any
) -> AsyncIterator[Importer]:
    """Build an importer on a store; `more` stands in place of usual parts."""
    names = names_from(settings)
    directory, people = Directory(database, names), People(database)
    async with (
        slack_session(settings.slack.api_url) as session,
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
            "system": settings.imports.system_messages,
        }
        yield Importer(**{**usual, **more})


async def _installations(
    settings: Settings, session: aiohttp.ClientSession, directory: Directory, teams: Iterable[TeamId]
) -> dict[TeamId, Installation]:
    """Return what fetches the files of each workspace: with its token, else with the export's alone."""
    found: dict[TeamId, Installation] = {}
    for workspace in settings.slack.workspaces:
        made = _install(workspace.name, await token_of(settings, workspace), settings, session)
        try:
            identity = await made.client.auth()
        except (Later, Refused) as error:
            log.warning("the workspace %s is not asked for files: %s", workspace.name, error)
            continue
        found[TeamId(identity.team_id)] = made
        if await directory.workspace(TeamId(identity.team_id)) is None:
            await directory.learn_workspace(workspace_of(identity, workspace.name))
    for team in teams:
        found.setdefault(team, _install(team, "", settings, session))
    return found


def _install(name: str, token: str, settings: Settings, session: aiohttp.ClientSession) -> Installation:
    api_url, max_bytes = settings.slack.api_url, settings.files.max_size
    return install(name, token, session=session, limits=Limits(), api_url=api_url, max_bytes=max_bytes)


async def _tell(database: Database, tell: Callable[[Progress], None]) -> None:
    began = time.monotonic()
    first: Progress | None = None
    stillness = Stillness(database)
    while True:
        await asyncio.sleep(_TELL)
        found = await Imports(database).newest(1)
        if found:
            progress = await progress_of(database, found[0])
            first = first or progress
            await stillness.look(progress, time.monotonic())
            seconds = time.monotonic() - began
            tell(replace(progress, seconds=seconds, began_with=first.shown, came_before=first.files.came))
