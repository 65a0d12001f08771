"""A workspace without a token is installed by an admin's consent, comes up while the bridge runs, and stays up."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import orjson
import pytest

from bridge.oauth.app_tokens import token_of
from bridge.oauth.installing import link_for
from bridge.store.database import Statement
from bridge.store.opening import open_database
from config.loader import parse
from tests.journeys.consenting import other_team
from tests.journeys.stage import Stage, groups_for, until
from tests.journeys.test_commands import asked, audit, own_room
from tests.journeys.world import people_of
from tests.sandbox.child import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

KEY = "k" * 24


@pytest.fixture
async def stage(sqlite_url: str) -> AsyncIterator[Stage]:
    """A stage whose workspace has no bot token, and whose bridge runs."""
    public, port = f"127.0.0.1:{free_port()}", free_port()
    async with Stage(sqlite_url, seed=people_of) as stage:
        stage.slack.team().installation.app.redirect_urls = {f"http://{public}/slack/installed"}
        stage.slack.team().installation.app.rotation = True
        groups = groups_for(
            stage.slack,
            stage.homeserver.url,
            sqlite_url,
            int(stage.settings.appservice.listen.port) or port,
            oauth={"key": KEY, "rotation": True},
            public={"listen": public, "url": f"http://{public}"},
            admins=["@ada:localhost"],
        )
        del groups["slack"]["workspaces"][0]["bot_token"]
        stage.settings = parse(orjson.dumps(groups).decode(), "stage", Path.cwd(), {})
        await stage.start()
        yield stage


async def install(stage: Stage, *, other: bool = False) -> tuple[int, str]:
    """Go the whole way, and return what the last page says."""
    assert stage.database is not None
    link = await link_for(stage.settings, stage.database, stage.settings.slack.workspaces[0])
    return await follow(stage, link, other=other)


async def follow(stage: Stage, link: str, *, other: bool = False) -> tuple[int, str]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
        async with browser.get(link) as response:
            (onward,) = re.findall(r'href="([^"]+)"', await response.text())
        address = f"{stage.settings.public.url}{onward.replace('&amp;', '&')}"
        async with browser.get(address, allow_redirects=False) as response:
            to_slack = response.headers["Location"]
        chosen = other_team(stage.slack) if other else None
        back = stage.slack.oauth.consent(to_slack, "mallory" if other else "alice", workspace=chosen)
        async with browser.get(back) as response:
            return response.status, await response.text()


async def test_a_workspace_comes_up_as_soon_as_it_is_installed_and_its_token_is_renewed(stage: Stage) -> None:
    assert await token_of(stage.settings, stage.settings.slack.workspaces[0]) == ""
    status, page = await install(stage)
    assert (status, "The bridge takes it up" in page) == (200, True), page
    await stage.room("general", 30)
    first = await token_of(stage.settings, stage.settings.slack.workspaces[0])
    assert first.startswith("xoxe.xoxb-")
    assert stage.database is not None
    stored = str([tuple(row) for row in await stage.database.fetch("SELECT * FROM grants")])
    assert first not in stored
    await stage.stop()
    stage.slack.tokens[first].state = "token_expired"
    database = await open_database(stage.database_url)
    await database.commit(Statement("UPDATE grants SET expires_at = 1"))
    await database.close()
    await stage.start()
    ada = await stage.person("ada", "general")
    await ada.say(await stage.room("general"), "hello")
    await until(lambda: any(entry.text == "hello" for entry in stage.entries("general")), 30)
    assert await token_of(stage.settings, stage.settings.slack.workspaces[0]) != first


async def test_a_running_bridge_takes_up_the_token_of_an_installation_that_was_made_anew(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="bridge.oauth")
    await install(stage)
    ada = await stage.person("ada", "general")
    stage.slack.oauth.uninstall(stage.workspace)
    await install(stage)
    await until(lambda: "acme has a new token" in caplog.text, 30)
    await ada.say(await stage.room("general"), "hello")
    await until(lambda: any(entry.text == "hello" for entry in stage.entries("general")), 60)


async def test_another_workspace_is_not_taken_for_one_that_is_known(stage: Stage) -> None:
    await install(stage)
    await stage.room("general", 30)
    status, page = await install(stage, other=True)
    assert (status, "That is not the workspace acme" in page) == (400, True)


async def test_the_bot_gives_an_admin_the_link_in_a_room_of_their_own_and_the_log_has_it(stage: Stage) -> None:
    ada, room = await own_room(stage)
    answer = await asked(stage, ada, room, "install-link")
    (link,) = re.findall(r"http://\S+/slack/install\?link=\S+", answer)
    assert "installs the app to acme" in answer
    assert (await follow(stage, link))[0] == 200
    assert await audit(stage) == [("@ada:localhost", "install link"), ("install", "install")]
