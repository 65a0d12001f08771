"""A store of each kind, and a world of files on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.store.opening import open_database
from tests.bridge.work.file_world import file_world

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bridge.store.database import Database
    from tests.bridge.work.file_world import FileWorld


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = await open_database(database_url)
    yield opened
    await opened.close()


@pytest.fixture
async def world(database: Database) -> AsyncIterator[FileWorld]:
    async with file_world(database) as world:
        yield world
