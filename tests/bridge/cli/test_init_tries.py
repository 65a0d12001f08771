"""A first set-up tries every answer at once, and says of each that is wrong why, and what to do."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import pytest_asyncio
from aiohttp import web

from bridge.http import Listener
from config.loader import load
from tests.sandbox.child import free_port
from tests.sandbox.slack import ALL_BOT_SCOPES, SlackSandbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.bridge.cli.conftest import Causeway, Said


@pytest_asyncio.fixture
async def homeserver() -> AsyncIterator[str]:
    """What any homeserver tells everybody."""

    async def versions(_: web.Request) -> web.Response:
        return web.json_response({"versions": ["v1.11"]})

    async def keys(_: web.Request) -> web.Response:
        return web.json_response({"server_name": "example.org"})

    async def software(_: web.Request) -> web.Response:
        return web.json_response({"server": {"name": "Synapse", "version": "1.151.0"}})

    application = web.Application()
    application.router.add_get("/_matrix/client/versions", versions)
    application.router.add_get("/_matrix/key/v2/server", keys)
    application.router.add_get("/_matrix/federation/v1/version", software)
    async with Listener(application, "127.0.0.1", 0) as listener:
        yield listener.url


async def init(causeway: Causeway, *words: str | Path, code: int = 0, answers: str = "", **environ: str) -> Said:
    """Run it beside the servers, which need this thread."""
    return await asyncio.to_thread(causeway, "init", *words, code=code, answers=answers, **environ)


async def test_answers_that_are_true_are_taken_and_what_was_found_is_said(
    causeway: Causeway, tmp_path: Path, homeserver: str
) -> None:
    async with SlackSandbox() as slack:
        team = slack.team()
        said = await init(
            causeway,
            *("-d", tmp_path, "--domain", "example.org", "--homeserver", homeserver),
            *("--listen", f"127.0.0.1:{free_port()}", "--slack-api", slack.api_url, "--bot-token", "env:BOT"),
            *("--app-token", team.app_token),
            BOT=team.bot_token,
        )
        assert f"{homeserver} answers and speaks Matrix 1.11: Synapse 1.151.0" in said.out
        assert "the bot token is good for" in said.out
        assert "the app token opens sockets" in said.out
        assert "Add " in said.out
        assert "registration.yaml to app_service_config_files in homeserver.yaml, and restart Synapse." in said.out
        assert load(tmp_path / "config.yaml", {"BOT": team.bot_token}).slack.api_url == slack.api_url


async def test_each_flag_that_is_wrong_is_named_with_a_remedy_and_nothing_is_written(
    causeway: Causeway, tmp_path: Path, homeserver: str
) -> None:
    async with SlackSandbox() as slack:
        poor = slack.new_team("Poor", scopes=set(ALL_BOT_SCOPES) - {"reactions:write"})
        with socket.create_server(("127.0.0.1", 0)) as taken:
            busy = f"127.0.0.1:{taken.getsockname()[1]}"
            said = await init(
                causeway,
                *("-d", tmp_path / "new", "--domain", "matrix.example.org", "--homeserver", homeserver),
                *("--listen", busy, "--database", f"postgres://causeway:secret@127.0.0.1:{free_port()}/causeway"),
                *("--slack-api", slack.api_url, "--bot-token", poor.bot_token, "--app-token", "file:not-there"),
                code=1,
            )
    told = said.err
    assert "homeserver: the homeserver is called example.org in user ids, not matrix.example.org" in told
    assert "-> give --domain example.org, or" in told
    assert f"listen: something listens on {busy} already" in told
    assert "database: " in told
    assert "secret" not in told
    assert "the scope reactions:write is missing: it is needed to react" in told
    assert f"--app-token: {tmp_path / 'new' / 'not-there'} cannot be read" in told
    assert "nothing was written; --offline takes the answers untried" in told
    assert not (tmp_path / "new").exists()


async def test_what_answers_in_place_of_a_homeserver_is_told(causeway: Causeway, tmp_path: Path) -> None:
    async with Listener(web.Application(), "127.0.0.1", 0) as listener:
        words = ("-d", tmp_path, "--domain", "example.org", "--homeserver", listener.url)
        said = await init(causeway, *words, "--listen", f"127.0.0.1:{free_port()}", code=1)
        assert f"what answers at {listener.url} is no homeserver" in said.err


async def test_a_question_is_asked_again_until_the_answer_is_true_and_what_is_found_is_not_asked(
    causeway: Causeway, tmp_path: Path, homeserver: str
) -> None:
    async with SlackSandbox() as slack:
        team = slack.team()
        answers = [
            f"http://127.0.0.1:{free_port()}",  # nothing there
            homeserver,
            "",  # how the homeserver reaches the bridge
            "@alice:example.org",
            "n",
            "xoxb-wrong",
            team.bot_token,
            "xapp-wrong",
            team.app_token,
        ]
        listen = f"127.0.0.1:{free_port()}"
        said = await init(
            causeway,
            *("-d", tmp_path, "--ask", "--listen", listen, "--slack-api", slack.api_url),
            answers="\n".join(answers) + "\n",
        )
    settings = load(tmp_path / "config.yaml", {})
    assert settings.homeserver.domain == "example.org"
    assert settings.appservice.url == f"http://{listen}"
    token = settings.slack.workspaces[0].bot_token
    assert token is not None
    assert token.reveal() == team.bot_token
    assert said.out.count("✗") == 3
    assert "nothing listens at 127.0.0.1:" in said.out
    assert "(invalid_auth)" in said.out
    assert "-> check --homeserver, and that the homeserver runs" in said.out
    assert "Server name" not in said.out
    assert team.bot_token not in said.out
