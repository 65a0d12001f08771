"""Links: which Slack message is which Matrix event, and who reacted to it. The part of the ledger that facts read.

`record` turns what an action says of itself into the statements that keep it, once its result is known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.store.audit import noted
from bridge.store.bookmarks import shown
from bridge.store.cutovers import MOVED_AT, told
from bridge.store.database import Statement, any_of
from bridge.store.held import ending, holding
from bridge.store.held import shown as shown_to_moderators
from portals.actions import (
    Record,
    RecordBookmarks,
    RecordChannel,
    RecordDeletion,
    RecordEdit,
    RecordLink,
    RecordPin,
    RecordReaction,
    RecordTold,
    RecordTrouble,
    RecordUnreaction,
    RecordWithheld,
)
from portals.crossing.records import RecordHeld, RecordHeldEnd, RecordNotice
from portals.facts import Link, Origin, ReactionLink
from portals.ids import ChannelId, EventId, MatrixUserId, PortalId, SlackUserId, Ts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bridge.store.database import Database, Row
    from portals.ids import TeamId

ADD_LINK = """
INSERT INTO links (portal, ts, part, event_id, origin, sender, thread_ts, digest, version, hand)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (portal, ts, part) DO NOTHING
"""
ADD_TOMBSTONE = """
INSERT INTO links (portal, ts, part, event_id, origin, sender, deleted)
SELECT $1, $2, '', '', 'slack', '', 1 WHERE NOT EXISTS (SELECT 1 FROM links WHERE portal = $1 AND ts = $2)
ON CONFLICT (portal, ts, part) DO NOTHING
"""
ADD_WITHHELD = """
INSERT INTO links (portal, ts, part, event_id, origin, sender, deleted) VALUES ($1, $2, $3, '', 'slack', '', 1)
ON CONFLICT (portal, ts, part) DO NOTHING
"""
DELETE_MESSAGE = "UPDATE links SET deleted = 1 WHERE portal = $1 AND ts = $2"
DELETE_PART = "UPDATE links SET deleted = 1 WHERE portal = $1 AND ts = $2 AND part = $3"
EDIT_MESSAGE = "UPDATE links SET digest = $3, version = $4, shown = $5 WHERE portal = $1 AND ts = $2"
ADD_SHOWN = "UPDATE links SET shown = shown || ' ' || $3 WHERE portal = $1 AND ts = $2"
ADD_REACTION = """
INSERT INTO reactions (portal, ts, emoji, person, event_id, origin, as_of, sender, hand)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (portal, ts, emoji, person)
DO UPDATE SET event_id = excluded.event_id, origin = excluded.origin, as_of = excluded.as_of,
  sender = excluded.sender, hand = excluded.hand, removed = 0
"""
REMOVE_REACTION = """
INSERT INTO reactions (portal, ts, emoji, person, event_id, origin, as_of, removed)
VALUES ($1, $2, $3, $4, '', 'slack', $5, 1)
ON CONFLICT (portal, ts, emoji, person) DO UPDATE SET event_id = '', as_of = excluded.as_of, removed = 1
"""
"""It is kept as removed, so that no older source brings it back."""
SHOWING = """
SELECT portals.channel, links.ts FROM links JOIN portals ON portals.id = links.portal
WHERE links.part = $2 AND links.part <> '' AND links.deleted = 0 AND portals.team = $1
ORDER BY portals.channel, links.ts
"""
SET_CHANNEL = """
UPDATE portals SET name = COALESCE($2, name), topic = COALESCE($3, topic), purpose = COALESCE($4, purpose),
  archived = COALESCE($5, archived), private = COALESCE($6, private)
WHERE id = $1
"""
ADD_PIN = "INSERT INTO pins (portal, ts) VALUES ($1, $2) ON CONFLICT (portal, ts) DO NOTHING"
REMOVE_PIN = "DELETE FROM pins WHERE portal = $1 AND ts = $2"
ADD_TROUBLE = "UPDATE portals SET trouble = $2 WHERE id = $1"
END_TROUBLE = "UPDATE portals SET trouble = '', caught_up = 0 WHERE id = $1"

_LINK = (
    "SELECT ts, part, event_id, origin, sender, thread_ts, digest, version, deleted, hand, shown FROM links "
    "WHERE portal = $1 AND"
)
_REACTION = (
    "SELECT ts, emoji, person, event_id, origin, as_of, removed, sender, hand FROM reactions WHERE portal = $1 AND"
)
_AS_SENT = "ts, LENGTH(part), part"
"""The pieces of the text by their numbers, then its copy in the channel, then the files."""
_MOST = 400


class Links:
    """The links and reactions of all portals."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_messages(self, portal: PortalId, messages: Iterable[Ts]) -> list[Link]:
        """Return the links of these Slack messages, oldest first."""
        return await self._links(portal, "ts", list(messages))

    async def of_events(self, portal: PortalId, events: Iterable[EventId]) -> list[Link]:
        """Return the links of these Matrix events, oldest first."""
        return await self._links(portal, "event_id", list(events))

    async def _links(self, portal: PortalId, column: str, values: Sequence[str]) -> list[Link]:
        found: list[Link] = []
        for start in range(0, len(values), _MOST):
            some = values[start : start + _MOST]
            rows = await self._database.fetch(
                f"{_LINK} {column} IN {any_of(2, len(some))} ORDER BY {_AS_SENT}", portal, *some
            )
            found.extend(map(_link, rows))
        return found

    async def between(self, portal: PortalId, oldest: Ts, newest: Ts, *, replies: bool = False) -> list[Link]:
        """Return the links of all messages of the time line in this span, both included; threads' `replies` too."""
        line = "" if replies else "AND thread_ts IS NULL"
        rows = await self._database.fetch(
            f"{_LINK} ts >= $2 AND ts <= $3 {line} ORDER BY {_AS_SENT}", portal, oldest, newest
        )
        return [_link(row) for row in rows]

    async def of_thread(self, portal: PortalId, thread: Ts) -> list[Link]:
        """Return the links of a thread's replies, oldest first."""
        rows = await self._database.fetch(f"{_LINK} thread_ts = $2 ORDER BY {_AS_SENT}", portal, thread)
        return [_link(row) for row in rows]

    async def thread_ends(self, portal: PortalId, thread: Ts) -> tuple[EventId, EventId] | None:
        """Return the first and the newest event that show replies of a thread, or None when none does."""
        ends = []
        for order in ("ASC", "DESC"):
            rows = await self._database.fetch(
                "SELECT event_id FROM links WHERE portal = $1 AND thread_ts = $2 AND deleted = 0 AND event_id <> '' "
                f"AND part NOT LIKE 'channel%' ORDER BY ts {order}, LENGTH(part) {order}, part {order} LIMIT 1",
                portal,
                thread,
            )
            if not rows:
                return None
            ends.append(EventId(rows[0][0]))
        return ends[0], ends[1]

    async def recent_threads(self, portal: PortalId, since: Ts, limit: int) -> list[Ts]:
        """Return the threads in which something was said since, the newest first."""
        rows = await self._database.fetch(
            "SELECT thread_ts, MAX(ts) FROM links WHERE portal = $1 AND thread_ts IS NOT NULL AND ts >= $2 "
            "GROUP BY thread_ts ORDER BY MAX(ts) DESC LIMIT $3",
            portal,
            since,
            limit,
        )
        return [Ts(row[0]) for row in rows]

    async def newest(self, portal: PortalId) -> Ts | None:
        """Return the newest message of the time line that came from Slack.

        What we posted ourselves tells nothing of what Slack said before it: that may be missing still.
        """
        rows = await self._database.fetch(
            "SELECT ts FROM links WHERE portal = $1 AND thread_ts IS NULL AND origin = 'slack' "
            "ORDER BY ts DESC LIMIT 1",
            portal,
        )
        return Ts(rows[0][0]) if rows else None

    async def oldest(self, portal: PortalId) -> Ts | None:
        """Return the oldest message that is mirrored, from whichever side it came."""
        rows = await self._database.fetch("SELECT MIN(ts) FROM links WHERE portal = $1", portal)
        return Ts(rows[0][0]) if rows and rows[0][0] else None

    async def oldest_shown(self, portal: PortalId) -> Ts | None:
        """Return the oldest message from Slack that was shown, be it deleted by now."""
        rows = await self._database.fetch(
            "SELECT ts FROM links WHERE portal = $1 AND origin = 'slack' AND event_id <> '' ORDER BY ts LIMIT 1", portal
        )
        return Ts(rows[0][0]) if rows else None

    async def showing(self, team: TeamId, part: str) -> list[tuple[ChannelId, Ts]]:
        """Return the messages of a workspace that show this file, each with the channel of its portal."""
        return [(ChannelId(row[0]), Ts(row[1])) for row in await self._database.fetch(SHOWING, team, part)]

    async def moved_at(self, portal: PortalId, person: str) -> Ts | None:
        """Return when a channel moved to Matrix; None for a person who was told so, and where it has not moved."""
        rows = await self._database.fetch(MOVED_AT, portal, person)
        return Ts(f"{int(rows[0][0]) / 1000:.6f}") if rows else None

    async def pins(self, portal: PortalId) -> frozenset[Ts]:
        """Return the messages that are pinned in Slack."""
        rows = await self._database.fetch("SELECT ts FROM pins WHERE portal = $1", portal)
        return frozenset(Ts(row[0]) for row in rows)

    async def reactions(
        self, portal: PortalId, messages: Iterable[Ts], events: Iterable[EventId] = (), *, removed: bool = False
    ) -> list[ReactionLink]:
        """Return the reactions on these messages, and those that are one of these events; `removed` ones too."""
        found: dict[tuple[str, str, str], ReactionLink] = {}
        for column, values in (("ts", list(messages)), ("event_id", list(events))):
            for start in range(0, len(values), _MOST):
                some = values[start : start + _MOST]
                rows = await self._database.fetch(f"{_REACTION} {column} IN {any_of(2, len(some))}", portal, *some)
                for ts, emoji, person, event_id, origin, as_of, is_removed, sender, hand in rows:
                    if removed or not is_removed:
                        found[ts, emoji, person] = ReactionLink(
                            ts=Ts(ts),
                            emoji=emoji,
                            person=person,
                            event_id=EventId(event_id),
                            origin=Origin(origin),
                            as_of=Ts(as_of),
                            removed=bool(is_removed),
                            sender=MatrixUserId(sender) if sender else None,
                            hand=SlackUserId(hand) if hand else None,
                        )
        return list(found.values())


def _link(row: Row) -> Link:
    ts, part, event_id, origin, sender, thread_ts, digest, version, deleted, hand, shown = row
    return Link(
        ts=Ts(ts),
        part=part,
        event_id=EventId(event_id),
        origin=Origin(origin),
        sender=MatrixUserId(sender),
        thread_ts=Ts(thread_ts) if thread_ts else None,
        digest=digest,
        version=Ts(version),
        deleted=bool(deleted),
        hand=SlackUserId(hand) if hand else None,
        shown=frozenset(shown.split()),
    )


def record(portal: PortalId, what: Record | None, result: str) -> tuple[Statement, ...]:
    """Return the statements that keep a record; `result` is the event id or ts that the action yielded."""
    match what:
        case None:
            return ()
        case RecordLink():
            values = (what.ts or result, what.part, what.event_id or result, what.origin, what.sender)
            return (Statement(ADD_LINK, (portal, *values, what.thread_ts, what.digest, what.version, what.hand)),)
        case RecordReaction():
            event_id = what.event_id or result
            reaction = (what.ts, what.emoji, what.person, event_id, what.origin, what.as_of, what.sender, what.hand)
            return (Statement(ADD_REACTION, (portal, *reaction)),)
        case RecordEdit(shown=None):
            return (Statement(ADD_SHOWN, (portal, what.ts, result)),) if result else ()
        case RecordEdit():
            return (Statement(EDIT_MESSAGE, (portal, what.ts, what.digest, what.version, what.shown)),)
        case RecordDeletion(part=None):
            return (
                Statement(DELETE_MESSAGE, (portal, what.ts)),
                Statement(ADD_TOMBSTONE, (portal, what.ts)),
            )
        case RecordDeletion():
            return (Statement(DELETE_PART, (portal, what.ts, what.part)),)
        case RecordUnreaction():
            return (Statement(REMOVE_REACTION, (portal, what.ts, what.emoji, what.person, what.as_of)),)
        case RecordChannel():
            flags = (_flag(what.archived), _flag(what.private))
            return (Statement(SET_CHANNEL, (portal, what.name, what.topic, what.purpose, *flags)),)
        case RecordPin():
            return (Statement(ADD_PIN if what.pinned else REMOVE_PIN, (portal, what.ts)),)
        case RecordBookmarks():
            return (shown(portal, what, result),)
        case RecordTold():
            return (told(portal, what.person),)
        case RecordWithheld():
            audited = noted("policy", "withheld", what.subject, what.rule)
            return (audited, Statement(ADD_WITHHELD, (portal, what.ts, what.part))) if what.ts else (audited,)
        case RecordHeld():
            return holding(portal, what)
        case RecordHeldEnd():
            return ending(portal, what)
        case RecordNotice():
            return shown_to_moderators(portal, what, result)
        case RecordTrouble(trouble=""):
            return (Statement(END_TROUBLE, (portal,)),)
        case RecordTrouble():
            return (Statement(ADD_TROUBLE, (portal, what.trouble)),)


def _flag(value: bool | None) -> int | None:
    return None if value is None else int(value)
