"""`causeway held`: what waits for a moderator or for quiet hours to end, beside the running bridge or without it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from bridge.cli.options import config_option, json_option, json_text, load_settings, print_json
from bridge.cli.tables import visible, visible_lines

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from bridge.administration.acting import Actor
    from bridge.administration.store import Store
    from bridge.store.held import HeldRow

    Act = Callable[[Store, HeldRow, Actor], Awaitable[None]]

Json = dict[str, Any]  # Any: what is printed as JSON

_FIELDS = ("number", "waits_for", "direction", "name", "channel", "room", "author", "rule", "since", "until")

_numbers = click.argument("numbers", nargs=-1, type=int, required=True)


@click.group(
    epilog="""\b
    Examples:
      causeway held list
      causeway held show 3
      causeway held approve 3""",
    short_help="List, show, approve and refuse what waits for a moderator.",
)
def held() -> None:
    """What waits for a moderator, or for the end of quiet hours, as the policy of its portal has it.

    A running bridge takes up a verdict within a second; without one, it waits for the next start. Its author is told.
    """


@held.command(
    "list",
    epilog="""\b
    Examples:
      causeway held list
      causeway held list --portal "#general"
      causeway held list --json | jq '.held[].number'""",
    short_help="Show what waits, for what, and until when.",
)
@config_option
@click.option("--portal", help="Only those of this portal, given by its channel's name or id or by its room.")
@json_option
def list_(config: Path, portal: str | None, as_json: bool) -> None:
    """Show what waits, with number, direction, author and rule; never what a message says."""
    from bridge.administration import held as administered
    from bridge.administration.times import age
    from bridge.cli.store import in_store
    from bridge.cli.tables import print_table

    async def work(store: Store) -> list[Json]:
        only = await store.find(portal) if portal is not None else None
        return [asdict(await administered.shown(store, row)) async for row in administered.rows(store, only)]

    found = in_store(load_settings(config), work)
    if as_json:
        print_json({"held": found})
    elif found:
        print_table(
            ["Number", "Waits for", "Direction", "Portal", "Author", "Rule", "Left"],
            [
                [
                    str(one["number"]),
                    one["waits_for"],
                    one["direction"],
                    f"#{one['name']}" if one["name"] else str(one["channel"]),
                    one["author"],
                    one["rule"],
                    age(one["seconds_left"]),
                ]
                for one in found
            ],
        )
    else:
        click.echo("Nothing is held.")


@held.command(
    epilog="""\b
    Examples:
      causeway held show 3
      causeway held show 3 --json | jq -r .says""",
    short_help="Show one message that waits, whole.",
)
@click.argument("number", type=int)
@config_option
@json_option
def show(number: int, config: Path, as_json: bool) -> None:
    """Show the message with this NUMBER, what it says included; the audit log notes that you did."""
    from bridge.administration import held as administered
    from bridge.cli.actor import actor
    from bridge.cli.store import in_store

    async def work(store: Store) -> Json:
        whole = await administered.read(store, await administered.find(store, number), actor())
        return {**asdict(whole.held), "says": whole.says, "event": whole.event}

    found = in_store(load_settings(config), work)
    if as_json:
        print_json(found)
        return
    for name in _FIELDS:
        if found[name] is not None:
            click.echo(f"{name}: {visible(str(found[name]))}")
    click.echo(f"\n{visible_lines(found['says'])}\n\n{json_text(found['event'])}")


@held.command(
    epilog="""\b
    Examples:
      causeway held approve 3
      causeway held approve 3 4""",
    short_help="Let messages go to the other side.",
)
@_numbers
@config_option
@json_option
def approve(numbers: tuple[int, ...], config: Path, as_json: bool) -> None:
    """Let the messages with these NUMBERS go; whatever else their policy says counts as for any message."""
    from bridge.administration import held as administered

    _each(config, numbers, administered.approve, "approved", as_json)


@held.command(
    epilog="""\b
    Examples:
      causeway held refuse 3
      causeway held refuse 3 4""",
    short_help="Refuse messages for good.",
)
@_numbers
@config_option
@json_option
def refuse(numbers: tuple[int, ...], config: Path, as_json: bool) -> None:
    """Refuse the messages with these NUMBERS: they never cross, and their authors are told."""
    from bridge.administration import held as administered

    _each(config, numbers, administered.refuse, "refused", as_json)


def _each(config: Path, numbers: tuple[int, ...], act: Act, done: str, as_json: bool) -> None:
    """Give a verdict about each; those about which none can be given are told one by one."""
    from bridge.administration import held as administered
    from bridge.cli.actor import actor
    from bridge.cli.store import in_store
    from bridge.errors import Declined

    async def work(store: Store) -> tuple[list[int], list[str]]:
        changed: list[int] = []
        failures: list[str] = []
        for number in dict.fromkeys(numbers):
            try:
                await act(store, await administered.find(store, number), actor())
            except Declined as declined:
                failures.append(str(declined))
            else:
                changed.append(number)
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
