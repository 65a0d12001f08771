"""`causeway import status|pause|resume`: how far imports are, watched from anywhere, and held up."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from bridge.cli.options import config_option, json_option, load_settings, print_json

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from bridge.administration.acting import Actor
    from bridge.administration.store import Store
    from bridge.store.imports import Import
    from config.settings import Settings
    from portals.history.progress import Progress

    Act = Callable[[Store, Import, Actor], Awaitable[None]]

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
    from bridge.administration.imports import pause as paused

    _act(config, number, paused, "paused; go on with: causeway import resume")


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
    from bridge.administration.imports import resume as resumed

    _act(config, number, resumed, "goes on")


def _act(config: Path, number: int | None, act: Act, words: str) -> None:
    from bridge.administration.imports import find
    from bridge.cli.actor import actor
    from bridge.cli.store import in_store

    async def work(store: Store) -> int:
        wanted = await find(store, number)
        await act(store, wanted, actor())
        return wanted.id

    click.echo(f"import {in_store(load_settings(config), work)}: {words}")


def _found(settings: Settings, number: int | None) -> list[Progress]:
    from bridge.administration.imports import find, progress_of
    from bridge.cli.store import in_store

    async def work(store: Store) -> list[Progress]:
        every = await store.imports.newest() if number is None else [await find(store, number)]
        return [await progress_of(store.database, one) for one in every]

    return in_store(settings, work)


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
