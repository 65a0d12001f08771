"""`causeway migrate-db`: the store moves to another database, whole and proven."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bridge.cli.options import json_option, print_json

if TYPE_CHECKING:
    from bridge.store.moving import Moved

REPORTED = 10_000


@click.command(
    epilog="""\b
    Examples:
      causeway migrate-db sqlite:///causeway.db postgres://causeway@db/causeway
      causeway migrate-db env:OLD_DATABASE env:NEW_DATABASE --json | jq .rows
      causeway migrate-db sqlite:///causeway.db file:/run/secrets/database --replace""",
    short_help="Move the store to another database, whole, and prove it.",
)
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@click.option("--replace", is_flag=True, help="Clean a target in which an interrupted move left something, and begin.")
@json_option
def migrate_db(source: str, target: str, replace: bool, as_json: bool) -> None:
    """Move everything that the bridge knows from one database to another: SQLite to PostgreSQL, or back.

    FROM and TO are sqlite:///path or postgres://user:password@host/name; env:NAME and file:PATH say where such an
    address is kept. No bridge may work on either. The target must be empty; afterwards both are read again and compared
    by counts and digests. The source stays as it was: keep it until the bridge has run on the new one.
    """
    import asyncio

    from bridge.store.moving import move, shown

    old, new = _address("FROM", source), _address("TO", target)

    def tell(table: str, rows: int) -> None:
        if rows % REPORTED == 0:
            click.echo(f"{table}: {rows} rows so far", err=True)

    moved = asyncio.run(move(old, new, replace=replace, tell=tell))
    if as_json:
        _print_json(shown(old), shown(new), moved)
    else:
        _print(shown(new), moved)


def _address(which: str, given: str) -> str:
    """Read an address that may be kept elsewhere; the refusal never shows it."""
    from pydantic import TypeAdapter, ValidationError

    from config.secrets import SOURCES, DatabaseUrl, Secret
    from config.values import Surroundings

    kind, _, where = given.partition(":")
    value: object = {kind: where} if kind in SOURCES else given
    try:
        secret: Secret = TypeAdapter(DatabaseUrl).validate_python(value, context=Surroundings())
    except ValidationError as failed:
        context = failed.errors(include_input=False)[0].get("ctx", {})
        words = f"{context.get('what', 'cannot be used')}; {context.get('hint', '')}"
        raise click.BadParameter(words.rstrip("; "), param_hint=which) from None
    return secret.reveal()


def _print(name: str, moved: Moved) -> None:
    from bridge.cli.tables import print_table

    print_table(
        ("Table", "Rows", "Digest"),
        [(one.table, str(one.rows), one.digest[:16]) for one in moved.contents if one.rows or one.counter],
    )
    rows = sum(one.rows for one in moved.contents)
    click.echo(f"\n{rows} rows of {len(moved.contents)} tables are in {name}, the same as in the source.")
    click.echo("Next: write the new address into database.url, `causeway check`, and start the bridge.")
    click.echo("Never start a bridge on the old one again: it would relay a second time what the new one has relayed.")


def _print_json(old: str, new: str, moved: Moved) -> None:
    from dataclasses import asdict

    contents = [asdict(one) for one in moved.contents]
    rows = sum(one.rows for one in moved.contents)
    print_json({"ok": True, "from": old, "to": new, "version": moved.version, "rows": rows, "tables": contents})
