"""What Slack repeats is a hint, not a fact.

Slack sends an event again that nobody acknowledged, up to five minutes later: after what happened since. One that is
known by its name is admitted only once. Of any other, the bridge does not believe what it says but asks Slack for the
present state of what it is about (one call), and admits what differs from the ledger in the place of the repetition.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import orjson

from bridge.errors import Refused
from bridge.store.ledger import TO_MATRIX, Arrival
from portals.history.compare import differences
from portals.ids import NO_TS, ChannelId, Ts
from portals.reading.repeats import subject
from portals.reading.slack import address

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.slack.installation import Installation
    from bridge.store.ledger import InboxRow, Ledger
    from bridge.store.links import Links
    from bridge.work.catch_up import CatchUp
    from bridge.work.roster import Roster
    from portals.events import Json
    from portals.facts import Portal, Workspace
    from portals.history.compare import News
    from portals.ids import TeamId

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
        installations: Mapping[TeamId, Installation],
    ) -> None:
        self._ledger = ledger
        self._links = links
        self._roster = roster
        self._catch_up = catch_up
        self._installations = installations

    async def replace(self, row: InboxRow, payload: Json, portal: Portal, workspace: Workspace) -> bool:
        """Settle a repetition in favour of what Slack says now; false for one that has to be taken as it is."""
        about = subject(payload)
        if about is None:
            return False
        number = await self._ledger.mark(f"repeat:{row.seq}:{time.time_ns()}")
        if about.kind == "message":
            news = await self._of_message(portal, workspace, about.ts, about.thread_ts, number)
        elif about.kind == "members":
            news = await self._catch_up.members(portal, workspace, number)
        else:
            await self._roster.look_again(portal)
            news = []
        arrivals = []
        for one in news:
            where = address(one.payload, portal.team)
            if where is not None:
                raw = orjson.dumps(one.payload).decode()
                arrivals.append(Arrival(TO_MATRIX, row.queue, where.source_key, raw, row.place, one.rank))
        settled = self._ledger.settling(row, "repeated: Slack was asked instead")
        await self._ledger.admit(arrivals, beside=settled)
        return True

    async def _of_message(self, portal: Portal, workspace: Workspace, ts: Ts, thread: Ts, number: int) -> list[News]:
        known = await self._links.of_messages(portal.id, [ts])
        reactions = await self._links.reactions(portal.id, [ts])
        thread = thread or next((link.thread_ts for link in known if link.thread_ts), NO_TS)
        found = await self._ask(portal.team, portal.channel, ts, thread)
        return differences(found, known, reactions, channel=portal.channel, workspace=workspace, gap=number, since=ts)

    async def _ask(self, team: TeamId, channel: ChannelId, ts: Ts, thread: Ts) -> list[dict[str, Any]]:
        """Return the message as it stands; nothing where Slack has none of this time."""
        client = self._installations[team].client
        pages = client.replies(channel, thread, ts) if thread else client.history(channel, ts, ts)
        try:
            async for page in pages:
                found = [one for one in page if isinstance(one, dict) and one.get("ts") == ts]
                if found:
                    return found
        except Refused as refused:
            if refused.code not in _GONE:
                raise
        return []
