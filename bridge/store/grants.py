"""Grants: the tokens by which the bridge acts in Slack as people of Matrix, one for each person of a workspace.

Where an admin installed the app by consent, its own token is one as well, of nobody: `user` is empty then, and
`account` the workspace's name in the configuration.

    connect ─▶ live ──Slack says no──▶ broken        (its tokens are wiped, its reason is kept)
                 └──disconnect, unlink──▶ ending ──revoked at Slack──▶ ended

Tokens come here sealed and leave sealed. Whatever changes is in the audit log by the same commit. They are few and
asked for with every message, so all are kept in memory; another process changes them in the store and has them read
anew.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from bridge.store.audit import noted
from bridge.store.database import Statement
from portals.ids import MatrixUserId, RoomId, SlackUserId, TeamId

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.store.database import Database

_COLUMNS = "team, user_id, account, room, state, token, refresh, expires_at, renewing, reason, changed_at"
ALL_GRANTS = f"SELECT {_COLUMNS} FROM grants"
PUT_GRANT = f"""
INSERT INTO grants ({_COLUMNS}) VALUES ($1, $2, $3, $4, 'live', $5, $6, $7, 0, '', $8)
ON CONFLICT (team, user_id) DO UPDATE SET account = excluded.account, room = excluded.room, state = 'live',
  token = excluded.token, refresh = excluded.refresh, expires_at = excluded.expires_at, renewing = 0, reason = '',
  changed_at = excluded.changed_at
"""
RENEWING = "UPDATE grants SET renewing = 1 WHERE team = $1 AND user_id = $2 AND state = 'live'"
RENEWED = """
UPDATE grants SET token = $4, refresh = $5, expires_at = $6, renewing = 0
WHERE team = $1 AND user_id = $2 AND refresh = $3 AND state IN ('live', 'ending')
"""
BREAK = """
UPDATE grants SET state = 'broken', token = '', refresh = '', expires_at = 0, renewing = 0, reason = $4, changed_at = $5
WHERE team = $1 AND user_id = $2 AND token = $3 AND state = 'live' RETURNING user_id
"""
"""Only the token that Slack refused: somebody may have connected anew meanwhile."""
GIVEN_BY_CONSENT = "(OAuth consent)"
"""How the actor's name ends where somebody agreed to something by connecting their account: that ends with it."""
END_CONSENT = "DELETE FROM consents WHERE team = $1 AND user_id = $2 AND given_by LIKE $3"
END = """
UPDATE grants SET state = 'ending', reason = $3, changed_at = $4
WHERE team = $1 AND user_id = $2 AND state IN ('live', 'broken')
"""
ENDED = """
UPDATE grants SET state = 'ended', token = '', refresh = '', expires_at = 0, renewing = 0
WHERE team = $1 AND user_id = $2 AND state = 'ending'
"""
FORGET_TOLD = "DELETE FROM grants_told WHERE team = $1 AND user_id = $2"
ADD_TOLD = "INSERT INTO grants_told (team, user_id, about) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
TOLD = "SELECT 1 FROM grants_told WHERE team = $1 AND user_id = $2 AND about = $3"


class GrantState(StrEnum):
    """Where a grant is in its life; only a live one is used."""

    LIVE = "live"
    BROKEN = "broken"
    ENDING = "ending"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Tokens:
    """What Slack gave, sealed: a token, and where it expires what renews it; times in milliseconds, 0 for never."""

    token: str
    refresh: str = ""
    expires_at: int = 0


@dataclass(frozen=True, slots=True)
class Grant:
    """One person's grant; `room` is where they are told about it, `reason` why it is not live."""

    team: TeamId
    user: SlackUserId
    account: MatrixUserId
    room: RoomId
    state: GrantState
    tokens: Tokens
    renewing: bool
    """Whether a renewal was begun of which no answer is recorded: what renews it may be used up."""
    reason: str
    changed_at: int

    @property
    def is_apps(self) -> bool:
        """Whether it is the app's own."""
        return not self.user


class Grants:
    """All grants of all workspaces."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: Mapping[tuple[TeamId, SlackUserId], Grant] | None = None
        self._reads = 0

    async def all(self) -> Mapping[tuple[TeamId, SlackUserId], Grant]:
        """Return every grant that was ever made, the last of each person."""
        if self._known is not None:
            return self._known
        reads = self._reads
        rows = await self._database.fetch(ALL_GRANTS)
        found = {
            (TeamId(team), SlackUserId(user)): Grant(
                team=TeamId(team),
                user=SlackUserId(user),
                account=MatrixUserId(account),
                room=RoomId(room),
                state=GrantState(state),
                tokens=Tokens(token, refresh, int(expires_at)),
                renewing=bool(renewing),
                reason=reason,
                changed_at=int(changed_at),
            )
            for team, user, account, room, state, token, refresh, expires_at, renewing, reason, changed_at in rows
        }
        if reads == self._reads:
            self._known = found
        return found

    async def of(self, team: TeamId, user: SlackUserId) -> Grant | None:
        """Return the grant of a person."""
        return (await self.all()).get((team, user))

    def forget(self) -> None:
        """Read the grants anew when they are asked for next."""
        self._reads += 1
        self._known = None

    async def connect(
        self, team: TeamId, user: SlackUserId, account: MatrixUserId, room: RoomId, tokens: Tokens, actor: str
    ) -> None:
        """Keep what a person gave, in place of what they gave before."""
        values = (team, user, account, room, tokens.token, tokens.refresh, tokens.expires_at, _now())
        await self._change(
            Statement(PUT_GRANT, values),
            Statement(FORGET_TOLD, (team, user)),
            noted(actor, "connect" if user else "install", f"{team}/{user}", account),
        )

    async def renewing(self, grant: Grant) -> None:
        """Remember that a token is about to be renewed."""
        await self._change(Statement(RENEWING, (grant.team, grant.user)))

    async def renewed(self, grant: Grant, tokens: Tokens) -> None:
        """Keep renewed tokens in place of those that the grant had."""
        values = (grant.team, grant.user, grant.tokens.refresh, tokens.token, tokens.refresh, tokens.expires_at)
        await self._change(Statement(RENEWED, values))

    async def break_(self, grant: Grant, reason: str) -> bool:
        """Give up a grant that Slack does not take any more; false where it was not live, or is another one now."""
        values = (grant.team, grant.user, grant.tokens.token, reason, _now())
        about = noted("Slack", "connection broke", f"{grant.team}/{grant.user}", reason)
        current = await self.of(grant.team, grant.user)
        if current is None or current.tokens != grant.tokens or current.state is not GrantState.LIVE:
            return False
        results = await self._change(Statement(BREAK, values), about)
        return bool(results[0])

    async def end(self, grant: Grant, reason: str, actor: str) -> None:
        """Use a grant no more from now on; its tokens are kept until they are revoked."""
        about = noted(actor, "disconnect", f"{grant.team}/{grant.user}", reason)
        consent = Statement(END_CONSENT, (grant.team, grant.user, f"% {GIVEN_BY_CONSENT}"))
        await self._change(Statement(END, (grant.team, grant.user, reason, _now())), consent, about)

    async def ended(self, grant: Grant) -> None:
        """Forget the tokens of a grant that has ended: they are good for nothing any more."""
        await self._change(Statement(ENDED, (grant.team, grant.user)))

    async def was_told(self, grant: Grant, about: str) -> bool:
        """Tell whether a person was told of this since they connected."""
        return bool(await self._database.fetch(TOLD, grant.team, grant.user, about))

    async def told(self, grant: Grant, about: str) -> None:
        """Remember that a person was told of this."""
        await self._database.commit(Statement(ADD_TOLD, (grant.team, grant.user, about)))

    async def _change(self, *unit: Statement) -> list[list[object]]:
        results = await self._database.commit(*unit)
        self.forget()
        return [list(rows) for rows in results]


def _now() -> int:
    return time.time_ns() // 1_000_000
