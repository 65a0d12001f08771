"""The store as commands use it: beside the running bridge or without one, never as its owner.

A command changes rows and then leaves a request, which the bridge takes up within a second, or at its next start.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from bridge.administration.store import Store
from bridge.configured import names_from
from bridge.store.opening import open_database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from typing import TypeVar

    from bridge.store.database import Database
    from config.settings import Settings

    Result = TypeVar("Result")


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Store]:
    """Open the store of a bridge; raises BridgeError where it cannot be opened."""
    database = await open_database(settings.database.url.reveal())
    try:
        yield Store.on(database, names_from(settings))
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
