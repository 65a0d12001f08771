"""Channels that are given another id keep their portal, however that comes to be known.

    channel_id_changed ──▶ follow ──▶ store: portal, rows and holds under the new id
    a channel nobody knows ──▶ is_known_otherwise: called as a portal is, whose own id Slack knows no more,
                               and with messages that this portal mirrors ──▶ follow
    a row under a former id ──▶ now ──▶ requeued
    Slack knows a channel no more ──▶ look_for ──▶ follow

Whatever is said under the new id may come before the word that it is one; the second to tell of it changes nothing.
A name proves nothing: the one of a deleted channel may be given to another, whose members must not meet in its room.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from bridge.errors import Refused
from bridge.store.ledger import TO_MATRIX
from portals.facts import PortalState
from portals.ids import ChannelId, channel_queue, is_slack_id

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bridge.slack.installation import Installation
    from bridge.store.channel_ids import ChannelIds
    from bridge.store.directory import Directory
    from portals.ids import TeamId
    from portals.policy import SeenChannel

log = logging.getLogger(__name__)

_EVIDENCE = 50
"""So many of the newest messages are looked for under a new id: some may have been deleted unheard."""
_IN_VAIN = 300.0
"""Seconds for which nobody looks again for a channel that was not found under another id: all are listed for that."""


class Renumbering:
    """Follows channels to their new ids."""

    def __init__(
        self,
        ids: ChannelIds,
        directory: Directory,
        installations: Mapping[TeamId, Installation],
        wake: Callable[[str, str], None],
    ) -> None:
        self._ids = ids
        self._directory = directory
        self._installations = installations
        self._wake = wake
        self._turn = asyncio.Lock()
        self._former: dict[tuple[TeamId, ChannelId], ChannelId] | None = None
        self._in_vain: dict[tuple[TeamId, ChannelId], float] = {}

    async def now(self, team: TeamId, channel: ChannelId) -> ChannelId | None:
        """Return the id that a channel has now, having its rows wait there; None for one whose id never changed."""
        if self._former is None:
            self._former = await self._ids.former()
        now = self._former.get((team, channel))
        if now is not None:
            await self._ids.requeue(team, channel, now)
            self._wake(TO_MATRIX, channel_queue(team, now))
        return now

    async def follow(self, team: TeamId, old: ChannelId, new: ChannelId) -> None:
        """Have a portal go on under the new id of its channel."""
        async with self._turn:
            await self._follow(team, old, new)

    async def _follow(self, team: TeamId, old: ChannelId, new: ChannelId) -> None:
        portal = await self._directory.portal_of_channel(team, old)
        if portal is None or portal.state is PortalState.REMOVED:
            return
        other = await self._directory.portal_of_channel(team, new)
        if other is not None and other.room is not None:
            log.error(
                "%s/%s: #%s has the id %s now, for which there is a room already: remove one of the two portals",
                *(team, old, portal.name, new),
            )
            return
        await self._ids.move(team, old, new)
        self._former = None
        self._directory.forget_portals()
        self._wake(TO_MATRIX, channel_queue(team, new))
        log.warning(
            "%s/%s: #%s has the id %s now: change it where the configuration names it", team, old, portal.name, new
        )

    async def look_for(self, team: TeamId, old: ChannelId) -> ChannelId | None:
        """Return the id that a channel has now that Slack knows no more, by its name where nobody has told it yet."""
        portal = await self._directory.portal_of_channel(team, old)
        searched = False
        if await self.now(team, old) is None and portal is not None and await self._is_worth_it(team, old):
            searched = True
            new = await self._namesake(team, old, portal.name)
            if new is not None:
                await self.follow(team, old, new)
        now = await self.now(team, old)  # somebody else may have found it meanwhile
        if now is None and searched:
            self._in_vain[team, old] = time.monotonic() + _IN_VAIN
        return now

    async def _is_worth_it(self, team: TeamId, old: ChannelId) -> bool:
        """Tell whether there is evidence to look for, and it was not just looked for in vain."""
        is_new = self._in_vain.get((team, old), 0.0) <= time.monotonic()
        return is_new and bool(await self._ids.newest(team, old, 1))

    async def _namesake(self, team: TeamId, old: ChannelId, name: str) -> ChannelId | None:
        """Return the channel of this name, where it has messages that the portal of the old one mirrors."""
        async for page in self._installations[team].client.channels():
            for found in page:
                if isinstance(found, dict) and found.get("name") == name and is_slack_id(str(found.get("id"))):
                    new = ChannelId(found["id"])
                    return new if new != old and await self._has_messages_of(team, old, new) else None
        return None

    async def is_known_otherwise(self, team: TeamId, channel: SeenChannel) -> bool:
        """Tell whether an unknown channel is one that has a portal under a former id, which it then follows."""
        old = await self._ids.namesake(team, channel.name, channel.id)
        if old is None:
            return False
        try:
            found = await self._installations[team].client.channel(old)
        except Refused as refused:
            if refused.code != "channel_not_found":
                raise
        else:
            if found.get("id") != channel.id:
                return False
        if not await self._has_messages_of(team, old, channel.id):
            return False
        await self.follow(team, old, channel.id)
        return True

    async def _has_messages_of(self, team: TeamId, old: ChannelId, new: ChannelId) -> bool:
        """Tell whether messages that were mirrored under one id stand in Slack under another one."""
        known = await self._ids.newest(team, old, _EVIDENCE)
        if not known:
            return False
        client = self._installations[team].client
        try:
            behind = f"{int(known[0].partition('.')[0]) + 1}.000000"
            page = await client.history_page(new, latest=behind, limit=_EVIDENCE)
        except Refused:
            return False
        messages = page.get("messages")
        found = {one.get("ts") for one in messages if isinstance(one, dict)} if isinstance(messages, list) else set()
        return not found.isdisjoint(known)
