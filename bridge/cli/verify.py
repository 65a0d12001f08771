"""`causeway verify`: a channel in use is asked for on both sides, Slack and the homeserver, and both are compared."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import click

from bridge.cli.importing import Moment, selected
from bridge.cli.options import config_option, json_option, load_settings, print_json

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.administration.store import Store
    from bridge.proof.crossing import Crossed
    from bridge.proof.report import Report
    from bridge.store.database import Database
    from config.settings import Settings
    from portals.facts import Portal
    from portals.history.export import Problem
    from portals.history.selection import Selection

_BEHIND = 30
"""Seconds that the bridge gets for what came just now."""


@dataclass(frozen=True, slots=True)
class Verified:
    """Both halves, and what could not be read of Slack's."""

    report: Report
    crossed: Crossed | None
    problems: tuple[Problem, ...]
    waiting: int
    """Events that the bridge still had before it."""

    @property
    def unexplained(self) -> int:
        """How much nothing explains, on either side; what could not be read is not proven either."""
        beyond = len(self.crossed.differences) if self.crossed is not None else 0
        return self.report.unexplained + beyond + len(self.problems)


@click.command(
    epilog="""\b
    Examples:
      causeway verify "#general"
      causeway verify "#general" --since 2026-11-01 --until 2026-11-07
      causeway verify C0123ABCD --json | jq .unexplained""",
    short_help="Compare both sides of a channel in use, message by message.",
)
@config_option
@click.argument("channel")
@click.option("--since", type=Moment(ends=False), help="Only messages from this day on (in UTC).")
@click.option("--until", type=Moment(ends=True), help="Only messages up to this day (in UTC), and of it.")
@click.option("--workspace", metavar="NAME", help="Which workspace, where the configuration has several.")
@json_option
def verify(
    config: Path, channel: str, since: str | None, until: str | None, workspace: str | None, as_json: bool
) -> None:
    """Read a channel from Slack and its room from the homeserver, and say where they differ.

    The exit status is 1 when anything is unexplained. What Slack has must be in the room (texts, authors, threads,
    reactions, files, order), and what people wrote in Matrix must be in Slack, each once. It runs beside the bridge and
    changes nothing; Slack is asked at four fifths of its rates, into a folder that is deleted again.
    """
    import asyncio

    settings = load_settings(config)
    found = asyncio.run(_verified(settings, workspace, selected((channel,), (), since, until)))
    if as_json:
        print_json(_told(found))
    else:
        _print(found)
    if found.unexplained:
        click.get_current_context().exit(1)


async def _verified(settings: Settings, workspace: str | None, selection: Selection) -> Verified:
    import tempfile
    from pathlib import Path

    from bridge.administration.store import Store
    from bridge.cli.channels import chosen_workspace, connected
    from bridge.cli.report import Progress
    from bridge.configured import names_from
    from bridge.exports.from_api import SHARE, ApiExport
    from bridge.proof.making import make_report
    from bridge.slack.limits import Limits
    from bridge.store.opening import open_database

    chosen = chosen_workspace(settings, workspace)
    database = await open_database(settings.database.url.reveal())
    try:
        store = Store.on(database, names_from(settings))
        with tempfile.TemporaryDirectory(prefix="causeway-verify-") as directory:
            path = Path(directory) / "slack"
            async with connected(settings, chosen, Limits(scale=1 / SHARE)) as client:
                written = await ApiExport(client, path).write(selection)
            if not written.channels:
                raise click.ClickException("; ".join(f"{one.where}: {one.what}" for one in written.problems))
            portal = _portal(await store.portals(), written.team, selection)
            waiting = await _caught_up(store, portal) if portal is not None else 0
            as_of = written.begun * 1000
            report = await make_report(settings, [path], selection, False, as_of=as_of, shown=Progress)
            crossed = await _crossed(settings, database, portal, path, selection) if portal is not None else None
        return Verified(report, crossed, written.problems, waiting)
    finally:
        await database.close()


def _portal(portals: list[Portal], team: str, selection: Selection) -> Portal | None:
    """Return the channel's portal, where it relays to Slack or from it."""
    for portal in portals:
        named = {portal.channel, portal.name, f"#{portal.name}"}
        if portal.team == team and portal.room is not None and not selection.channels.isdisjoint(named):
            return portal
    return None


async def _caught_up(store: Store, portal: Portal) -> int:
    """Give a bridge that runs some time for what came just now; returns how much it still has before it."""
    import asyncio

    from bridge.store.ledger import TO_MATRIX, TO_SLACK
    from portals.ids import channel_queue

    room = portal.room or ""
    waiting = 0
    for _ in range(_BEHIND):
        waiting = len(await store.ledger.next_rows(TO_MATRIX, channel_queue(portal.team, portal.channel), 1000))
        waiting += len(await store.ledger.next_rows(TO_SLACK, room, 1000))
        if not waiting:
            break
        await asyncio.sleep(1)
    return waiting


async def _crossed(
    settings: Settings, database: Database, portal: Portal, path: Path, selection: Selection
) -> Crossed | None:
    """Look for what people wrote in Matrix; None for a portal that relays nothing to Slack."""
    import asyncio

    from bridge.configured import client_from, names_from
    from bridge.exports.export import open_export
    from bridge.proof.crossing import Crossing, Posts
    from bridge.proof.source import ExportSource
    from bridge.store.links import Links
    from portals.facts import Direction
    from portals.history.shown import Room

    if portal.direction is Direction.TO_MATRIX:
        return None
    names = names_from(settings)
    with await asyncio.to_thread(open_export, path) as export:
        source = ExportSource(path, export)
        channel = next((one for one in source.channels if one.id == portal.channel), None)
        if channel is None:
            return None
        posts = await asyncio.to_thread(Posts, source, channel)
    room = Room(portal.team, portal.channel, names, lambda _: "")
    async with client_from(settings, database, aside=True) as matrix:
        return await Crossing(database, Links(database), portal, room, selection).compared(matrix, posts)


def _told(found: Verified) -> dict[str, Any]:
    from bridge.proof.report import as_json

    crossed = found.crossed
    return {
        **as_json(found.report),
        "unexplained": found.unexplained,
        "waiting": found.waiting,
        "unread": [asdict(problem) for problem in found.problems],
        "to_slack": None
        if crossed is None
        else {
            "written": crossed.written,
            "present": crossed.present,
            "explained": dict(crossed.explained),
            "differences": [asdict(one) for one in crossed.differences],
        },
    }


def _print(found: Verified) -> None:
    from bridge.cli.report import print_proofs
    from bridge.cli.tables import visible

    print_proofs(found.report)
    if (crossed := found.crossed) is not None:
        click.echo(f"Written in Matrix: {crossed.written:,}, of which {crossed.present:,} are in Slack")
        for reason, count in sorted(crossed.explained.items()):
            click.echo(f"  {count:,}: {visible(reason)}")
        for one in crossed.differences:
            where = ", ".join(visible(part) for part in (one.ts, one.event_id, one.expected or one.found) if part)
            click.echo(f"  {visible(one.what)}: {where}")
    for problem in found.problems:
        click.echo(f"Slack could not be read at {visible(problem.where)}: {visible(problem.what)}")
    if found.waiting:
        click.echo(f"{found.waiting:,} events still wait for the bridge: see that it runs, and verify again")
    count = found.unexplained
    click.echo(
        f"{count:,} {'thing is' if count == 1 else 'things are'} unexplained" if count else "Nothing is unexplained"
    )
