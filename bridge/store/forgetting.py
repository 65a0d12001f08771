"""A person's request to be forgotten: what the store knows of them is counted first, and then removed.

Removed are name and picture, the link between Slack and Matrix, consent, messages (to tombstones, see `retention`),
reactions, unreadable records of imports, sign-ins, and the devices of their account. What stays is counted as well: the
audit log, which is a chain, what waits for a decision, and messages in portals under hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.store.audit import noted
from bridge.store.database import Statement, any_of
from bridge.store.retention import BATCH
from portals.ids import Ts, channel_queue

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from bridge.store.database import Database
    from bridge.store.holds import Identity
    from bridge.store.retention import Retention
    from portals.facts import Portal
    from portals.ids import TeamId

_PORTALS = "SELECT id FROM portals WHERE team = $1"
_OF_USER = {
    "name and picture in Slack": ("people", "team = $1 AND user_id = $2"),
    "link to an account": ("accounts", "team = $1 AND user_id = $2"),
    "consent to direct messages": ("consents", "team = $1 AND user_id = $2"),
    "notices of a move": ("told_of_move", f"portal IN ({_PORTALS}) AND person = $2"),
    "unreadable records of imports": ("quarantine", "team = $1 AND raw LIKE '%\"' || $2 || '\"%'"),
}
"""What is found by a Slack id: the table, and which rows of it."""
_OF_ACCOUNT = {
    "name and picture in Matrix": ("members", "user_id = $1"),
    "links to sign in": ("sign_in_links", "user_id = $1"),
    "sign-ins to the console": ("console_sessions", "user_id = $1"),
    "questions of the bot": ("questions", "account = $1"),
    "consents under way": ("consent_steps", "account = $1"),
    "devices": ("their_devices", "user_id = $1"),
    "device lists": ("tracked", "user_id = $1"),
}
"""What is found by a Matrix account."""


@dataclass(frozen=True, slots=True)
class Trace:
    """Something that the store holds of a person: how much, and why it stays where it does."""

    what: str
    count: int
    stays: str = ""


class Forgetting:
    """Counts and removes a person's traces in one workspace."""

    def __init__(self, database: Database, retention: Retention) -> None:
        self._database = database
        self._retention = retention

    async def traces(
        self, team: TeamId, who: Identity, portals: Sequence[Portal], held: Collection[str]
    ) -> list[Trace]:
        """Return what the store holds of a person; `held` are the queues of portals under hold."""
        found = [Trace(what, await self._count(*where)) for what, where in _rows(team, who).items()]
        counts = {portal: len(await self._messages(portal, who)) for portal in portals}
        kept = sum(count for portal, count in counts.items() if _queue(portal) in held)
        found.append(Trace("messages", sum(counts.values()) - kept))
        found.append(Trace("messages in portals under hold", kept, "until the hold is released"))
        found.append(Trace("reactions", await self._count(*_reactions(team, who))))
        for what, table, stays in (
            ("rows that wait or are parked", "inbox", "until they are through: `causeway parked drop` gives them up"),
            ("messages that are held", "held", "until somebody decides: `causeway held refuse` ends them"),
            ("entries of the audit log", "audit", "the log is a chain, and proves what was done"),
        ):
            column = "subject || ' ' || actor || ' ' || detail" if table == "audit" else "raw"
            tests = [f"{column} LIKE ${n} ESCAPE '!'" for n in range(1, len(who.names) + 1)]
            patterns = [f"%{_escaped(name)}%" for name in who.names]
            found.append(Trace(what, await self._count(table, f"({' OR '.join(tests)})", tuple(patterns)), stays))
        return [one for one in found if one.count]

    async def is_connected(self, team: TeamId, who: Identity) -> bool:
        """Tell whether a person has given the bridge a token of their own."""
        return bool(await self._count("grants", "team = $1 AND user_id = $2", (team, who.user or "")))

    async def forget(
        self, team: TeamId, who: Identity, portals: Sequence[Portal], held: Collection[str], actor: str, reason: str
    ) -> None:
        """Remove a person's traces, messages first; cut off, it is asked for again and goes on with what is left."""
        for portal in portals:
            if _queue(portal) in held:
                continue
            messages = await self._messages(portal, who)
            for start in range(0, len(messages), BATCH):
                some = messages[start : start + BATCH]
                await self._database.commit(*await self._retention.forgetting(portal, some))
        table, where, values = _reactions(team, who)
        removals = [Statement(f"DELETE FROM {table} WHERE {where}", values)]
        for table, where, values in _rows(team, who).values():
            removals.append(Statement(f"DELETE FROM {table} WHERE {where}", values))
        subject = f"{team}/{who.user}" if who.user is not None else str(who.account)
        await self._database.commit(*removals, noted(actor, "forget person", subject, reason))

    async def _messages(self, portal: Portal, who: Identity) -> list[Ts]:
        these = any_of(2, len(who.names))
        rows = await self._database.fetch(
            "SELECT DISTINCT ts FROM links WHERE portal = $1 AND event_id <> '' "
            f"AND (sender IN {these} OR hand IN {these}) ORDER BY ts",
            portal.id,
            *who.names,
        )
        return [Ts(row[0]) for row in rows]

    async def _count(self, table: str, where: str, values: tuple[str, ...]) -> int:
        rows = await self._database.fetch(f"SELECT COUNT(*) FROM {table} WHERE {where}", *values)
        return int(rows[0][0])


Where = tuple[str, str, tuple[str, ...]]


def _rows(team: TeamId, who: Identity) -> dict[str, Where]:
    """Return which rows are a person's own, by what they are."""
    found: dict[str, Where] = {}
    if who.user is not None:
        found |= {what: (*where, (team, who.user)) for what, where in _OF_USER.items()}
    if who.account is not None:
        found |= {what: (*where, (who.account,)) for what, where in _OF_ACCOUNT.items()}
    return found


def _reactions(team: TeamId, who: Identity) -> Where:
    these = any_of(2, len(who.names))
    where = f"portal IN ({_PORTALS}) AND (person IN {these} OR sender IN {these} OR hand IN {these})"
    return "reactions", where, (team, *who.names)


def _queue(portal: Portal) -> str:
    return channel_queue(portal.team, portal.channel)


def _escaped(name: str) -> str:
    return name.replace("!", "!!").replace("%", "!%").replace("_", "!_")
