"""After a gap in a workspace's stream of events, each portal looks back over Slack's history before it goes on.

A *gap* is a place in the order of all inbox rows: what was admitted before it was heard, what comes after it must wait
until the portal has looked back. What the look back finds is admitted at the gap's place, so that it is walked after
everything older and before everything newer, in one commit with the note that the portal is caught up. Killed before
that, it is done again.

One look back costs one call of conversations.history a page of 200 messages, one of conversations.members, one of
conversations.replies for each thread in which something was said of late; and one of pins.list only where the number
of pins that comes with the history, or a message in it, shows that the pins are not those that are known. What it
re-reads is bounded by the settings; what is new is never bounded. Known messages that lie on the same pages are
compared as well, however old, and threads that begin there are asked for replies that came meanwhile.

Where an import brought the past, no look back goes behind it: what is older would come behind what is newer, and may be
what the import was to leave out.
"""

from __future__ import annotations

import asyncio
import logging
import time
from bisect import bisect_left, bisect_right
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from bridge.errors import Later, Refused, StoreUnavailable
from bridge.store.ledger import TO_MATRIX, Arrival
from bridge.work.channel_history import read_history, went_on
from portals.history.compare import differences, memberships, pinned_in, pins, reopened, roots
from portals.ids import AFTER_ALL, NO_TS, Ts, channel_queue, is_slack_id, next_ts, past_of
from portals.reading.slack import address
from portals.retry import TROUBLED, is_installation_trouble

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from bridge.slack.installation import Installation
    from bridge.store.directory import Directory
    from bridge.store.imports import Imports
    from bridge.store.ledger import Ledger
    from bridge.store.links import Links
    from bridge.work.channel_history import History
    from bridge.work.eyes import Eyes
    from portals.facts import Portal, Workspace
    from portals.history.compare import News
    from portals.ids import TeamId

log = logging.getLogger(__name__)

_AT_ONCE = 4
_LOOK_AGAIN = 5.0
_SNAPSHOTS = 4
"""How often a channel is read, at most, that goes on while its threads are read."""
_CLOCKS = 60.0
"""Seconds by which Slack's clock may be behind ours."""
_DISORDER = 3600.0
"""Seconds by which something that was missed may be older than the newest that was heard."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a look back goes for what may have changed; spans in seconds."""

    span: float
    messages: int
    threads: int
    thread_span: float


class CatchUp:
    """Looks back, and sees to it that every portal does."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        directory: Directory,
        links: Links,
        imports: Imports,
        installations: Mapping[TeamId, Installation],
        eyes: Eyes,
        reach: Reach,
        member_limit: int,
    ) -> None:
        self._ledger = ledger
        self._directory = directory
        self._links = links
        self._imports = imports
        self._installations = installations
        self._eyes = eyes
        self._reach = reach
        self._member_limit = member_limit
        self._gaps: dict[TeamId, list[int]] = {}
        self._news = asyncio.Event()

    async def gap_before(self, portal: Portal) -> int:
        """Return the place of the oldest gap that a portal has not looked back over, 0 when there is none.

        The oldest, because what follows a gap must wait for what is found there; one look back then fills all.
        """
        gaps = await self._known_gaps(portal.team)
        first = bisect_right(gaps, portal.caught_up)
        return gaps[first] if first < len(gaps) else 0

    async def _known_gaps(self, team: TeamId) -> list[int]:
        if team not in self._gaps:
            self._gaps.setdefault(team, await self._directory.gaps(team))  # another one may have asked meanwhile
        return self._gaps[team]

    async def mark(self, team: TeamId, reason: str) -> None:
        """Note that events of a workspace may have been missed up to now; await it before new ones are admitted."""
        gaps = await self._known_gaps(team)
        place = await self._ledger.mark(f"gap:{team}:{time.time_ns()}")
        await self._directory.add_gap(team, place)
        gaps.append(place)
        self._news.set()
        log.info("%s: looking back over history: %s", team, reason)

    async def run(self, wake: Callable[[str, str], None]) -> None:
        """Wake the lanes of portals that are behind, a few at a time; one in which something happens wakes itself."""
        while True:
            self._news.clear()
            behind = [False]
            for team in list(self._installations):
                try:
                    newest = max(await self._known_gaps(team), default=0)
                    portals = await self._directory.portals_behind(team, newest, _AT_ONCE)
                except StoreUnavailable as error:
                    log.warning("the store: %s", error)
                    behind.append(True)
                    continue
                for portal in portals:
                    wake(TO_MATRIX, channel_queue(portal.team, portal.channel))
                behind.append(bool(portals))
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_AGAIN if any(behind) else None):
                    await self._news.wait()

    async def look_back(self, portal: Portal, workspace: Workspace) -> None:
        """Admit what history knows and the ledger does not, in one commit with the note that the gap is filled.

        Raises Later when Slack is busy. A channel that Slack refuses is noted as the portal's trouble, and goes on.
        """
        if portal.team not in self._installations:
            raise Later(f"the workspace {portal.team} is not connected yet", 2.0)
        gap = await self._gap_to_fill(portal)
        number = await self._ledger.mark(f"look:{portal.id}:{time.time_ns()}")
        trouble = ""
        try:
            async with self._eyes.upon(portal.team, portal.channel):
                arrivals = await self._arrivals(portal, workspace, gap, number)
        except Refused as refused:
            if is_installation_trouble(refused.code):
                raise Later(str(refused), TROUBLED) from refused
            log.warning("%s/%s: history cannot be read: %s", portal.team, portal.channel, refused)
            trouble, arrivals = f"its history cannot be read: {refused}", []
        await self._ledger.admit(arrivals, beside=self._directory.caught_up(portal.id, gap, trouble))
        self._directory.forget_portals()
        log.info("%s/%s: looked back: %d news", portal.team, portal.channel, len(arrivals))
        self._news.set()

    async def _gap_to_fill(self, portal: Portal) -> int:
        """Return the newest gap that no row still waiting comes before: one look back fills all up to it."""
        gaps = await self._known_gaps(portal.team)
        waiting = await self._ledger.next_rows(TO_MATRIX, channel_queue(portal.team, portal.channel), 1)
        return gaps[(bisect_left(gaps, waiting[0].place) if waiting else len(gaps)) - 1]

    async def _arrivals(
        self, portal: Portal, workspace: Workspace, gap: int, number: int, tries: int = _SNAPSHOTS
    ) -> list[Arrival]:
        asked = _now()
        newest = await self._links.newest(portal.id) or await self._begun(portal)
        floor = await self._floor(portal)
        start = max(floor, NO_TS if newest is None else _earlier(newest, self._reach.span))
        known = await self._links.between(portal.id, start, AFTER_ALL)
        pinned = await self._links.pins(portal.id)
        history = await read_history(
            (await self._eyes.of(portal.team, portal.channel)).client,
            portal.channel,
            newest=newest,
            start=start,
            oldest=max(floor, self._furthest(newest, start)),
            most=self._reach.messages,
        )
        fetched = history.recent
        asked = max([asked, *(Ts(one["ts"]) for one in fetched[:1])])  # Slack's clock may be ahead of ours
        known += await self._links.of_messages(
            portal.id, {Ts(one["ts"]) for one in fetched} - {link.ts for link in known}
        )
        reactions = await self._links.reactions(portal.id, {link.ts for link in known}, removed=True)
        news = differences(
            fetched,
            known,
            reactions,
            channel=portal.channel,
            workspace=workspace,
            gap=number,
            since=history.since,
            as_of=asked,
        )
        news += await self._older_news(portal, workspace, history, number, asked)
        news += await self._pins(portal, fetched, pinned, history.pin_count, number)
        for thread, wanted in (await self._threads(portal, history, newest, floor)).items():
            news += await self._thread_news(portal, workspace, thread, number, asked, wanted)
        if tries > 1 and await self._is_outrun(portal, history, news):
            return await self._arrivals(portal, workspace, gap, number, tries - 1)
        spoke = {str(one.payload["event"].get("user") or "") for one in news}
        news += await self.members(portal, workspace, number, spoke)
        if portal.archived:
            news = reopened(news, channel=portal.channel, team=portal.team, gap=number)
        queue = channel_queue(portal.team, portal.channel)
        parked = {_live_name(name) for name in await self._ledger.parked_names(TO_MATRIX, queue)}
        found = arrivals_of(news, portal.team, queue, gap)
        return [one for one in found if _live_name(one.source_key) not in parked]

    async def _is_outrun(self, portal: Portal, history: History, news: Iterable[News]) -> bool:
        """Tell whether the channel went on after it was read and before a reply that was found in a thread.

        What was said between comes live, behind all that is found here, and the reply would stand before it.
        """
        top = max((Ts(one["ts"]) for one in (*history.recent[:1], *history.older[:1])), default=history.since)
        said = (one.payload["event"] for one in news)
        if not any("thread_ts" in one and str(one.get("ts")) > top for one in said):
            return False
        return await went_on((await self._eyes.of(portal.team, portal.channel)).client, portal.channel, top)

    async def _begun(self, portal: Portal) -> Ts | None:
        """Return since when a portal in which nothing was said yet has been looked after; None where it is new.

        What was said since is new, however much it is; of a new one's past a bounded part is brought.
        """
        caught_up = await self._ledger.admitted_at(portal.caught_up)
        return Ts(f"{caught_up / 1000 - _CLOCKS:.6f}") if caught_up else None

    def _furthest(self, newest: Ts | None, start: Ts) -> Ts:
        """Return how far back the first messages of threads are looked for that may have been answered meanwhile."""
        if newest is None or not self._reach.threads:
            return start
        return min(start, _earlier(newest, self._reach.thread_span))

    async def _floor(self, portal: Portal) -> Ts:
        """Return how far back a look back goes at most: to the oldest message that an import brought."""
        queues = (channel_queue(portal.team, one) for one in (portal.channel, past_of(portal.channel)))
        span = await self._imports.span_of(*queues)
        if span is None:
            return NO_TS
        since, newest = span
        oldest = await self._links.oldest_shown(portal.id)
        if oldest is not None and oldest <= newest:
            return oldest
        return next_ts(newest) if newest else since

    async def _older_news(
        self, portal: Portal, workspace: Workspace, history: History, gap: int, asked: Ts
    ) -> list[News]:
        """Return what changed of the known messages that lie on the same pages, as many as may be read again."""
        compared = history.older[: max(self._reach.messages - history.reread, 0)]
        if not compared:
            return []
        since = Ts(compared[-1]["ts"])
        known = [one for one in await self._links.between(portal.id, since, history.since) if one.ts < history.since]
        known += await self._links.of_messages(
            portal.id, {Ts(one["ts"]) for one in compared} - {link.ts for link in known}
        )
        shown = {link.ts for link in known}
        reactions = await self._links.reactions(portal.id, shown, removed=True)
        return differences(
            [one for one in compared if one["ts"] in shown],
            known,
            reactions,
            channel=portal.channel,
            workspace=workspace,
            gap=gap,
            since=since,
            as_of=asked,
        )

    async def _pins(
        self, portal: Portal, fetched: list[dict[str, Any]], known: frozenset[Ts], count: int | None, gap: int
    ) -> list[News]:
        """Return changed pins; without the scope for them, none."""
        seen = {Ts(message["ts"]) for message in fetched if pinned_in(message, portal.channel)}
        if portal.is_conversation:
            return []
        if count in (None, len(known)) and seen == known & {Ts(message["ts"]) for message in fetched}:
            return []
        try:
            items = await self._installations[portal.team].client.pins(portal.channel)
        except Refused as refused:
            log.warning("%s/%s: its pins cannot be read: %s", portal.team, portal.channel, refused)
            return []
        return pins(items, known, channel=portal.channel, team=portal.team, gap=gap)

    async def _threads(self, portal: Portal, history: History, newest: Ts | None, floor: Ts) -> dict[Ts, Ts]:
        """Return the threads to ask about, and from when on their replies are wanted.

        They are those that grew, and those in which something was said of late. Of a thread whose first message is not
        mirrored, what was said before the bridge heard of it is no news.
        """
        wanted: dict[Ts, Ts] = {}
        for ts, count, latest in roots(history.recent):
            replies = [link for link in await self._links.of_thread(portal.id, ts) if not link.deleted]
            if len({link.ts for link in replies}) != count or (replies and replies[-1].ts < latest):
                wanted[ts] = floor
        heard = NO_TS if newest is None else _earlier(newest, _DISORDER)
        older = {ts: latest for ts, _, latest in roots(history.older) if latest >= heard}
        since = _earlier(min(newest or AFTER_ALL, _now()), self._reach.thread_span)
        older |= dict.fromkeys(await self._links.recent_threads(portal.id, since, self._reach.threads), AFTER_ALL)
        mirrored = {link.ts for link in await self._links.of_messages(portal.id, older.keys() - wanted.keys())}
        mirrored |= {Ts(one["ts"]) for one in history.recent}
        for ts in sorted(older.keys() - wanted.keys()):
            known = await self._links.of_thread(portal.id, ts)
            if not known or known[-1].ts < older[ts]:
                beginning = known[0].ts if known else heard
                wanted[ts] = floor if ts in mirrored else max(floor, beginning)
        return wanted

    async def _thread_news(
        self, portal: Portal, workspace: Workspace, thread: Ts, gap: int, asked: Ts, floor: Ts
    ) -> list[News]:
        client = (await self._eyes.of(portal.team, portal.channel)).client
        known = await self._links.of_thread(portal.id, thread)
        reactions = await self._links.reactions(portal.id, {link.ts for link in known}, removed=True)
        replies: list[dict[str, Any]] = []
        try:
            async for page in client.replies(portal.channel, thread):
                replies += [
                    one
                    for one in page
                    if isinstance(one, dict) and one.get("ts") != thread and str(one.get("ts")) >= floor
                ]
        except Refused as refused:
            if refused.code != "thread_not_found":
                raise
        return differences(
            replies,
            known,
            reactions,
            channel=portal.channel,
            workspace=workspace,
            gap=gap,
            since=NO_TS,
            as_of=asked,
        )

    async def members(
        self, portal: Portal, workspace: Workspace, number: int, spoke: Collection[str] = ()
    ) -> list[News]:
        """Return who joins and leaves a small channel's room; into that of a large one people come when they speak.

        Whoever `spoke` meanwhile, and has left since, comes into the room to say it, and leaves it again.
        """
        members: set[str] = set(await self._eyes.people(portal)) if portal.is_conversation else set()
        if not members:
            async for page in self._installations[portal.team].client.members(portal.channel):
                members.update(page)
                if len(members) > self._member_limit:
                    return []
        here = await self._directory.authors_in(portal.team, portal.room) if portal.room is not None else set()
        here |= set(filter(is_slack_id, spoke)) - members - {workspace.bot_user}
        members.discard(workspace.bot_user)
        return memberships(members, here, channel=portal.channel, team=portal.team, gap=number)


def arrivals_of(news: Iterable[News], team: TeamId, queue: str, place: int) -> list[Arrival]:
    """Return what admits news into a channel's queue at a place, in the order of their ranks."""
    found = [(one, address(one.payload, team)) for one in news]
    return [
        Arrival(TO_MATRIX, queue, where.source_key, orjson.dumps(one.payload).decode(), place, one.rank)
        for one, where in found
        if where is not None
    ]


def _live_name(source_key: str) -> str:
    """Return the name that a message found by a look back would have had if it had come live."""
    return source_key.partition("/seen:")[0]


def _now() -> Ts:
    return Ts(f"{time.time():.6f}")


def _earlier(ts: Ts, seconds: float) -> Ts:
    return Ts(f"{max(float(ts) - seconds, 0):.6f}")
