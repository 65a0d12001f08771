"""A process that fetches files is killed at every request and commit: each file comes, once, and whole."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiohttp
import pytest

from bridge.configured import names_from, rules_from
from bridge.errors import BridgeError
from bridge.exports.export import open_export
from bridge.matrix.client import MatrixClient
from bridge.slack.client import SlackClient
from bridge.slack.files import SlackFiles
from bridge.slack.installation import Installation
from bridge.slack.limits import Limits
from bridge.store.database import Statement
from bridge.store.directory import Directory
from bridge.store.files import Files, FileState, KnownFile
from bridge.store.ledger import Ledger
from bridge.store.links import Links
from bridge.store.opening import open_database
from bridge.work import fetching
from bridge.work.fetching import Fetcher
from bridge.work.late_files import LateFiles
from bridge.work.transfers import Transfers
from portals.ids import TeamId
from portals.reading.slack_files import files_of
from tests.journeys.gate import GatedDatabase
from tests.journeys.stage import Stage, until
from tests.journeys.world import people_of
from tests.sandbox.exports import export_of
from tests.sandbox.slack import Upload
from tests.sandbox.slack.pictures import png

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bridge.store.database import Database
    from portals.events import SlackFile
    from tests.sandbox.slack import SlackSandbox

CONTENT = {
    "notes.txt": b"a few words\n" * 40,
    "large.bin": bytes(range(256)) * 2_000,
    "Ünïcödé 🐍.md": b"# so",
    "empty.txt": b"",
    "picture.png": png(1000, 500, (10, 20, 30)),
}


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "_LOOK", 0.02)


def seed(slack: SlackSandbox) -> None:
    """Somebody shares each file, one of them twice, and one that is deleted after the export."""
    people_of(slack)
    workspace = slack.team()
    alice = workspace.person("alice")
    for name, content in CONTENT.items():
        said = alice.post("general", name, files=[Upload(name, content)])
    alice.post("general", "again", files=[workspace.files[said.files[0]]])
    alice.post("general", "soon gone", files=[Upload("gone.txt", b"gone")])


@dataclass
class Scene:
    """Slack with an export of it, and a homeserver; processes come and go."""

    stage: Stage
    database: Database
    team: TeamId
    files: list[SlackFile]

    async def process(self, steps: int = 0) -> bool:
        """Run a process that fetches everything, killed at the n-th step where `steps` is n; returns whether it was."""
        gate, settings = self.stage.gate, self.stage.settings
        gate.open()
        gate.arm(steps)
        database = GatedDatabase(self.database, gate)
        async with (
            aiohttp.ClientSession() as session,
            MatrixClient(self.stage.homeserver.url, "as" * 24, names_from(settings).bot) as matrix,
        ):
            api_url = settings.slack.api_url
            client = SlackClient("acme", "", session=session, limits=Limits(), api_url=api_url)
            slack = SlackFiles(client, "", session=session, max_bytes=10**9, api_url=api_url)
            installations = {self.team: Installation("acme", client, slack)}
            files = Files(database)
            transfers = Transfers(files, Directory(database, names_from(settings)), matrix, installations, 10**9)
            late = LateFiles(files, Links(database), Ledger(database))
            fetcher = Fetcher(files=files, transfers=transfers, late=late, rules=rules_from(settings), at_once=2)
            work = asyncio.create_task(self._fetch(fetcher, files))
            killed = asyncio.create_task(gate.cut.wait())
            await asyncio.wait([work, killed], return_when=asyncio.FIRST_COMPLETED, timeout=20)
            assert work.done() or killed.done(), "it stands still"
            was_killed = gate.cut.is_set()
            gate.close()
            for task in (work, killed):
                task.cancel()
            await asyncio.wait([work, killed])
            if not was_killed:
                work.result()
        await until(lambda: not gate.commits and not gate.requests)
        return was_killed

    async def _fetch(self, fetcher: Fetcher, files: Files) -> None:
        running = asyncio.create_task(fetcher.run())
        try:
            for file in self.files:
                await files.keep(fetcher.expecting(self.team, [file]))
                fetcher.hurry()
            await fetcher.settled()
        except BridgeError:
            if not self.stage.gate.cut.is_set():
                raise
            await asyncio.Event().wait()
        finally:
            running.cancel()
            await asyncio.wait([running])

    async def known(self) -> dict[str, KnownFile]:
        """Return what the store knows of each file, by name."""
        found = [await Files(self.database).find(self.team, file.id) for file in self.files]
        return {one.name: one for one in found if one is not None}

    async def forget(self) -> None:
        """Have nothing been fetched."""
        await self.database.commit(*(Statement(f"DELETE FROM {table}") for table in ("files", "media", "fetching")))


@asynccontextmanager
async def scene_on(url: str, path: Path) -> AsyncIterator[Scene]:
    async with Stage(url, seed=seed) as stage:
        workspace = stage.workspace
        export_of(workspace, path)
        gone = next(file for file in workspace.files.values() if file.name == "gone.txt")
        gone.content = None
        database = await open_database(url)
        with open_export(path) as export:
            records = [one for channel in export.channels for day in export.days(channel) for one in day.records]
        files = [file for record in records for file in files_of(record.get("files"))]
        yield Scene(stage, database, TeamId(workspace.id), files)
        await database.close()


async def test_killed_at_any_step_it_fetches_each_file_once_and_whole(database_url: str, tmp_path: Path) -> None:
    async with scene_on(database_url, tmp_path / "export.zip") as scene:
        stage = scene.stage
        assert not await scene.process()
        await agrees(scene)
        step = kills = 0
        while True:
            step += 1
            await scene.forget()
            if not await scene.process(step):
                break
            kills += 1
            here = {file.id for file in (await scene.known()).values() if file.state is not FileState.WAITING}
            assert not await scene.process()
            asked = [path for path in stage.gate.answered if path.startswith("/files-pri/")]
            assert not [path for path in asked if any(file_id in path for file_id in here)], stage.gate.places[-1]
            await agrees(scene)
        assert kills >= 6 * len(CONTENT), "before and after each download, upload and record"


async def agrees(scene: Scene) -> None:
    """What is here is what Slack has, with its name and type; what Slack has not any more is absent."""
    known = await scene.known()
    gone = known.pop("gone.txt")
    assert (gone.state, gone.reason) == (FileState.ABSENT, "the file does not exist, or no longer")
    assert known.keys() == CONTENT.keys()
    for name, content in CONTENT.items():
        file, kept = known[name], scene.stage.homeserver.world.media[known[name].mxc.rpartition("/")[2]]
        assert (file.state, file.seen, file.told) == (FileState.HERE, len(content), len(content))
        assert file.sha256 == hashlib.sha256(content).hexdigest()
        assert (kept.data, kept.content_type, kept.filename) == (content, file.mimetype, name)
    media = await scene.database.fetch("SELECT source, target FROM media")
    assert [row[0] for row in media] == [f"slack:{known['picture.png'].id}/thumbnail"]
    for table in ("files", "media"):
        rows = await scene.database.fetch(f"SELECT * FROM {table}")
        assert "xoxe" not in str([tuple(row) for row in rows])
