"""`causeway import --api`: a workspace's history fetched from Slack into a folder, which is then read as an export."""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bridge.administration.times import moment
from bridge.cli.tables import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bridge.exports.from_api import Written
    from bridge.exports.outlook import Progress
    from config.settings import Settings
    from config.slack import Workspace
    from portals.history.selection import Selection

_EVERY = 10.0
"""Seconds between two lines where nobody sits at a terminal."""
_PLACES = 5
"""Of so many channels with the same problem the names are shown."""


def read_api(
    settings: Settings, workspace: str | None, into: Path | None, selection: Selection, *, joins: bool = False
) -> Path:
    """Fetch what is selected of a workspace and return the folder of the export, for `open_export`.

    `workspace` is its name in the configuration, None where there is only one. What a run that was stopped fetched is
    not fetched again, and a later run into the same folder brings what is new. Progress and problems are told on
    standard error. Raises UsageError, Later, Refused and Fatal.
    """
    from bridge.cli.channels import chosen_workspace

    chosen = chosen_workspace(settings, workspace)
    directory = into or Path(f"slack-{chosen.name}")
    click.echo(
        f"Reading {chosen.name} through Slack's Web API into {directory}, which only you can open: it holds people's"
        " messages. Delete it when you need it no more.",
        err=True,
    )
    try:
        fetch(settings, chosen, directory, selection, joins=joins)
    except KeyboardInterrupt:
        raise click.ClickException("stopped: the same command goes on where it was") from None
    return directory


def fetch(
    settings: Settings, workspace: Workspace, directory: Path, selection: Selection, *, joins: bool = False
) -> Written:
    """Fetch what is selected of a workspace into a folder, and tell how far that is and what came of it."""
    with _shown() as tell:
        written = asyncio.run(_read(settings, workspace, directory, selection, joins, tell))
    for line in lines_of(written):
        click.echo(line, err=True)
    return written


async def _read(
    settings: Settings,
    workspace: Workspace,
    directory: Path,
    selection: Selection,
    joins: bool,
    tell: Callable[[Progress], None],
) -> Written:
    from bridge.cli.channels import connected
    from bridge.exports.from_api import SHARE, ApiExport
    from bridge.slack.limits import Limits

    async with connected(settings, workspace, Limits(scale=1 / SHARE)) as client:
        return await ApiExport(client, directory, joins=joins).write(selection, tell)


@contextmanager
def _shown() -> Iterator[Callable[[Progress], None]]:
    """Show the newest figures in one place of a terminal; elsewhere as a line every ten seconds."""
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.text import Text

        with Console(stderr=True).status("Asking Slack") as status:
            yield lambda progress: status.update(Text(str(progress)))
        return
    last = float("-inf")

    def tell(progress: Progress) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= _EVERY:
            last = now
            click.echo(str(progress), err=True)

    yield tell


def lines_of(written: Written) -> list[str]:
    """Return what is said of an export that was written: how much it holds, and what is missing from it and why."""
    lines = [
        f"{written.directory} holds {written.messages:,} messages of {written.channels:,} channels of {written.name}."
        " Private channels and direct messages are in it where the bot is a member; of others Slack tells it nothing."
    ]
    if written.resumed:
        lines.append(
            f"The reading was begun at {moment(written.begun * 1000)} and gone on with: run the command again for what"
            " came since."
        )
    places: dict[str, list[str]] = {}
    for problem in written.problems:
        places.setdefault(problem.what, []).append(visible(problem.where))
    for what, where in places.items():
        others = f" and {len(where) - _PLACES:,} more" if len(where) > _PLACES else ""
        lines.append(f"  {', '.join(where[:_PLACES])}{others}: {visible(what)}")
    return lines
