"""Which workspace an admin means, and asking Slack about it with the token of the configuration."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import click

from bridge.errors import Declined
from bridge.oauth.app_tokens import token_of
from bridge.oauth.installing import workspace_named
from bridge.slack.client import SlackClient
from bridge.slack.limits import Limits
from bridge.slack.reach import slack_session

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from config.settings import Settings
    from config.slack import Workspace


def chosen_workspace(settings: Settings, name: str | None) -> Workspace:
    """Return the workspace of this name, or the only one; raises UsageError."""
    try:
        return workspace_named(settings, name)
    except Declined as declined:
        raise click.UsageError(str(declined)) from None


@asynccontextmanager
async def connected(
    settings: Settings, workspace: Workspace, limits: Limits | None = None
) -> AsyncIterator[SlackClient]:
    """Call Slack with a workspace's bot token, as often as Slack publishes unless other limits are given."""
    async with slack_session(settings.slack.api_url) as session:
        yield SlackClient(
            workspace.name,
            await token_of(settings, workspace),
            session=session,
            limits=limits or Limits(),
            api_url=settings.slack.api_url,
        )
