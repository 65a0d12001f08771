"""Every log line about a message carries the message's one name, from its being taken up to its being relayed."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from typing import TYPE_CHECKING

import pytest

from bridge.cli.logs import set_up_logging
from portals.ids import TeamId
from portals.reading.slack import address
from tests.journeys.stage import Stage
from tests.sandbox.slack.seed import demo_workspace

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What the service logs as JSON."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    set_up_logging("debug", "json", ())
    stream = io.StringIO()
    handler = root.handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)


async def test_the_lines_about_a_message_are_found_by_its_name(sqlite_url: str, lines: io.StringIO) -> None:
    async with Stage(sqlite_url, {"portals": {"automatic": {"include": ["general"]}}}, demo_workspace) as stage:
        await stage.start()
        await stage.room("#general")
        async with asyncio.timeout(20):
            while await stage.unsettled():
                await asyncio.sleep(0.05)
        said = stage.workspace.person("amara").post("#general", "where do I come by?")
        event = {"type": "message", "channel": stage.workspace.channel("#general").id, "ts": said.ts}
        place = address({"event": event}, TeamId(stage.workspace.id))
        assert place is not None
        async with asyncio.timeout(10):
            while not (found := _about(lines, place.source_key)):
                await asyncio.sleep(0.05)
    assert any("relayed by SendEvent" in one["message"] for one in found)
    named = [json.loads(line) for line in lines.getvalue().splitlines() if place.source_key in line]
    walked = [one for one in named if one["logger"].startswith("bridge.work")]
    assert walked
    assert all(one.get("row") == place.source_key for one in walked)


def _about(lines: io.StringIO, name: str) -> list[dict[str, str]]:
    every = [json.loads(line) for line in lines.getvalue().splitlines()]
    return [one for one in every if one.get("row") == name and "relayed" in one["message"]]
