"""`causeway parked`: what could not be delivered and was put aside, beside the running bridge or without it."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from bridge.cli.options import config_option, json_option, json_text, load_settings, print_json
from bridge.cli.tables import visible

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
    from pathlib import Path

    from bridge.administration.acting import Actor
    from bridge.administration.store import Store
    from bridge.store.ledger import ParkedRow

    Act = Callable[[Store, ParkedRow, Actor], Awaitable[None]]

Json = dict[str, Any]  # Any: what is printed as JSON

_FIELDS = ("number", "direction", "channel", "room", "source", "reason", "arrived")

_numbers = click.argument("numbers", nargs=-1, type=int)
_all_option = click.option("--all", "everything", is_flag=True, help="Take every parked message instead of numbers.")
_portal_option = click.option(
    "--portal", help="Take only those of this portal, given by its channel's name or id or by its room."
)


@click.group(
    epilog="""\b
    Examples:
      causeway parked list
      causeway parked show 12
      causeway parked retry --all""",
    short_help="List, show, retry and drop what could not be delivered.",
)
def parked() -> None:
    """What could not be delivered: it is kept, and a notice in its portal's room tells its number.

    A running bridge takes up a retry within a second. Without one, it waits for the next start.
    """


@parked.command(
    "list",
    epilog="""\b
    Examples:
      causeway parked list
      causeway parked list --portal "#general"
      causeway parked list --json | jq '.parked[].number'""",
    short_help="Show what is parked, and why.",
)
@config_option
@_portal_option
@json_option
def list_(config: Path, portal: str | None, as_json: bool) -> None:
    """Show what is parked, with number, direction, channel, age and reason; never what a message says."""
    from bridge.administration import parked as administered
    from bridge.administration.times import age
    from bridge.cli.store import in_store
    from bridge.cli.tables import print_table

    async def work(store: Store) -> list[Json]:
        return [asdict(await administered.shown(store, row)) async for row in _rows(store, portal)]

    found = in_store(load_settings(config), work)
    if as_json:
        print_json({"parked": found})
    elif found:
        print_table(
            ["Number", "Direction", "Portal", "Age", "Reason"],
            [[str(one["number"]), one["direction"], _place(one), age(one["seconds"]), one["reason"]] for one in found],
        )
    else:
        click.echo("Nothing is parked.")


@parked.command(
    epilog="""\b
    Examples:
      causeway parked show 12
      causeway parked show 12 --json | jq .event""",
    short_help="Show one parked message whole.",
)
@click.argument("number", type=int)
@config_option
@json_option
def show(number: int, config: Path, as_json: bool) -> None:
    """Show the parked message with this NUMBER as it came, its content included."""
    from bridge.administration import parked as administered
    from bridge.cli.store import in_store

    async def work(store: Store) -> Json:
        row = await administered.find(store, number)
        return {**asdict(await administered.shown(store, row)), "event": administered.event(row)}

    found = in_store(load_settings(config), work)
    if as_json:
        print_json(found)
        return
    for name in _FIELDS:
        if found[name] is not None:
            click.echo(f"{name}: {visible(str(found[name]))}")
    click.echo(f"\n{json_text(found['event'])}")


@parked.command(
    epilog="""\b
    Examples:
      causeway parked retry 12
      causeway parked retry 12 13 14
      causeway parked retry --all --portal "#general\"""",
    short_help="Try to deliver parked messages again.",
)
@_numbers
@config_option
@_all_option
@_portal_option
@json_option
def retry(numbers: tuple[int, ...], config: Path, everything: bool, portal: str | None, as_json: bool) -> None:
    """Try to deliver the parked messages with these NUMBERS again, each at its old place in its portal."""
    from bridge.administration import parked as administered

    _each(config, numbers, everything, portal, administered.retry, "retried", as_json)


@parked.command(
    epilog="""\b
    Examples:
      causeway parked drop 12
      causeway parked drop --all --portal "#general\"""",
    short_help="Give parked messages up for good.",
)
@_numbers
@config_option
@_all_option
@_portal_option
@json_option
def drop(numbers: tuple[int, ...], config: Path, everything: bool, portal: str | None, as_json: bool) -> None:
    """Give the parked messages with these NUMBERS up for good; their content is deleted.

    In a terminal, --all asks first.
    """
    if everything and not numbers and sys.stdin.isatty():
        whose = f"of {portal}" if portal else "of all portals"
        click.confirm(f"Give up every parked message {whose} for good?", abort=True, err=True)
    from bridge.administration import parked as administered

    _each(config, numbers, everything, portal, administered.drop, "dropped", as_json)


# --- work


def _each(
    config: Path,
    numbers: Sequence[int],
    everything: bool,
    portal: str | None,
    act: Act,
    done: str,
    as_json: bool,
) -> None:
    """Change each of the rows that are meant; those that cannot be changed are told one by one."""
    from bridge.cli.actor import actor
    from bridge.cli.store import in_store
    from bridge.errors import Declined

    if everything == bool(numbers):
        raise click.UsageError("write the numbers that `causeway parked list` shows, or --all")
    if portal is not None and not everything:
        raise click.UsageError("--portal belongs to --all: a number needs no portal")

    async def work(store: Store) -> tuple[list[int], list[str]]:
        changed: list[int] = []
        failures: list[str] = []
        async for row in _rows(store, portal) if everything else _numbered(store, numbers, failures):
            try:
                await act(store, row, actor())
            except Declined as declined:
                failures.append(str(declined))
            else:
                changed.append(row.seq)
        return changed, failures

    changed, failures = in_store(load_settings(config), work)
    if as_json:
        print_json({done: changed})
    else:
        click.echo(f"{done}: {', '.join(map(str, changed)) or 'nothing'}")
    for failure in failures:
        click.echo(f"Error: {visible(failure)}", err=True)
    if failures:
        raise click.exceptions.Exit(1)


async def _rows(store: Store, portal: str | None) -> AsyncIterator[ParkedRow]:
    from bridge.administration import parked as administered

    only = await store.find(portal) if portal is not None else None
    async for row in administered.rows(store, only):
        yield row


async def _numbered(store: Store, numbers: Sequence[int], failures: list[str]) -> AsyncIterator[ParkedRow]:
    from bridge.administration import parked as administered
    from bridge.errors import Declined

    for number in dict.fromkeys(numbers):
        try:
            row = await administered.find(store, number)
        except Declined as declined:
            failures.append(str(declined))
        else:
            yield row


def _place(one: Json) -> str:
    return f"#{one['name']}" if one["name"] else str(one["channel"] or one["room"])
