"""The importer: brings the history of an export into the inboxes of its channels, several channels at once.

    for each channel   portal (new, or in use) ─▶ batches ─▶ what comes last ─▶ all is shown ─▶ the portal is live

It works beside the bridge, in its process or in another one: it admits, the lanes perform, and the store is all that
they share. Into a portal that is new, the past comes first, and what is said meanwhile waits behind it. Into one that
is in use, what is older than its oldest message goes to a room of its own, for Matrix cannot insert into the past; what
the source knows better than the ledger is brought up to date.

It may be cut off at any point. Done again with the same source, it goes on behind the last record that it admitted.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from itertools import compress, islice
from typing import TYPE_CHECKING, Any

from bridge.errors import Later, first_of
from bridge.store.imports import ChannelState, ImportedChannel, ImportState
from bridge.store.ledger import TO_MATRIX
from bridge.work.history import Batch, ChannelHistory
from bridge.work.profiles import people_of
from portals.facts import Direction, PortalKind, PortalState, Workspace
from portals.history.conversations import name_of
from portals.history.selection import as_told
from portals.ids import SlackUserId, TeamId, Ts, channel_queue, is_ts, past_of
from portals.reading.slack_messages import files_in
from portals.relay.system_notices import AS_LIVE
from portals.retry import pause

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

    from bridge.exports.export import Day, Export
    from bridge.store.directory import Directory
    from bridge.store.imports import Import, Imports
    from bridge.store.ledger import Ledger, Unit
    from bridge.store.links import Links
    from bridge.work.entitled import Entitled
    from bridge.work.fetching import Fetcher
    from portals.facts import Portal
    from portals.history.export import ExportedChannel
    from portals.history.selection import Selection
    from portals.ids import GhostNames

    Records = Sequence[dict[str, Any]]  # Any: foreign JSON

log = logging.getLogger(__name__)

_BATCH = 400
_ENOUGH = 400
"""Rows that wait in a channel's queue, above which no more are admitted: memory and the inbox stay small."""
_LOOK = 0.3
_LOOK_FOR_ITS_END = 1.0
_PEOPLE = 500
_WENT_WELL = 60.0
"""Seconds after which a failure is a new one, and not the last one still."""
_LEFT = "files were left behind when the history was brought over"
_KINDS = {"dm": PortalKind.DM, "group_dm": PortalKind.GROUP_DM}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of a source is to be brought over, and what is known of it: how many records a channel has, by its id."""

    source: str
    selection: Selection
    named: str
    """The selection in a form that is the same for the same selection of an unchanged source."""
    team: TeamId
    """The workspace of channels that do not tell theirs."""
    as_of: Ts
    records: Mapping[str, int]
    told: Mapping[str, Any]  # Any: the figures of the plan
    files: bool = True
    """Whether files are fetched from Slack; where not, a notice with the name of each stands in its place."""

    def team_of(self, channel: ExportedChannel) -> TeamId:
        """Return the workspace of a channel."""
        return channel.team or self.team


class Importer:
    """Brings exports over, what those who are in it agreed to."""

    def __init__(
        self,
        *,
        names: GhostNames,
        ledger: Ledger,
        directory: Directory,
        links: Links,
        imports: Imports,
        fetcher: Fetcher,
        entitled: Entitled,
        member_limit: int,
        at_once: int,
        system: str = AS_LIVE,
    ) -> None:
        """Build it; `system` says which of Slack's own words are brought (`system_notices.is_brought`)."""
        self._names = names
        self._ledger = ledger
        self._directory = directory
        self._links = links
        self._imports = imports
        self._fetcher = fetcher
        self._entitled = entitled
        self._member_limit = member_limit
        self._system = system
        self._turns = asyncio.Semaphore(at_once)
        self._open: dict[str, int] = {}
        self._ticked = asyncio.Event()
        self._is_paused = False

    async def run(self, export: Export, wanted: Wanted) -> Import:
        """Bring over what is wanted of an export and return when all of it is shown.

        Where the store or the homeserver is away for a while, it begins anew, which goes on where it was.
        """
        failures = 0
        while True:
            began = time.monotonic()
            try:
                return await self._try(export, wanted)
            except Later as error:
                trouble: BaseException = error
            except BaseExceptionGroup as group:
                away, others = group.split(Later)
                if away is None or others is not None:
                    raise
                trouble = first_of(away)
            failures = 1 if time.monotonic() - began > _WENT_WELL else failures + 1
            wait = pause(failures)
            log.warning("the import goes on in %.1f s: %s", wait, trouble)
            await asyncio.sleep(wait)

    async def _try(self, export: Export, wanted: Wanted) -> Import:
        channels = [channel for channel in export.channels if wanted.selection.selects_channel(channel)]
        await self._learn(export, wanted)
        told = {**wanted.told, "selection": as_told(wanted.selection)}
        known = await self._imports.begin(wanted.team, wanted.source, wanted.named, wanted.as_of, told)
        async with asyncio.TaskGroup() as beside:
            helping = [
                beside.create_task(self._tick(known.id), name="import: looks at the queues"),
                beside.create_task(self._fetcher.run(), name="import: fetches files"),
            ]
            promise = self._promise_all(export, wanted, channels)
            promising = beside.create_task(promise, name="import: promises files")
            async with asyncio.TaskGroup() as group:
                for channel in channels:
                    group.create_task(self._channel(export, wanted, known, channel), name=f"import {channel.name}")
            await promising
            await self._fetcher.settled()
            for task in helping:
                task.cancel()
        await self._imports.set_state(known.id, ImportState.DONE)
        done = await self._imports.find(known.id)
        assert done is not None
        return done

    # --- what is known beforehand

    async def _learn(self, export: Export, wanted: Wanted) -> None:
        """Take up the workspaces, people, names of channels and emoji that the source lists."""
        teams = {wanted.team_of(channel) for channel in export.channels} | {wanted.team}
        for team in sorted(teams):
            if await self._directory.workspace(team) is None:
                name = str(wanted.told.get("workspace") or team)
                await self._directory.learn_workspace(Workspace(team, name, SlackUserId(""), SlackUserId(""), ""))
        users = export.users()
        while some := await asyncio.to_thread(lambda: list(islice(users, _PEOPLE))):
            for team in sorted(teams):
                people = people_of(some, self._names, team)
                workspace = await self._directory.workspace(team)
                is_connected = workspace is not None and bool(workspace.bot_user)
                learn = self._directory.learn_strangers if is_connected else self._directory.learn_everybody
                await learn(team, people)
        emoji = await asyncio.to_thread(export.emoji)
        for team in sorted(teams):
            listed = [(one.id, one.name) for one in export.channels if wanted.team_of(one) == team]
            await self._directory.learn_channels(team, listed)
            await self._directory.words.change(team, "emoji", emoji.items())

    async def _promise_all(self, export: Export, wanted: Wanted, channels: Sequence[ExportedChannel]) -> None:
        """Have every file fetched before the turn of its message: the links of an export do not work for ever."""
        for channel in channels:
            if await self._entitled.refusal(channel, wanted.team_of(channel)):
                continue
            async for batch in _batches(export, channel, wanted.selection):
                unit = self._files_of(wanted, wanted.team_of(channel), batch.records)
                if unit:
                    await self._ledger.keep(unit)
                    self._fetcher.hurry()

    def _files_of(self, wanted: Wanted, team: TeamId, records: Records) -> Unit:
        files = [file for record in records for file in files_in(record)]
        if wanted.files:
            return self._fetcher.expecting(team, files)
        return self._fetcher.leaving(team, files, _LEFT)

    # --- one channel

    async def _channel(self, export: Export, wanted: Wanted, known: Import, channel: ExportedChannel) -> None:
        async with self._turns:
            refusal = await self._entitled.refusal(channel, wanted.team_of(channel))
            if refusal:
                await self._leave_out(wanted, known, channel, refusal)
                return
            ways = _Ways(self, wanted, known, channel)
            async for batch in _batches(export, channel, wanted.selection):
                await self._may_go_on()
                for history, part in await ways.of(batch):
                    if await history.take(part):
                        await history.wake()
                        await self._until_fewer(history.queue, _ENOUGH)
            for history in await ways.all():
                await self._finish(history, wanted)

    async def _finish(self, history: ChannelHistory, wanted: Wanted) -> None:
        """Admit what comes last, wait until all is shown, and let the portal go on with what is new."""
        if history.known.state is ChannelState.DONE:
            return
        await self._imports.set_channel(history.known, ChannelState.SETTLING)
        if await self._is_newest(history, wanted):
            await history.finish(self._member_limit)
            await history.wake()
        await self._until_shown(history)
        await self._directory.end_history(history.portal.id)
        await self._imports.set_channel(history.known, ChannelState.DONE)
        await history.begin()
        log.info("%s: the history of #%s is in", history.queue, history.known.name)

    async def _is_newest(self, history: ChannelHistory, wanted: Wanted) -> bool:
        """Tell whether nothing newer is known of a channel than the source: neither from Slack nor from another one."""
        portal = await self._directory.portal(history.portal.id)
        if portal is None or portal.state is PortalState.IMPORTING:
            return portal is not None
        workspace = await self._directory.workspace(portal.team)
        if workspace is None or workspace.bot_user:
            return False
        return all(one.as_of <= wanted.as_of for one in await self._imports.newest() if one.team == wanted.team)

    async def _until_shown(self, history: ChannelHistory) -> None:
        while True:
            if not await self._ledger.open_before(history.queue, history.known.place):
                portal = await self._directory.portal(history.portal.id)
                if portal is None or portal.room is not None:
                    return
            await asyncio.sleep(_LOOK_FOR_ITS_END)

    async def _leave_out(self, wanted: Wanted, known: Import, channel: ExportedChannel, reason: str) -> None:
        queue = channel_queue(wanted.team_of(channel), channel.id)
        one = ImportedChannel(known.id, channel.id, queue, channel.name, 0, ChannelState.LEFT_OUT)
        await self._imports.set_channel(await self._imports.add_channel(one), ChannelState.LEFT_OUT, reason)
        log.warning("%s: #%s is left out: %s", queue, channel.name, reason)

    async def way(self, wanted: Wanted, known: Import, channel: ExportedChannel, portal: Portal) -> ChannelHistory:
        """Return the way of a channel's records into a portal, which waits with what is new if it holds nothing yet."""
        queue = channel_queue(portal.team, portal.channel)
        place = await self._place(known, queue)
        records = wanted.records.get(channel.id, 0)
        one = ImportedChannel(known.id, channel.id, queue, portal.name, place, ChannelState.ADMITTING, records=records)
        one = await self._imports.add_channel(one)
        if one.state is not ChannelState.DONE and (
            portal.state in (PortalState.PLANNED, PortalState.IMPORTING) or await self._links.oldest(portal.id) is None
        ):
            await self._directory.begin_history(portal.id, one.place)
        workspace = await self._directory.workspace(portal.team)
        assert workspace is not None

        def promise(records: Records) -> Unit:
            return self._files_of(wanted, portal.team, records)

        history = ChannelHistory(
            portal=portal,
            workspace=workspace,
            exported=channel,
            known=one,
            as_of=wanted.as_of,
            names=self._names,
            ledger=self._ledger,
            directory=self._directory,
            links=self._links,
            imports=self._imports,
            promise=promise,
            system=self._system,
        )
        await history.begin()  # the room is made while the first records are read
        return history

    async def _place(self, known: Import, queue: str) -> int:
        """Return a place before whatever waits in a queue already: that was said after what the source knows."""
        place = await self._ledger.mark(f"import:{known.id}:{queue}")
        waiting = await self._ledger.next_rows(TO_MATRIX, queue, 1)
        return min([place, *(row.place - 1 for row in waiting)])

    async def portal_for(self, known: Import, channel: ExportedChannel, team: TeamId, *, past: bool = False) -> Portal:
        """Return the portal of a channel, made anew where it has none; or that of its past, beside one in use."""
        number = past_of(channel.id) if past else channel.id
        found = await self._directory.portal_of_channel(team, number)
        if found is not None and found.state is not PortalState.REMOVED:
            return found
        kind = PortalKind.HISTORY if past else _KINDS.get(channel.kind, PortalKind.CHANNEL)
        name = channel.name
        if kind in (PortalKind.DM, PortalKind.GROUP_DM):
            people = [await self._directory.person(team, SlackUserId(user)) for user in channel.members]
            name = name_of([person.name for person in people if person is not None]) or channel.name
        return await self._directory.add_portal(
            team,
            number,
            name=name,
            topic=channel.topic,
            purpose=channel.purpose,
            private=channel.kind != "public",
            direction=Direction.TO_MATRIX if past else Direction.BOTH,
            kind=kind,
            history=await self._place(known, channel_queue(team, number)),
        )

    async def oldest(self, portal: Portal) -> Ts | None:
        """Return the oldest message that a portal mirrors."""
        return await self._links.oldest(portal.id)

    # --- not more than the lanes can take

    async def _tick(self, number: int) -> None:
        """Look at how much waits in every queue, and whether the import is paused, until cancelled."""
        while True:
            counts = await self._ledger.open_counts()
            self._open = {queue: rows for direction, queue, rows, _ in counts if direction == TO_MATRIX}
            known = await self._imports.find(number)
            self._is_paused = known is not None and known.state is ImportState.PAUSED
            self._ticked.set()
            self._ticked = asyncio.Event()
            await asyncio.sleep(_LOOK)

    async def _tick_once(self) -> None:
        await self._ticked.wait()

    async def _may_go_on(self) -> None:
        while self._is_paused:
            await self._tick_once()

    async def _until_fewer(self, queue: str, rows: int) -> None:
        await self._tick_once()
        while self._open.get(queue, 0) > rows:
            await self._tick_once()


class _Ways:
    """Where each record of a channel goes: to its portal, or to the room of its past."""

    def __init__(self, importer: Importer, wanted: Wanted, known: Import, channel: ExportedChannel) -> None:
        self._importer = importer
        self._wanted = wanted
        self._known = known
        self._channel = channel
        self._team = wanted.team_of(channel)
        self._main: ChannelHistory | None = None
        self._past: ChannelHistory | None = None
        self._border: Ts | None = None

    async def of(self, batch: Batch) -> list[tuple[ChannelHistory, Batch]]:
        """Return the parts of a batch with the way that each goes."""
        main = await self._open()
        if self._border is None:
            return [(main, batch)]
        is_older = [_is_before(one, self._border) for one in batch.records]
        older, newer = _part(batch, is_older), _part(batch, [not one for one in is_older])
        if self._past is None and not any(map(main.shows, older.records)):
            return [(main, batch)]
        parts: list[tuple[ChannelHistory, Batch]] = []
        if older.records:
            if self._past is None:
                portal = await self._importer.portal_for(self._known, self._channel, self._team, past=True)
                self._past = await self._importer.way(self._wanted, self._known, self._channel, portal)
            parts.append((self._past, older))
        if newer.records:
            parts.append((main, newer))
        return parts

    async def all(self) -> list[ChannelHistory]:
        """Return every way of the channel; one without any record is made all the same, for the room."""
        main = await self._open()
        return [main] if self._past is None else [self._past, main]

    async def _open(self) -> ChannelHistory:
        if self._main is None:
            portal = await self._importer.portal_for(self._known, self._channel, self._team)
            border = await self._importer.oldest(portal)
            self._main = await self._importer.way(self._wanted, self._known, self._channel, portal)
            self._border = None if self._main.known.cursor else border
        return self._main


async def _batches(export: Export, channel: ExportedChannel, selection: Selection) -> AsyncIterator[Batch]:
    """Yield the wanted records of a channel in parts; archives are read in a thread."""
    days = export.days(channel)
    records: list[dict[str, Any]] = []
    places: list[str] = []
    while (day := await asyncio.to_thread(_next, days)) is not None:
        for record in day.records:
            ts = str(record.get("ts"))
            if selection.selects(ts):
                records.append(record)
                places.append(f"{day.path}#{ts}")
        while len(records) >= _BATCH:
            yield Batch(records[:_BATCH], places[:_BATCH])
            del records[:_BATCH], places[:_BATCH]
    if records:
        yield Batch(records, places)


def _next(days: Iterator[Day]) -> Day | None:
    return next(days, None)


def _is_before(record: Mapping[str, Any], border: Ts) -> bool:
    ts = str(record.get("ts"))
    return is_ts(ts) and ts < border


def _part(batch: Batch, wanted: Sequence[bool]) -> Batch:
    return Batch(list(compress(batch.records, wanted)), list(compress(batch.places, wanted)))
