"""`causeway check portal`: in what rooms depart from their policies, and what ends each departure."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import click

from bridge.cli.options import config_option, json_option, load_settings, print_json

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bridge.administration.store import Store
    from bridge.work.room_policy import RoomPolicies
    from config.settings import Settings
    from portals.crossing.policy import Policy
    from portals.facts import Portal


@dataclass(frozen=True, slots=True)
class Line:
    """A departure as it is printed; one that was `mended` is none any more."""

    channel: str
    name: str
    room: str
    policy: str
    type: str
    detail: str
    remedy: str
    mended: bool = False


@click.command(
    epilog="""\b
    Examples:
      causeway check portal
      causeway check portal "#general"
      causeway check portal '!abcdef:example.org' --mend
      causeway check portal --json | jq -r '.departures[] | "\\(.name): \\(.detail)"'""",
    short_help="Say in what rooms depart from their policies.",
)
@click.argument("portals", metavar="[PORTAL]...", nargs=-1)
@click.option("--mend", is_flag=True, help="Set what the bot has the power to set; without it, nothing is changed.")
@config_option
@json_option
def portal(portals: tuple[str, ...], mend: bool, config: Path, as_json: bool) -> None:
    """Compare the rooms of PORTAL, each given by its channel's name or id or by its room, with `policies`.

    Without PORTAL, all are compared, rooms that were there before the bridge like those that it made. The exit code is
    1 when a room departs from its policy, or cannot be looked at.
    """
    from bridge.cli.store import in_store

    settings = load_settings(config)

    async def work(store: Store) -> tuple[list[Line], int]:
        wanted = [await store.find(one) for one in portals] if portals else await store.portals()
        found = [line async for line in _lines(settings, store, [one for one in wanted if _is_held(one)], mend)]
        return found, len(wanted)

    lines, looked_at = in_store(settings, work)
    departing = [line for line in lines if not line.mended]
    if as_json:
        print_json({"ok": not departing, "portals": looked_at, "departures": [asdict(line) for line in lines]})
    else:
        _print(lines, looked_at)
    if departing:
        raise click.exceptions.Exit(1)


def _is_held(portal: Portal) -> bool:
    from portals.facts import PortalState

    return portal.room is not None and portal.state is not PortalState.REMOVED and not portal.has_moved


def _print(lines: list[Line], looked_at: int) -> None:
    from bridge.cli.tables import visible

    for line in lines:
        mark = click.style("MENDED", fg="green") if line.mended else click.style("DEPARTS", fg="red")
        click.echo(f"{mark}  #{visible(line.name)}  {line.room}  {visible(line.detail)}")
        if not line.mended:
            click.echo(f"         -> {visible(line.remedy)}")
    departing = len({line.room for line in lines if not line.mended})
    click.echo(f"Rooms that depart from their policies: {departing} of {looked_at}")


async def _lines(settings: Settings, store: Store, portals: list[Portal], mend: bool) -> AsyncIterator[Line]:
    from bridge.cli.workspace_names import names_of
    from bridge.configured import client_from
    from bridge.errors import BridgeError
    from bridge.policies import policy_of
    from bridge.work.room_policy import RoomPolicies

    names = await names_of(settings) if portals else {}
    of = policy_of(settings, names.get)
    async with client_from(settings, store.database, aside=True) as matrix:
        policies = RoomPolicies(store.names, store.directory, matrix)
        for one in portals:
            policy = of(one)
            if policy is None:
                remedy = "name its workspace in slack.workspaces, or remove the portal"
                yield _line(one, "", "", "its workspace is not in the configuration", remedy)
                continue
            try:
                async for line in _of(store, policies, one, policy, mend):
                    yield line
            except BridgeError as error:
                yield _line(one, policy.name, "", f"it cannot be looked at: {error}", f"have {matrix.bot} in the room")


async def _of(store: Store, policies: RoomPolicies, one: Portal, policy: Policy, mend: bool) -> AsyncIterator[Line]:
    from bridge.cli.actor import actor
    from bridge.store.departures import Departures

    assert one.room is not None
    for found in await policies.compare(one, policy.room):
        departure = found.departure
        is_mended = mend and await policies.mend(one.room, found)
        if is_mended:
            await Departures(store.database).mended(one, departure.type, departure.detail, str(actor()))
        remedy = departure.remedy(found.lacks, store.names.bot)
        yield _line(one, policy.name, departure.type, departure.detail, remedy, is_mended)


def _line(one: Portal, policy: str, kind: str, detail: str, remedy: str, mended: bool = False) -> Line:
    return Line(one.channel, one.name, str(one.room), policy, kind, detail, remedy, mended)
