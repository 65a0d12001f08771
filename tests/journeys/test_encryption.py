"""Encrypted rooms, judged by clients that we did not write, on a real Synapse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.journeys.encrypted import EncryptedStage
from tests.journeys.world import people_of
from tests.sandbox.homeserver.nio_client import NioPerson

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture(params=["own", "bridge"])
async def stage(
    request: pytest.FixtureRequest, tmp_path: Path, synapse_template: Path, sqlite_url: str
) -> AsyncIterator[EncryptedStage]:
    """A stage whose rooms are encrypted, with ghosts of either kind; its bridge runs."""
    chosen = {"ghosts": request.param}
    async with EncryptedStage(tmp_path, synapse_template, sqlite_url, people_of, chosen) as found:
        await found.start()
        yield found


async def test_both_sides_read_each_other_and_the_homeserver_neither(stage: EncryptedStage) -> None:
    async with NioPerson.of(stage.homeserver, "ada") as ada:
        room = await stage.enter("general", ada)
        stage.workspace.person("alice").post("general", "from Slack")
        await ada.until(room, "from Slack")
        await ada.say(room, "from Matrix")
        await stage.until_in_slack("general", "from Matrix")
        assert ada.bodies(room) == ["from Slack", "from Matrix"]
        sealed = await stage.sealed(room)
        assert {event["type"] for event in sealed} == {"m.room.encrypted"}
        assert "from Slack" not in str(sealed)
        assert "dev.causeway.slack" not in str(sealed), "which message of Slack it is stands inside"
