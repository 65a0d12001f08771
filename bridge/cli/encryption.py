"""`causeway encryption`: the keys of encrypted rooms, as far as an admin has to do with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bridge.cli.options import config_option, json_option, load_settings, print_json

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.store.database import Database
    from bridge.store.keys import Holdings


@click.group(
    epilog="""\b
    Examples:
      causeway encryption show
      causeway encryption reset --yes""",
    short_help="Show what keys of encrypted rooms there are, or begin anew without them.",
)
def encryption() -> None:
    """Keys of encrypted rooms: devices of the bridge's users, and sessions in which messages are read and written.

    They are sealed with encryption.key and cannot be read here either.
    """


@encryption.command(
    epilog="""\b
    Examples:
      causeway encryption show
      causeway encryption show --json | jq .devices""",
    short_help="Show how many devices, rooms and sessions there are.",
)
@config_option
@json_option
def show(config: Path, as_json: bool) -> None:
    """Show how many devices of its own the bridge has, in how many encrypted rooms, and with how many sessions."""
    from dataclasses import asdict

    from bridge.cli.store import on_database
    from bridge.store.keys import Keys

    settings = load_settings(config)

    async def counted(database: Database) -> Holdings:
        return await Keys(database).holdings()

    found = on_database(settings, counted)
    is_on = settings.encryption.key is not None
    if as_json:
        print_json({"on": is_on, **asdict(found)})
        return
    click.echo(f"Encryption is {'on' if is_on else 'off: encryption.key is blank'}.")
    click.echo(f"{found.rooms} encrypted rooms, {found.devices} devices of the bridge's users")
    click.echo(f"{found.read} sessions to read and {found.written} to write in, {found.awaited} keys that did not come")


@encryption.command(
    epilog="""\b
    Examples:
      causeway encryption reset --yes""",
    short_help="Forget all keys, for when encryption.key is lost.",
)
@config_option
@click.option("--yes", is_flag=True, help="Do it without asking.")
def reset(config: Path, yes: bool) -> None:
    """Forget all keys and begin anew with new devices; the bridge must not run.

    This is for when encryption.key is lost. People's clients will say that the bridge's users have new identities, and
    messages that the bridge has not read yet stay unread.
    """
    from bridge.cli.store import on_database
    from bridge.store.keys import Keys

    settings = load_settings(config)
    if not yes:
        click.confirm("Forget all keys of encrypted rooms, for good?", abort=True)

    async def forget(database: Database) -> None:
        await database.own()
        await Keys(database).reset()

    on_database(settings, forget)
    click.echo("All keys are forgotten. The next start makes new devices.")
