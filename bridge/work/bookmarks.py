"""Channels' bookmarks are read in turn, a call for each channel in a while: Slack has no event that tells of them.

What differs from what the room shows is admitted to the portal's queue, and decided and shown like all that comes from
Slack. bookmarks.list has a window of its own (50 calls a minute), so this holds up nothing else; ten thousand channels
take three hours and a half for a round.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

import orjson

from bridge.errors import Later, Refused
from bridge.store.ledger import TO_MATRIX, Arrival
from portals.ids import channel_queue
from portals.reading.bookmarks import BOOKMARKS, bookmarks_of, told
from portals.reading.slack import address
from portals.relay.bookmarks import digest_of
from portals.retry import is_installation_trouble

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bridge.slack.installation import Installation
    from bridge.store.bookmarks import BookmarkNotices
    from bridge.store.directory import Directory
    from bridge.store.ledger import Ledger
    from portals.events import Bookmark
    from portals.facts import Portal
    from portals.ids import TeamId

log = logging.getLogger(__name__)

_PAUSE = 60.0
_AT_ONCE = 20


class Bookmarks:
    """Reads the bookmarks of all portals, each once in `every` seconds."""

    def __init__(
        self,
        *,
        every: float,
        directory: Directory,
        notices: BookmarkNotices,
        ledger: Ledger,
        installations: Mapping[TeamId, Installation],
        wake: Callable[[str, str], None],
    ) -> None:
        self._every = every
        self._directory = directory
        self._notices = notices
        self._ledger = ledger
        self._installations = installations
        self._wake = wake
        self._denied: set[TeamId] = set()
        """Where the app may not read bookmarks; kept in memory only, so that the next start asks again."""

    async def run(self) -> None:
        """Go round for ever; not at all where `every` is 0."""
        while self._every:
            more = False
            for team in [team for team in self._installations if team not in self._denied]:
                try:
                    more |= await self._some_of(team)
                except Later as later:
                    log.info("%s: bookmarks are read later: %s", team, later)
                except Refused as refused:
                    if refused.code == "missing_scope":
                        self._denied.add(team)
                    log.warning("%s: bookmarks are not shown: %s", team, refused)
            if not more:
                await asyncio.sleep(min(_PAUSE, self._every))

    async def _some_of(self, team: TeamId) -> bool:
        """Read what is due; returns whether there may be more."""
        due = await self._notices.due(team, _now() - int(self._every * 1000), _AT_ONCE)
        for number in due:
            portal = await self._directory.portal(number)
            if portal is not None:
                await self._read(portal)
        return len(due) == _AT_ONCE

    async def _read(self, portal: Portal) -> None:
        try:
            found = bookmarks_of(await self._installations[portal.team].client.bookmarks(portal.channel))
        except Refused as refused:
            if is_installation_trouble(refused.code):
                raise
            log.info("%s/%s: its bookmarks cannot be read: %s", portal.team, portal.channel, refused)
        else:
            shown = await self._notices.of(portal.id)
            if digest_of(found) != (shown.digest if shown else "") or (shown is not None and not shown.pinned):
                await self._admit(portal, found)
        await self._notices.set_read(portal.id, _now())

    async def _admit(self, portal: Portal, bookmarks: tuple[Bookmark, ...]) -> None:
        """Admit the reading twice: what the first shows, the second pins."""
        event = {"type": BOOKMARKS, "channel": portal.channel, "bookmarks": told(bookmarks)}
        arrivals = []
        for step in (1, 2):
            payload = {"team_id": portal.team, "event": event, "event_id": f"bookmarks:{time.time_ns()}/{step}"}
            place = address(payload, portal.team)
            assert place is not None
            arrivals.append(Arrival(TO_MATRIX, place.queue, place.source_key, orjson.dumps(payload).decode()))
        await self._ledger.admit(arrivals)
        self._wake(TO_MATRIX, channel_queue(portal.team, portal.channel))


def _now() -> int:
    return time.time_ns() // 1_000_000
