"""`causeway slack`: bringing the app into a workspace by an admin's consent, in place of a configured token."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bridge.cli.options import config_option, load_settings, workspace_option

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.administration.store import Store


@click.group(
    epilog="""\b
    Examples:
      causeway slack install-link
      causeway slack install-link --workspace acme""",
    short_help="Install the app to a workspace by consent.",
)
def slack() -> None:
    """The app in Slack, where it has a client_id."""


@slack.command(
    "install-link",
    epilog="""\b
    Examples:
      causeway slack install-link
      causeway slack install-link --workspace acme""",
    short_help="Print a link by which the app is installed.",
)
@config_option
@workspace_option
def install_link(config: Path, workspace: str | None) -> None:
    """Print a link by which whoever may install apps in Slack installs this one to a workspace.

    It works once, within ten minutes, in one browser, and while the bridge runs, which takes the workspace up by
    itself. The workspace has a client_id and no bot_token in the configuration; its bot token is kept in the database,
    sealed with oauth.key.
    """
    from bridge.cli.actor import actor
    from bridge.cli.channels import chosen_workspace
    from bridge.cli.store import in_store
    from bridge.oauth.installing import link_for
    from bridge.store.audit import noted

    settings = load_settings(config)
    chosen = chosen_workspace(settings, workspace)

    async def work(store: Store) -> str:
        link = await link_for(settings, store.database, chosen)
        await store.database.commit(noted(str(actor()), "install link", chosen.name))
        return link

    click.echo(in_store(settings, work))
