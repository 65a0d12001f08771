"""Encrypted rooms, judged by clients that we did not write, on a real Synapse."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from bridge.store.opening import open_database
from tests.journeys.encrypted import EncryptedStage
from tests.journeys.importing import ONLY_WHAT_IS_ASKED_FOR, bring
from tests.journeys.world import people_of
from tests.sandbox.exports import export_of
from tests.sandbox.homeserver.nio_client import NioPerson
from tests.sandbox.js_client import NO_SHIELD, JsPerson, available
from tests.sandbox.slack import Upload
from tests.sandbox.slack.pictures import png

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


@pytest.fixture
def _js() -> None:
    """Skip, and say so, where the client of others cannot be had."""
    where, reason = available()
    if where is None:
        pytest.skip(reason)


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


async def test_edits_threads_replies_reactions_and_deletions_cross_both_ways(stage: EncryptedStage) -> None:
    async with NioPerson.of(stage.homeserver, "ada") as ada:
        room = await stage.enter("general", ada)
        alice = stage.workspace.person("alice")
        root = alice.post("general", "a root")
        seen = await ada.until(room, "a root")
        alice.post("general", "an answer", thread_ts=root.ts)
        answer = await ada.until(room, "an answer")
        assert answer.source["content"]["m.relates_to"]["rel_type"] == "m.thread"
        alice.edit("general", root.ts, "a root, edited")
        edit = await ada.until(room, "* a root, edited")
        assert edit.source["content"]["m.new_content"]["body"] == "a root, edited"

        mine = await ada.say(room, "mine")
        entry = await stage.until_in_slack("general", "mine")
        new = {"msgtype": "m.text", "body": "mine, edited"}
        relation = {"rel_type": "m.replace", "event_id": mine}
        await ada.say(room, "* mine, edited", **{"m.new_content": new, "m.relates_to": relation})
        assert (await stage.until_in_slack("general", "mine, edited")).ts == entry.ts
        thread = {"rel_type": "m.thread", "event_id": seen.event_id}
        await ada.say(room, "in the thread", **{"m.relates_to": thread})
        place = (await stage.until_in_slack("general", "in the thread")).thread
        assert place is not None
        assert stage.entries("general")[place].ts == root.ts
        reaction = {"rel_type": "m.annotation", "event_id": seen.event_id, "key": "👍"}
        await ada.send(room, {"m.relates_to": reaction}, "m.reaction")
        await stage.until(lambda: stage.entries("general")[place].reactions)
        await ada.client.room_redact(room, mine)
        await stage.until(lambda: "mine, edited" not in [one.text for one in stage.entries("general")])


async def test_files_are_encrypted_on_their_way_and_decrypted_on_their_way(stage: EncryptedStage) -> None:
    async with NioPerson.of(stage.homeserver, "ada") as ada:
        room = await stage.enter("general", ada)
        picture = png(1000, 500, (10, 20, 30))
        stage.workspace.person("alice").post("general", files=[Upload("large.png", picture)])
        content = (await ada.until(room, "large.png")).source["content"]
        assert "url" not in content
        assert "thumbnail_url" not in content["info"]
        assert await ada.download(content["file"]) == picture
        thumbnail = await ada.download(content["info"]["thumbnail_file"])
        assert thumbnail.startswith(b"\x89PNG")
        for file, clear in ((content["file"], picture), (content["info"]["thumbnail_file"], thumbnail)):
            stored = await stage.admin.download(file["url"])
            assert len(stored) == len(clear)
            assert stored != clear

        data = bytes(range(256)) * 1000
        await ada.send_file(room, data, "back.bin", "application/octet-stream")
        digest = hashlib.sha256(data).hexdigest()
        await stage.until(lambda: [one for one in stage.entries("general") if one.files == (("back.bin", digest),)])


@pytest.mark.usefixtures("_js")
async def test_elements_crypto_reads_ghosts_and_is_read_and_warns_of_none_that_has_a_device(
    stage: EncryptedStage,
) -> None:
    async with JsPerson.of(stage.homeserver, "grace") as grace:
        room = await stage.room("general")
        await grace.join(room)
        stage.workspace.person("alice").post("general", "from Slack")
        seen = await grace.until("from Slack")
        assert seen["encrypted"]
        if stage.settings.encryption.ghosts == "own":
            assert seen["shield"] == NO_SHIELD, seen
        else:
            assert seen["shield"] != NO_SHIELD, "the bot's device is not the ghost's"
        await grace.say(room, "from Matrix")
        await stage.until_in_slack("general", "from Matrix")


@pytest.mark.usefixtures("_js")
@pytest.mark.parametrize("stage", ["own"], indirect=True)
async def test_a_client_that_leaves_insecure_devices_out_reads_ghosts_and_is_read(stage: EncryptedStage) -> None:
    async with JsPerson.of(stage.homeserver, "grace") as grace:
        await grace.exclude_insecure()
        room = await stage.room("general")
        await grace.join(room)
        await grace.say(room, "from Matrix")
        await stage.until_in_slack("general", "from Matrix")
        stage.workspace.person("alice").post("general", "from Slack")
        assert (await grace.until("from Slack"))["shield"] == NO_SHIELD


async def test_history_comes_into_encrypted_rooms_encrypted_with_its_files_for_those_who_are_invited(
    tmp_path: Path, synapse_template: Path, sqlite_url: str
) -> None:
    rooms = {"join_rule": "public", "encryption": True, "invite": ["@ada:localhost"]}
    more = {"rooms": rooms, **ONLY_WHAT_IS_ASKED_FOR}
    data = bytes(range(256)) * 100
    async with EncryptedStage(tmp_path, synapse_template, sqlite_url, people_of, more=more) as stage:
        alice = stage.workspace.person("alice")
        alice.post("general", "long ago")
        alice.post("general", files=[Upload("plan.bin", data)])
        export_of(stage.workspace, tmp_path / "export.zip")
        async with NioPerson.of(stage.homeserver, "ada") as ada:
            await stage.start()
            await bring(stage.settings, tmp_path / "export.zip")
            room = await stage.enter("general", ada)
            await ada.until(room, "long ago")
            content = (await ada.until(room, "plan.bin")).source["content"]
            assert await ada.download(content["file"]) == data
            assert {event["type"] for event in await stage.sealed(room)} == {"m.room.encrypted"}
            assert await stage.admin.download(content["file"]["url"]) != data
            database = await open_database(sqlite_url)
            addresses = [row[0] for row in await database.fetch("SELECT mxc FROM files")]
            await database.close()
            assert addresses == [content["file"]["url"]], "it was never there in clear"
