"""`causeway portals`: which channels and rooms are joined, beside the running bridge or without it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from bridge.cli.options import checked, config_option, json_option, load_settings, print_json
from bridge.cli.tables import visible

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.administration.portals import ShownPortal
    from bridge.administration.store import Store
    from config.settings import Settings

Json = dict[str, Any]  # Any: what is printed as JSON

DIRECTIONS = ("both", "to_matrix", "to_slack")


@click.group(
    epilog="""\b
    Examples:
      causeway portals list
      causeway portals add "#general"
      causeway portals pause "#general\"""",
    short_help="List, add, remove, pause and resume portals.",
)
def portals() -> None:
    """Channels and rooms that mirror each other.

    A running bridge follows a change within a second. Without one, the change waits for the next start.
    """


# --- list


@portals.command(
    "list",
    epilog="""\b
    Examples:
      causeway portals list
      causeway portals list --all
      causeway portals list --json | jq -r '.portals[] | select(.trouble != "") | .name'""",
    short_help="Show every portal, what waits in it and what troubles it.",
)
@config_option
@click.option("--all", "everything", is_flag=True, help="Show removed portals too.")
@json_option
def list_(config: Path, everything: bool, as_json: bool) -> None:
    """Show every portal: what waits in each direction and since when, and what troubles it.

    A portal has caught up when it has looked back over Slack's history since the last interruption.
    """
    from bridge.cli.store import in_store

    found = in_store(load_settings(config), _described)
    shown = [one for one in found if everything or one["state"] != "removed"]
    if as_json:
        print_json({"portals": shown})
        return
    if shown:
        _print(shown)
    elif not found:
        click.echo('There are no portals yet. Add one with: causeway portals add "#channel"')
    hidden = len(found) - len(shown)
    if hidden:
        click.echo(f"{hidden} removed {'one is' if hidden == 1 else 'ones are'} not shown; --all shows them.", err=True)


async def _described(store: Store) -> list[Json]:
    from bridge.administration.portals import listed

    return [asdict(one) for one in await listed(store, await store.portals())]


def _print(shown: list[Json]) -> None:
    from bridge.cli.tables import print_table

    several = len({one["team"] for one in shown}) > 1
    headings = ["Channel", "Room", "Direction", "State", "To Matrix", "To Slack", "Caught up", "Trouble"]
    print_table(
        (["Workspace"] if several else []) + headings,
        [([one["workspace"]] if several else []) + _row(one) for one in shown],
    )


def _row(one: Json) -> list[str]:
    return [
        f"#{one['name']}",
        one["room"] or ("to be made" if one["target"] == "create" else one["target"]),
        one["direction"],
        one["state"],
        _count(one["waiting"]["to_matrix"]),
        _count(one["waiting"]["to_slack"]),
        {True: "yes", False: "not yet", None: "-"}[one["caught_up"]],
        one["trouble"],
    ]


def _count(waiting: Json) -> str:
    from bridge.administration.times import age

    return f"{waiting['rows']}, oldest {age(waiting['seconds'])}" if waiting["rows"] else "0"


# --- add


@portals.command(
    epilog="""\b
    Examples:
      causeway portals add "#general"
      causeway portals add "#supplier" --matrix "!abcdef:example.org" --direction to_matrix
      causeway portals add C0123456789 --workspace acme --matrix "#projects:example.org\"""",
    short_help="Bridge a channel.",
)
@click.argument("channel")
@config_option
@click.option("--workspace", help="The workspace, by its name in the configuration, where there are several.")
@click.option(
    "--matrix",
    help="The room: `create` for a new one (the default), or the alias or id of one that the bot may join.",
)
@click.option(
    "--direction", type=click.Choice(DIRECTIONS), help="Which way messages go; both where it is not said otherwise."
)
@json_option
def add(
    channel: str, config: Path, workspace: str | None, matrix: str | None, direction: str | None, as_json: bool
) -> None:
    """Bridge CHANNEL, given by its name or id, as Slack has it now.

    A removed portal goes on where it was, with all that was said in Slack meanwhile. For a portal that is there
    already, only its direction is changed.
    """
    import asyncio

    from config.values import MatrixRoom

    if matrix is not None:
        try:
            matrix = checked(MatrixRoom)(matrix)
        except click.BadParameter as error:
            error.param_hint = "--matrix"
            raise
    settings = load_settings(config)
    described, was_there = asyncio.run(_add(settings, channel, workspace, matrix, direction))
    if as_json:
        print_json(described)
        return
    where = described["room"] or ("a new room" if described["target"] == "create" else described["target"])
    name, way = described["name"], {"both": "both ways"}.get(described["direction"], described["direction"])
    hint = f'; go on with: causeway portals resume "#{visible(name)}"' if described["state"] == "paused" else ""
    click.echo(
        f"#{visible(name)} {'is' if was_there else 'becomes'} a portal: {where}, {way}, {described['state']}{hint}"
    )


async def _add(
    settings: Settings, wanted: str, workspace: str | None, matrix: str | None, direction: str | None
) -> tuple[Json, bool]:
    from bridge.administration import portals as administered
    from bridge.cli.actor import actor
    from bridge.cli.channels import chosen_workspace, connected
    from bridge.cli.store import opened
    from portals.facts import Direction
    from portals.ids import TeamId

    chosen = chosen_workspace(settings, workspace)
    way = Direction(direction) if direction else None
    async with opened(settings) as store, connected(settings, chosen) as client:
        team = TeamId((await client.auth()).team_id)
        made, was_there = await administered.add(store, client, team, wanted, actor(), matrix=matrix, direction=way)
        return asdict(made), was_there


# --- remove, pause, resume


@portals.command(
    epilog="""\b
    Examples:
      causeway portals remove "#general"
      causeway portals remove '!abcdef:example.org'""",
    short_help="End a portal; add takes it up again.",
)
@click.argument("portal")
@config_option
@json_option
def remove(portal: str, config: Path, as_json: bool) -> None:
    """End PORTAL, given by its channel's name or id or by its room.

    Nothing is deleted on either side, and patterns in the configuration do not bring it back. What waits in it is
    given up. `causeway portals add` takes it up again where it was.
    """
    _change(config, portal, "remove", as_json)


@portals.command(
    epilog="""\b
    Examples:
      causeway portals pause "#general"
      causeway portals pause C0123456789""",
    short_help="Keep everything that comes, relay nothing.",
)
@click.argument("portal")
@config_option
@json_option
def pause(portal: str, config: Path, as_json: bool) -> None:
    """Relay nothing in PORTAL, given by its channel's name or id or by its room, and keep what comes until resume."""
    _change(config, portal, "pause", as_json)


@portals.command(
    epilog="""\b
    Examples:
      causeway portals resume "#general"
      causeway portals resume '!abcdef:example.org'""",
    short_help="Go on with a paused portal.",
)
@click.argument("portal")
@config_option
@json_option
def resume(portal: str, config: Path, as_json: bool) -> None:
    """Go on with PORTAL, given by its channel's name or id or by its room: what waited is relayed, in order."""
    _change(config, portal, "resume", as_json)


def _change(config: Path, wanted: str, what: str, as_json: bool) -> None:
    from bridge.administration.portals import Change, change
    from bridge.cli.actor import actor
    from bridge.cli.store import in_store

    async def work(store: Store) -> ShownPortal:
        return await change(store, await store.find(wanted), Change(what), actor())

    changed = in_store(load_settings(config), work)
    if as_json:
        print_json(asdict(changed))
    else:
        click.echo(f"#{visible(changed.name)} is {changed.state}")
