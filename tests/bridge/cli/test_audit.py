"""`causeway audit` shows who did what, hands it on whole, and finds out what was changed."""

from __future__ import annotations

import asyncio
import json
import stat
from typing import TYPE_CHECKING

import pytest

from bridge.store.audit_chain import BEGINNING
from bridge.store.database import Statement
from bridge.store.opening import open_database
from tests.bridge.cli.bridged import Bridged, bridged

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.bridge.cli.conftest import Causeway


@pytest.fixture
async def bridge(causeway: Causeway, tmp_path: Path, sqlite_url: str) -> AsyncIterator[Bridged]:
    async with bridged(causeway, tmp_path, sqlite_url) as bridge:
        yield bridge


async def test_what_was_done_is_listed_exported_and_proven(bridge: Bridged, tmp_path: Path) -> None:
    assert (await bridge.say("audit", "list")).out == "Nothing was done yet.\n"
    await bridge.say("portals", "add", "#general")
    await bridge.say("portals", "pause", "#general")
    listed = (await bridge.say("audit", "list", "--json")).data["audit"]
    assert [one["act"] for one in listed] == ["add portal", "pause portal"]
    assert listed[0]["actor"].endswith("(command line)")
    assert "pause portal" in (await bridge.say("audit", "list", "--last", "1")).out
    path = tmp_path / "audit.jsonl"
    await bridge.say("audit", "export", "-o", str(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [one["previous"] for one in lines] == [BEGINNING, lines[0]["seal"]]
    assert (await bridge.say("audit", "export")).out == path.read_text()
    said = await bridge.say("audit", "verify", "--seal", lines[0]["seal"])
    assert said.out == f"2 entries are as they were written; the last seal is {lines[1]['seal']}\n"


async def test_a_change_is_told_and_ends_with_1(bridge: Bridged, sqlite_url: str) -> None:
    await bridge.say("portals", "add", "#general")
    await bridge.say("audit", "verify")
    database = await open_database(sqlite_url)
    await database.commit(Statement("UPDATE audit SET actor = 'nobody'"))
    await database.close()
    said = await bridge.say("audit", "verify", code=1)
    assert "the audit log was changed: entry 1 is not as it was written" in said.err


async def test_the_running_bridge_seals_what_is_done(bridge: Bridged) -> None:
    await bridge.say("portals", "add", "#general")
    await bridge.stage.start()
    database = bridge.stage.database
    assert database is not None
    async with asyncio.timeout(10):
        while not await database.fetch("SELECT 1 FROM audit_seals"):
            await asyncio.sleep(0.05)
