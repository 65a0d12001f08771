"""`causeway import files` tells what became of a history's files, and has those tried again that could not be had."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bridge.store.files import Files, FileState, KnownFile
from bridge.store.opening import open_database
from config.reference import render
from portals.ids import TeamId

if TYPE_CHECKING:
    from pathlib import Path

    from config.document import Plain
    from tests.bridge.cli.conftest import Causeway

TEAM = TeamId("T1")
GONE = "the file does not exist, or no longer"


def file(file_id: str) -> KnownFile:
    return KnownFile(TEAM, file_id, "https://files.slack.com/x", f"{file_id}.txt", "text/plain", 2_000)


@pytest.fixture
def config(tmp_path: Path, sqlite_url: str) -> Path:
    """The configuration of a bridge whose store knows four files."""

    async def fill() -> None:
        database = await open_database(sqlite_url)
        files = Files(database)
        await files.arrived(replace(file("F1"), mxc="mxc://x/1", seen=1_500))
        await files.keep(files.expecting(replace(file("F2"), promised=True)))
        for name in ("F3", "F4"):
            await files.give_up(replace(file(name), reason=GONE))
        await database.close()

    asyncio.run(fill())
    path = tmp_path / "config.yaml"
    tokens: Plain = {"bot_token": "xoxb-1", "app_token": "xapp-1"}
    values: dict[str, Plain] = {
        "homeserver": {"domain": "localhost"},
        "appservice": {"as_token": "a" * 24, "hs_token": "h" * 24},
        "database": {"url": sqlite_url},
        "slack": {"workspaces": [tokens]},
    }
    path.write_text(render(values))
    path.chmod(0o600)
    return path


def states(url: str) -> dict[str, FileState]:
    async def read() -> dict[str, FileState]:
        database = await open_database(url)
        found = await Files(database).find_all(TEAM, ["F1", "F2", "F3", "F4"])
        await database.close()
        return {one.id: one.state for one in found.values()}

    return asyncio.run(read())


def test_files_are_counted_and_what_could_not_be_had_is_named_with_its_reason(causeway: Causeway, config: Path) -> None:
    out = causeway("import", "files", "list", "-c", config).out
    assert out.splitlines()[0] == "1 here (1.5 kB), 1 still to come (2.0 kB), 2 could not be had"
    assert [" ".join(line.split()) for line in out.splitlines()[2:]] == [
        f"F3 T1 F3.txt 2.0 kB {GONE}",
        f"F4 T1 F4.txt 2.0 kB {GONE}",
    ]
    data = causeway("import", "files", "list", "-c", config, "--json").data
    assert data["here"] == {"files": 1, "bytes": 1_500}
    assert data["waiting"] == {"files": 1, "bytes": 2_000}
    assert data["absent"][0] == {"id": "F3", "team": "T1", "name": "F3.txt", "bytes": 2_000, "reason": GONE}


def test_files_that_are_retried_wait_again(causeway: Causeway, config: Path, sqlite_url: str) -> None:
    assert causeway("import", "files", "retry", "F3", "-c", config).out == "retried: F3\n"
    assert states(sqlite_url)["F3"] is FileState.WAITING
    assert states(sqlite_url)["F4"] is FileState.ABSENT
    assert causeway("import", "files", "retry", "--all", "-c", config, "--json").data == {"retried": ["F4"]}
    assert causeway("import", "files", "retry", "--all", "-c", config).out == "retried: nothing\n"
    assert states(sqlite_url)["F1"] is FileState.HERE


def test_a_file_that_is_not_missing_is_not_retried(causeway: Causeway, config: Path, sqlite_url: str) -> None:
    said = causeway("import", "files", "retry", "F1", "F3", "F9", "-c", config, code=1)
    assert said.out == "retried: F3\n"
    assert [line.partition(" is ")[0] for line in said.err.splitlines()] == ["Error: F1", "Error: F9"]
    assert states(sqlite_url)["F1"] is FileState.HERE


@pytest.mark.parametrize("words", [(), ("F3", "--all")])
def test_ids_or_all_of_them_are_named(causeway: Causeway, config: Path, words: tuple[str, ...]) -> None:
    assert "or --all" in causeway("import", "files", "retry", *words, "-c", config, code=2).err
