from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from tests.bridge.exports.api_scene import Scene, files_in, scene

if TYPE_CHECKING:
    from pathlib import Path


async def test_killed_without_a_chance_to_tidy_up_it_goes_on_and_writes_the_same_bytes(tmp_path: Path) -> None:
    async with scene() as it:
        await it.read(tmp_path / "undisturbed")
        total = sum(it.slack.calls.counts.values())
        for calls in (8, 15, 22, 10_000):
            code = await _read_until(it, calls, tmp_path / "killed")
            assert code == (0 if calls > total else -9)
        assert files_in(tmp_path / "killed") == files_in(tmp_path / "undisturbed")


async def _read_until(it: Scene, calls: int, directory: Path) -> int:
    """Read in another process, which is killed once it has asked so often; returns how it ended."""
    it.slack.calls.clear()
    command = [sys.executable, "-m", "tests.bridge.exports.api_child", it.slack.api_url, it.team.bot_token]
    process = await asyncio.create_subprocess_exec(*command, str(directory))
    ended = asyncio.create_task(process.wait())
    while not ended.done() and sum(it.slack.calls.counts.values()) < calls:
        await asyncio.sleep(0.001)
    if not ended.done():
        process.kill()
    return await ended
