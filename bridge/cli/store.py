"""The store as commands use it: beside the running bridge or without one, never as its owner.

A command changes rows and then leaves a request, which the bridge takes up within a second, or at its next start.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from bridge.configured import names_from
from bridge.store.directory import Directory
from bridge.store.ledger import TO_MATRIX, TO_SLACK, Ledger
from bridge.store.opening import open_database
from bridge.store.people import People
from portals.facts import PortalState
from portals.ids import channel_queue

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from typing import TypeVar

    from bridge.store.database import Database
    from config.settings import Settings
    from portals.facts import Portal

    Result = TypeVar("Result")

_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Store:
    """What commands read and change."""

    directory: Directory
    ledger: Ledger
    people: People

    async def portals(self) -> list[Portal]:
        """Return every portal, removed ones too."""
        found: list[Portal] = []
        while page := await self.directory.portals(found[-1].id if found else 0, _PAGE):
            found += page
        return found

    async def find(self, wanted: str) -> Portal:
        """Return the portal of a channel, by name or id, or of a room; raises ClickException where none is meant.

        Where channels of several workspaces bear the name, `T…/C…` tells them apart.
        """
        every = await self.portals()
        found = [portal for portal in every if wanted in _names(portal)]
        there = [portal for portal in found if portal.state is not PortalState.REMOVED] or found
        if len(there) == 1:
            return there[0]
        if there:
            choices = " or ".join(channel_queue(portal.team, portal.channel) for portal in there)
            raise click.ClickException(f"several workspaces have a portal of {wanted}: write {choices}")
        hint = like(wanted, [one.name for one in every]) or ": `causeway portals list` shows those that there are"
        raise click.ClickException(f"there is no portal of {wanted}{hint}")

    async def portal_of(self, direction: str, queue: str) -> Portal | None:
        """Return the portal whose queue this is, removed or not."""
        if direction == TO_SLACK:
            return await self.directory.portal_of_room(queue)
        team, _, channel = queue.partition("/")
        return await self.directory.portal_of_channel(team, channel)

    async def workspace_name(self, portal: Portal) -> str:
        """Return the name of a portal's workspace, or its id until the bridge has been connected to it."""
        workspace = await self.directory.workspace(portal.team)
        return workspace.name if workspace else portal.team

    async def request(self, portal: Portal) -> None:
        """Have the running bridge look at both queues of a portal."""
        await self.ledger.request(TO_MATRIX, channel_queue(portal.team, portal.channel))
        if portal.room is not None:
            await self.ledger.request(TO_SLACK, portal.room)


def _names(portal: Portal) -> set[str | None]:
    queue = channel_queue(portal.team, portal.channel)
    return {portal.channel, queue, portal.name, f"#{portal.name}", portal.room, portal.target} - {"create", ""}


def like(wanted: str, names: list[str]) -> str:
    """Return the question whether something similar is meant, or nothing."""
    from difflib import get_close_matches

    found = get_close_matches(wanted.removeprefix("#").lower(), names, n=3, cutoff=0.6)
    return f": did you mean {' or '.join(f'#{name}' for name in found)}?" if found else ""


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Store]:
    """Open the store of a bridge; raises BridgeError where it cannot be opened."""
    database = await open_database(settings.database.url.reveal())
    try:
        yield Store(Directory(database, names_from(settings)), Ledger(database), People(database))
    finally:
        await database.close()


def on_database(settings: Settings, work: Callable[[Database], Awaitable[Result]]) -> Result:
    """Run a command's work on the database itself."""

    async def run() -> Result:
        database = await open_database(settings.database.url.reveal())
        try:
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(run())


def in_store(settings: Settings, work: Callable[[Store], Awaitable[Result]]) -> Result:
    """Run a command's work on the store."""

    async def run() -> Result:
        async with opened(settings) as store:
            return await work(store)

    return asyncio.run(run())
