"""An open store of each kind, empty and owned by nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.store import postgres, sqlite
from bridge.store.directory import Directory
from bridge.store.ledger import Ledger
from bridge.store.links import Links
from bridge.store.opening import open_database
from portals.ids import GhostNames

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bridge.store.database import Database


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = await open_database(database_url)
    yield opened
    await opened.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait for an owner that is not going to go."""
    monkeypatch.setattr(sqlite, "_OWNER_GOES", 0.3)
    monkeypatch.setattr(postgres, "_OWNER_GOES", 3)


@pytest.fixture
def ledger(database: Database) -> Ledger:
    return Ledger(database)


@pytest.fixture
def links(database: Database) -> Links:
    return Links(database)


@pytest.fixture
def names() -> GhostNames:
    return GhostNames("example.org", "causeway", "slack_{team}_{user}", "slack_{team}_{channel}")


@pytest.fixture
def directory(database: Database, names: GhostNames) -> Directory:
    return Directory(database, names)
