"""Files of history: of a workspace that is known by its export alone, too, and whatever became of them in Slack."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bridge.exports.export import open_export
from bridge.importing import importer_on
from bridge.store.files import Files
from bridge.store.opening import open_database
from bridge.work import fetching
from portals.ids import TeamId
from tests.journeys.importing import EVERYTHING, ONLY_WHAT_IS_ASKED_FOR, bring, wanted_of
from tests.journeys.stage import Stage
from tests.journeys.world import people_of
from tests.sandbox.exports import export_of
from tests.sandbox.slack import Upload
from tests.sandbox.slack.pictures import png

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.sandbox.slack import SlackSandbox, Workspace

PICTURE = png(1000, 500, (10, 20, 30))


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "_LOOK", 0.02)


def seed(slack: SlackSandbox) -> None:
    """Make a workspace that the bridge is connected to, and one of which it gets no more than an export."""
    people_of(slack)
    far = slack.new_team("Initech")
    for name in ("peter", "milton"):
        far.add_user(name, name.title(), display_name=name)
    far.person("peter").create("tps", members=["peter", "milton"])


@pytest.fixture
async def stage(database_url: str) -> AsyncIterator[Stage]:
    async with Stage(database_url, seed=seed, more=ONLY_WHAT_IS_ASKED_FOR) as stage:
        yield stage


def far(stage: Stage) -> Workspace:
    return stage.slack.team("Initech")


def shown(stage: Stage, workspace: Workspace, channel: str) -> list[dict[str, Any]]:
    """Return what the messages of a channel's room say, oldest first."""
    alias = f"#slack_{workspace.id}_{workspace.channel(channel).id}:localhost".lower()
    room = stage.homeserver.world.aliases[alias][0]
    return [event["content"] for event in stage.homeserver.events(room) if event["type"] == "m.room.message"]


def data(stage: Stage, address: str) -> bytes:
    return stage.homeserver.world.media[address.rpartition("/")[2]].data


async def test_a_workspace_known_by_its_export_alone_keeps_its_files(stage: Stage, tmp_path: Path) -> None:
    workspace = far(stage)
    peter = workspace.person("peter")
    first = peter.post("tps", "cover sheet", files=[Upload("sheet.png", PICTURE)])
    peter.post("tps", "again", files=[workspace.files[first.files[0]]])
    peter.post("tps", files=[Upload("memo.txt", b"did you get it")])
    gone = workspace.files[peter.post("tps", files=[Upload("gone.txt", b"gone")]).files[0]]
    export_of(workspace, tmp_path / "export.zip")
    gone.content = None
    await stage.start()
    await bring(stage.settings, tmp_path / "export.zip")
    said = shown(stage, workspace, "tps")
    assert [one["body"] for one in said] == [
        "cover sheet",
        "sheet.png",
        "again",
        "sheet.png",
        "memo.txt",
        "The file “gone.txt” (4 bytes) was not brought over: the file does not exist, or no longer.",
    ]
    assert said[1]["url"] == said[3]["url"]
    assert said[1]["info"]["thumbnail_url"].startswith("mxc://")
    assert data(stage, said[1]["url"]) == PICTURE
    assert data(stage, said[4]["url"]) == b"did you get it"
    fetched = [path for path, count in stage.gate.answered.items() for _ in range(count) if first.files[0] in path]
    assert sorted(path.split("/")[1] for path in fetched) == ["files-pri", "files-tmb"]
    assert await tokens_in_store(stage) == []


async def tokens_in_store(stage: Stage) -> list[str]:
    """Return the tables in which the token of an export stands."""
    assert stage.database is not None
    tables = ("inbox", "outbox", "files", "media", "links", "quarantine", "imports", "import_channels")
    found = {table: await stage.database.fetch(f"SELECT * FROM {table}") for table in tables}
    return [table for table, rows in found.items() if "xoxe" in str([tuple(row) for row in rows])]


async def test_no_row_that_waits_to_be_shown_holds_the_token_of_an_export(stage: Stage, tmp_path: Path) -> None:
    """What is admitted while no bridge runs stays in the store as it came."""
    workspace = far(stage)
    peter = workspace.person("peter")
    peter.post("tps", "cover sheet", files=[Upload("sheet.png", PICTURE)])
    export_of(workspace, tmp_path / "export.zip")
    stage.database = await open_database(stage.database_url)
    importing = asyncio.create_task(bring(stage.settings, tmp_path / "export.zip"))
    async with asyncio.timeout(20):
        while not (rows := await stage.database.fetch("SELECT raw FROM inbox WHERE state = 0 AND raw LIKE '%sheet%'")):
            await asyncio.sleep(0.02)
    assert "url_private" in str(rows[0][0])
    assert await tokens_in_store(stage) == []
    importing.cancel()
    await asyncio.wait([importing])
    await stage.database.close()


async def test_a_link_that_has_expired_and_a_bot_that_may_not_look_open_all_files_together(
    stage: Stage, tmp_path: Path
) -> None:
    workspace = stage.workspace
    alice = workspace.person("alice")
    alice.post("general", files=[Upload("public.txt", b"for all")])
    alice.create("secret", members=["alice"], private=True)
    alice.post("secret", files=[Upload("private.txt", b"for few")])
    fresh = export_of(workspace, tmp_path / "export.zip", "full")
    workspace.export_tokens[fresh.token] = {file.id for file in workspace.files.values() if file.name == "private.txt"}
    await stage.start()
    await bring(stage.settings, tmp_path / "export.zip")
    for channel, content in (("general", b"for all"), ("secret", b"for few")):
        (said,) = [one for one in shown(stage, workspace, channel) if one["msgtype"] == "m.file"]
        assert data(stage, said["url"]) == content


async def test_without_any_way_to_open_them_files_are_notices_with_names_and_the_rest_comes(
    stage: Stage, tmp_path: Path
) -> None:
    workspace = far(stage)
    workspace.person("peter").post("tps", "before", files=[Upload("sheet.png", PICTURE)])
    workspace.person("milton").post("tps", "after")
    export = export_of(workspace, tmp_path / "export.zip")
    export.expire()
    await stage.start()
    await bring(stage.settings, tmp_path / "export.zip")
    assert [one["body"] for one in shown(stage, workspace, "tps")] == [
        "before",
        f"The file “sheet.png” ({len(PICTURE) / 1024:.0f} KiB) was not brought over: "
        "the link in the export no longer opens it.",
        "after",
    ]
    assert stage.database is not None
    (absent,) = await Files(stage.database).absent(0, 10)
    assert (absent.name, absent.team) == ("sheet.png", TeamId(workspace.id))


async def test_files_that_were_given_up_take_the_places_of_their_notices_once_they_can_be_had(
    stage: Stage, tmp_path: Path
) -> None:
    workspace = far(stage)
    peter = workspace.person("peter")
    first = peter.post("tps", "one", files=[Upload("sheet.png", PICTURE)])
    peter.post("tps", "two", files=[workspace.files[first.files[0]]])
    removed = peter.post("tps", files=[Upload("memo.txt", b"did you get it")])
    export_of(workspace, tmp_path / "old.zip").expire()
    await stage.start()
    await bring(stage.settings, tmp_path / "old.zip")
    assert [one["msgtype"] for one in shown(stage, workspace, "tps")] == [
        *("m.text", "m.notice", "m.text", "m.notice", "m.notice"),
    ]
    assert stage.database is not None
    absent = await Files(stage.database).absent(0, 10)
    peter.delete("tps", removed.ts)
    await Files(stage.database).retry([(one.team, one.id) for one in absent if one.name == "sheet.png"])
    export_of(workspace, tmp_path / "new.zip")
    await bring(stage.settings, tmp_path / "new.zip")
    edits = [
        one for one in shown(stage, workspace, "tps") if one.get("m.relates_to", {}).get("rel_type") == "m.replace"
    ]
    assert [one["m.new_content"]["filename"] for one in edits] == ["sheet.png", "sheet.png"]
    assert {data(stage, one["m.new_content"]["url"]) for one in edits} == {PICTURE}
    assert edits[0]["m.relates_to"]["event_id"] != edits[1]["m.relates_to"]["event_id"]
    again = len(shown(stage, workspace, "tps"))
    await bring(stage.settings, tmp_path / "new.zip")
    assert len(shown(stage, workspace, "tps")) == again


async def test_files_that_were_left_behind_are_brought_later(stage: Stage, tmp_path: Path) -> None:
    workspace = far(stage)
    workspace.person("peter").post("tps", "one", files=[Upload("sheet.png", PICTURE)])
    path = tmp_path / "export.zip"
    export_of(workspace, path)
    await stage.start()
    database = await open_database(stage.database_url)
    with open_export(path) as export:
        wanted = replace(wanted_of(export, path, EVERYTHING), files=False)
        async with importer_on(stage.settings, database, export, wanted.team) as importer:
            await importer.run(export, wanted)
    assert [one["msgtype"] for one in shown(stage, workspace, "tps")] == ["m.text", "m.notice"]
    assert not [place for place in stage.gate.answered if place.startswith("/files-pri/")]
    await bring(stage.settings, path)
    assert len(shown(stage, workspace, "tps")) == 2, "nobody asked for them yet"
    (absent,) = await Files(database).absent(0, 10)
    await Files(database).retry([(absent.team, absent.id)])
    await bring(stage.settings, path)
    edit = shown(stage, workspace, "tps")[-1]["m.new_content"]
    assert (edit["msgtype"], data(stage, edit["url"])) == ("m.image", PICTURE)
    await database.close()
