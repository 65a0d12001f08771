"""`causeway console`: a link by which an admin signs in to the console, for whoever has a shell and no bot at hand."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from bridge.cli.options import config_option, load_settings

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.administration.store import Store


@click.command(
    epilog="""\b
    Examples:
      causeway console @alice:example.org""",
    short_help="Print a link for signing in to the console.",
)
@click.argument("user")
@config_option
def console(user: str, config: Path) -> None:
    """Print a link by which USER, an admin by the configuration, can sign in to the console.

    It works once, within ten minutes. In Matrix, the bot gives it to whoever sends it `console`.
    """
    from bridge.administration.office import is_admin
    from bridge.cli.store import in_store
    from bridge.console.signing import Signing

    settings = load_settings(config)

    async def work(store: Store) -> str:
        return await Signing(settings.console, store.database, partial(is_admin, settings)).sign_in_link(user)

    click.echo(in_store(settings, work))
