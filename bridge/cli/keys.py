"""`causeway keys`: the keys that seal secrets in the database are exchanged for new ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bridge.cli.options import config_option, json_option, load_settings, print_json

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.store.database import Database
    from config.settings import Settings


@click.group(
    epilog="""\b
    Examples:
      openssl rand -hex 32 > /etc/causeway/new-key
      causeway keys rotate encryption --new file:/etc/causeway/new-key
      causeway keys rotate oauth --new env:NEW_OAUTH_KEY""",
    short_help="Exchange a key that seals secrets in the database.",
)
def keys() -> None:
    """The keys that seal what is secret in the database: encryption.key and oauth.key.

    Each is kept apart from the database: in a file, in the environment, or as a credential of systemd.
    """


@keys.command(
    epilog="""\b
    Examples:
      causeway keys rotate encryption --new file:/etc/causeway/new-key
      causeway keys rotate oauth --new credential:new-oauth-key --json""",
    short_help="Seal everything anew with another key.",
)
@click.argument("key", metavar="KEY", type=click.Choice(["encryption", "oauth"]))
@click.option(
    "--new",
    "given",
    required=True,
    metavar="env:NAME|file:PATH|credential:NAME",
    help="Where the new key is; never the key itself, which whoever lists processes would read.",
)
@config_option
@json_option
def rotate(key: str, given: str, config: Path, as_json: bool) -> None:
    """Open all that KEY of the configuration sealed, and seal it with a new key: wholly, or not at all.

    KEY is encryption (keys of encrypted rooms) or oauth (tokens that people gave). The bridge must not run. Afterwards,
    put the new key into the configuration; backups of before still need the old one.
    """
    from bridge.administration.rotation import Key, rotate
    from bridge.cli.actor import actor
    from bridge.cli.store import on_database

    settings = load_settings(config)
    which = Key(key)
    old, new = _configured(settings, which), _new(given, config)
    if old == new:
        raise click.BadParameter("it is the key of the configuration: nothing would change", param_hint="--new")

    async def work(database: Database) -> int:
        return await rotate(database, which, old, new, str(actor()))

    count = on_database(settings, work)
    if as_json:
        print_json({"key": f"{key}.key", "sealed": count})
        return
    click.echo(f"{count} secrets are sealed with the new key.")
    click.echo(f"Next: let {key}.key in {config} be the new key, `causeway check`, and start the bridge.")


def _configured(settings: Settings, key: str) -> str:
    secret = settings.encryption.key if key == "encryption" else settings.oauth.key
    if secret is None:
        raise click.UsageError(f"{key}.key is blank in the configuration: nothing is sealed with it")
    return secret.reveal()


def _new(given: str, config: Path) -> str:
    """Read the new key from where it is; the refusal never shows it."""
    from pydantic import TypeAdapter, ValidationError

    from config.secrets import SOURCES, Secret, SharedToken
    from config.values import Surroundings

    kind, _, where = given.partition(":")
    if kind not in SOURCES or not where:
        raise click.BadParameter("write env:NAME, file:PATH or credential:NAME", param_hint="--new")
    try:
        secret: Secret = TypeAdapter(SharedToken).validate_python({kind: where}, context=Surroundings(config.parent))
    except ValidationError as failed:
        context = failed.errors(include_input=False)[0].get("ctx", {})
        words = f"{context.get('what', 'cannot be used')}; {context.get('hint', '')}"
        raise click.BadParameter(words.rstrip("; "), param_hint="--new") from None
    return secret.reveal()
