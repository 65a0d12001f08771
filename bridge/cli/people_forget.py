"""`causeway people forget`: what the store knows of a person is shown, and removed."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from bridge.cli.options import config_option, json_option, load_settings, print_json, workspace_option

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.administration.store import Store
    from bridge.store.forgetting import Trace
    from portals.ids import TeamId


@click.command(
    epilog="""\b
    Examples:
      causeway people forget U0123456789
      causeway people forget U0123456789 --yes --reason "asked for it on 24 November"
      causeway people forget @alice:example.org --json""",
    short_help="Show what the store knows of a person, and remove it.",
)
@click.argument("person")
@click.option("--yes", is_flag=True, help="Remove it; without this it is only shown.")
@click.option("--reason", default="", help="On what this rests; it is kept in the audit log. Needed with --yes.")
@config_option
@workspace_option
@json_option
def forget(person: str, yes: bool, reason: str, config: Path, workspace: str | None, as_json: bool) -> None:
    """Show what the store knows of PERSON, a Slack id or a Matrix user id, and with --yes remove it.

    Messages stay in their rooms and channels: have them deleted there first, for what is forgotten here cannot be
    edited or deleted across any more. What Slack goes on telling of the person comes back.
    """
    from bridge.administration import retention
    from bridge.cli.actor import actor
    from bridge.cli.people_source import team_of
    from bridge.cli.store import in_store

    settings, reason = load_settings(config), " ".join(reason.split())
    if yes and not reason:
        raise click.UsageError("say with --reason on what this rests")

    async def work(store: Store) -> tuple[TeamId, list[Trace]]:
        team = await team_of(settings, store, workspace)
        if yes:
            return team, await retention.forget(store, team, person, reason, actor())
        return team, await retention.traces(store, team, person)

    team, found = in_store(settings, work)
    if as_json:
        print_json({"team": team, "person": person, "forgotten": yes, "traces": [asdict(one) for one in found]})
        return
    for one in found:
        click.echo(f"{one.count:>8}  {one.what}" + (f": stay, {one.stays}" if one.stays else ""))
    if not found:
        click.echo(f"Nothing is known of {person}")
    elif yes:
        click.echo(f"{person} is forgotten, but for what stays")
    else:
        click.echo("Nothing was changed. --yes removes it, but for what stays.")
