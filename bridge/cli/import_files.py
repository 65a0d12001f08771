"""`causeway import files`: what became of the files of a history, and trying those again that could not be had."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from bridge.cli.options import config_option, json_option, load_settings, print_json

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bridge.store.database import Database
    from bridge.store.files import Files, KnownFile

_PAGE = 500
_TEAMS = "SELECT DISTINCT team FROM files ORDER BY team"


@click.group(
    epilog="""\b
    Examples:
      causeway import files list
      causeway import files retry F0123ABCD
      causeway import files retry --all""",
    short_help="List files that could not be had, and retry them.",
)
def files() -> None:
    """Files of Slack: how many are here, how many still come, and which could not be had, and why.

    A message whose file could not be had shows a notice with its name and the reason.
    """


@files.command(
    "list",
    epilog="""\b
    Examples:
      causeway import files list
      causeway import files list --json | jq -r '.absent[] | [.id, .reason] | @tsv'""",
    short_help="Show how many files are here, and which could not be had.",
)
@config_option
@json_option
def list_(config: Path, as_json: bool) -> None:
    """Show how many files are here and still come, and each that could not be had with its name and the reason."""
    from bridge.cli.store import on_database
    from bridge.cli.tables import print_table
    from bridge.pages.words import grouped, size

    counts, absent = on_database(load_settings(config), _found)
    if as_json:
        print_json({**counts, "absent": [_described(one) for one in absent]})
        return
    here, waiting = counts["here"], counts["waiting"]
    click.echo(
        f"{grouped(here['files'])} here ({size(here['bytes'])}), {grouped(waiting['files'])} still to come"
        f" ({size(waiting['bytes'])}), {grouped(len(absent))} could not be had"
    )
    if absent:
        print_table(
            ["Id", "Workspace", "Name", "Size", "Reason"],
            [[one.id, one.team, one.name, size(one.told), one.reason] for one in absent],
        )


@files.command(
    epilog="""\b
    Examples:
      causeway import files retry F0123ABCD F0456EFGH
      causeway import files retry --all""",
    short_help="Have files tried again that could not be had.",
)
@click.argument("ids", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Try every file that could not be had instead of single ones.")
@config_option
@json_option
def retry(ids: tuple[str, ...], everything: bool, config: Path, as_json: bool) -> None:
    """Have files with these IDS tried again by the import that runs, or by the next one.

    That is worth it once Slack may give them: a new export has fresh links, an app got the scope files:read, or the
    homeserver takes larger files.
    """
    from bridge.cli.store import on_database

    if everything == bool(ids):
        raise click.UsageError("write the ids that `causeway import files list` shows, or --all")

    async def work(database: Database) -> tuple[list[str], list[str]]:
        from bridge.store.files import Files

        store = Files(database)
        absent = [one async for one in _absent(store)]
        wanted = [one for one in absent if everything or one.id in ids]
        unknown = [one for one in dict.fromkeys(ids) if one not in {known.id for known in absent}]
        return await store.retry([(one.team, one.id) for one in wanted]), unknown

    retried, unknown = on_database(load_settings(config), work)
    if as_json:
        print_json({"retried": retried})
    else:
        click.echo(f"retried: {', '.join(retried) or 'nothing'}")
    for one in unknown:
        click.echo(f"Error: {one} is no file that could not be had: causeway import files list shows them", err=True)
    if unknown:
        raise click.exceptions.Exit(1)


async def _found(database: Database) -> tuple[dict[str, Any], list[KnownFile]]:
    """Return how many files are here and still come, with their bytes, and those that could not be had."""
    from bridge.store.files import Files, FileState

    store = Files(database)
    counts: dict[str, Any] = {"here": {"files": 0, "bytes": 0}, "waiting": {"files": 0, "bytes": 0}}
    for row in await database.fetch(_TEAMS):
        tally = await store.counts(row[0])
        for state in (FileState.HERE, FileState.WAITING):
            counts[state]["files"] += tally[state].files
            counts[state]["bytes"] += tally[state].seen if state is FileState.HERE else tally[state].told
    return counts, [one async for one in _absent(store)]


async def _absent(store: Files) -> AsyncIterator[KnownFile]:
    after = 0
    while page := await store.absent(after, _PAGE):
        for one in page:
            yield one
        after = page[-1].n


def _described(one: KnownFile) -> dict[str, Any]:
    return {"id": one.id, "team": one.team, "name": one.name, "bytes": one.told, "reason": one.reason}
