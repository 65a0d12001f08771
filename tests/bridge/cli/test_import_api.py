from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bridge.cli.import_api import lines_of
from bridge.exports.from_api import Written
from config.reference import render
from portals.history.export import Problem
from tests.bridge.exports.api_scene import folder_of, scene

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.bridge.cli.conftest import Causeway
    from tests.bridge.exports.api_scene import Scene


@asynccontextmanager
async def configured(directory: Path) -> AsyncIterator[tuple[Scene, Path]]:
    """A workspace to read, and a configuration that knows it; its database is never opened."""
    async with scene() as it:
        workspace = {"name": "acme", "bot_token": it.team.bot_token, "app_token": it.team.app_token}
        values: dict[str, Any] = {
            "homeserver": {"address": "http://127.0.0.1:1", "domain": "localhost"},
            "appservice": {"as_token": "as-token-0123456789", "hs_token": "hs-token-0123456789"},
            "database": {"url": f"sqlite:///{directory}/bridge.db"},
            "slack": {"api_url": it.slack.api_url, "workspaces": [workspace]},
        }
        config = directory / "config.yaml"
        config.write_text(render(values))
        config.chmod(0o600)
        yield it, config


async def test_it_reads_and_plans_and_the_next_time_it_brings_what_is_new(tmp_path: Path, causeway: Causeway) -> None:
    async with configured(tmp_path) as (it, config):
        command = ("import", "--api", "--dry-run", "--json", "--into", tmp_path / "history", "-c", config)
        said = await asyncio.to_thread(causeway, *command)
        total = said.data["totals"]["messages"]
        seen = [channel for channel in it.team.channels.values() if it.team.installation.bot_user in channel.members]
        assert total == sum(len(channel.messages) for channel in seen)
        assert said.data["problems"] == []
        assert "holds people's messages" in said.err
        assert "11 channels of Northwind Supply" in said.err
        it.team.person("greta").post("#busy", "news")
        said = await asyncio.to_thread(causeway, *command)
        assert said.data["totals"]["messages"] == total + 1


async def test_what_cannot_be_read_is_told_and_is_in_the_plan(tmp_path: Path, causeway: Causeway) -> None:
    async with configured(tmp_path) as (it, config):
        it.team.person("greta").kick("#random", it.team.installation.bot_user)
        words = ("--into", tmp_path / "history", "-c", config, "--kind", "public", "--workspace", "acme")
        said = await asyncio.to_thread(causeway, "import", "--api", "--dry-run", "--json", *words)
        assert [problem["where"].partition(" ")[0] for problem in said.data["problems"]] == ["#random"]
        assert "/invite" in said.err
        said = await asyncio.to_thread(causeway, "import", "--api", "--join", "--dry-run", "--json", *words)
        assert said.data["problems"] == []
        assert folder_of(tmp_path / "history", "random")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("import",), "--api"),
        (("import", "--into", "x", "."), "belong to --api"),
        (("import", "--api", "."), "not both"),
    ],
)
def test_what_does_not_go_together_is_told(causeway: Causeway, words: tuple[str, ...], told: str) -> None:
    assert told in causeway(*words, code=2).err


async def test_a_workspace_that_is_not_configured_is_told(tmp_path: Path, causeway: Causeway) -> None:
    async with configured(tmp_path) as (_, config):
        said = await asyncio.to_thread(causeway, "import", "--api", "--workspace", "other", "-c", config, code=2)
        assert "acme" in said.err


def test_channels_with_one_problem_are_told_in_one_line() -> None:
    problems = tuple(Problem(f"#c{number}", "the bot is not in it") for number in range(7))
    written = Written(Path("out"), "T1", "Acme", 3, 1_200, (*problems, Problem("emoji", "missing\x1b scope")))
    assert lines_of(written)[1:] == [
        "  #c0, #c1, #c2, #c3, #c4 and 2 more: the bot is not in it",
        "  emoji: missing  scope",
    ]


def test_a_reading_that_was_gone_on_with_says_as_of_when_it_is() -> None:
    written = Written(Path("out"), "T1", "Acme", 3, 1_200, (), begun=1_700_000_000, resumed=True)
    assert "2023-11-14T22:13:20Z" in lines_of(written)[1]
