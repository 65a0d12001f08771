"""Whoever watches the bridge sees what waits, what was relayed and what troubles it, and nothing that anybody wrote."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import orjson
import pytest
from ruamel.yaml import YAML
from yarl import URL

from bridge.observability.metrics import Metrics, method_of
from config.loader import parse
from tests.house.sources import ROOT
from tests.journeys.stage import Stage, groups_for
from tests.sandbox.child import free_port
from tests.sandbox.slack.seed import demo_workspace

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def stage(database_url: str) -> AsyncIterator[Stage]:
    more = {"console": {"listen": f"127.0.0.1:{free_port()}"}, "portals": {"automatic": {"include": ["general"]}}}
    async with Stage(database_url, more, demo_workspace) as stage:
        await stage.start()
        yield stage


async def read(stage: Stage, path: str) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://{stage.settings.console.listen}{path}") as response,
    ):
        return response.status, await response.text()


async def metric(stage: Stage, name: str, **labels: str) -> float | None:
    _, text = await read(stage, "/metrics")
    for line in text.splitlines():
        found = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line)
        if found and found[1] == name:
            given = dict(re.findall(r'(\w+)="([^"]*)"', found[2] or ""))
            if labels.items() <= given.items():
                return float(found[3])
    return None


async def reaches(stage: Stage, name: str, value: float, **labels: str) -> None:
    async with asyncio.timeout(10):
        while (await metric(stage, name, **labels) or 0) < value:
            await asyncio.sleep(0.05)


async def test_what_is_relayed_is_counted_by_direction_and_kind(stage: Stage) -> None:
    await reaches(stage, "causeway_portals", 1, state="live")
    stage.workspace.person("amara").post("#general", "a word nobody must find again")
    await reaches(stage, "causeway_relayed_total", 1, direction="to_matrix", kind="SendEvent")
    for direction in ("to_matrix", "to_slack", "commands"):
        assert await metric(stage, "causeway_queue_rows", direction=direction) is not None
    _, text = await read(stage, "/metrics")
    assert "a word nobody" not in text
    assert "general" not in text
    assert (await metric(stage, "causeway_store_commit_seconds_count") or 0) > 0
    assert (await metric(stage, "causeway_request_seconds_count", side="slack", method="auth.test") or 0) >= 1
    assert (await metric(stage, "causeway_request_seconds_count", side="matrix", method="send") or 0) >= 1
    await reaches(stage, "causeway_slack_sockets", 1, workspace="acme")
    assert await metric(stage, "causeway_workspace_up", workspace="acme") == 1
    assert await metric(stage, "causeway_store_up") == 1


async def test_no_token_is_in_anything_that_is_told_without_one(stage: Stage) -> None:
    await reaches(stage, "causeway_workspace_up", 1, workspace="acme")
    secrets = stage.settings.secrets()
    assert len(secrets) >= 4
    for path in ("/metrics", "/healthz", "/readyz", "/", "/nowhere?access_token=" + secrets[0]):
        _, told = await read(stage, path)
        assert not [secret for secret in secrets if secret in told], path


async def test_a_bridge_that_can_relay_is_ready(stage: Stage) -> None:
    await reaches(stage, "causeway_workspace_up", 1, workspace="acme")
    assert await read(stage, "/readyz") == (200, '{"status": "ready", "problems": []}')
    assert (await read(stage, "/healthz"))[0] == 200


async def test_a_bridge_without_its_workspace_lives_but_is_not_ready(sqlite_url: str) -> None:
    async with Stage(sqlite_url) as stage:
        groups = groups_for(stage.slack, stage.homeserver.url, sqlite_url, free_port())
        groups["slack"]["workspaces"][0]["bot_token"] = "xoxb-of-another-app"
        groups["console"] = {"listen": f"127.0.0.1:{free_port()}"}
        stage.settings = parse(orjson.dumps(groups).decode(), "stage", Path.cwd(), {})
        await stage.start()
        assert (await read(stage, "/healthz"))[0] == 200
        status, text = await read(stage, "/readyz")
        assert status == 503
        assert "the workspace acme is not connected yet" in text


async def test_the_health_check_of_the_compose_file_tells_whether_the_bridge_lives(stage: Stage) -> None:
    compose = YAML(typ="safe").load(ROOT / "docker" / "compose.yaml")
    bridge = compose["services"]["bridge"]
    kind, _, *arguments = bridge["healthcheck"]["test"]
    assert kind == "CMD"
    assert bridge["environment"]["CAUSEWAY_CONSOLE_LISTEN"] == "0.0.0.0:29333"
    listen = stage.settings.console.listen
    assert listen is not None
    code = arguments[-1].replace("29333", str(listen.port))
    assert await (await asyncio.create_subprocess_exec(sys.executable, "-c", code)).wait() == 0
    await stage.stop()
    gone = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stderr=asyncio.subprocess.DEVNULL)
    assert await gone.wait() == 1


@pytest.mark.parametrize(
    ("side", "path", "method"),
    [
        ("slack", "/api/chat.postMessage", "chat.postMessage"),
        ("slack", "/files-pri/T1-F1/secret-plan.pdf", "other"),
        ("matrix", "/_matrix/client/v3/rooms/!a:b/send/m.room.message/txn", "send"),
        ("matrix", "/_matrix/client/v3/rooms/!a:b/state/m.room.name/", "state"),
        ("matrix", "/_matrix/media/v3/upload", "media"),
        ("matrix", "/_matrix/client/v3/profile/@a:b/displayname", "profile"),
        ("matrix", "/_matrix/client/versions", "other"),
    ],
)
def test_requests_are_told_by_their_method_and_never_by_what_they_are_about(side: str, path: str, method: str) -> None:
    assert method_of(side, URL(f"http://127.0.0.1{path}", encoded=True)) == method


def test_what_is_counted_is_told_in_the_words_of_prometheus() -> None:
    metrics = Metrics()
    metrics.parked("to_slack")
    metrics.retried("to_matrix", "Later")
    metrics.relayed("to_slack", "PostMessage", 0.2)
    text = metrics.text().decode()
    assert 'causeway_parked_total{direction="to_slack"} 1.0' in text
    assert 'causeway_retries_total{direction="to_matrix",reason="Later"} 1.0' in text
    assert 'causeway_relay_delay_seconds_count{direction="to_slack"} 1.0' in text
