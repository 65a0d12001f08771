"""The same journeys over signed HTTP: Slack calls the bridge, and repeats what the bridge did not take."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from config.loader import parse
from tests.journeys.script import Cut, Delete, Edit, Post, React
from tests.journeys.stage import Stage, groups_for
from tests.journeys.world import World, people_of
from tests.sandbox.child import free_port

if TYPE_CHECKING:
    from typing import Self

    from tests.journeys.script import Act

TALK: list[Act] = [
    Post(1, "slack", "alice", "general", "m1 said"),
    Post(2, "matrix", "ada", "general", "m2 said"),
    Post(3, "slack", "bob", "general", "m3 said", root=1),
    Edit(1, "m1 said again"),
    React(2, "slack", "bob", "eyes"),
    Post(4, "matrix", "brian", "general", "m4 said", root=1),
    Edit(2, "m2 said again"),
    Post(5, "slack", "alice", "general", "m5 said"),
    Delete(5),
    React(1, "matrix", "ada", "tada"),
]


class SignedStage(Stage):
    """A stage whose Slack delivers over signed HTTP."""

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        workspace, port = self.workspace, free_port()
        self.url = f"http://127.0.0.1:{port}"
        secret = workspace.installation.app.signing_secret
        slack: dict[str, Any] = {
            "api_url": self.slack.api_url,
            "mode": "events",
            "events": {"listen": f"127.0.0.1:{port}", "url": self.url},
            "workspaces": [{"name": "acme", "bot_token": workspace.bot_token, "signing_secret": secret}],
        }
        listens = self.settings.appservice.listen.port
        groups = groups_for(self.slack, self.homeserver.url, self.database_url, listens, **self.more)
        groups["slack"] = slack
        self.settings = parse(orjson.dumps(groups).decode(), "stage", Path.cwd(), {})
        return self

    async def start(self, *, steps: int = 0) -> None:
        await super().start(steps=steps)
        if self.workspace.installation.app.request_url is None and self.is_running:
            await self.slack.set_request_url(self.workspace, f"{self.url}/slack/events")


@pytest.mark.parametrize(
    "cuts", [[], [Cut(8), Cut(25)], [Cut(40), Cut(3), Cut(60)]], ids=["undisturbed", "two", "three"]
)
async def test_signed_requests_carry_the_same_conversation(sqlite_url: str, cuts: list[Cut]) -> None:
    async with SignedStage(sqlite_url, seed=people_of) as stage:
        world = World(stage, cuts=cuts)
        await world.open()
        await world.play(TALK)
        await world.settle()
        assert await world.differences(in_order=False) == []
        assert await stage.left_over() == []
        assert stage.slack.calls.of("apps.connections.open") == []
