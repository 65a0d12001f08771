"""What is held of an encrypted room stays sealed in the store, and is quoted nowhere in clear."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from tests.journeys.encrypted import EncryptedStage
from tests.journeys.world import people_of
from tests.sandbox.homeserver.nio_client import NioPerson

if TYPE_CHECKING:
    from pathlib import Path

HOLD = {"words": ["VS-NfD"], "room": "#moderators:localhost", "power_level": 100}
SEALED = {"type": "m.room.encryption", "content": {"algorithm": "m.megolm.v1.aes-sha2"}}


async def test_moderators_read_it_sealed_and_what_they_let_go_arrives(
    tmp_path: Path, synapse_template: Path, sqlite_url: str
) -> None:
    more: dict[str, Any] = {"policies": [{"name": "default", "hold": HOLD}], "admins": ["@admin:localhost"]}
    async with (
        EncryptedStage(tmp_path, synapse_template, sqlite_url, people_of, more=more) as stage,
        NioPerson.of(stage.homeserver, "ada") as ada,
        NioPerson.of(stage.homeserver, "mod") as mod,
    ):
        await stage.start()
        room = await stage.enter("general", ada)
        moderators = await stage.admin.create_room(
            room_alias_name="moderators",
            preset="private_chat",
            invite=[stage.bot, mod.user_id],
            initial_state=[SEALED],
            power_level_content_override={"users": {mod.user_id: 100}},
        )
        await mod.join(moderators)
        async with asyncio.timeout(60):
            while (await stage.admin.members(moderators)).get(stage.bot) is None:
                await asyncio.sleep(0.05)
        await ada.say(room, "VS-NfD from Matrix")
        await mod.until_true(lambda: any("VS-NfD from Matrix" in body for body in mod.bodies(moderators)))
        assert stage.database is not None
        assert "VS-NfD" not in str(await stage.database.fetch("SELECT raw FROM held"))
        assert {event["type"] for event in await stage.sealed(moderators)} == {"m.room.encrypted"}
        (notice,) = await stage.database.fetch("SELECT notice FROM held")
        reaction = {"m.relates_to": {"rel_type": "m.annotation", "event_id": notice[0], "key": "👍"}}
        await mod.send(moderators, reaction, "m.reaction")
        await stage.until_in_slack("general", "VS-NfD from Matrix")
