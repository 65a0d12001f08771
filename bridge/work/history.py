"""One channel's history, from its source into the inbox: compared with the ledger, and admitted where it is news.

    a batch of records ─▶ compared with links and reactions ─▶ one commit: files promised, rows, cursor, quarantine

The records are those of an export, whoever made it. Nothing is performed here: the lane of the channel walks the rows
like those of a look back. Absence says that a message was deleted only where the source knows the channel from before
the oldest message that is mirrored: what begins later, a range of dates, is silent about what it leaves out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from bridge.store.imports import Quarantined
from bridge.store.ledger import TO_MATRIX
from bridge.work.catch_up import arrivals_of
from bridge.work.profiles import strangers_of
from portals.facts import PortalKind
from portals.history.compare import archived, described, differences, memberships, opened, pins, reopened, shows
from portals.ids import AFTER_ALL, NO_TS, Ts, channel_queue, is_ts
from portals.reading.file_tokens import without_tokens
from portals.relay.system_notices import AS_LIVE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bridge.store.directory import Directory
    from bridge.store.imports import ImportedChannel, Imports
    from bridge.store.ledger import Ledger, Unit
    from bridge.store.links import Links
    from portals.facts import Portal, Workspace
    from portals.history.compare import News
    from portals.history.export import ExportedChannel
    from portals.ids import GhostNames

WHERE = "causeway_where"
"""A field that is added to a record: its place in the archive."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Some records of a channel, oldest first, each with its place in the archive."""

    records: Sequence[dict[str, Any]]  # Any: foreign JSON
    places: Sequence[str]


class ChannelHistory:
    """One channel of one import, on its way into one portal."""

    def __init__(
        self,
        *,
        portal: Portal,
        workspace: Workspace,
        exported: ExportedChannel,
        known: ImportedChannel,
        as_of: Ts,
        names: GhostNames,
        ledger: Ledger,
        directory: Directory,
        links: Links,
        imports: Imports,
        promise: Callable[[Sequence[dict[str, Any]]], Unit],
        system: str = AS_LIVE,
    ) -> None:
        """Begin; `system` says which of Slack's own words are brought (`system_notices.is_brought`)."""
        self.portal = portal
        self.known = known
        self.queue = channel_queue(portal.team, portal.channel)
        self._workspace = workspace
        self._exported = exported
        self._as_of = as_of
        self._names = names
        self._ledger = ledger
        self._directory = directory
        self._links = links
        self._imports = imports
        self._promise = promise
        self._system = system
        self._cursor = known.cursor
        self._is_whole: bool | None = None
        self._reopens = False

    def shows(self, record: dict[str, Any]) -> bool:
        """Tell whether a record would make anything to be seen."""
        return shows(record, self._exported.id, self._workspace, self._system)

    async def take(self, batch: Batch) -> int:
        """Admit what is news in a batch, in one commit with the note that it was taken; returns how many rows.

        What was taken before the import was cut off is passed over.
        """
        if self._is_whole is None:
            oldest = await self._links.oldest(self.portal.id)
            begins = min((str(one["ts"]) for one in batch.records if is_ts(str(one.get("ts")))), default=AFTER_ALL)
            self._is_whole = oldest is None or begins <= oldest
        told = [
            {**record, WHERE: where}
            for record, where in zip(batch.records, batch.places, strict=True)
            if not (is_ts(str(record.get("ts"))) and str(record["ts"]) <= self._cursor)
        ]
        if not told:
            return 0
        team = self.portal.team
        await self._directory.learn_strangers(team, strangers_of(told, self._names, team))
        promised = self._promise(told)
        told = [_without_tokens(one) for one in told]
        times = [Ts(one["ts"]) for one in told if is_ts(str(one.get("ts")))]
        newest = max(times, default=self._cursor)
        unreadable: list[tuple[Any, str]] = []  # Any: foreign JSON
        news = await self._news(told, times, newest, unreadable)
        portal = await self._directory.portal(self.portal.id)
        self._reopens = self._reopens or (portal is not None and portal.archived)
        if self._reopens:
            news = reopened(news, channel=self._exported.id, team=team, gap=self.known.place)
        arrivals = arrivals_of(news, team, self.queue, self.known.place)
        await self._ledger.admit(
            arrivals,
            beside=[
                *promised,
                self._imports.advanced(self.known, newest, len(told), len(arrivals)),
                *(self._imports.quarantine(self._quarantined(record, reason)) for record, reason in unreadable),
            ],
        )
        self._cursor = newest
        return len(arrivals)

    async def _news(
        self, told: list[dict[str, Any]], times: list[Ts], newest: Ts, unreadable: list[tuple[Any, str]]
    ) -> list[News]:
        if self._is_whole:
            links = await self._links.between(self.portal.id, self._cursor or Ts("0"), newest, replies=True)
            links = [link for link in links if link.ts > self._cursor]
        else:
            links = await self._links.of_messages(self.portal.id, times)
        reactions = await self._links.reactions(self.portal.id, {link.ts for link in links}, removed=True)
        return differences(
            told,
            links,
            reactions,
            channel=self._exported.id,
            workspace=self._workspace,
            gap=self.known.place,
            since=NO_TS if self._is_whole else AFTER_ALL,
            as_of=self._as_of,
            archive=True,
            system=self._system,
            unreadable=unreadable,
        )

    async def finish(self, member_limit: int) -> int:
        """Admit what comes behind all messages: pins, members of a channel that is not too large, its topic, its end.

        These are states without a time: call it only where nothing newer is known of the channel.
        """
        channel, team, gap = self._exported, self.portal.team, self.known.place
        listed = [{"message": {"ts": ts}} for ts in reversed(channel.pins)]
        known = await self._links.pins(self.portal.id)
        news = pins(listed, known, channel=channel.id, team=team, gap=gap)
        members = {str(user) for user in channel.members} - {self._workspace.bot_user}
        portal = await self._directory.portal(self.portal.id)
        room = portal.room if portal is not None else None
        if members and len(members) <= member_limit:
            here = await self._directory.authors_in(team, room) if room is not None else set()
            news += memberships(members, here, channel=channel.id, team=team, gap=gap, at_the_end=True)
        if portal is not None and channel.listed:
            news += described(_renewed(channel, portal), channel=channel.id, team=team, gap=gap)
        if channel.archived:
            news.append(archived(channel=channel.id, team=team, gap=gap))
        elif portal is not None and portal.archived and channel.listed:
            news.append(opened(channel=channel.id, team=team, gap=gap))
        arrivals = arrivals_of(news, team, self.queue, gap)
        await self._ledger.admit(arrivals, beside=[self._imports.advanced(self.known, self._cursor, 0, len(arrivals))])
        return len(arrivals)

    async def wake(self) -> None:
        """Have the lane look at what was admitted, in whichever process it runs."""
        await self._ledger.look(self.queue)

    async def begin(self) -> None:
        """Have the bridge learn of the portal and open its room, or go on with what is new."""
        await self._ledger.request(TO_MATRIX, self.queue)

    def _quarantined(self, record: dict[str, Any], reason: str) -> Quarantined:
        kept = {name: value for name, value in record.items() if name != WHERE}
        return Quarantined(
            self.known.import_id,
            self.portal.team,
            self._exported.id,
            str(record[WHERE]),
            reason,
            orjson.dumps(kept).decode(),
        )


def _renewed(channel: ExportedChannel, portal: Portal) -> dict[str, str]:
    """Return what a source calls a channel, and says that it is about, where the portal does otherwise."""
    told = {"topic": (channel.topic, portal.topic), "purpose": (channel.purpose, portal.purpose)}
    if portal.kind is PortalKind.CHANNEL:
        told["name"] = (channel.name, portal.name)
    return {what: new for what, (new, old) in told.items() if new != old}


def _without_tokens(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record without the token that an export puts into addresses: it opens every file of the workspace."""
    written = orjson.dumps(record)
    if b"xox" not in written:
        return record
    cleaned: dict[str, Any] = orjson.loads(without_tokens(written.decode()))
    return cleaned
