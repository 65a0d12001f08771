"""What Slack tells out of its turn: events that it repeats, and events that overtook the message that they are about.

Slack sends an event again that nobody acknowledged, up to five minutes later: after what happened since. One that is
known by its name is admitted only once. Of any other, the bridge does not believe what it says but asks Slack for the
present state of what it is about (one call), and admits what differs from the ledger in the place of the repetition;
a person's profile is asked for by the conductor, for it is no portal's.

Slack promises no order either. A reaction, a reply or an edit may come before its message: a young message that an
event refers to and nobody heard of is looked up and admitted in front of that event.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from bridge.errors import Refused
from bridge.work.catch_up import arrivals_of
from portals.history.compare import News, differences
from portals.ids import NO_TS, ChannelId, TeamId, Ts, is_ts
from portals.reading.repeats import subject

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bridge.store.ledger import InboxRow, Ledger
    from bridge.store.links import Links
    from bridge.work.catch_up import CatchUp
    from bridge.work.eyes import Eyes
    from bridge.work.roster import Roster
    from portals.events import Json
    from portals.facts import Portal, Workspace

_YOUNG = 300
"""Seconds after which a message that nobody heard of is from before the bridge, and not on its way."""
_GONE = frozenset({"thread_not_found", "message_not_found"})


class Repeats:
    """Replaces repetitions by what Slack says now."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        links: Links,
        roster: Roster,
        catch_up: CatchUp,
        eyes: Eyes,
    ) -> None:
        self._ledger = ledger
        self._links = links
        self._roster = roster
        self._catch_up = catch_up
        self._eyes = eyes

    async def replace(self, row: InboxRow, payload: Json, portal: Portal, workspace: Workspace) -> bool:
        """Settle a repetition in favour of what Slack says now; false for one that has to be taken as it is."""
        about = subject(payload)
        if about is None:
            return False
        number = await self._ledger.mark(f"repeat:{row.seq}:{time.time_ns()}")
        if about.kind == "message":
            news = await self._of_message(portal, workspace, about.ts, about.thread_ts, number)
        elif portal.is_conversation:
            return False
        elif about.kind == "members":
            news = await self._catch_up.members(portal, workspace, number)
        else:
            changes = await self._roster.look_again(portal)
            news = [
                News(f"{n:03}", {"team_id": portal.team, "event": event, "event_id": f"channel:{row.seq}/{n}"})
                for n, event in enumerate(changes)
            ]
        arrivals = arrivals_of(news, portal.team, row.queue, row.place)
        if any(one.source_key == row.source_key for one in arrivals):
            return False  # Slack says just what the repetition says
        settled = self._ledger.settling(row, "repeated: Slack was asked instead")
        await self._ledger.admit(arrivals, beside=settled)
        return True

    async def fetch_overtaken(
        self, row: InboxRow, targets: Iterable[str], portal: Portal, workspace: Workspace
    ) -> bool:
        """Admit, in front of a row, the young messages that it refers to and nobody heard of; tells whether any was.

        Each is asked about once: it is known afterwards by the name that it is admitted under.
        """
        news: list[News] = []
        for target in targets:
            if not is_ts(target) or time.time() - float(target) > _YOUNG:
                continue
            live = f"slack:{row.queue}/{target}"
            if not await self._ledger.knows(live, f"{live}/seen:{row.seq}"):
                news += await self._of_message(portal, workspace, Ts(target), NO_TS, row.seq)
        arrivals = arrivals_of(news, portal.team, row.queue, row.place - 1)
        if arrivals:
            await self._ledger.admit(arrivals)
        return bool(arrivals)

    async def _of_message(self, portal: Portal, workspace: Workspace, ts: Ts, thread: Ts, number: int) -> list[News]:
        asked = Ts(f"{time.time():.6f}")
        known = await self._links.of_messages(portal.id, [ts])
        reactions = await self._links.reactions(portal.id, [ts], removed=True)
        thread = thread or next((link.thread_ts for link in known if link.thread_ts), NO_TS)
        async with self._eyes.upon(portal.team, portal.channel):
            found = await self._ask(portal.team, portal.channel, ts, thread)
        return differences(
            found,
            known,
            reactions,
            channel=portal.channel,
            workspace=workspace,
            gap=number,
            since=ts,
            as_of=asked,
        )

    async def _ask(self, team: TeamId, channel: ChannelId, ts: Ts, thread: Ts) -> list[dict[str, Any]]:
        """Return the message as it stands; nothing where Slack has none of this time.

        Without its thread, a reply is in no history; asked for by its own ts, Slack tells it alone.
        """
        client = (await self._eyes.of(team, channel)).client
        ways = (
            [client.replies(channel, thread, ts)]
            if thread
            else [client.history(channel, ts, ts), client.replies(channel, ts, ts)]
        )
        for pages in ways:
            try:
                async for page in pages:
                    found = [one for one in page if isinstance(one, dict) and one.get("ts") == ts]
                    if found:
                        return found
            except Refused as refused:
                if refused.code not in _GONE:
                    raise
        return []
