"""`causeway audit`: who did what, to read, to hand on, and to prove that nobody has changed it since."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bridge.cli.options import config_option, json_option, load_settings, print_json

if TYPE_CHECKING:
    from bridge.store.audit_chain import Sealed, Verdict
    from bridge.store.database import Database


@click.group(
    epilog="""\b
    Examples:
      causeway audit list
      causeway audit export -o audit.jsonl
      causeway audit verify""",
    short_help="Read, export and verify the audit log.",
)
def audit() -> None:
    """Who did what with the bridge, when and from where; never what a message says.

    Each entry is sealed with the one before it, so that a change afterwards shows.
    """


@audit.command(
    "list",
    epilog="""\b
    Examples:
      causeway audit list
      causeway audit list --last 200""",
    short_help="Show the last entries.",
)
@click.option("--last", type=click.IntRange(1, 10_000), default=50, show_default=True, help="How many.")
@config_option
@json_option
def list_(last: int, config: Path, as_json: bool) -> None:
    """Show the last entries, the earliest first."""
    from bridge.administration.times import moment
    from bridge.cli.store import on_database
    from bridge.cli.tables import print_table
    from bridge.store.registers import Registers

    found = on_database(load_settings(config), lambda database: Registers(database).audit_before(2**62, last))
    found.reverse()
    if as_json:
        print_json({"audit": [asdict(one) for one in found]})
    elif found:
        rows = [[moment(one.at), one.actor, one.act, one.subject, one.detail] for one in found]
        print_table(["When", "Who", "What", "Of what", "More"], rows)
    else:
        click.echo("Nothing was done yet.")


@audit.command(
    epilog="""\b
    Examples:
      causeway audit export > audit.jsonl
      causeway audit export -o audit.jsonl""",
    short_help="Write the whole log as JSON lines.",
)
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="A file that is not there yet.")
@config_option
def export(output: Path | None, config: Path) -> None:
    """Write every entry with its seal, one JSON object a line, the earliest first.

    A seal is the SHA-256 of the seal before it (64 zeros for the first), a line break, and the entry as JSON: its keys
    id, at, actor, act, subject and detail in alphabetical order, without blanks.
    """
    from bridge.cli.store import on_database
    from bridge.cli.written import SECRET, refuse_existing, write_files

    if output is not None:
        refuse_existing([output])
    lines = [json.dumps(_told(one), ensure_ascii=False) for one in on_database(load_settings(config), _sealed)]
    if output is None:
        for line in lines:
            click.echo(line)
        return
    write_files({output: ("".join(f"{line}\n" for line in lines), SECRET)})
    click.echo(f"{len(lines)} entries are in {output}", err=True)


@audit.command(
    epilog="""\b
    Examples:
      causeway audit verify
      causeway audit verify --seal 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08""",
    short_help="Tell whether the log is as it was written.",
)
@click.option("--seal", default="", help="A seal that was noted earlier, elsewhere: the log must still hold it.")
@config_option
@json_option
def verify(seal: str, config: Path, as_json: bool) -> None:
    """Tell whether every entry is there as it was written, and print the last seal; exits with 1 where not.

    Note that seal somewhere else now and then: with it, even a log whose end was taken off is found out.
    """
    from bridge.cli.store import on_database
    from bridge.store.audit_chain import AuditChain

    async def work(database: Database) -> Verdict:
        chain = AuditChain(database)
        await chain.seal()
        return await chain.verify(seal.strip().lower())

    verdict = on_database(load_settings(config), work)
    if as_json:
        print_json(asdict(verdict))
    elif not verdict.flaw:
        click.echo(f"{verdict.entries} entries are as they were written; the last seal is {verdict.seal}")
    if verdict.flaw:
        click.echo(f"Error: the audit log was changed: {verdict.flaw} (after {verdict.entries} good entries)", err=True)
        raise click.exceptions.Exit(1)


async def _sealed(database: Database) -> list[Sealed]:
    from bridge.store.audit_chain import AuditChain

    chain = AuditChain(database)
    await chain.seal()
    return [one async for one in chain.links()]


def _told(one: Sealed) -> dict[str, object]:
    entry = asdict(one.entry) if one.entry is not None else {"id": one.number, "gone": True}
    return {**entry, "previous": one.previous, "seal": one.seal}
