"""The scripted conversation: everything that is relayed, a kill in the middle, and both sides read back."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tests.demo import commands, from_matrix, from_slack, gallery, history, migration, outage
from tests.demo.parts import Parts
from tests.demo.stage import mirrored, stage_on

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

_AT_THE_END = "Both sides read back at the end"
_SLACK_TIME = 0.1
"""Slack's repetitions come ten times as fast, so that those of what the dead bridge missed fall into the script."""


async def play_once(directory: Path, console: Console) -> int:
    """Play the script; returns 0 when every check held, else 1."""
    began = time.monotonic()
    console.print("Starting the Slack sandbox, a Synapse and the bridge …")
    async with Parts(directory, slack_time_scale=_SLACK_TIME) as parts, stage_on(parts, console) as stage:
        console.print("The bridge mirrors the workspace …")
        await mirrored(stage)
        await stage.play(history.check_mirror)
        await stage.play(commands.check)
        stage.screen.begin(stage.slack, stage.people)
        await stage.play(from_slack.play, from_matrix.play, gallery.play)
        await stage.play(outage.play_kill)
        await stage.play(outage.play_archived)
        await stage.play(outage.play_parked)
        console.print("The history of an older workspace is brought over …")
        await stage.play(migration.play)
        await history.check_both_sides(stage, _AT_THE_END)
        await gallery.check_both_sides(stage, _AT_THE_END)
        console.print()
        stage.report.show(console)
        failed = len(stage.report.failures)
        seconds = time.monotonic() - began
        if failed:
            console.print("\n[bold]What the bridge warned of, and the end of its log[/bold]")
            console.print(parts.bridge_warnings(), markup=False, soft_wrap=True)
            console.print(parts.bridge_log(20), markup=False, soft_wrap=True)
        console.print(f"\n{len(stage.report.checks)} checks, {failed} failed, in {seconds:.0f} s")
        return 1 if failed else 0
