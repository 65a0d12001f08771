"""A running bridge with two tokens of the API, and somebody who asks with them."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from tests.journeys.stage import Stage, until
from tests.sandbox.child import free_port
from tests.sandbox.slack.seed import demo_workspace

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ADMIN, USER = "an-admin-token-0123456789", "a-user-token-0123456789"


@dataclass(frozen=True)
class Said:
    """What the API answered."""

    status: int
    data: Any
    headers: dict[str, str]


@dataclass
class Api:
    """Asks the API of a stage's bridge."""

    stage: Stage
    session: aiohttp.ClientSession

    @property
    def url(self) -> str:
        return f"http://{self.stage.settings.console.listen}/api/v1"

    async def __call__(self, method: str, path: str, token: str | None = ADMIN, **more: Any) -> Said:
        headers = {**more.pop("headers", {}), **({"Authorization": f"Bearer {token}"} if token else {})}
        async with self.session.request(method, self.url + path, headers=headers, **more) as response:
            kind = "application/json" if response.ok else "application/problem+json"
            assert response.content_type == kind
            return Said(response.status, await response.json(content_type=kind), dict(response.headers))


def tokens() -> list[dict[str, str]]:
    return [{"name": "ops", "token": ADMIN, "role": "admin"}, {"name": "board", "token": USER, "role": "user"}]


@contextlib.asynccontextmanager
async def with_api(database_url: str) -> AsyncIterator[Api]:
    more = {
        "console": {"listen": f"127.0.0.1:{free_port()}", "tokens": tokens()},
        "portals": {"automatic": {"include": ["general"]}},
        "permissions": {
            "rules": [{"who": "*:localhost", "level": "user"}, {"who": "@amara:localhost", "level": "admin"}]
        },
    }
    async with Stage(database_url, more, demo_workspace) as stage, aiohttp.ClientSession() as session:
        await stage.start()
        await stage.room("#general")
        await until(lambda: stage.slack.sockets.connections)
        yield Api(stage, session)


@pytest.fixture
async def api(sqlite_url: str) -> AsyncIterator[Api]:
    async with with_api(sqlite_url) as api:
        yield api
