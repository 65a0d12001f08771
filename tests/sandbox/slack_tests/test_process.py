from __future__ import annotations

import asyncio
import json
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp

from tests.sandbox.slack import Limits, SlackSandbox, speak
from tests.sandbox.slack.__main__ import parser
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


async def command(*arguments: str) -> int:
    """Runs a person's command in a thread of this process."""
    options = parser().parse_args(arguments)
    return await asyncio.get_running_loop().run_in_executor(None, speak.run, options)


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
        code = await command("react", "--url", url, "--as", "amara", "#general", "last", "nonsense")
        assert code == 1
        assert capsys.readouterr().err == "invalid_name\n"


async def test_control_answers_no_web_page() -> None:
    async with SlackSandbox() as slack, aiohttp.ClientSession() as session:
        headers = {"Origin": "https://example.org"}
        async with session.get(f"{slack.url}/_sandbox/info", headers=headers) as answer:
            assert answer.status == 403
        async with session.post(f"{slack.url}/_sandbox/act", json={"as": "nobody", "act": "post"}) as answer:
            assert answer.status == 400


async def test_people_make_channels_and_other_apps_speak_from_outside() -> None:
    async with SlackSandbox() as slack, aiohttp.ClientSession() as session:
        team = slack.team()
        team.add_user("alice", "Alice")

        async def ask(what: str, **body: object) -> dict[str, Any]:
            async with session.post(f"{slack.url}/_sandbox/{what}", json=body) as answer:
                return dict(await answer.json())

        people = [team.installation.bot_user]
        made = await ask("act", **{"as": "alice"}, act="create", args={"channel": "gallery", "people": people})
        assert set(team.channel("gallery").members) == {team.user("alice").id, *people}
        args = {"channel": made["channel"], "subtype": "bot_add", "text": "added an integration"}
        assert (await ask("act", **{"as": "alice"}, act="system", args=args))["ok"]
        args = {"channel": made["channel"], "name": "a.py", "content": "b25l", "snippet": True}
        assert (await ask("act", **{"as": "alice"}, act="upload", args=args))["ok"]
        card = {"title": "Build 7", "text": "is green"}
        said = await ask("bot", channel=made["channel"], text="news", username="ci", attachments=[card])
        shown = team.transcript("gallery")
        assert [entry.subtype for entry in shown[-3:]] == ["bot_add", "file_share", "bot_message"]
        assert shown[-1].ts == said["ts"]


async def test_faults_can_be_armed_from_outside() -> None:
    async with SlackSandbox() as slack, aiohttp.ClientSession() as session:

        async def arm(**fault: object) -> int:
            async with session.post(f"{slack.url}/_sandbox/fault", json=fault) as answer:
                return answer.status

        async def call() -> tuple[int, str]:
            headers = {"Authorization": f"Bearer {slack.team().bot_token}"}
            async with session.post(f"{slack.api_url}auth.test", headers=headers) as answer:
                return answer.status, await answer.text()

        assert await arm(method="auth.test", kind="http_500") == 200
        assert (await call())[0] == 500
        assert await arm(method="auth.test", kind="nonsense") == 400
        assert await arm(outage=True) == 200
        assert (await call())[0] == 503
        assert await arm(outage=False) == 200
        assert await arm(envelopes={"lost": 2, "duplicated": 1, "delayed": [0.5]}) == 200
        assert (slack.faults.lost_envelopes, slack.faults.duplicated_envelopes) == (2, 1)
        assert await arm(remove_scope="chat:write") == 200
        assert "chat:write" not in slack.team().installation.token.scopes
        for word in ("kill", "silence", "warning"):
            assert await arm(sockets=word) == 200
        assert await arm(revoke="account_inactive") == 200
        assert "account_inactive" in (await call())[1]
        async with session.get(f"{slack.url}/_sandbox/calls") as answer:
            assert (await answer.json())["counts"] == {"auth.test": 2}


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
