"""Legal holds: portals and people whose traces are kept, whatever a policy or a request says.

A hold of a portal names it by its queue, `T…/C…`; one of a person by a Slack id or a Matrix user id, in one workspace.
Each begin and end is in the audit log, with its reason.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.store.audit import noted
from bridge.store.database import Statement
from portals.ids import MatrixUserId, SlackUserId, TeamId

if TYPE_CHECKING:
    from bridge.store.database import Database
    from portals.ids import GhostNames

HOLDS = "SELECT team, subject, reason, since, actor FROM holds ORDER BY since, team, subject"
ADD_HOLD = """
INSERT INTO holds (team, subject, reason, since, actor) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (team, subject) DO NOTHING RETURNING subject
"""
END_HOLD = "DELETE FROM holds WHERE team = $1 AND subject = $2 RETURNING subject"
ACCOUNT_OF = "SELECT account FROM accounts WHERE team = $1 AND user_id = $2"
USER_OF = "SELECT user_id FROM accounts WHERE team = $1 AND account = $2"


@dataclass(frozen=True, slots=True)
class Hold:
    """What is held and why; `since` in milliseconds since the epoch."""

    team: TeamId
    subject: str
    reason: str
    since: int
    actor: str


@dataclass(frozen=True, slots=True)
class Identity:
    """All names under which the store knows one person of a workspace."""

    user: SlackUserId | None
    account: MatrixUserId | None
    ghost: MatrixUserId | None

    @property
    def names(self) -> tuple[str, ...]:
        """The names that there are."""
        return tuple(str(one) for one in (self.user, self.account, self.ghost) if one is not None)


class Holds:
    """Legal holds, and who is meant by them."""

    def __init__(self, database: Database, names: GhostNames) -> None:
        self._database = database
        self._names = names

    async def all(self) -> list[Hold]:
        """Return every hold, the oldest first."""
        return [
            Hold(TeamId(team), str(subject), str(reason), int(since), str(actor))
            for team, subject, reason, since, actor in await self._database.fetch(HOLDS)
        ]

    async def hold(self, team: TeamId, subject: str, reason: str, actor: str) -> bool:
        """Hold a portal or a person; returns whether that is new."""
        if any((one.team, one.subject) == (team, subject) for one in await self.all()):
            return False
        await self._database.commit(
            Statement(ADD_HOLD, (team, subject, reason, time.time_ns() // 1_000_000, actor)),
            noted(actor, "hold", f"{team}: {subject}", reason),
        )
        return True

    async def release(self, team: TeamId, subject: str, reason: str, actor: str) -> bool:
        """End a hold; returns whether there was one."""
        if not any((one.team, one.subject) == (team, subject) for one in await self.all()):
            return False
        await self._database.commit(
            Statement(END_HOLD, (team, subject)), noted(actor, "release", f"{team}: {subject}", reason)
        )
        return True

    async def identity(self, team: TeamId, person: str) -> Identity:
        """Return all names of a person who is given by any of them."""
        author = self._names.slack_author(person)
        user = author[1] if author is not None else None if person.startswith("@") else SlackUserId(person)
        account = MatrixUserId(person) if person.startswith("@") and author is None else None
        if user is None:
            rows = await self._database.fetch(USER_OF, team, account)
            user = SlackUserId(rows[0][0]) if rows else None
        elif account is None:
            rows = await self._database.fetch(ACCOUNT_OF, team, user)
            account = MatrixUserId(rows[0][0]) if rows else None
        return Identity(user, account, self._names.ghost(team, user) if user is not None else None)

    async def held_names(self, team: TeamId) -> frozenset[str]:
        """Return all names of the people of a workspace who are held."""
        people = [one.subject for one in await self.all() if one.team == team and "/" not in one.subject]
        found: set[str] = set()
        for person in people:
            found.update((await self.identity(team, person)).names)
        return frozenset(found)

    async def holding(self, team: TeamId) -> frozenset[str]:
        """Return the queues of a workspace's portals that are held."""
        return frozenset(one.subject for one in await self.all() if one.team == team and "/" in one.subject)
