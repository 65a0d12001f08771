"""`causeway import status|pause|resume`: how far imports are, watched from anywhere, and held up."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from bridge.cli.options import config_option, json_option, load_settings, print_json

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.store.database import Database
    from config.settings import Settings
    from portals.history.progress import Progress

_EVERY = 2.0


@click.command(
    epilog="""\b
    Examples:
      causeway import status
      causeway import status 3 --watch
      causeway import status --json | jq '.imports[0].shown'""",
    short_help="Show how far imports are.",
)
@click.argument("number", type=int, required=False)
@click.option("--watch", is_flag=True, help="Show it again every two seconds, until it is done.")
@config_option
@json_option
def status(number: int | None, watch: bool, config: Path, as_json: bool) -> None:
    """Show how far the imports are, the newest first, or the one with this NUMBER channel by channel.

    Whichever process works at an import, this one only reads the store.
    """
    settings = load_settings(config)
    while True:
        began = time.monotonic()
        found = _found(settings, number)
        if as_json:
            print_json({"imports": [one.as_json() for one in found]})
        else:
            _print(found, whole=number is not None)
        if not watch or all(one.state == "done" for one in found):
            return
        time.sleep(max(_EVERY - (time.monotonic() - began), 0.0))


@click.command(
    epilog="""\b
    Examples:
      causeway import pause
      causeway import pause 3""",
    short_help="Hold an import up.",
)
@click.argument("number", type=int, required=False)
@config_option
def pause(number: int | None, config: Path) -> None:
    """Admit no more of the import with this NUMBER, or of the newest; what was admitted is still shown."""
    from bridge.store.imports import ImportState

    _set(config, number, ImportState.PAUSED, "paused; go on with: causeway import resume")


@click.command(
    epilog="""\b
    Examples:
      causeway import resume
      causeway import resume 3""",
    short_help="Let an import go on.",
)
@click.argument("number", type=int, required=False)
@config_option
def resume(number: int | None, config: Path) -> None:
    """Let the import with this NUMBER, or the newest, go on.

    One whose process has ended goes on when `causeway import PATH` is given again.
    """
    from bridge.store.imports import ImportState

    _set(config, number, ImportState.RUNNING, "goes on")


def _set(config: Path, number: int | None, state: str, words: str) -> None:
    from bridge.cli.store import on_database
    from bridge.importing import progress_of
    from bridge.store.imports import Imports, ImportState

    async def work(database: Database) -> Progress:
        imports = Imports(database)
        wanted = await imports.find(number) if number is not None else next(iter(await imports.newest(1)), None)
        if wanted is None:
            raise click.ClickException("there is no such import: causeway import status shows all")
        if wanted.state is ImportState.DONE:
            raise click.ClickException(f"import {wanted.id} is done")
        await imports.set_state(wanted.id, ImportState(state))
        return await progress_of(database, wanted)

    click.echo(f"import {on_database(load_settings(config), work).number}: {words}")


def _found(settings: Settings, number: int | None) -> list[Progress]:
    from bridge.cli.store import on_database
    from bridge.importing import progress_of
    from bridge.store.imports import Imports

    async def work(database: Database) -> list[Progress]:
        imports = Imports(database)
        every = await imports.newest() if number is None else [one for one in [await imports.find(number)] if one]
        if number is not None and not every:
            raise click.ClickException(f"there is no import {number}: causeway import status shows all")
        return [await progress_of(database, one) for one in every]

    return on_database(settings, work)


def _print(found: list[Progress], *, whole: bool) -> None:
    from bridge.cli.import_run import line_of
    from bridge.cli.tables import print_table, visible

    if not found:
        click.echo("Nothing was imported yet.")
    for one in found:
        click.echo(f"{line_of(one)}, {one.state} ({visible(one.source)})")
        if one.quarantined:
            click.echo(f"  {one.quarantined:,} records are in quarantine; see: causeway import quarantine list")
    if whole:
        rows = [
            [f"#{one.name}", one.state, f"{one.shown:,}", f"{one.records:,}", f"{one.waiting:,}", one.reason]
            for one in found[0].channels
        ]
        print_table(["Channel", "State", "Shown", "Of", "Waiting", "Why"], rows)
