"""The tokens of the app itself: of the configuration, or of a workspace in which an admin installed it by consent.

A token that was given by consent may come while the bridge runs, may be renewed, and may be given anew: whatever acts
by it is told.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from bridge.errors import BridgeError, Later, Refused
from bridge.oauth.seal import Seal
from bridge.store.grants import Grants, GrantState
from bridge.store.opening import open_database

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.oauth.renewal import Renewal
    from bridge.store.grants import Grant
    from config.settings import Settings
    from config.slack import Workspace

log = logging.getLogger(__name__)

_LOOK = 5.0
_WAIT = 1.0


class AppTokens:
    """Tokens by the names of workspaces."""

    def __init__(self, grants: Grants, seal: Seal, renewal: Renewal) -> None:
        self._grants = grants
        self._seal = seal
        self._renewal = renewal
        self._used: dict[str, tuple[str, Callable[[str], None]]] = {}

    async def installed(self, workspace: Workspace) -> str:
        """Return the token of a workspace, as soon as there is one."""
        if workspace.bot_token is not None:
            return workspace.bot_token.reveal()
        is_told = False
        while True:
            try:
                grant = await grant_of(self._grants, workspace.name)
                if grant is not None:
                    grant = await self._renewal.due(grant, workspace.name)
                    return self._seal.open(grant.tokens.token, grant.team, grant.user)
                if not is_told:
                    log.warning("%s is not installed yet: `causeway slack install-link` says how", workspace.name)
                    is_told = True
            except (Later, Refused) as error:
                log.error("%s: %s", workspace.name, error)
                await asyncio.sleep(_LOOK)
            await asyncio.sleep(_WAIT)
            self._grants.forget()

    async def follow(self, workspace: Workspace, use: Callable[[str], None]) -> None:
        """Have whatever acts by a workspace's token told of each one that comes later."""
        if workspace.bot_token is None:
            grant = await grant_of(self._grants, workspace.name)
            self._used[workspace.name] = (grant.tokens.token if grant is not None else "", use)

    async def run(self) -> None:
        """Renew what is about to expire, and pass on what is new, until cancelled."""
        while True:
            try:
                await self.look()
            except BridgeError as error:
                log.warning("the app's tokens are looked after again: %s", error)
            await asyncio.sleep(_LOOK)

    async def look(self) -> None:
        """Renew what is about to expire, and pass on what is new."""
        for name, (used, use) in list(self._used.items()):
            grant = await grant_of(self._grants, name)
            if grant is None:
                continue
            try:
                grant = await self._renewal.due(grant, name)
            except Refused as refused:
                log.error("%s has to be installed again, by `causeway slack install-link`: %s", name, refused)
                continue
            if grant.tokens.token != used:
                use(self._seal.open(grant.tokens.token, grant.team, grant.user))
                self._used[name] = (grant.tokens.token, use)
                log.info("%s has a new token", name)


async def grant_of(grants: Grants, workspace: str) -> Grant | None:
    """Return what an admin granted the app in a workspace, by its name in the configuration."""
    live = (one for one in (await grants.all()).values() if one.is_apps and one.state is GrantState.LIVE)
    return next((one for one in live if one.account == workspace), None)


async def token_of(settings: Settings, workspace: Workspace) -> str:
    """Return the token of a workspace for a process beside the bridge; nothing where it is not installed yet."""
    if workspace.bot_token is not None:
        return workspace.bot_token.reveal()
    database = await open_database(settings.database.url.reveal())
    try:
        grant = await grant_of(Grants(database), workspace.name)
        key = settings.oauth.key
        seal = Seal(key.reveal() if key is not None else None)
        return seal.open(grant.tokens.token, grant.team, grant.user) if grant is not None else ""
    finally:
        await database.close()
