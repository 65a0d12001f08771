"""`causeway check` tells whether others reach the public listener, and what stands in the way."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from bridge.cli.checks.public import check_public
from bridge.http import Listener
from bridge.public.face import application
from bridge.work.permalinks import Permalinks
from config.loader import parse
from tests.config.conftest import RIGHT
from tests.sandbox.child import free_port

if TYPE_CHECKING:
    from bridge.cli.checks.finding import Finding


async def look(port: int, url: str) -> Finding:
    public = f"public: {{listen: '127.0.0.1:{port}', url: '{url}'}}\n"
    settings = parse(RIGHT + public, "config.yaml", Path.cwd(), {})
    (finding,) = [one async for one in check_public(settings)]
    return finding


@pytest.mark.parametrize("public", ["", "public: {listen: '127.0.0.1:1'}\n", "public: {url: 'https://b.example'}\n"])
async def test_without_a_public_address_there_is_nothing_to_check(public: str) -> None:
    settings = parse(RIGHT + public, "config.yaml", Path.cwd(), {})
    assert [one async for one in check_public(settings)] == []


async def test_the_way_to_the_bridge_is_tried_while_it_runs() -> None:
    port = free_port()
    assert (await look(port, f"http://127.0.0.1:{port}")).outcome == "skip"
    app = application(Permalinks.__new__(Permalinks), None, None)  # type: ignore[arg-type]  # neither is asked
    async with Listener(app, "127.0.0.1", port):
        finding = await look(port, f"http://127.0.0.1:{port}")
        assert (finding.outcome, finding.detail) == ("ok", f"http://127.0.0.1:{port} leads to the bridge")
        finding = await look(port, f"http://127.0.0.1:{free_port()}")
        assert finding.outcome == "warn"
        assert "cannot be reached" in finding.detail


async def test_a_proxy_that_does_not_pass_it_on_is_named() -> None:
    port = free_port()
    async with Listener(web.Application(), "127.0.0.1", port):
        finding = await look(port, f"http://127.0.0.1:{port}")
    assert finding.outcome == "fail"
    assert "/avatar/" in finding.remedy
