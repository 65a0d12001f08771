"""People: which Slack person has which Matrix account, whose direct messages may cross, and whose rooms are muted.

Every change is written down in the audit log in its own commit. Links are few and asked for with every message, so all
of them are kept in memory; the command line changes them in the store and has the bridge read them anew.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bridge.errors import Refused
from bridge.store.audit import noted
from bridge.store.database import Statement
from portals.ids import MatrixUserId, RoomId, SlackUserId, TeamId
from portals.people.links import How, Linked, Wanted, changes, conflicts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bridge.store.database import Database

TAKEN = "already_linked"
"""The code of a refusal because a person or an account is linked otherwise already."""

ADD_LINK = """
INSERT INTO accounts (team, user_id, account, how, linked_at, linked_by) VALUES ($1, $2, $3, $4, $5, $6)
"""
REMOVE_LINK = "DELETE FROM accounts WHERE team = $1 AND user_id = $2"
LINKS = "SELECT user_id, account, how, linked_at, linked_by FROM accounts WHERE team = $1 ORDER BY user_id"
ALL_LINKS = "SELECT team, user_id, account FROM accounts"
PEOPLE = "SELECT user_id, name FROM people WHERE team = $1 AND is_bot = 0 ORDER BY user_id"
WORKSPACES = "SELECT team, name FROM workspaces ORDER BY team"
ADD_CONSENT = """
INSERT INTO consents (team, user_id, given_at, given_by) VALUES ($1, $2, $3, $4)
ON CONFLICT (team, user_id) DO UPDATE SET given_at = excluded.given_at, given_by = excluded.given_by
"""
REMOVE_CONSENT = "DELETE FROM consents WHERE team = $1 AND user_id = $2"
CONSENTS = "SELECT user_id FROM consents WHERE team = $1"
ADD_QUIETED = "INSERT INTO quieted (room, account, before) VALUES ($1, $2, $3) ON CONFLICT (room, account) DO NOTHING"
REMOVE_QUIETED = "DELETE FROM quieted WHERE room = $1 AND account = $2"
QUIETED = "SELECT before FROM quieted WHERE room = $1 AND account = $2"
ALL_QUIETED = "SELECT room, account FROM quieted ORDER BY room, account"


@dataclass(frozen=True, slots=True)
class Known:
    """The links of one workspace, found from either side."""

    accounts: dict[SlackUserId, MatrixUserId] = field(default_factory=dict)
    users: dict[MatrixUserId, SlackUserId] = field(default_factory=dict)

    def add(self, user: SlackUserId, account: MatrixUserId) -> None:
        """Take up a link while the links are read."""
        self.accounts[user] = account
        self.users[account] = user


_NOBODY = Known()


class People:
    """Links, consents and muted rooms."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[TeamId, Known] | None = None
        self._reads = 0

    # --- what every message asks

    async def known(self, team: TeamId) -> Known:
        """Return the links of a workspace."""
        return (await self._all()).get(team, _NOBODY)

    async def accounts(self, team: TeamId) -> Mapping[SlackUserId, MatrixUserId]:
        """Return the accounts of a workspace's people."""
        return (await self.known(team)).accounts

    def forget(self) -> None:
        """Read the links anew when they are asked for next: another process has changed them."""
        self._reads += 1
        self._known = None

    async def _all(self) -> Mapping[TeamId, Known]:
        if self._known is not None:
            return self._known
        reads = self._reads
        found: dict[TeamId, Known] = {}
        for team, user, account in await self._database.fetch(ALL_LINKS):
            found.setdefault(TeamId(team), Known()).add(SlackUserId(user), MatrixUserId(account))
        if reads == self._reads:
            self._known = found
        return found

    # --- what admins ask and do

    async def links(self, team: TeamId) -> list[Linked]:
        """Return the links of a workspace, in the order of Slack's ids."""
        rows = await self._database.fetch(LINKS, team)
        return [
            Linked(SlackUserId(user), MatrixUserId(account), How(how), int(at), by)
            for user, account, how, at, by in rows
        ]

    async def link(self, team: TeamId, wanted: Sequence[Wanted], actor: str, *, move: bool = False) -> list[Wanted]:
        """Make links, all or none, and return those that were not there.

        With `move`, a person who has another account moves to the wanted one. Raises Refused, with the code TAKEN and
        each conflict in its words, where a person or an account is linked otherwise.
        """
        known = await self.links(team)
        theirs = {one.user: one.account for one in known}
        new = changes(wanted, known)
        problems = [str(problem) for problem in conflicts(wanted, known)]
        if not move:
            problems += [
                f"{one.user} is linked to {theirs[one.user]} already: unlink that first"
                for one in new
                if one.user in theirs
            ]
        if problems:
            raise Refused(TAKEN, "; ".join(problems))
        now = time.time_ns() // 1_000_000
        unit = [
            Statement(REMOVE_LINK, (team, one.user)) for one in new if one.user in theirs
        ]  # all before any, so that two people may change places
        for one in new:
            before = f", in place of {theirs[one.user]}" if one.user in theirs else ""
            unit.append(Statement(ADD_LINK, (team, one.user, one.account, one.how, now, actor)))
            unit.append(noted(actor, "link", f"{team}/{one.user}", f"{one.account} by {one.how}{before}"))
        if unit:
            try:
                await self._database.commit(*unit)
            except Refused as refused:
                raise Refused(TAKEN, "somebody else has changed the links meanwhile: look at them and try again") from (
                    refused
                )
            self.forget()
        return list(new)

    async def unlink(self, team: TeamId, user: SlackUserId, actor: str) -> MatrixUserId | None:
        """End a link; returns the account that it was to, or None where there was none."""
        account = {one.user: one.account for one in await self.links(team)}.get(user)
        if account is not None:
            entry = noted(actor, "unlink", f"{team}/{user}", account)
            await self._database.commit(Statement(REMOVE_LINK, (team, user)), entry)
            self.forget()
        return account

    async def names(self, team: TeamId) -> dict[SlackUserId, str]:
        """Return the names of all people of a workspace whom the bridge has met; its bots are left out."""
        return {SlackUserId(user): str(name) for user, name in await self._database.fetch(PEOPLE, team)}

    async def workspaces(self) -> dict[TeamId, str]:
        """Return the workspaces that the bridge has met, with their names in Slack."""
        return {TeamId(team): str(name) for team, name in await self._database.fetch(WORKSPACES)}

    # --- direct messages

    async def consents(self, team: TeamId) -> frozenset[SlackUserId]:
        """Return the people who agreed that their direct messages cross."""
        return frozenset(SlackUserId(row[0]) for row in await self._database.fetch(CONSENTS, team))

    async def consent(self, team: TeamId, user: SlackUserId, *, given: bool, actor: str, reason: str) -> bool:
        """Note that a person agreed, or no longer does; returns whether that is new. The reason goes into the log."""
        if (user in await self.consents(team)) is given:
            return False
        change = (
            Statement(ADD_CONSENT, (team, user, time.time_ns() // 1_000_000, actor))
            if given
            else Statement(REMOVE_CONSENT, (team, user))
        )
        act = "consent to direct messages" if given else "withdraw consent to direct messages"
        await self._database.commit(change, noted(actor, act, f"{team}/{user}", reason))
        return True

    # --- rooms that are muted for an account

    async def quieted(self, room: RoomId, account: MatrixUserId) -> str | None:
        """Return the rule that stood in the place of the one that mutes the room; None where it is not muted by us."""
        rows = await self._database.fetch(QUIETED, room, account)
        return str(rows[0][0]) if rows else None

    async def all_quieted(self) -> list[tuple[RoomId, MatrixUserId]]:
        """Return every room that we muted, with the account for which."""
        return [(RoomId(room), MatrixUserId(account)) for room, account in await self._database.fetch(ALL_QUIETED)]

    async def add_quieted(self, room: RoomId, account: MatrixUserId, before: str) -> None:
        """Remember that a room is about to be muted; what was remembered of it before stays."""
        await self._database.commit(Statement(ADD_QUIETED, (room, account, before)))

    async def remove_quieted(self, room: RoomId, account: MatrixUserId) -> None:
        """Remember that a room is as it was."""
        await self._database.commit(Statement(REMOVE_QUIETED, (room, account)))
