"""`causeway import quarantine`: the records of a history that could not be taken or shown, and trying them again.

Two things are in quarantine: records that could not be read (`q7`), and records that the homeserver or the bridge
refused to show (`p31`, which `causeway parked` knows as number 31 too).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bridge.cli.options import config_option, json_option, json_text, load_settings, print_json
from bridge.cli.tables import visible

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.administration.imports import Kept
    from bridge.administration.store import Store
    from config.settings import Settings


@click.group(
    epilog="""\b
    Examples:
      causeway import quarantine list
      causeway import quarantine show q7
      causeway import quarantine retry --all""",
    short_help="List, show and retry records that could not be taken.",
)
def quarantine() -> None:
    """Records of a history that could not be taken: each is kept as it was, with its place in the archive."""


@quarantine.command(
    "list",
    epilog="""\b
    Examples:
      causeway import quarantine list
      causeway import quarantine list --json | jq -r '.quarantine[].where'""",
    short_help="Show what is in quarantine, and why.",
)
@config_option
@json_option
def list_(config: Path, as_json: bool) -> None:
    """Show what is in quarantine, with its place in the archive and the reason; never what a message says."""
    from bridge.cli.tables import print_table

    found = _there(load_settings(config))
    if as_json:
        print_json({"quarantine": [one.as_json() for one in found]})
    elif found:
        print_table(
            ["Id", "Channel", "Place", "Reason"], [[one.name, one.channel, one.where, one.reason] for one in found]
        )
    else:
        click.echo("Nothing is in quarantine.")


@quarantine.command(
    epilog="""\b
    Examples:
      causeway import quarantine show q7
      causeway import quarantine show p31 --json | jq .record""",
    short_help="Show one record whole.",
)
@click.argument("name")
@config_option
@json_option
def show(name: str, config: Path, as_json: bool) -> None:
    """Show the record with this id as it stands in the archive, its content included."""
    from bridge.administration.imports import named

    one = named(_there(load_settings(config)), name)
    if as_json:
        print_json({**one.as_json(), "record": one.record})
        return
    for field, value in one.as_json().items():
        click.echo(f"{field}: {visible(str(value))}")
    click.echo(f"\n{json_text(one.record)}")


@quarantine.command(
    epilog="""\b
    Examples:
      causeway import quarantine retry q7 p31
      causeway import quarantine retry --all""",
    short_help="Try records again.",
)
@click.argument("names", nargs=-1)
@click.option("--all", "all_of_them", is_flag=True, help="Try every record instead of single ones.")
@config_option
@json_option
def retry(names: tuple[str, ...], all_of_them: bool, config: Path, as_json: bool) -> None:
    """Try these records again: a newer version may read what an older one could not. Exits with 1 where one stays."""
    from bridge.administration.imports import named, release
    from bridge.cli.actor import actor
    from bridge.cli.store import in_store

    if all_of_them == bool(names):
        raise click.UsageError("write the ids that `causeway import quarantine list` shows, or --all")
    settings = load_settings(config)
    there = _there(settings)
    wanted = there if all_of_them else [named(there, name) for name in dict.fromkeys(names)]

    async def work(store: Store) -> dict[str, str]:
        return await release(store, wanted, actor())

    outcomes = in_store(settings, work)
    stayed = {name: reason for name, reason in outcomes.items() if reason}
    if as_json:
        print_json({"retried": [name for name in outcomes if name not in stayed], "stayed": stayed})
    else:
        click.echo(f"retried: {', '.join(name for name in outcomes if name not in stayed) or 'nothing'}")
    for name, reason in stayed.items():
        click.echo(f"Error: {visible(name)} stays: {visible(reason)}", err=True)
    if stayed:
        raise click.exceptions.Exit(1)


def _there(settings: Settings) -> list[Kept]:
    from bridge.administration.imports import quarantine
    from bridge.cli.store import on_database

    return on_database(settings, quarantine)
