"""What waits for a moderator is listed without what it says, read with a note in the log, let go and refused."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from bridge.store.audit import Audit
from tests.bridge.cli.bridged import Bridged, bridged
from tests.sandbox.child import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.bridge.cli.conftest import Causeway

TOKEN = "an-admin-token-0123456789"


@pytest.fixture
async def bridge(causeway: Causeway, tmp_path: Path, sqlite_url: str) -> AsyncIterator[Bridged]:
    more: dict[str, Any] = {
        "portals": {"automatic": {"include": ["general"]}},
        "policies": [{"name": "default", "hold": {"words": ["VS-NfD"], "within": "2h"}}],
        "console": {
            "listen": f"127.0.0.1:{free_port()}",
            "tokens": [{"name": "ops", "token": TOKEN, "role": "admin"}],
        },
    }
    async with bridged(causeway, tmp_path, sqlite_url, **more) as bridge:
        await bridge.stage.start()
        await bridge.stage.room("general", 30)
        yield bridge


async def held(bridge: Bridged, count: int) -> list[dict[str, Any]]:
    async with asyncio.timeout(30):
        while len(listed := (await bridge.say("held", "list", "--json")).data["held"]) != count:
            await asyncio.sleep(0.05)
    found: list[dict[str, Any]] = listed
    return found


async def test_the_command_line_and_the_api_list_read_let_go_and_refuse(bridge: Bridged) -> None:
    amara = bridge.stage.workspace.person("amara")
    for number in (1, 2, 3):
        amara.post("general", f"VS-NfD number {number}")
    listed = await held(bridge, 3)
    first, second, third = (one["number"] for one in listed)
    assert {(one["waits_for"], one["direction"], one["name"], one["author"], one["rule"]) for one in listed} == {
        ("moderator", "to_matrix", "general", amara.id, "hold")
    }
    table = (await bridge.say("held", "list", "--portal", "#general")).out
    assert amara.id in table
    assert "VS-NfD" not in table
    shown = (await bridge.say("held", "show", str(first))).out
    assert "\nVS-NfD number 1\n" in shown
    assert f"approved: {first}" in (await bridge.say("held", "approve", str(first))).out
    await bridge.shows("general", "VS-NfD number 1")
    await bridge.say("held", "refuse", str(second))
    url = f"http://{bridge.stage.settings.console.listen}/api/v1/held"
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKEN}"}) as session:
        async with session.get(url) as answer:
            assert [one["number"] for one in (await answer.json())["items"]] == [third]
        async with session.get(f"{url}/{third}") as answer:
            assert (await answer.json())["says"] == "VS-NfD number 3"
        async with session.post(f"{url}/{third}/refuse") as answer:
            assert answer.status == 200, await answer.text()
        async with session.post(f"{url}/{third}/approve") as answer:
            assert answer.status == 404
    assert "nothing is held as number" in (await bridge.say("held", "approve", str(third), code=1)).err
    assert (await bridge.say("held", "list")).out == "Nothing is held.\n"
    async with asyncio.timeout(30):
        while sum("a moderator refused it" in one.text for one in bridge.stage.entries("general")) != 2:
            await asyncio.sleep(0.02)
    await bridge.shows("general", "number 2", is_shown=False)
    wanted = {"held": 3, "read": 2, "held approved": 1, "held refused": 2, "withheld": 2, "refused": 1}
    assert bridge.stage.database is not None
    log = Audit(bridge.stage.database)
    async with asyncio.timeout(30):
        while (acts := Counter(one.act for one in await log.entries()))["withheld"] < wanted["withheld"]:
            await asyncio.sleep(0.02)
    assert {act: acts[act] for act in wanted} == wanted
    assert not any("VS-NfD" in f"{one.subject} {one.detail}" for one in await log.entries())
