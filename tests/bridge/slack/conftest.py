from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp
import pytest

from bridge.slack.client import SlackClient
from bridge.slack.limits import Limits
from bridge.slack.web import Timeouts
from tests.bridge.slack.stub import StubSlack

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

TOKEN = "xoxb-secret-of-the-bot"
APP_TOKEN = "xapp-secret-of-the-app"


@pytest.fixture
async def stub() -> AsyncIterator[StubSlack]:
    stub = StubSlack()
    await stub.server.start_server()
    yield stub
    await stub.server.close()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def client(stub: StubSlack, session: aiohttp.ClientSession) -> SlackClient:
    return SlackClient(
        "acme",
        TOKEN,
        session=session,
        limits=Limits(scale=0.001),
        api_url=stub.api_url,
        app_token=APP_TOKEN,
        timeouts=Timeouts(call=0.5, transfer=0.5),
    )
