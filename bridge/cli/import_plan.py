"""`causeway import --dry-run`: the plan of an import, printed, and written as JSON and as a page."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from bridge.cli.options import json_text, load_settings
from bridge.cli.tables import print_table, visible
from bridge.cli.written import SECRET, write_files
from bridge.pages.words import duration, grouped, size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from bridge.exports.export import Export
    from portals.history.export import ExportedChannel
    from portals.history.plan import Known, Pace, Plan
    from portals.history.selection import Selection

Fields = dict[str, Any]  # Any: whatever JSON can hold

_COLUMNS = ("messages", "thread_roots", "replies", "reactions", "files", "bytes", "pins", "members")
_HEADINGS = ("Messages", "Threads", "Replies", "Reactions", "Files", "Size", "Pins", "Members")
_SHOWN_PROBLEMS = 20
_SHOWN_PEOPLE = 10
_NAMED = 5
_RATES = {
    "default": "which is only assumed: add --rate with what you measured",
    "given": "which you gave",
    "measured": "which the last import into this homeserver reached",
}


def plan(
    path: Path,
    selection: Selection,
    config: Path | None,
    folder: Path | None,
    rate: float | None,
    bandwidth: float | None,
    as_json: bool,
) -> None:
    """Plan the import of an export: print the plan, and write it into a folder where one is named."""
    from bridge.exports.export import open_export
    from bridge.exports.planning import make_plan
    from portals.history.plan_json import as_json as written

    with open_export(path) as export:
        refuse_unknown(selection, export.channels)
        known, pace = _known(config, export)
        pace = _chosen(pace, rate, bandwidth)
        with reading(export, selection) as tell:
            found = make_plan(export, path.resolve().name, selection, known, pace, tell)
        names = _names(found, export)
    fields = written(found)
    page = "" if folder is None and config is None else _page(fields, names, selection)
    files = {} if folder is None else _files(folder, fields, page)
    # Shown before it is written: what took long to read is not lost to a disk that is full.
    if as_json:
        click.echo(json_text(fields))
    else:
        _print(fields, names, selection)
    write_files(files)
    if config is not None:
        _keep(config, fields, page)
    if not as_json:
        for file in files:
            click.echo(f"Written: {file}")


def refuse_unknown(selection: Selection, channels: Sequence[ExportedChannel]) -> None:
    """Stop where a channel was chosen that the export does not have."""
    from bridge.administration.store import like

    there = {known for channel in channels for known in (channel.id, channel.name, f"#{channel.name}")}
    for wanted in sorted(selection.channels - there):
        meant = like(wanted, [channel.name for channel in channels])
        raise click.UsageError(f"the export has no channel {wanted}{meant or '; --dry-run without it shows them all'}")


def _chosen(pace: Pace, rate: float | None, bandwidth: float | None) -> Pace:
    from dataclasses import replace

    if rate is not None:
        pace = replace(pace, rate=rate, source="given")
    return pace if bandwidth is None else replace(pace, bandwidth=bandwidth)


def _known(config: Path | None, export: Export) -> tuple[Known, Pace]:
    """Return what the store knows, where a configuration was named."""
    from portals.history.plan import Known, Pace

    if config is None:
        return Known(), Pace()
    from bridge.cli.import_known import known_of

    return known_of(load_settings(config), export.team_ids())


@contextmanager
def reading(export: Export, selection: Selection) -> Iterator[Callable[[int], None] | None]:
    """Show on a terminal how far the reading is."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    chosen = [channel for channel in export.channels if selection.selects_channel(channel)]
    columns = (TextColumn("Reading"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=sum(export.measure(channel)[1] for channel in chosen))
        yield lambda read: progress.advance(task, read)


# --- what is written


def _files(folder: Path, fields: Fields, page: str) -> dict[Path, tuple[str, int]]:
    """Return the files; they tell of private channels, so they are for their owner's eyes."""
    return {folder / "plan.json": (f"{json_text(fields)}\n", SECRET), folder / "plan.html": (page, SECRET)}


def _page(fields: Fields, names: dict[str, str], selection: Selection) -> str:
    from importlib.metadata import version

    from bridge.pages import page

    return page(
        "plan",
        plan=fields,
        names=names,
        selection=_words(selection),
        time=_time(fields["estimate"], fields["totals"]["bytes"]),
        made_at=time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        version=version("causeway"),
    )


def _keep(config: Path, fields: Fields, page: str) -> None:
    """Keep the plan for the console of the bridge whose configuration was named."""
    from bridge.cli.papers import keep
    from bridge.store.papers import Kind

    totals, problems = fields["totals"], len(fields["problems"])
    channels = totals["channels"]
    where = f"{grouped(channels)} {'channel' if channels == 1 else 'channels'}"
    outcome = f"{grouped(totals['messages'])} messages in {where}"
    outcome += f", {grouped(problems)} {'problem' if problems == 1 else 'problems'}" if problems else ", no problems"
    keep(load_settings(config), Kind.PLAN, fields["source"], outcome, page)


def _names(found: Plan, export: Export) -> dict[str, str]:
    """Return how people call each channel: a direct conversation by those who have it."""
    from portals.people.matching import candidates

    direct = {member for one in found.channels if one.channel.kind == "dm" for member in one.channel.members}
    people = {person.user: person.name for person in candidates(export.users()) if person.user in direct}
    names: dict[str, str] = {}
    for one in found.channels:
        channel = one.channel
        if channel.kind == "dm" and channel.members:
            names[channel.id] = " and ".join(people.get(member, member) for member in channel.members[:_NAMED])
        else:
            names[channel.id] = channel.name if channel.kind in ("dm", "group_dm") else f"#{channel.name}"
    return names


# --- what is printed


def _print(fields: Fields, names: dict[str, str], selection: Selection) -> None:
    totals = fields["totals"]
    workspace = f", workspace {', '.join(fields['teams'])}" if fields["teams"] else ""
    click.echo(visible(f"Plan for {fields['source']}{workspace}"))
    if chosen := _words(selection):
        left_out = fields["selection"]["channels_left_out"]
        click.echo(visible(f"Only {chosen}" + (f"; {left_out} channels are left out" if left_out else "")))
    click.echo()
    _table(fields, names)
    click.echo()
    counts = {key: grouped(value) for key, value in totals.items() if isinstance(value, int)}
    click.echo(
        "{messages} messages in {channels} channels: {bots} by bots, {system} of Slack's own, {edited} edited; "
        "{orphans} replies without their root, {files_gone} files that Slack does not give any more.".format(**counts)
    )
    people = fields["people"]
    click.echo(
        f"{grouped(people['taking_part'])} people take part, {grouped(people['authors'])} of them wrote; "
        f"{grouped(people['bots'])} bots did. {grouped(len(people['unmatched']))} people cannot be matched."
    )
    click.echo(_time(fields["estimate"], totals["bytes"]))
    _print_list("To decide", [one["what"] for one in fields["decisions"]])
    people_lines = [
        f"{' '.join(filter(None, (one['user'], one['name'])))}: {one['why']}" for one in people["unmatched"]
    ]
    _print_list("People who cannot be matched", people_lines, _SHOWN_PEOPLE)
    _print_list("Problems", [f"{one['where']}: {one['what']}" for one in fields["problems"]], _SHOWN_PROBLEMS)
    if not fields["problems"]:
        click.echo("No problems: every file was read, and every record in it.")


def _table(fields: Fields, names: dict[str, str]) -> None:
    lines = [*fields["channels"], fields["totals"]]
    columns = [[size(one["bytes"]) if key == "bytes" else grouped(one[key]) for one in lines] for key in _COLUMNS]
    aligned = [
        [cell.rjust(max(len(heading), *map(len, column))) for cell in column]
        for heading, column in zip(_HEADINGS, columns, strict=True)
    ]
    headings = [heading.rjust(len(column[0])) for heading, column in zip(_HEADINGS, aligned, strict=True)]
    rows = [
        (
            names[one["id"]] + (" (archived)" if one["archived"] else "") if "id" in one else "All",
            one["kind"].replace("_", " ") if "id" in one else "",
            *figures,
            (one["first"] or "")[:10],
            (one["last"] or "")[:10],
        )
        for one, figures in zip(lines, zip(*aligned, strict=True), strict=True)
    ]
    print_table(("Channel", "Kind", *headings, "From", "To"), rows)


def _print_list(heading: str, lines: Sequence[str], most: int | None = None) -> None:
    if not lines:
        return
    click.echo(f"\n{heading} ({len(lines):,}):")
    for line in lines[:most]:
        click.echo(f"  {visible(line)}")
    if most is not None and len(lines) > most:
        click.echo(f"  … and {len(lines) - most:,} more, which --json and the files of the plan list")


def _time(estimate: Fields, files: int) -> str:
    words = f"Time: about {duration(estimate['seconds'])}"
    rate = f"{grouped(estimate['events'])} events at {estimate['events_per_second']:g} a second"
    words += f": {rate} ({_RATES[estimate['rate_from']]}) take {duration(estimate['event_seconds'])}"
    if files:
        pace = f"{size(files)} of files at {estimate['megabytes_per_second']:g} MB a second"
        words += f", beside them {pace} {duration(estimate['file_seconds'])}"
    return words + "."


def _words(selection: Selection) -> str:
    from portals.history.plan_json import moment_of

    words = []
    if selection.channels:
        words.append(f"the channels {', '.join(sorted(selection.channels))}")
    if selection.kinds:
        words.append(f"channels of the kind {' or '.join(sorted(selection.kinds))}".replace("_", " "))
    if selection.since:
        words.append(f"messages from {moment_of(selection.since)} on")
    if selection.until:
        words.append(f"messages before {moment_of(selection.until)}")
    return ", ".join(words)
