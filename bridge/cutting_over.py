"""The composition root of a move to Matrix: its parts are built here, by hand, beside the bridge or with it.

    this process   carries out the steps ─▶ Slack, the room, the store ─▶ the bridge follows, wherever it runs

Where something is still to come across and no bridge works on the store, this process runs it meanwhile.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from bridge.app import Hooks
from bridge.configured import client_from, names_from
from bridge.errors import Declined
from bridge.oauth.app_tokens import token_of
from bridge.slack.client import SlackClient
from bridge.slack.limits import Limits
from bridge.slack.reach import slack_session
from bridge.store.cutovers import Cutovers
from bridge.store.directory import Directory
from bridge.store.imports import Imports
from bridge.store.ledger import Ledger
from bridge.store.opening import open_database
from bridge.store.people import People
from bridge.work.cutover import CutOver
from bridge.work.cutover_look import Looking
from bridge.work.patience import patiently
from portals.cutover import Phase, Words
from portals.ids import TeamId
from portals.readiness import readiness

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from typing import TypeVar

    import aiohttp

    from bridge.store.database import Database
    from config.settings import Settings
    from portals.cutover import Wish
    from portals.facts import Portal

    Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class CuttingOver:
    """The parts of a move."""

    database: Database
    directory: Directory
    ledger: Ledger
    people: People
    cutovers: Cutovers
    cutover: CutOver
    looking: Looking

    async def freeze(self, portal: Portal, wish: Wish, *, anyway: bool) -> None:
        """Freeze a channel that is ready; what would be lost must be accepted. Raises what `CutOver.freeze` raises."""
        found = readiness(await self.looking.at(portal, people=False), wish)
        if words := found.refusal():
            raise Declined("not_ready", words)
        _, phase = await self.cutover.phase(portal)
        losses = "" if phase is Phase.FROZEN else found.losses()
        if losses and not anyway:
            raise Declined("losses", f"{losses}; causeway cutover plan says more, and --anyway freezes it all the same")
        await self.cutover.freeze(portal, wish, f"although {losses}" if losses else "")


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
    names, told = names_from(settings), settings.cutover
    database = hooks.database or await open_database(settings.database.url.reveal())
    try:
        async with (
            slack_session(settings.slack.api_url) as session,
            client_from(settings, database, aside=True) as matrix,
        ):
            directory, ledger, people = Directory(database, names), Ledger(database), People(database)
            cutovers, clients = (
                Cutovers(database),
                await _clients(settings, session, hooks, patience) if connect else {},
            )
            words = Words(
                announcement=told.announcement,
                announcement_in_matrix=told.announcement_in_matrix,
                topic=told.topic,
                notice=told.notice,
                notice_in_matrix=told.notice_in_matrix,
                recall=told.recall,
                recall_in_matrix=told.recall_in_matrix,
            )
            cutover = CutOver(
                cutovers=cutovers,
                directory=directory,
                ledger=ledger,
                matrix=matrix,
                clients=clients,
                words=words,
                domain=names.domain,
                actor=actor,
                patience=patience,
            )
            looking = Looking(
                cutover=cutover,
                directory=directory,
                ledger=ledger,
                imports=Imports(database),
                accounts=people,
                matrix=matrix,
                clients=clients,
                topic=told.topic,
                domain=names.domain,
            )
            yield CuttingOver(database, directory, ledger, people, cutovers, cutover, looking)
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
