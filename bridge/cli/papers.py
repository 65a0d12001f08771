"""What commands found, kept in the store, so that it can be read in the console."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bridge.cli.actor import actor
from bridge.cli.store import on_database
from bridge.store.papers import Papers

if TYPE_CHECKING:
    from bridge.store.database import Database
    from bridge.store.papers import Kind
    from config.settings import Settings


def keep(settings: Settings, kind: Kind, title: str, outcome: str, page: str) -> None:
    """Keep a page; says so where it is too large for that. Raises BridgeError."""

    async def kept(database: Database) -> bool:
        return await Papers(database).keep(kind, title, outcome, str(actor()), page)

    if not on_database(settings, kept):
        click.echo(f"This {kind} is too large for the console: keep the page that was written", err=True)
