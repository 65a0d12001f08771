"""`causeway import quarantine`: the records of a history that could not be taken or shown, and trying them again.

Two things are in quarantine: records that could not be read (`q7`), and records that the homeserver or the bridge
refused to show (`p31`, which `causeway parked` knows as number 31 too).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from bridge.cli.options import config_option, json_option, json_text, load_settings, print_json

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.store.database import Database
    from bridge.store.ledger import ParkedRow

_PAGE = 500


@dataclass(frozen=True, slots=True)
class Kept:
    """One record in quarantine: its name, its place in the archive, why it is there, and itself."""

    name: str
    channel: str
    where: str
    reason: str
    record: Any  # Any: foreign JSON

    def as_json(self) -> dict[str, Any]:
        return {"id": self.name, "channel": self.channel, "where": self.where, "reason": self.reason}


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
    from bridge.cli.store import on_database
    from bridge.cli.tables import print_table

    found = on_database(load_settings(config), everything)
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
    from bridge.cli.store import on_database
    from bridge.cli.tables import visible

    one = _named(on_database(load_settings(config), everything), name)
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
    from bridge.cli.store import on_database

    if all_of_them == bool(names):
        raise click.UsageError("write the ids that `causeway import quarantine list` shows, or --all")
    settings = load_settings(config)
    there = on_database(settings, everything)
    wanted = there if all_of_them else [_named(there, name) for name in dict.fromkeys(names)]

    async def work(database: Database) -> dict[str, str]:
        from bridge.configured import names_from
        from bridge.work.release import Release

        release = Release(database, names_from(settings))
        return {one.name: await release.again(one.name) for one in wanted}

    outcomes = on_database(settings, work)
    stayed = {name: reason for name, reason in outcomes.items() if reason}
    if as_json:
        print_json({"retried": [name for name in outcomes if name not in stayed], "stayed": stayed})
    else:
        click.echo(f"retried: {', '.join(name for name in outcomes if name not in stayed) or 'nothing'}")
    for name, reason in stayed.items():
        click.echo(f"Error: {name} stays: {reason}", err=True)
    if stayed:
        raise click.exceptions.Exit(1)


def _named(there: list[Kept], name: str) -> Kept:
    found = next((one for one in there if one.name == name), None)
    if found is None:
        raise click.ClickException(f"{name} is not in quarantine: causeway import quarantine list shows what is")
    return found


async def everything(database: Database) -> list[Kept]:
    """Return all that is in quarantine, what could not be read first."""
    from bridge.store.imports import Imports
    from bridge.store.ledger import Ledger

    found: list[Kept] = []
    after = 0
    while page := await Imports(database).quarantined(after, _PAGE):
        after = page[-1].id
        found += [Kept(f"q{one.id}", one.channel, one.place, one.reason, json.loads(one.raw)) for one in page]
    after = 0
    while rows := await Ledger(database).parked(after, _PAGE):
        after = rows[-1].seq
        found += [kept for kept in map(_parked, rows) if kept is not None]
    return found


def _parked(row: ParkedRow) -> Kept | None:
    """Return a parked row that came from a history."""
    from bridge.work.history import WHERE

    try:
        event = json.loads(row.raw).get("event", {})
    except ValueError:
        return None
    record = event.get("message") if isinstance(event.get("message"), dict) else event
    where = record.pop(WHERE, "") if isinstance(record, dict) else ""
    channel = row.queue.partition("/")[2]
    return Kept(f"p{row.seq}", channel, where, row.reason, record) if where else None
