"""`causeway portals`: which channels and rooms are joined, beside the running bridge or without it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from bridge.cli.options import checked, config_option, json_option, load_settings, print_json

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.cli.store import Store
    from config.settings import Settings
    from portals.facts import Direction, Portal, PortalState

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
    from bridge.store.ledger import TO_MATRIX, TO_SLACK
    from portals.ids import channel_queue

    waiting = {
        (direction, queue): (rows, oldest) for direction, queue, rows, oldest in await store.ledger.open_counts()
    }
    gaps: dict[str, int] = {}
    found = []
    for portal in await store.portals():
        if portal.team not in gaps:
            gaps[portal.team] = await store.directory.gap(portal.team)
        described = await _describe(store, portal)
        described["caught_up"] = _is_caught_up(portal, gaps[portal.team])
        described["waiting"] = {
            TO_MATRIX: _waiting(waiting.get((TO_MATRIX, channel_queue(portal.team, portal.channel)))),
            TO_SLACK: _waiting(waiting.get((TO_SLACK, portal.room or ""))),
        }
        found.append(described)
    return found


async def _describe(store: Store, portal: Portal) -> Json:
    return {
        "workspace": await store.workspace_name(portal),
        "team": portal.team,
        "channel": portal.channel,
        "name": portal.name,
        "private": portal.private,
        "room": portal.room,
        "target": portal.target,
        "direction": str(portal.direction),
        "state": str(portal.state),
        "trouble": portal.trouble,
    }


def _is_caught_up(portal: Portal, gap: int) -> bool | None:
    """Tell whether a portal has looked back; None for one that does not read from Slack now."""
    if portal.state != "live" or portal.direction == "to_slack":
        return None
    return portal.caught_up >= gap


def _waiting(counted: tuple[int, int] | None) -> Json:
    from bridge.cli.tables import moment, seconds_since

    if counted is None:
        return {"rows": 0, "oldest": None, "seconds": None}
    rows, oldest = counted
    return {"rows": rows, "oldest": moment(oldest), "seconds": seconds_since(oldest)}


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
    from bridge.cli.tables import age

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
    hint = f'; go on with: causeway portals resume "#{name}"' if described["state"] == "paused" else ""
    click.echo(f"#{name} {'is' if was_there else 'becomes'} a portal: {where}, {way}, {described['state']}{hint}")


async def _add(
    settings: Settings, wanted: str, workspace: str | None, matrix: str | None, direction: str | None
) -> tuple[Json, bool]:
    from bridge.cli.channels import chosen_workspace, connected, find_channel
    from bridge.cli.store import opened
    from portals.facts import Direction, PortalState
    from portals.ids import TeamId

    chosen = chosen_workspace(settings, workspace)
    async with opened(settings) as store, connected(settings, chosen) as client:
        team = TeamId((await client.auth()).team_id)
        found = await find_channel(client, store.directory, team, wanted)
        there = await store.directory.portal_of_channel(team, found.id)
        await _refuse_another_room(store, there, matrix)
        portal = await store.directory.add_portal(
            team,
            found.id,
            name=there.name if there else found.name,  # the bridge notices a new name and tells the room
            topic=found.topic,
            purpose=found.purpose,
            private=found.private,
            direction=Direction(direction) if direction else _direction_of(there),
            target=matrix or (there.target if there else "create"),
        )
        await store.request(portal)
        return await _describe(store, portal), there is not None and there.state is not PortalState.REMOVED


def _direction_of(there: Portal | None) -> Direction:
    from portals.facts import Direction

    return there.direction if there else Direction.BOTH


async def _refuse_another_room(store: Store, there: Portal | None, matrix: str | None) -> None:
    """Refuse a room that another portal has, and another room for a portal whose messages lie in one already."""
    from portals.facts import PortalState

    if matrix in (None, "create"):
        return
    if there is not None and there.room is not None and matrix not in (there.room, there.target):
        raise click.ClickException(
            f"#{there.name} belongs to the room {there.room}, which holds its messages: leave --matrix out"
        )
    for other in await store.portals():
        is_other = there is None or other.id != there.id
        if is_other and other.state is not PortalState.REMOVED and matrix in (other.room, other.target):
            raise click.ClickException(f"the room {matrix} belongs to the portal of #{other.name} already")


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


def _change(config: Path, wanted: str, change: str, as_json: bool) -> None:
    from bridge.cli.store import in_store

    async def work(store: Store) -> Json:
        portal = await store.find(wanted)
        state = _state_after(portal, change)
        if state is not portal.state:
            await store.directory.set_state(portal.id, state)
        await store.request(portal)
        changed = await store.directory.portal(portal.id)
        assert changed is not None
        return await _describe(store, changed)

    described = in_store(load_settings(config), work)
    if as_json:
        print_json(described)
    else:
        click.echo(f"#{described['name']} is {described['state']}")


def _state_after(portal: Portal, change: str) -> PortalState:
    from portals.facts import PortalState

    if portal.state is PortalState.REMOVED and change != "remove":
        raise click.ClickException(
            f'the portal of #{portal.name} was removed: take it up again with causeway portals add "#{portal.name}"'
        )
    if change == "remove":
        return PortalState.REMOVED
    if change == "pause":
        return PortalState.PAUSED
    if portal.state is PortalState.PAUSED:
        return PortalState.LIVE if portal.room else PortalState.PLANNED
    return portal.state
