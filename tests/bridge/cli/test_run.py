"""`causeway run` as an admin meets it: a process that starts, logs, stops when told, and explains why it cannot."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

from bridge.http import Listener
from config.loader import load
from tests.sandbox.child import Child, listens

if TYPE_CHECKING:
    from pathlib import Path

    from tests.bridge.cli.conftest import Causeway, Side

pytestmark = pytest.mark.asyncio(loop_scope="module")


def service(config: Path, name: str = "run") -> Child:
    return Child([sys.executable, "-m", "bridge.cli", "run", "-c", config], log=config.parent / f"{name}.log")


async def started(config: Path) -> Child:
    port = load(config, {}).appservice.listen.port
    child = service(config)
    child.start()
    await child.until(lambda: listens(port))
    return child


async def ended(child: Child) -> str:
    """What it said until it ended by itself."""
    async with asyncio.timeout(30):
        while child.running:
            await asyncio.sleep(0.01)
    return child.tail(100)


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
async def test_it_stops_in_order_when_told(side: Side, tmp_path: Path, sign: signal.Signals) -> None:
    config = side.write(tmp_path / "config.yaml", logging={"level": "debug", "format": "json"})
    child = await started(config)
    try:
        await child.until(lambda: "good for" in child.tail() or "Acme" in child.tail())
        listed = " ".join(psutil.Process(child.pid).cmdline())
        child.send(sign)
        said = await ended(child)
    finally:
        child.kill()
    assert child.returncode == 0, said
    lines = [json.loads(line) for line in said.splitlines()]
    assert [line["message"] for line in lines[-1:]] == ["stopped"]
    assert f"stopping, told by {sign.name}" in {line["message"] for line in lines}
    assert not [secret for secret in load(config, {}).secrets() if secret in child.log.read_text() + listed]


async def test_the_whole_way_is_well_while_it_runs(side: Side, causeway: Causeway, tmp_path: Path) -> None:
    config = side.write(tmp_path / "config.yaml")
    child = await started(config)
    try:
        said = await asyncio.to_thread(causeway, "check", "-c", config)
    finally:
        await child.stopped()
    assert "reaches the bridge at" in said.out
    assert "All is well" in said.out


async def test_a_second_one_on_the_same_database_is_refused(side: Side, tmp_path: Path) -> None:
    config = side.write(tmp_path / "config.yaml")
    first, second = await started(config), service(config, "second")
    try:
        second.start()
        said = await ended(second)
    finally:
        await first.stopped()
        second.kill()
    assert second.returncode == 1
    assert "CRITICAL bridge: another Causeway process works on" in said.splitlines()[-1]
    assert "Traceback" not in said


async def test_an_address_that_is_taken_is_named(side: Side, tmp_path: Path) -> None:
    from aiohttp import web

    config = side.write(tmp_path / "config.yaml")
    listen = load(config, {}).appservice.listen
    child = service(config)
    async with Listener(web.Application(), listen.host, listen.port):
        child.start()
        try:
            said = await ended(child)
        finally:
            child.kill()
    assert child.returncode == 1
    assert f"cannot listen on {listen}" in said
    assert "Traceback" not in said
