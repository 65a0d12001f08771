"""Both processes of an import are killed again and again, and the rooms are then proven to hold all of the export.

The judge is `causeway report`, which reads the rooms back from the real Synapse and asks the store for no message.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from typing import TYPE_CHECKING, Any

from tests.journeys.importing import ONLY_WHAT_IS_ASKED_FOR
from tests.journeys.process import ProcessStage
from tests.journeys.world import people_of
from tests.sandbox.exports import Generated

if TYPE_CHECKING:
    from pathlib import Path

KILLS = 6


async def causeway(*words: object) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bridge.cli", *map(str, words), stdout=asyncio.subprocess.PIPE
    )


async def outcome(process: asyncio.subprocess.Process) -> tuple[int, dict[str, Any]]:
    out, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, json.loads(out)


async def test_an_import_that_is_killed_with_its_bridge_brings_all_of_it(
    tmp_path: Path, synapse_template: Path
) -> None:
    chance = random.Random(7)
    export = tmp_path / "export.zip"
    async with ProcessStage(tmp_path, synapse_template, people_of, more=ONLY_WHAT_IS_ASKED_FOR) as stage:
        spec = Generated(
            seed=7,
            messages=500,
            channels=6,
            people=12,
            host=stage.slack.url,
            team=stage.workspace.id,
            largest=50_000,
        )
        truth = spec.write(export, kind="standard")
        stage.slack.hosting.exported[stage.workspace.id] = spec.files()
        config = tmp_path / "config.yaml"
        await stage.start()
        for number in range(KILLS):
            process = await causeway("import", export, "-c", config, "--json")
            await asyncio.sleep(0.5 + chance.random() * 2.5)
            assert process.returncode is None, "the import was over before it could be killed"
            process.kill()
            await process.wait()
            if number % 2:
                await stage.kill(0)
                await stage.start()
        status, done = await outcome(await causeway("import", export, "-c", config, "--json"))
        assert status == 0, done
        assert done["records"] == truth.totals.messages
        status, report = await outcome(await causeway("report", "-c", config, "--export", export, "--json"))
        assert status == 0, report
