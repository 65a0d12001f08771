"""How far an import is, is told in figures that never run ahead of what is shown."""

from __future__ import annotations

from dataclasses import replace

from portals.history.progress import ChannelProgress, FileProgress, Progress

CHANNELS = (
    ChannelProgress("C1", "general", "admitting", 100, 60, 55, 20),
    ChannelProgress("C2", "random", "done", 50, 50, 50, 0),
    ChannelProgress("C3", "odd", "settling", 10, 1, 9, 9),
)
FILES = FileProgress(here=3, waiting=2, absent=1, came=9_000, to_come=500)
PROGRESS = Progress(7, "running", "x.zip", CHANNELS, quarantined=2, files=FILES)


def test_what_waits_is_not_shown_yet() -> None:
    assert [one.shown for one in CHANNELS] == [40, 50, 0]
    assert (PROGRESS.records, PROGRESS.shown, FILES.every) == (160, 90, 6)


def test_a_pace_is_told_once_it_says_something() -> None:
    assert (PROGRESS.rate, PROGRESS.seconds_left, PROGRESS.bytes_a_second) == (None, None, None)
    later = replace(PROGRESS, seconds=10.0, began_with=70, came_before=4_000)
    assert (later.rate, later.seconds_left, later.bytes_a_second) == (2.0, 35.0, 500.0)
    still = replace(PROGRESS, seconds=10.0, began_with=90, came_before=9_000)
    assert (still.rate, still.bytes_a_second) == (None, None)


def test_programs_get_the_same_figures() -> None:
    told = replace(PROGRESS, seconds=10.0, began_with=70, came_before=4_000).as_json()
    assert {name: told[name] for name in told if name not in ("channels", "files")} == {
        "import": 7,
        "state": "running",
        "source": "x.zip",
        "records": 160,
        "shown": 90,
        "waiting": 29,
        "quarantined": 2,
        "records_per_second": 2.0,
        "seconds_left": 35,
    }
    assert told["files"] == {
        "here": 3,
        "waiting": 2,
        "absent": 1,
        "bytes": 9_000,
        "bytes_waiting": 500,
        "bytes_per_second": 500,
    }
    quiet = PROGRESS.as_json()
    assert (quiet["records_per_second"], quiet["seconds_left"]) == (None, None)
    assert isinstance(quiet["files"], dict)
    assert quiet["files"]["bytes_per_second"] is None
    assert isinstance(quiet["channels"], list)
    assert quiet["channels"][0] == {
        "id": "C1",
        "name": "general",
        "state": "admitting",
        "records": 100,
        "taken": 60,
        "shown": 40,
        "waiting": 20,
        "reason": "",
    }
