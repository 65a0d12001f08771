"""One line says how far an import is, with its files where it has any."""

from __future__ import annotations

from bridge.cli.import_run import line_of
from portals.history.progress import ChannelProgress, FileProgress, Progress

CHANNELS = (
    ChannelProgress("C1", "general", "done", 1_500, 1_500, 1_500, 0),
    ChannelProgress("C2", "random", "admitting", 500, 100, 90, 50),
)


def test_messages_channels_and_files_are_told_with_their_pace() -> None:
    files = FileProgress(here=3, waiting=2, absent=1, came=9_000_000, to_come=500)
    began = Progress(7, "running", "x.zip", CHANNELS, files=files)
    assert line_of(began) == "import 7: 1,550 of 2,000 messages, 1 of 2 channels; 3 of 6 files, 9.0 MB"
    later = Progress(7, "running", "x.zip", CHANNELS, seconds=10.0, began_with=550, files=files, came_before=4_000_000)
    assert line_of(later) == (
        "import 7: 1,550 of 2,000 messages, 1 of 2 channels, 100.0/s, 4 s left; 3 of 6 files, 9.0 MB, 500.0 kB/s"
    )


def test_a_history_without_files_does_not_speak_of_them() -> None:
    assert line_of(Progress(7, "running", "x.zip", CHANNELS)) == "import 7: 1,550 of 2,000 messages, 1 of 2 channels"
