"""What is older than a policy lets it be is forgotten: who wrote a message, its event, its files, and reactions to it.

Of each message a tombstone stays, its time stamp in its channel and its thread's, and nothing else: by that no look
back, import or repetition takes it for new, and an answer to it finds that it is gone. What waits or is parked stays
until somebody decides about it. A batch is one commit, and may be repeated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.store.database import Statement, any_of
from portals.ids import Ts

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from bridge.store.database import Database
    from portals.facts import Portal
    from portals.ids import ChannelId, PortalId, TeamId

BATCH = 200

_DUE = "FROM links WHERE portal = $1 AND ts > $2 AND ts < $3 AND event_id <> ''"
PURGE_QUARANTINE = """
DELETE FROM quarantine WHERE team = $1 AND channel = $2 AND id IN
  (SELECT id FROM quarantine WHERE team = $1 AND channel = $2 AND found_at < $3 ORDER BY id LIMIT $4)
RETURNING id
"""


@dataclass(frozen=True, slots=True)
class Purged:
    """What a batch forgot: how many messages, and up to which; `last` is None where nothing is left to forget."""

    messages: int
    last: Ts | None


class Retention:
    """Forgets messages of portals, a bounded number at once."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def due(self, portal: PortalId, before: Ts, spared: Collection[str] = ()) -> int:
        """Return how many messages older than a time are still known; those of people who are `spared` do not count."""
        spare, names = _sparing(4, spared)
        rows = await self._database.fetch(f"SELECT COUNT(DISTINCT ts) {_DUE} {spare}", portal, Ts(""), before, *names)
        return int(rows[0][0])

    async def purge(self, portal: Portal, after: Ts, before: Ts, spared: Collection[str] = ()) -> Purged:
        """Forget the oldest messages between two times, at most BATCH, but those of people who are `spared`."""
        spare, names = _sparing(5, spared)
        rows = await self._database.fetch(
            f"SELECT DISTINCT ts {_DUE} {spare} ORDER BY ts LIMIT $4", portal.id, after, before, BATCH, *names
        )
        messages = [Ts(row[0]) for row in rows]
        if not messages:
            return Purged(0, None)
        await self._database.commit(*await self.forgetting(portal, messages))
        return Purged(len(messages), messages[-1])

    async def forgetting(self, portal: Portal, messages: Sequence[Ts]) -> list[Statement]:
        """Return what makes tombstones of messages, at most BATCH, and forgets what hung on them."""
        these = any_of(2, len(messages))
        files = await self._only_here(portal, messages)
        return [
            *_without(portal.team, files),
            Statement(f"DELETE FROM reactions WHERE portal = $1 AND ts IN {these}", (portal.id, *messages)),
            Statement(
                f"INSERT INTO links (portal, ts, part, event_id, origin, sender, thread_ts, deleted) "
                f"SELECT portal, ts, '', '', MIN(origin), '', MIN(thread_ts), 1 FROM links "
                f"WHERE portal = $1 AND ts IN {these} GROUP BY portal, ts ON CONFLICT (portal, ts, part) DO NOTHING",
                (portal.id, *messages),
            ),
            Statement(f"DELETE FROM links WHERE portal = $1 AND ts IN {these} AND part <> ''", (portal.id, *messages)),
            Statement(
                "UPDATE links SET event_id = '', sender = '', hand = '', digest = '', version = '', deleted = 1 "
                f"WHERE portal = $1 AND ts IN {these}",
                (portal.id, *messages),
            ),
        ]

    async def _only_here(self, portal: Portal, messages: Sequence[Ts]) -> list[str]:
        """Return the files that these messages show and no other message does."""
        these = any_of(2, len(messages))
        shown = await self._database.fetch(
            f"SELECT DISTINCT part FROM links WHERE portal = $1 AND ts IN {these} AND part LIKE 'F%'",
            portal.id,
            *messages,
        )
        files = {str(row[0]) for row in shown}
        if files:
            ts, parts = any_of(2, len(messages)), any_of(2 + len(messages), len(files))
            kept = await self._database.fetch(
                f"SELECT DISTINCT part FROM links WHERE part IN {parts} AND part <> '' AND event_id <> '' "
                f"AND NOT (portal = $1 AND ts IN {ts})",
                portal.id,
                *messages,
                *files,
            )
            files -= {str(row[0]) for row in kept}
        return sorted(files)

    async def purge_quarantine(self, team: TeamId, channel: ChannelId, before_ms: int) -> int:
        """Forget a channel's oldest records that were put into quarantine before a time; returns how many."""
        results = await self._database.commit(Statement(PURGE_QUARANTINE, (team, channel, before_ms, BATCH)))
        return len(results[0])


def _sparing(first: int, names: Collection[str]) -> tuple[str, list[str]]:
    """Return what leaves the messages of people out, by all their names."""
    if not names:
        return "", []
    these = any_of(first, len(names))
    return f"AND sender NOT IN {these} AND hand NOT IN {these}", sorted(names)


def _without(team: TeamId, files: Sequence[str]) -> list[Statement]:
    """Return what forgets files: their names and addresses, and the keys of their encrypted copies."""
    if not files:
        return []
    which = f"team = $1 AND id IN {any_of(2, len(files))} AND state <> 'waiting'"
    return [
        Statement(f"DELETE FROM file_keys WHERE mxc IN (SELECT mxc FROM files WHERE {which})", (team, *files)),
        Statement(f"DELETE FROM files WHERE {which}", (team, *files)),
    ]
