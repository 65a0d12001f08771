"""What people wrote in Matrix is in Slack, once: the other half of the proof, for a channel that is mirrored.

    room ──▶ what people wrote (id, time) ─┐
    store ─▶ which post shows which event ─┼──▶ missing, unread, deleted on one side alone, twice
    Slack ─▶ the bridge's posts, stamps ───┘

The store is believed in nothing but which post belongs to which event; both are looked for on their own side. What has
no post is explained by what the store keeps of it: it was refused and is parked, it waits, or it is nothing that
crosses. Where the store has forgotten (after a week), nothing explains it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bridge.store.database import any_of
from portals.history.evidence import Difference
from portals.history.shown import WRITTEN, Room, Stray, tells
from portals.ids import EventId, Ts
from portals.reading.values import mapping, text_of, ts_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bridge.matrix.client import MatrixClient
    from bridge.proof.source import Source
    from bridge.store.database import Database
    from bridge.store.links import Links
    from portals.facts import Link, Portal
    from portals.history.export import ExportedChannel
    from portals.history.selection import Selection

_PAGE = 500
_UNDER_WAY = 2
_OUTCOMES = "SELECT source_key, state, reason FROM inbox WHERE source_key IN "


@dataclass(slots=True)
class Crossed:
    """What came out for what people wrote in Matrix."""

    written: int = 0
    present: int = 0
    explained: Counter[str] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)


class Crossing:
    """Compares the room of one portal with what Slack has of it."""

    def __init__(self, database: Database, links: Links, portal: Portal, room: Room, selection: Selection) -> None:
        self._database = database
        self._links = links
        self._portal = portal
        self._room = room
        self._selection = selection

    async def compared(self, matrix: MatrixClient, posts: Posts) -> Crossed:
        """Read the room and compare; raises Refused where the bot may not read it, Later where it is away."""
        found = Crossed()
        for key in sorted(posts.twice):
            found.differences.append(Difference("messages", "twice in Slack", posts.twice[key], found=key))
        start: str | None = None
        while True:
            assert self._portal.room is not None
            page = await matrix.messages(self._portal.room, start=start, direction="f", limit=_PAGE)
            strays = [tells(await matrix.readable(event), 0, self._room) for event in page.events]
            written = [one for one in strays if isinstance(one, Stray) and one.what == WRITTEN and self._is_meant(one)]
            await self._compare(written, posts, found)
            start = page.end
            if start is None or not page.events:
                return found

    def _is_meant(self, one: Stray) -> bool:
        return self._selection.selects(f"{one.time // 1000:010d}.{one.time % 1000:03d}000")

    async def _compare(self, written: Sequence[Stray], posts: Posts, found: Crossed) -> None:
        found.written += len(written)
        if not written:
            return
        ids = [EventId(one.event_id) for one in written]
        links: dict[str, list[Link]] = {}
        for link in await self._links.of_events(self._portal.id, ids):
            links.setdefault(link.event_id, []).append(link)
        missing = [one for one in written if one.event_id not in links]
        reasons = await self._reasons(missing)
        for one in written:
            if one.event_id in links:
                self._linked(one, links[one.event_id], posts, found)
            elif (reason := reasons.get(one.event_id)) is not None:
                found.explained[reason] += 1
            else:
                found.differences.append(_difference(one, "missing in Slack"))

    def _linked(self, one: Stray, links: Iterable[Link], posts: Posts, found: Crossed) -> None:
        alive = [link for link in links if not link.deleted]
        if not alive:
            found.differences.append(_difference(one, "deleted in Slack alone"))
        elif not all(self._selection.selects(link.ts) for link in alive):
            found.explained["it was posted outside the period"] += 1
        elif any(link.ts not in posts.all for link in alive):
            found.differences.append(_difference(one, "missing in Slack", alive[0].ts))
        else:
            found.present += 1

    async def _reasons(self, missing: Sequence[Stray]) -> dict[str, str]:
        names = [f"matrix:{one.event_id}" for one in missing]
        if not names:
            return {}
        rows = await self._database.fetch(_OUTCOMES + any_of(1, len(names)), *names)
        return {
            str(name).removeprefix("matrix:"): str(reason) if state >= _UNDER_WAY else "it waits for its turn"
            for name, state, reason in rows
            if state < _UNDER_WAY or reason
        }


class Posts:
    """What Slack has of a channel: every message's ts, and where the bridge posted the same twice."""

    def __init__(self, source: Source, channel: ExportedChannel) -> None:
        """Read the source; it blocks."""
        self.all: set[Ts] = set()
        self.twice: dict[str, Ts] = {}
        """By the name of an action, the second post that bears it."""
        stamps: dict[str, Ts] = {}
        for _, record in source.records(channel):
            ts = ts_of(record.get("ts"))
            self.all.add(ts)
            key = text_of(mapping(mapping(record.get("metadata")).get("event_payload")).get("key"))
            if key and stamps.setdefault(key, ts) != ts:
                self.twice[key] = ts


def _difference(one: Stray, what: str, ts: str = "") -> Difference:
    return Difference("messages", what, ts, event_id=one.event_id, expected=f"{one.sender}: {one.words}")
