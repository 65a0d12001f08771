"""`causeway report`: the rooms are read back from the homeserver and compared with what Slack had."""

from __future__ import annotations

import sys
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
    from bridge.proof.report import Report
    from config.settings import Settings
    from portals.history.selection import Selection


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
    from bridge.errors import Declined
    from bridge.proof.making import NOTHING_IMPORTED, make_report
    from bridge.proof.report import outcome_of
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
        try:
            made = asyncio.run(make_report(settings, exports, selection, checksums, shown=Progress))
        except Declined as declined:
            if declined.code == NOTHING_IMPORTED:
                raise click.UsageError(str(declined)) from None
            raise
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
    from bridge.proof.making import make_report

    chosen = chosen_workspace(settings, workspace)
    with tempfile.TemporaryDirectory(prefix="causeway-report-") as directory:
        path = Path(directory) / f"slack-{chosen.name}"
        written = fetch(settings, chosen, path, selection)
        as_of = written.begun * 1000
        return asyncio.run(make_report(settings, [path], selection, checksums, as_of=as_of, shown=Progress))


class Progress:
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


def _print(made: Report) -> None:
    from bridge.proof.report import outcome_of

    print_proofs(made)
    click.echo(outcome_of(made))


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
        if proof.kept:
            click.echo(f"  {proof.kept:,} messages are deleted in Slack and kept here, for deletions do not cross")
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
