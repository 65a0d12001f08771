"""An encrypted room is told of its move, and given its report, by what only those in it can read."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bridge.app import Hooks
from bridge.cutting_over import cutting_over
from bridge.store.directory import Directory
from bridge.work.cutover_steps import Proven
from portals.cutover import Wish
from portals.preview import ghost_names
from tests.journeys.encrypted import EncryptedStage
from tests.journeys.world import people_of
from tests.sandbox.homeserver.nio_client import NioPerson

if TYPE_CHECKING:
    from pathlib import Path

    from portals.facts import Portal

PAGE = "<!doctype html><title>proof</title>"


async def proven() -> Proven:
    return Proven(PAGE, "proof.html", "0" * 64, 0)


async def test_a_move_is_told_in_an_encrypted_room_to_those_in_it_alone(
    tmp_path: Path, synapse_template: Path, sqlite_url: str
) -> None:
    async with EncryptedStage(tmp_path, synapse_template, sqlite_url, people_of) as stage:
        await stage.start()
        async with NioPerson.of(stage.homeserver, "ada") as ada:
            room = await stage.enter("general", ada)
            await ada.say(room, "before the move")
            await stage.until_in_slack("general", "before the move")

            async def portal() -> Portal:
                assert stage.database is not None
                (found,) = await Directory(stage.database, ghost_names("localhost")).portals()
                return found

            async with asyncio.timeout(20):
                while not (await portal()).caught_up:
                    await asyncio.sleep(0.05)
            async with cutting_over(stage.settings, "a test", hooks=Hooks(limits_scale=0)) as parts:
                await parts.looking.read()
                await parts.cutover.announce(await portal(), "Monday")
                await parts.freeze(await portal(), Wish(), anyway=False)
                stage.workspace.person("alice").post("general", "too late")
                await ada.until(room, "too late")
                await ada.say(room, "ours alone")
                await parts.cutover.finish(await portal(), proven)
            shown = await ada.until_true(
                lambda: next((one for _, one in ada.seen if one.source["content"].get("msgtype") == "m.file"), None)
            )
            content = shown.source["content"]
            assert await ada.download(content["file"]) == PAGE.encode()
            assert sum("Monday" in body for body in ada.bodies(room)) == 1
            assert sum("has moved here" in body for body in ada.bodies(room)) == 1
            assert {event["type"] for event in await stage.sealed(room)} == {"m.room.encrypted"}
            assert not any("ours alone" in entry.text for entry in stage.entries("general"))
            assert sum("was carried there" in entry.text for entry in stage.entries("general")) == 1
