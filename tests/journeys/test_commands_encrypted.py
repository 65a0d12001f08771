"""Commands in encrypted rooms are read and answered there, and not shown in Slack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.journeys.encrypted import EncryptedStage
from tests.journeys.world import people_of
from tests.sandbox.homeserver.nio_client import NioPerson

if TYPE_CHECKING:
    from pathlib import Path


async def test_a_command_in_an_encrypted_portal_is_answered_and_not_relayed(
    tmp_path: Path, synapse_template: Path, sqlite_url: str
) -> None:
    async with EncryptedStage(tmp_path, synapse_template, sqlite_url, people_of, {"ghosts": "bridge"}) as stage:
        await stage.start()
        async with NioPerson.of(stage.homeserver, "ada") as ada:
            room = await stage.enter("general", ada)
            await ada.say(room, "!slack unbridge")
            refusal = (
                "You may not give this bot commands. An admin of the bridge can let you, by a line under permissions "
                "in its configuration."
            )
            await ada.until(room, refusal)
            await ada.say(room, "said after")
            await stage.until_in_slack("general", "said after")
            assert "unbridge" not in str(stage.entries("general"))
