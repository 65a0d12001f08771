"""A bridge on a stage with a configuration file beside it, so that commands can be given while it runs or rests."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from config.reference import render
from portals.ids import TeamId
from portals.reading.slack import address
from tests.journeys.stage import Stage
from tests.sandbox.slack.seed import demo_workspace

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from config.document import Plain
    from tests.bridge.cli.conftest import Causeway, Said

SETTLED = "SELECT 1 FROM inbox WHERE source_key = $1 AND state = 2"


@dataclass
class Bridged:
    """A stage, and `causeway` with its configuration."""

    stage: Stage
    config: Path
    causeway: Causeway

    async def say(self, *words: str, code: int = 0) -> Said:
        """Give a command, in a thread of its own, so that the bridge goes on meanwhile."""
        return await asyncio.to_thread(self.causeway, *words, code=code, CAUSEWAY_CONFIG=str(self.config))

    async def portal(self, name: str) -> dict[str, Any]:
        """Return a portal as the list shows it."""
        listed = (await self.say("portals", "list", "--all", "--json")).data["portals"]
        found: dict[str, Any] = next(portal for portal in listed if portal["name"] == name)
        return found

    async def portal_that(self, name: str, **fields: object) -> dict[str, Any]:
        """Return a portal as soon as the list shows it like this."""
        async with asyncio.timeout(10):
            while not fields.items() <= (portal := await self.portal(name)).items():
                await asyncio.sleep(0.05)
        return portal

    async def taken_up(self) -> None:
        """Wait until the bridge has taken up what commands asked for."""
        assert self.stage.database is not None
        async with asyncio.timeout(10):
            while await self.stage.database.fetch("SELECT 1 FROM requests"):
                await asyncio.sleep(0.02)

    async def settled(self, channel: str, ts: str) -> None:
        """Wait until the bridge is through with a Slack message."""
        assert self.stage.database is not None
        event = {"type": "message", "channel": self.stage.workspace.channel(channel).id, "ts": ts}
        where = address({"event": event}, TeamId(self.stage.workspace.id))
        assert where is not None
        async with asyncio.timeout(10):
            while not await self.stage.database.fetch(
                "SELECT 1 FROM inbox WHERE source_key = $1 AND state = 2", where.source_key
            ):
                await asyncio.sleep(0.02)

    async def shows(self, channel: str, words: str, *, is_shown: bool = True) -> None:
        """Wait until the room of a channel shows these words in one line."""
        async with asyncio.timeout(10):
            while any(words in line.body for line in await self.stage.lines(channel)) is not is_shown:
                await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def bridged(causeway: Causeway, directory: Path, database_url: str, **more: Any) -> AsyncIterator[Bridged]:
    """Set up a bridge with no portals between a lively Slack and a homeserver; `more` are groups of settings."""
    groups = {"portals": {"automatic": {"include": []}}, **more}
    async with Stage(database_url, groups, demo_workspace) as stage:
        service, (workspace,) = stage.settings.appservice, stage.settings.slack.workspaces
        assert workspace.app_token is not None
        assert workspace.bot_token is not None
        values: dict[str, Plain] = {
            "homeserver": {"domain": "localhost", "address": stage.homeserver.url},
            "appservice": {
                "as_token": service.as_token.reveal(),
                "hs_token": service.hs_token.reveal(),
                "listen": str(service.listen),
                "url": service.url,
            },
            "database": {"url": database_url},
            "slack": {
                "api_url": stage.slack.api_url,
                "workspaces": [
                    {
                        "name": workspace.name,
                        "bot_token": workspace.bot_token.reveal(),
                        "app_token": workspace.app_token.reveal(),
                    }
                ],
            },
            **groups,
        }
        config = directory / "config.yaml"
        config.write_text(render(values))
        config.chmod(0o600)
        yield Bridged(stage, config, causeway)
