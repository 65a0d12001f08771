"""Pages of what there is, for those who look: portals and people, searched and in order, a page at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.store.audit import Entry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.store.database import Database

PORTAL_PAGE = """
SELECT id FROM portals WHERE id > $1 AND ($2 = '' OR state = $2)
  AND ($3 = '' OR LOWER(name) LIKE $3 ESCAPE '!' OR LOWER(channel) LIKE $3 ESCAPE '!'
       OR LOWER(COALESCE(room, target)) LIKE $3 ESCAPE '!')
ORDER BY id LIMIT $4
"""
PEOPLE_PAGE = """
SELECT user_id, name FROM people WHERE team = $1 AND user_id > $2 AND is_bot = 0
  AND ($3 = '' OR LOWER(name) LIKE $3 ESCAPE '!' OR LOWER(user_id) LIKE $3 ESCAPE '!') ORDER BY user_id LIMIT $4
"""
UNLINKED_PAGE = """
SELECT people.user_id, people.name FROM people
LEFT JOIN accounts ON accounts.team = people.team AND accounts.user_id = people.user_id
WHERE people.team = $1 AND people.user_id > $2 AND people.is_bot = 0 AND accounts.account IS NULL
  AND ($3 = '' OR LOWER(people.name) LIKE $3 ESCAPE '!' OR LOWER(people.user_id) LIKE $3 ESCAPE '!')
ORDER BY people.user_id LIMIT $4
"""
LINKED_PAGE = """
SELECT accounts.user_id, COALESCE(people.name, '') FROM accounts
LEFT JOIN people ON people.team = accounts.team AND people.user_id = accounts.user_id
WHERE accounts.team = $1 AND accounts.user_id > $2
  AND ($3 = '' OR LOWER(COALESCE(people.name, '')) LIKE $3 ESCAPE '!' OR LOWER(accounts.account) LIKE $3 ESCAPE '!'
       OR LOWER(accounts.user_id) LIKE $3 ESCAPE '!')
ORDER BY accounts.user_id LIMIT $4
"""
LINK_OF = "SELECT account, how, linked_at, linked_by FROM accounts WHERE team = $1 AND user_id = $2"
AGREES = "SELECT 1 FROM consents WHERE team = $1 AND user_id = $2"
TROUBLED_PORTALS = """
SELECT name, channel, trouble, id FROM portals WHERE trouble <> '' AND state <> 'removed'
UNION ALL
SELECT name, channel, 'its room departs from its policy: ' || detail, id FROM departures
JOIN portals ON portals.id = departures.portal WHERE state <> 'removed'
ORDER BY 4, 3 LIMIT $1
"""
LAST_MESSAGE = "SELECT MAX(ts) FROM links WHERE portal = $1"
AUDIT_BACKWARDS = "SELECT id, at, actor, act, subject, detail FROM audit WHERE id < $1 ORDER BY id DESC LIMIT $2"


@dataclass(frozen=True, slots=True)
class PersonEntry:
    """A person of Slack: the account that they are linked to, on whose word and when, and whether they agreed."""

    user: str
    name: str
    account: str | None
    how: str | None
    linked_at: int | None
    linked_by: str | None
    agrees: bool


class Registers:
    """Reads pages."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def portals(self, after: int, limit: int, *, state: str = "", search: str = "") -> list[int]:
        """Return the numbers of the portals on a page, in their order."""
        rows = await self._database.fetch(PORTAL_PAGE, after, state, _pattern(search), limit)
        return [int(row[0]) for row in rows]

    async def troubled(self, limit: int) -> list[tuple[str, str]]:
        """Return portals that something troubles, or whose rooms depart from their policies, each with what that is."""
        rows = await self._database.fetch(TROUBLED_PORTALS, limit)
        return [(str(name) or str(channel), str(trouble)) for name, channel, trouble, _ in rows]

    async def last_message(self, portal: int) -> str | None:
        """Return the `ts` of the newest message of a portal."""
        ((ts,),) = await self._database.fetch(LAST_MESSAGE, portal)
        return str(ts) if ts else None

    async def audit_before(self, number: int, limit: int) -> list[Entry]:
        """Return entries of the audit log before one, the newest first."""
        return [Entry(*row) for row in await self._database.fetch(AUDIT_BACKWARDS, number, limit)]

    async def people(
        self, team: str, after: str, limit: int, *, linked: bool | None = None, search: str = ""
    ) -> list[PersonEntry]:
        """Return a page of a workspace's people, in the order of their ids: all, the linked, or the others."""
        pattern = _pattern(search)
        pages = [LINKED_PAGE] if linked else [UNLINKED_PAGE] if linked is False else [PEOPLE_PAGE, LINKED_PAGE]
        found: dict[str, str] = {}
        for sql in pages:
            for user, name in await self._database.fetch(sql, team, after, pattern, limit):
                found.setdefault(str(user), str(name))
        return [await self._entry(team, user, found[user]) for user in sorted(found)[:limit]]

    async def _entry(self, team: str, user: str, name: str) -> PersonEntry:
        links: Sequence[Sequence[object]] = await self._database.fetch(LINK_OF, team, user)
        agrees = bool(await self._database.fetch(AGREES, team, user))
        if not links:
            return PersonEntry(user, name, None, None, None, None, agrees)
        account, how, at, by = links[0]
        return PersonEntry(user, name, str(account), str(how), int(str(at)), str(by), agrees)


def _pattern(search: str) -> str:
    """Return what LIKE finds a text by, wherever it stands; nothing for no text."""
    text = search.strip().removeprefix("#").lower()
    for sign in "!%_":
        text = text.replace(sign, f"!{sign}")
    return f"%{text}%" if text else ""
