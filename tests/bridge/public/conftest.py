"""A homeserver that answers as told, and somebody who asks the public listener."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp
import pytest

from bridge.http import Listener
from bridge.matrix.client import MatrixClient
from portals.ids import MatrixUserId
from tests.bridge.matrix.stub_homeserver import StubHomeserver

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def homeserver() -> AsyncIterator[StubHomeserver]:
    stub = StubHomeserver()
    async with Listener(stub.application(), "127.0.0.1", 0) as listener:
        stub.url = listener.url
        yield stub


@pytest.fixture
async def matrix(homeserver: StubHomeserver) -> AsyncIterator[MatrixClient]:
    async with MatrixClient(homeserver.url, "secret-token", MatrixUserId("@causeway:hs.test")) as client:
        yield client


@pytest.fixture
async def stranger() -> AsyncIterator[aiohttp.ClientSession]:
    """Somebody out there, who looks at redirects before following them."""
    async with aiohttp.ClientSession() as session:
        yield session
