"""`causeway people export` and `import`: people as a sheet that an admin fills in with a spreadsheet."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bridge.cli.options import config_option, json_option, load_settings, print_json, workspace_option
from bridge.cli.written import SECRET, refuse_existing, write_files

if TYPE_CHECKING:
    from bridge.administration.store import Store
    from config.settings import Settings
    from portals.ids import TeamId
    from portals.people.links import Wanted
    from portals.people.matching import Candidate

_LARGEST = 64 * 1024 * 1024


@click.command(
    epilog="""\b
    Examples:
      causeway people export -o people.csv
      causeway people export --export slack-export.zip -o people.csv
      causeway people export | column -s, -t""",
    short_help="Write a sheet of all people, to be filled in.",
)
@config_option
@workspace_option
@click.option(
    "--export",
    "archive",
    type=click.Path(exists=True, path_type=Path),
    help="Take people and e-mail addresses from this export in place of Slack.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    default=Path("-"),
    help="Where to write it; standard output if it is not said.",
)
@click.option("--force", is_flag=True, help="Overwrite a file that is there.")
@json_option
def export(config: Path, workspace: str | None, archive: Path | None, output: Path, force: bool, as_json: bool) -> None:
    """Write a sheet (CSV) with a line for each person: slack_id, name, email, matrix_id, how.

    Bots and people who are deactivated are left out, unless they are linked. E-mail addresses are there with --export,
    or where Slack is asked for them (people.email). Cells that a spreadsheet would take for a formula, such as Matrix
    ids, are written behind an apostrophe, which `causeway people import` takes off again.
    """
    from bridge.cli.store import in_store
    from portals.people.sheet import COLUMNS, written

    settings = load_settings(config)
    rows = in_store(settings, lambda store: _rows(settings, store, workspace, archive))
    if as_json:
        print_json({"people": [dict(zip(COLUMNS, row, strict=True)) for row in rows]})
        return
    text = written(rows)
    if str(output) == "-":
        click.echo(text, nl=False)
        return
    if not force:
        refuse_existing([output])
    write_files({output: (text, SECRET)})
    click.echo(f"{output} written: {len(rows)} people")


async def _rows(
    settings: Settings, store: Store, workspace: str | None, archive: Path | None
) -> list[tuple[str, str, str, str, str]]:
    from bridge.cli.people_source import in_slack, met, team_of

    if archive is not None or settings.people.email:
        team, listed = (
            await _exported(settings, store, workspace, archive)
            if archive is not None
            else await in_slack(settings, store, workspace)
        )
        people = {one.user: one for one in listed}
    else:
        team = await team_of(settings, store, workspace)
        people = await met(store, team)
    links = {link.user: link for link in await store.people.links(team)}
    names = await store.people.names(team)
    rows = []
    for user in sorted({*people, *links}):
        person, link = people.get(user), links.get(user)
        if link is None and (person is None or person.left_out):
            continue
        name, email = (person.name, person.email) if person else (names.get(user, ""), "")
        rows.append((str(user), name, email, link.account if link else "", str(link.how) if link else ""))
    return rows


async def _exported(
    settings: Settings, store: Store, workspace: str | None, archive: Path
) -> tuple[TeamId, list[Candidate]]:
    from bridge.cli.people_source import exported, team_of

    told, people = exported(archive)
    return await team_of(settings, store, workspace, told), people


@click.command(
    "import",
    epilog="""\b
    Examples:
      causeway people import people.csv --dry-run
      causeway people import people.csv
      causeway people import people.csv --export slack-export.zip""",
    short_help="Link people as a sheet says.",
)
@click.argument("sheet", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path))
@config_option
@workspace_option
@click.option(
    "--export",
    "archive",
    type=click.Path(exists=True, path_type=Path),
    help="An export whose people may be linked although the bridge has not met them yet.",
)
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@json_option
def import_(
    sheet: Path, config: Path, workspace: str | None, archive: Path | None, dry_run: bool, as_json: bool
) -> None:
    """Link people as SHEET says, a CSV file with the columns slack_id and matrix_id; others are not read.

    All of it is done or, where a line cannot stand, nothing. A line without a matrix_id changes nothing; one with
    another account than before moves the person to it. `causeway people unlink` ends a link.
    """
    from bridge.cli.store import in_store

    settings = load_settings(config)
    text = _text_of(sheet)

    async def work(store: Store) -> tuple[list[Wanted], int]:
        return await _import(settings, store, text, workspace, archive, dry_run)

    new, unchanged = in_store(settings, work)
    if as_json:
        linked = [{"line": one.line, "slack_id": one.user, "matrix_id": one.account} for one in new]
        print_json({"dry_run": dry_run, "linked": linked, "unchanged": unchanged})
        return
    for one in new:
        click.echo(f"line {one.line}: {one.user} {'would be' if dry_run else 'is'} {one.account}")
    click.echo(f"{len(new)} {'would be linked' if dry_run else 'linked'}, {unchanged} as before")


async def _import(
    settings: Settings, store: Store, text: str, workspace: str | None, archive: Path | None, dry_run: bool
) -> tuple[list[Wanted], int]:
    from bridge.administration.accounts import missing_accounts
    from bridge.cli.actor import actor
    from bridge.cli.people_source import met, team_of
    from bridge.configured import names_from
    from portals.people.links import Problem, changes, conflicts
    from portals.people.sheet import read

    if archive is not None:
        team, listed = await _exported(settings, store, workspace, archive)
    else:
        team, listed = await team_of(settings, store, workspace), []
    known = await store.people.links(team)
    people = {*await met(store, team), *(one.user for one in listed), *(link.user for link in known)}
    wanted, problems = read(text, people, names_from(settings))
    problems = (*problems, *conflicts(wanted, known))
    new = changes(wanted, known)
    missing = set(await missing_accounts(settings, [one.account for one in new])) if not problems else set()
    domain = settings.homeserver.domain
    problems += tuple(
        Problem(f"{one.account} is no account of {domain} that can be used", one.line)
        for one in new
        if one.account in missing
    )
    if problems:
        told = "\n".join(f"  {problem}" for problem in sorted(problems, key=lambda problem: problem.line))
        raise click.ClickException(f"the sheet cannot be taken, and nothing was changed:\n{told}")
    if new and not dry_run:
        await store.people.link(team, wanted, str(actor()), move=True)
        await store.tell_of_people(team)
    return list(new), len(wanted) - len(new)


def _text_of(sheet: Path) -> str:
    """Return what a sheet holds, as spreadsheets write it: UTF-8, or UTF-16 with its mark; raises ClickException."""
    try:
        content = sys.stdin.buffer.read(_LARGEST + 1) if str(sheet) == "-" else _content(sheet)
    except OSError as error:
        raise click.ClickException(f"{sheet} cannot be read: {error.strerror}") from error
    if len(content) > _LARGEST:
        raise click.ClickException(f"{sheet} is larger than any sheet of people: is it the right file?")
    if content.startswith(b"PK"):
        raise click.ClickException(f"{sheet} is no CSV file: save the sheet as CSV (UTF-8)")
    try:
        return content.decode("utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig")
    except UnicodeDecodeError:
        raise click.ClickException(f"{sheet} is not UTF-8 text: save the sheet as CSV (UTF-8)") from None


def _content(sheet: Path) -> bytes:
    with sheet.open("rb") as stream:
        return stream.read(_LARGEST + 1)
