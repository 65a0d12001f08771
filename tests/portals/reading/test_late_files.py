"""A lane hears of a file that came late, and of nothing that is less than that."""

from __future__ import annotations

from typing import Any

import pytest

from portals.events import Ignored, SlackFile, SlackFileCame
from portals.ids import Ts
from portals.reading.late_files import file_came
from portals.reading.slack import read
from tests.portals.relay.scene import CHANNEL, WORKSPACE

TS = Ts("1700000000.000100")
FILE = SlackFile("F1", "a.png", "image/png", 20, "")


def payload() -> dict[str, Any]:
    return file_came(WORKSPACE.team, CHANNEL, TS, FILE)


def test_a_file_that_came_is_read_as_it_was_written() -> None:
    assert read(payload(), "s", WORKSPACE) == SlackFileCame("s", CHANNEL, TS, FILE)


@pytest.mark.parametrize(
    "lacks",
    [{"channel": ""}, {"ts": "soon"}, {"file": None}, {"file": {"id": 7}}],
)
def test_what_lacks_its_message_is_ignored(lacks: dict[str, Any]) -> None:
    event = {**payload()["event"], **lacks}
    assert isinstance(read({"event": event}, "s", WORKSPACE), Ignored)
