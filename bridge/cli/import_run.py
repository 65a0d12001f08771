"""`causeway import PATH`: brings a history over, and shows how far it is."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from bridge.cli.options import load_settings, print_json
from bridge.cli.tables import visible
from bridge.pages.words import duration, grouped, size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bridge.exports.export import Export
    from bridge.work.importer import Wanted
    from config.settings import Settings
    from portals.history.plan import Known, Plan
    from portals.history.progress import Progress
    from portals.history.selection import Selection
    from portals.ids import TeamId

    Tell = Callable[[Progress], None]

_EVERY = 10.0
"""Seconds between two lines where nobody sits at a terminal."""


def run_import(*, path: Path, selection: Selection, config: Path, files: bool, as_json: bool) -> None:
    """Bring over what is selected of an export; exits with 1 where anything was left out or put into quarantine."""
    from bridge.cli.import_plan import refuse_unknown
    from bridge.cli.logs import set_up_logging
    from bridge.exports.export import open_export

    settings = load_settings(config)
    level = "warning" if settings.logging.level == "info" else settings.logging.level
    set_up_logging(level, settings.logging.format, settings.secrets())
    with open_export(path) as export:
        refuse_unknown(selection, export.channels)
        wanted = replace(wanted_of(export, path, selection, settings), files=files)
        done = bring_over(settings, export, wanted)
    if as_json:
        print_json(done.as_json())
    else:
        _print(done)
    if done.quarantined or any(one.state == "left out" for one in done.channels):
        raise click.exceptions.Exit(1)


def wanted_of(export: Export, path: Path, selection: Selection, settings: Settings) -> Wanted:
    """Read the export once, to know how much there is, and return what is to be brought over."""
    import hashlib

    from bridge.cli.import_known import known_of
    from bridge.cli.import_plan import reading
    from bridge.exports.planning import make_plan
    from bridge.work.importer import Wanted
    from portals.ids import NO_TS

    known, pace = known_of(settings, export.team_ids())
    with reading(export, selection) as tell:
        plan = make_plan(export, path.resolve().name, selection, known, pace, tell)
    totals = plan.totals
    named = f"{sorted(selection.channels)} {sorted(selection.kinds)} {selection.since} {selection.until} {totals}"
    return Wanted(
        source=str(path.resolve()),
        selection=selection,
        named=hashlib.sha256(named.encode()).hexdigest(),
        team=_team(plan, known),
        as_of=max((one.last for one in plan.channels), default=NO_TS),
        records={one.channel.id: one.figures.messages for one in plan.channels},
        told={"messages": totals.messages, "files": totals.files, "bytes": totals.bytes, "source": path.resolve().name},
    )


def _team(plan: Plan, known: Known) -> TeamId:
    """Return the workspace of the export: of those that its people belong to, one that the bridge knows, if any."""
    found = next((team for team in plan.teams if team in known.workspaces), None) or next(iter(plan.teams), None)
    if found is None:
        raise click.ClickException(
            "nothing in the export tells which workspace it is of: no person and no message names a team"
        )
    return found


def bring_over(settings: Settings, export: Export, wanted: Wanted) -> Progress:
    """Run the import to its end, or until it is told to stop; then it can be gone on with."""
    import asyncio

    from bridge.cli.run import quick_loop
    from bridge.importing import bring

    with _shown() as tell, asyncio.Runner(loop_factory=quick_loop()) as runner:
        try:
            return runner.run(bring(settings, export, wanted, tell))
        except KeyboardInterrupt:
            raise click.ClickException("stopped: the same command goes on where it was") from None


# --- how far it is


@contextmanager
def _shown() -> Iterator[Tell]:
    """Show on a terminal a bar for all and one for each channel under way; elsewhere a line every ten seconds."""
    if not sys.stderr.isatty():
        yield _lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[told]}"))
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        every = bars.add_task("All", total=None, told="")
        files = bars.add_task("Files", total=None, told="", visible=False)
        tasks: dict[str, Any] = {}

        def tell(progress: Progress) -> None:
            bars.update(every, total=progress.records or None, completed=progress.shown, told=_pace(progress))
            there = progress.files
            done = there.here + there.absent
            bars.update(files, total=there.every, completed=done, told=_flow(progress), visible=there.every > 0)
            for one in progress.channels:
                if one.state in ("admitting", "settling"):
                    if one.name not in tasks:
                        tasks[one.name] = bars.add_task(visible(f"#{one.name}"), total=one.records, told="")
                    bars.update(tasks[one.name], completed=one.shown)
                elif one.name in tasks:
                    bars.remove_task(tasks.pop(one.name))

        yield tell


def _lines() -> Tell:
    last = [float("-inf")]

    def tell(progress: Progress) -> None:
        now = time.monotonic()
        if now - last[0] >= _EVERY:
            last[0] = now
            click.echo(line_of(progress), err=True)

    return tell


def line_of(progress: Progress) -> str:
    """Return how far an import is, in one line."""
    done = sum(one.state == "done" for one in progress.channels)
    words = (
        f"import {progress.number}: {grouped(progress.shown)} of {grouped(progress.records)} messages, "
        f"{done} of {len(progress.channels)} channels"
    )
    pace = _pace(progress)
    words += f", {pace}" if pace else ""
    if progress.files.every:
        words += f"; {grouped(progress.files.here)} of {grouped(progress.files.every)} files, {_flow(progress)}"
    return words


def _flow(progress: Progress) -> str:
    """Return how much of the files came, and how quickly that goes."""
    rate = progress.bytes_a_second
    return size(progress.files.came) + (f", {size(round(rate))}/s" if rate is not None else "")


def _pace(progress: Progress) -> str:
    if progress.rate is None or progress.seconds_left is None:
        return ""
    return f"{progress.rate:.1f}/s, {duration(round(progress.seconds_left))} left"


def _print(done: Progress) -> None:
    click.echo(f"Import {done.number} is done: {grouped(done.shown)} messages in {len(done.channels)} channels.")
    for one in done.channels:
        if one.state == "left out":
            click.echo(visible(f"  Left out: #{one.name}: {one.reason}"))
    if done.quarantined:
        click.echo(f"{grouped(done.quarantined)} records are in quarantine; see: causeway import quarantine list")
    if done.files.absent:
        click.echo(f"{grouped(done.files.absent)} files could not be had; see: causeway import files list")
    click.echo("Prove it with: causeway report")
