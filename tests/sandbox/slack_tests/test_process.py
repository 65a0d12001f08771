from __future__ import annotations

import asyncio
import json
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp

from tests.sandbox.slack import Limits, SlackSandbox, speak
from tests.sandbox.slack.seed import demo_workspace

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import pytest


@asynccontextmanager
async def served() -> AsyncIterator[dict[str, Any]]:
    program = [sys.executable, "-m", "tests.sandbox.slack", "serve", "--port", "0", "--state-seed", "demo"]
    process = await asyncio.create_subprocess_exec(*program, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    try:
        yield json.loads(await process.stdout.readline())
    finally:
        process.terminate()
        assert await process.wait() == 0


async def command(*arguments: str) -> tuple[int, str]:
    """Runs the command line of a person in this process."""
    from tests.sandbox.slack.__main__ import parser  # the program's own parser

    options = parser().parse_args(arguments)
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(None, speak.run, options), ""


async def test_the_sandbox_runs_as_a_process_and_people_speak_from_a_shell(capsys: pytest.CaptureFixture[str]) -> None:
    async with served() as info:
        url = info["url"]
        await command("speak", "--url", url, "--as", "amara", "#general", "hello from a shell")
        await command("reply", "--url", url, "--as", "bruno", "#general", "last", "hello back")
        await command("edit", "--url", url, "--as", "bruno", "#general", "last", "hello *back*")
        await command("react", "--url", url, "--as", "amara", "#general", "last", "wave")
        capsys.readouterr()
        await command("read", "--url", url, "#general", "--limit", "2")
        lines = capsys.readouterr().out.splitlines()
        assert lines[0].endswith("  Amara: hello from a shell")
        assert lines[1].endswith("      Bruno: hello *back* (edited)  :wave: Amara")
        code, _ = await command("react", "--url", url, "--as", "amara", "#general", "last", "nonsense")
        assert code == 1
        assert capsys.readouterr().err == "invalid_name\n"


async def test_control_answers_no_web_page() -> None:
    async with SlackSandbox() as slack, aiohttp.ClientSession() as session:
        headers = {"Origin": "https://example.org"}
        async with session.get(f"{slack.url}/_sandbox/info", headers=headers) as answer:
            assert answer.status == 403
        async with session.post(f"{slack.url}/_sandbox/act", json={"as": "nobody", "act": "post"}) as answer:
            assert answer.status == 400


async def test_the_demo_workspace_looks_lived_in() -> None:
    async with SlackSandbox(demo_workspace, limits=Limits.off()) as slack:
        team = slack.team("northwind")
        kinds = {channel.name: (channel.kind, channel.archived) for channel in team.channels.values() if channel.name}
        assert kinds["general"] == ("public", False)
        assert kinds["design"] == ("private", False)
        assert kinds["summer-party-2023"] == ("public", True)
        entries = [entry for channel in team.channels for entry in team.transcript(channel)]
        assert any(entry.broadcast for entry in entries)
        assert any(entry.edited for entry in entries)
        assert any("skin-tone" in name for entry in entries for name, _ in entry.reactions)
        names = {name for entry in entries for name, _ in entry.files}
        assert {"logo-draft.png", "build.log", "warehouse-plan.pdf"} <= names
        assert slack.delivery.done_count == len(slack.delivery.open) == 0
