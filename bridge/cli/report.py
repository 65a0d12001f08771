"""`causeway report`: the rooms are read back from the homeserver and compared with what Slack had."""

from __future__ import annotations

import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bridge.cli.importing import selected, selection_options
from bridge.cli.options import (
    checksums_option,
    config_option,
    exports_option,
    json_option,
    load_settings,
    print_json,
)
from bridge.cli.tables import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.proof.report import Report
    from bridge.proof.tasks import Stores
    from bridge.store.database import Database
    from config.settings import Settings
    from portals.facts import Portal
    from portals.history.selection import AnyOf, Selection


@click.command(
    epilog="""\b
    Examples:
      causeway report
      causeway report --channel "#general" --html general.html
      causeway report --export 2025.zip --export 2026.zip --checksums --json > report.json
      causeway report --api --channel "#general" --since 2026-11-01""",
    short_help="Prove that nothing was lost: compare the rooms with Slack's history.",
)
@config_option
@exports_option
@click.option("--api", is_flag=True, help="Compare with what Slack itself says now, read through its Web API.")
@click.option("--workspace", metavar="NAME", help="With --api: which workspace, where the configuration has several.")
@selection_options
@checksums_option
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="Write a page for an auditor, too.")
@json_option
def report(
    config: Path,
    exports: tuple[Path, ...],
    api: bool,
    workspace: str | None,
    channels: tuple[str, ...],
    kinds: tuple[str, ...],
    since: str | None,
    until: str | None,
    checksums: bool,
    html: Path | None,
    as_json: bool,
) -> None:
    """Read the rooms back from the homeserver and compare them with Slack's history, message by message.

    The exit status is 1 when anything is unexplained. What is expected, present, differing, quarantined and missing is
    told for messages, threads, reactions, files, pins, members and topics, with a digest of each side. It runs beside
    the bridge, changes nothing on either side, and is kept for the console.

    What an import was to leave out (--channel, --kind, --since, --until) is not missed here; the same options override
    that. For a channel that is still mirrored, an export made just now says most. With --api Slack itself is asked, at
    four fifths of its rates, into a folder that is deleted again.
    """
    import asyncio

    from bridge.cli.papers import keep
    from bridge.proof.report import page as page_of
    from bridge.store.papers import Kind

    settings = load_settings(config)
    selection = selected(channels, kinds, since, until)
    if api:
        if exports:
            raise click.UsageError("an export or --api, not both")
        made = _compared_with_slack(settings, workspace, selection, checksums)
    elif workspace is not None:
        raise click.UsageError("--workspace belongs to --api")
    else:
        made = asyncio.run(report_of(settings, exports, selection, checksums))
    page = page_of(made)
    keep(settings, Kind.REPORT, ", ".join(source.name for source in made.sources), outcome_of(made), page)
    if html is not None:
        from bridge.cli.written import SECRET, write_files

        write_files({html: (page, SECRET)})
    if as_json:
        from bridge.proof.report import as_json as told

        print_json(told(made))
    else:
        _print(made)
    if made.unexplained:
        click.get_current_context().exit(1)


def _compared_with_slack(settings: Settings, workspace: str | None, selection: Selection, checksums: bool) -> Report:
    import asyncio
    import tempfile

    from bridge.cli.channels import chosen_workspace
    from bridge.cli.import_api import fetch

    chosen = chosen_workspace(settings, workspace)
    with tempfile.TemporaryDirectory(prefix="causeway-report-") as directory:
        path = Path(directory) / f"slack-{chosen.name}"
        written = fetch(settings, chosen, path, selection)
        return asyncio.run(report_of(settings, [path], selection, checksums, as_of=written.begun * 1000))


async def report_of(
    settings: Settings, exports: Sequence[Path], selection: Selection, checksums: bool, *, as_of: int = 0
) -> Report:
    """Read rooms back and compare them with these exports, or else with those that were imported.

    What imports of them were to leave out is not missed, unless the `selection` asks for it. `as_of` (ms) says how far
    the exports know, where that is no import's.
    """
    import asyncio
    from dataclasses import replace

    from bridge.configured import client_from, names_from, rules_from
    from bridge.exports.export import open_export
    from bridge.proof.prove import prove
    from bridge.proof.report import Report, SourceNote
    from bridge.proof.source import ExportSource
    from bridge.proof.tasks import Planning
    from portals.history.selection import AnyOf, meant

    async with AsyncExitStack() as stack:
        database, stores, portals = await _opened(stack, settings)
        sources = []
        remembered = await _imported(stores)
        for path in exports or remembered:
            export = stack.enter_context(await asyncio.to_thread(open_export, path))
            taken = remembered.get(path.resolve(), AnyOf())
            sources.append(ExportSource(path, export, meant(taken, selection, export.channels)))
        if not sources:
            raise click.UsageError("nothing was imported yet, so name what to compare with: --export PATH")
        names = names_from(settings)
        matrix = await stack.enter_async_context(client_from(settings, database, aside=True))
        planning = Planning(
            matrix=matrix,
            stores=stores,
            names=names,
            rules=rules_from(settings),
            member_limit=settings.rooms.member_limit,
            sources=sources,
            selection=selection,
            checksums=checksums,
            system=settings.imports.system_messages,
        )
        found = await planning.undertaking(portals)
        _refuse_nothing(selection, len(found.tasks), [one.channel.name for one in found.left_out])
        proofs = []
        for number, planned in enumerate(found.tasks, 1):
            task = replace(planned, until=as_of) if as_of else planned
            shown = _Progress(f"{number}/{len(found.tasks)} {task.channel.name}")
            proofs.append(await prove(matrix, task, shown))
            shown.end()
        return Report(
            at=_now(),
            versions=_versions(await matrix.versions()),
            homeserver=settings.homeserver.domain,
            sources=[
                SourceNote(one.name, await asyncio.to_thread(one.fingerprint), tuple(one.problems)) for one in sources
            ],
            proofs=proofs,
            left_out=found.left_out,
        )


async def _opened(stack: AsyncExitStack, settings: Settings) -> tuple[Database, Stores, list[Portal]]:
    from bridge.administration.store import Store
    from bridge.configured import names_from
    from bridge.proof.tasks import Stores
    from bridge.store.audit import Audit
    from bridge.store.channel_ids import ChannelIds
    from bridge.store.files import Files
    from bridge.store.opening import open_database
    from bridge.store.words import Words

    database = await open_database(settings.database.url.reveal())
    stack.push_async_callback(database.close)
    store = Store.on(database, names_from(settings))
    stores = Stores(
        store.directory,
        store.ledger,
        store.imports,
        store.people,
        Files(database),
        Words(database),
        Audit(database),
        ChannelIds(database),
    )
    return database, stores, await store.portals()


async def _imported(stores: Stores) -> dict[Path, AnyOf]:
    """Return the archives that were imported, the earliest first, with what was taken of each."""
    from portals.history.selection import AnyOf, from_told

    found: dict[Path, AnyOf] = {}
    for one in reversed(await stores.imports.newest(1000)):
        before = found.pop(Path(one.source), AnyOf(()))
        found[Path(one.source)] = AnyOf((*before.selections, from_told(one.told.get("selection"))))
    return found


def _refuse_nothing(selection: Selection, tasks: int, left_out: Sequence[str]) -> None:
    if tasks:
        return
    if left_out and not selection.is_everything():
        raise click.ClickException(f"{left_out[0]} has no room: nothing mirrors it, and no import took it")
    if not left_out:
        raise click.ClickException("no channel of the source is meant: check --channel and --kind")


class _Progress:
    """One line that grows, in a terminal; nothing where a program reads."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._shown = sys.stderr.isatty()

    def __call__(self, doing: str, count: int) -> None:
        if self._shown:
            click.echo(f"\r\x1b[2K{self._what}: {visible(doing)}: {count:,}", err=True, nl=False)

    def end(self) -> None:
        if self._shown:
            click.echo("\r\x1b[2K", err=True, nl=False)


def _versions(spoken: Sequence[str]) -> dict[str, str]:
    from importlib.metadata import version
    from platform import python_version

    return {
        "Causeway": version("causeway"),
        "Python": python_version(),
        "the homeserver speaks Matrix": max((one for one in spoken if one.startswith("v")), key=_parts, default="?"),
    }


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.removeprefix("v").split(".") if part.isdigit())


def _now() -> str:
    import time

    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _print(made: Report) -> None:
    print_proofs(made)
    click.echo(outcome_of(made))


def outcome_of(made: Report) -> str:
    """Return what came out, in one line."""
    count = made.unexplained
    return f"{count:,} {'thing is' if count == 1 else 'things are'} unexplained" if count else "Nothing is unexplained"


def print_proofs(made: Report) -> None:
    """Print what came out for each channel, and what is not compared."""
    from bridge.cli.tables import print_table
    from bridge.proof.report import COLUMNS, is_equal, value

    for proof in made.proofs:
        click.echo(f"#{visible(proof.channel.name)} ({proof.channel.id}) in {', '.join(proof.rooms)}")
        rows = [[kind, *(f"{value(tally, column):,}" for column in COLUMNS)] for kind, tally in proof.tallies.items()]
        print_table(["", *COLUMNS], rows)
        for kind, tally in proof.tallies.items():
            for reason, count in sorted(tally.explained.items()):
                click.echo(f"  {count:,} {kind}: {visible(reason)}")
        click.echo(f"  digest of the source {proof.source_digest} ({proof.source_digest.lines:,} lines)")
        same = "the same" if is_equal(proof) else f"{proof.room_digest} ({proof.room_digest.lines:,} lines)"
        click.echo(f"  digest of the room   {same}")
        if proof.untold:
            click.echo(f"  {proof.untold:,} more differences are counted, and not told one by one")
        for one in proof.differences:
            where = ", ".join(visible(part) for part in (one.ts, one.place, one.event_id) if part)
            click.echo(f"  {one.kind}: {visible(one.what)}: {where}")
            for label, words in (("expected", one.expected), ("found", one.found)):
                if words:
                    click.echo(f"      {label}: {visible(words)}")
        click.echo("")
    for source in made.sources:
        for problem in source.problems:
            click.echo(
                f"{visible(source.name)} cannot be compared at {visible(problem.where)}: {visible(problem.what)}"
            )
    for left in made.left_out:
        click.echo(f"#{visible(left.channel.name)} ({left.channel.id}) is not compared: {visible(left.reason)}")
