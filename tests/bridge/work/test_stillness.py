"""An import that stands still says so, and why, and goes on waiting."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bridge.store.opening import connect
from bridge.work.stillness import STILL, Stillness
from portals.history.progress import ChannelProgress, Progress

if TYPE_CHECKING:
    from pathlib import Path

ONE = ChannelProgress("C1", "general", "admitting", 500, 100, 90, 50)
FAR = Progress(7, "running", "x.zip", (ONE,))


async def told(progress: Progress, path: Path, caplog: pytest.LogCaptureFixture, *, owned: bool) -> list[str]:
    """Return what is said of an import that does not move for twelve minutes."""
    caplog.set_level(logging.WARNING)
    bridge, database = await connect(f"sqlite:///{path}"), await connect(f"sqlite:///{path}")
    try:
        if owned:
            await bridge.own()
        stillness = Stillness(database)
        for second in (0, 1, STILL - 1, STILL + 1, STILL + 2, STILL + 700):
            await stillness.look(progress, second)
        moved = replace(progress, channels=(replace(ONE, waiting=0),))
        await stillness.look(moved, STILL + 701)
        await stillness.look(moved, STILL + 702)
    finally:
        await database.close()
        await bridge.close()
    return [record.message for record in caplog.records]


@pytest.mark.parametrize(
    ("state", "owned", "words"),
    [
        (
            "running",
            False,
            "no bridge works on the store any more, so nothing that was read is shown",
        ),
        ("running", True, "the log of the bridge says what it waits for, causeway import status 7 where"),
        ("paused", True, "import 7 is paused: causeway import resume 7 lets it go on"),
    ],
)
async def test_what_an_import_waits_for_is_said_after_a_minute_and_then_seldom(
    state: str,
    owned: bool,
    words: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bridge.store.sqlite._OWNER_GOES", 0.0)
    first, second = await told(replace(FAR, state=state), tmp_path / "causeway.db", caplog, owned=owned)
    assert words in first
    assert state == "paused" or ("for a minute: " in first and "for 13 minutes: " in second)


async def test_it_leaves_the_store_to_whoever_starts_a_bridge(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "causeway.db"
    assert len(await told(FAR, path, caplog, owned=False)) == 2
    bridge = await connect(f"sqlite:///{path}")
    await bridge.own()
    await bridge.close()
