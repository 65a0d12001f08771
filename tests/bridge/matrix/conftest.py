"""The stub homeserver and a client that talks to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.http import Listener
from bridge.matrix.client import MatrixClient
from portals.ids import MatrixUserId
from tests.bridge.matrix.stub_homeserver import StubHomeserver

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def stub() -> AsyncIterator[StubHomeserver]:
    """A homeserver that does as it is told."""
    homeserver = StubHomeserver()
    async with Listener(homeserver.application(), "127.0.0.1", 0) as listener:
        homeserver.url = listener.url
        yield homeserver


@pytest.fixture
async def client(stub: StubHomeserver) -> AsyncIterator[MatrixClient]:
    """A client of the stub homeserver."""
    async with MatrixClient(stub.url, "secret-token", MatrixUserId("@causeway:hs.test")) as client:
        yield client
