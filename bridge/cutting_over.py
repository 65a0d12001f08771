"""The composition root of a move to Matrix: its parts are built here, by hand, beside the bridge or with it.

    this process   carries out the steps ─▶ Slack, the room, the store ─▶ the bridge follows, wherever it runs

Where something is still to come across and no bridge works on the store, this process runs it meanwhile.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from bridge.administration.cutover import parts_of
from bridge.administration.store import Store
from bridge.app import Hooks
from bridge.configured import client_from, names_from
from bridge.oauth.app_tokens import token_of
from bridge.slack.client import SlackClient
from bridge.slack.limits import Limits
from bridge.slack.reach import slack_session
from bridge.store.opening import open_database
from bridge.work.patience import patiently
from portals.ids import TeamId

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import aiohttp

    from bridge.administration.cutover import CuttingOver
    from config.settings import Settings


@asynccontextmanager
async def cutting_over(
    settings: Settings,
    actor: str,
    *,
    patience: float = 60.0,
    connect: bool = True,
    hooks: Hooks = Hooks(),  # noqa: B008  frozen
) -> AsyncIterator[CuttingOver]:
    """Build the parts of a move; without `connect` Slack is not asked who it is.

    Raises BridgeError where the store cannot be opened, or Slack does not know a token.
    """
    names = names_from(settings)
    database = hooks.database or await open_database(settings.database.url.reveal())
    try:
        async with (
            slack_session(settings.slack.api_url) as session,
            client_from(settings, database, aside=True) as matrix,
        ):
            clients = await _clients(settings, session, hooks, patience) if connect else {}
            yield parts_of(settings, Store.on(database, names), matrix, clients, actor, patience)
    finally:
        await database.close()


async def _clients(
    settings: Settings, session: aiohttp.ClientSession, hooks: Hooks, patience: float
) -> dict[TeamId, SlackClient]:
    """Return a client for each workspace that has a token, by the workspace's id as Slack tells it."""
    found: dict[TeamId, SlackClient] = {}
    for workspace in settings.slack.workspaces:
        client = SlackClient(
            workspace.name,
            await token_of(settings, workspace),
            session=session,
            limits=Limits(scale=hooks.limits_scale),
            api_url=settings.slack.api_url,
        )
        found[await patiently(partial(_team, client), patience)] = client
    return found


async def _team(client: SlackClient, _again: bool) -> TeamId:
    return TeamId((await client.auth()).team_id)
