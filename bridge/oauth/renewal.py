"""Tokens that expire are renewed ahead of that, and stored before they are used.

Slack takes what renews a token only once. Where its answer was lost, the old token is used as long as it is good; if
Slack then knows nothing of what renews it, the grant is broken, and says why.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from bridge.errors import Later, Refused, Unsure
from bridge.store.grants import Tokens
from portals.people.hands import BY_APP

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.oauth.seal import Seal
    from bridge.oauth.slack_app import SlackApp
    from bridge.store.grants import Grant, Grants
    from portals.ids import SlackUserId, TeamId

log = logging.getLogger(__name__)

_AHEAD_MS = 30 * 60 * 1000
"""Slack's tokens are good for twelve hours."""


class Renewal:
    """Renews grants by the apps that they are of; `apps` are by the workspaces' names."""

    def __init__(self, grants: Grants, apps: Mapping[str, SlackApp], seal: Seal) -> None:
        self._grants = grants
        self._apps = apps
        self._seal = seal

    async def due(self, grant: Grant, workspace: str) -> Grant:
        """Return a grant whose token is good for a while, renewed where it is time for that.

        Raises Later where the old one has expired and Slack cannot be asked, Refused with BY_APP where it is over.
        """
        until = grant.tokens.expires_at
        if not until or until - _now() >= _AHEAD_MS:
            return grant
        app, is_good = self._apps.get(workspace), until > _now()
        if app is None:
            return self._or_over(grant, is_good, "the workspace has no client_id to renew it with")
        refresh = self._seal.open(grant.tokens.refresh, grant.team, grant.user)
        await self._grants.renewing(grant)
        try:
            given = await app.renew(refresh, grant.team, grant.user)
        except (Later, Unsure) as fault:
            log.warning("%s/%s: the token could not be renewed yet: %s", grant.team, grant.user, fault)
            if is_good:
                return grant
            raise Later(str(fault)) from fault
        except Refused as refused:
            if refused.code in ("invalid_client_id", "bad_client_secret"):
                log.error("%s: no token can be renewed: %s", app.name, refused)
                return self._or_over(grant, is_good, refused.detail)
            lost = "Slack has renewed it, and that answer was lost on its way"
            await self._grants.break_(grant, lost if grant.renewing else f"it could not be renewed ({refused.code})")
            raise Refused(BY_APP, "the token could not be renewed") from refused
        tokens = sealed(self._seal, grant.team, grant.user, given.token, given.refresh, given.expires_at)
        await self._grants.renewed(grant, tokens)
        return await self._grants.of(grant.team, grant.user) or grant

    def _or_over(self, grant: Grant, is_good: bool, why: str) -> Grant:
        if not is_good:
            raise Refused(BY_APP, f"the token has expired: {why}")
        return grant


def sealed(seal: Seal, team: TeamId, user: SlackUserId, token: str, refresh: str, expires_at: int) -> Tokens:
    """Return tokens as they are stored."""
    return Tokens(seal.close(token, team, user), seal.close(refresh, team, user), expires_at)


def _now() -> int:
    return time.time_ns() // 1_000_000
