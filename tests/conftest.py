"""What every test may ask for: a database of either kind, empty and its own.

Real servers start when the first test asks for one and live as long as the test process.
"""

from __future__ import annotations

from asyncio.selector_events import BaseSelectorEventLoop
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import settings

from tests.sandbox.homeserver.synapse import make_template
from tests.sandbox.postgres import Postgres

if TYPE_CHECKING:
    import asyncio
    import socket
    from collections.abc import Iterator
    from pathlib import Path

settings.register_profile("causeway", deadline=None, print_blob=True)
settings.register_profile("fuzz", deadline=None, print_blob=True, max_examples=1000)
settings.load_profile("causeway")

_accepted: Any = BaseSelectorEventLoop._accept_connection2  # type: ignore[attr-defined]


async def _accept(
    loop: BaseSelectorEventLoop,
    protocol: object,
    connection: socket.socket,
    extra: object,
    tls: object = None,
    server: asyncio.Server | None = None,
    *limits: float,
) -> None:
    """Close what a server accepted in the moment in which it was closed itself.

    Python leaves such a connection open until it is collected (python/cpython#109564), in the middle of another test.
    """
    if server is not None and not server.sockets:
        connection.close()
        return
    await _accepted(loop, protocol, connection, extra, tls, server, *limits)


BaseSelectorEventLoop._accept_connection2 = _accept  # type: ignore[attr-defined]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The PostgreSQL of this test process; a test that stops a server starts one of its own."""
    with Postgres() as server:
        yield server


@pytest.fixture
async def postgres_url(postgres: Postgres) -> str:
    """An empty database on PostgreSQL."""
    return await postgres.fresh_database()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """An SQLite file that does not exist yet."""
    return f"sqlite:///{tmp_path / 'causeway.db'}"


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """An empty database of each kind in turn."""
    return cast("str", request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture(scope="session")
def synapse_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The keys and the empty database of a Synapse, so that each later one starts in about a second."""
    return make_template(tmp_path_factory.mktemp("synapse"))
