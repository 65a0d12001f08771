"""What there is to prove: which channels of which sources, in which rooms, and what explains what is not there.

The room of a channel is asked of the homeserver (by its alias), and only where that knows of none, of the store. Beside
that the store tells who has which account, how things are called, what is set aside and why, and which files came from
Slack with which checksum: nothing of what it says was sent.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import orjson

from bridge.proof.prove import Task
from bridge.store.imports import ChannelState
from bridge.store.ledger import TO_MATRIX
from bridge.work.profiles import person_of_user
from portals.crossing.subjects import Subject, read_subject
from portals.facts import Person, PortalState, Workspace
from portals.history.expected import Known
from portals.ids import (
    ChannelId,
    MatrixUserId,
    SlackUserId,
    TeamId,
    Ts,
    channel_queue,
    past_of,
    present_of,
    ts_to_ms,
)
from portals.reading.values import mapping, text_of, ts_of
from portals.relay.system_notices import AS_LIVE
from portals.text import emoji

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from bridge.matrix.client import MatrixClient
    from bridge.proof.source import Source
    from bridge.store.audit import Audit
    from bridge.store.channel_ids import ChannelIds
    from bridge.store.directory import Directory
    from bridge.store.files import Files
    from bridge.store.grants import Grants
    from bridge.store.held import HeldMessages
    from bridge.store.imports import Imports
    from bridge.store.ledger import Ledger
    from bridge.store.people import People
    from bridge.store.words import Words
    from portals.facts import Portal, Rules
    from portals.history.export import ExportedChannel
    from portals.history.selection import Selection
    from portals.ids import GhostNames, RoomId

_ALIAS = "alias:"
_ALIASES = 5
"""An emoji may be an alias of an alias; more in a row than these are a circle."""
_MOST = 1000
_NOT_MEANT = "the import was to leave it out, by --channel or --kind"


@dataclass(frozen=True, slots=True)
class Stores:
    """What is asked of the store."""

    directory: Directory
    ledger: Ledger
    imports: Imports
    people: People
    files: Files
    words: Words
    audit: Audit
    channel_ids: ChannelIds
    grants: Grants
    held: HeldMessages


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A channel of a source that is not compared; a `known` reason is an admin's decision."""

    channel: ExportedChannel
    reason: str
    known: bool


@dataclass(slots=True)
class Undertaking:
    """Everything to prove, and what of the sources is left out."""

    tasks: list[Task] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)


class Planning:
    """Makes tasks of sources."""

    def __init__(
        self,
        *,
        matrix: MatrixClient,
        stores: Stores,
        names: GhostNames,
        rules: Rules,
        member_limit: int,
        sources: Sequence[Source],
        selection: Selection,
        checksums: bool,
        system: str = AS_LIVE,
    ) -> None:
        """Build it; `system` says which of Slack's own words imports bring."""
        self._matrix = matrix
        self._stores = stores
        self._names = names
        self._rules = rules
        self._member_limit = member_limit
        self._sources = sources
        self._selection = selection
        self._checksums = checksums
        self._system = system
        self._known: dict[TeamId, Known] = {}

    async def undertaking(self, portals: Sequence[Portal]) -> Undertaking:
        """Return what is to be proven; raises Later where the homeserver is away."""
        channels: dict[ChannelId, ExportedChannel] = {}
        for source in self._sources:
            channels |= {one.id: one for one in source.channels}
        by_channel = {portal.channel: portal for portal in portals if portal.state is not PortalState.REMOVED}
        taken, as_of = await self._imported()
        former = await self._stores.channel_ids.former()
        now = {old: new for (_, old), new in former.items()}
        set_aside, withheld = await self._set_aside(), await self._withheld()
        found = Undertaking()
        for channel in channels.values():
            if not self._selection.selects_channel(channel):
                continue
            if not any(self._is_meant(channel, source) for source in self._sources):
                found.left_out.append(LeftOut(channel, _NOT_MEANT, known=True))
                continue
            current = now.get(channel.id, channel.id)
            portal = by_channel.get(current)
            past = by_channel.get(past_of(current))
            team = portal.team if portal else past.team if past else channel.team or self._team()
            rooms = await self._rooms(team, current, portal, past)
            if not rooms:
                reason = taken.get(channel.id, "no portal mirrors it, and no import took it")
                known = channel.id not in taken or bool(reason)
                found.left_out.append(LeftOut(channel, reason or "it has no room, although an import took it", known))
                continue
            known_of = await self._facts(team, channels)
            task = Task(
                channel=channel,
                rooms=rooms,
                sources=self._sources,
                known=known_of,
                member_limit=self._member_limit,
                selection=self._selection,
                describes=portal is not None and portal.target == "create" and not portal.has_moved,
                live=_is_live(portal) and bool(known_of.workspace.bot_user),
                until=as_of.get(team, 0),
                quarantined=set_aside.get(channel_queue(team, channel.id), {}),
                former=frozenset({current, *(old for old, new in now.items() if new == current)}) - {channel.id},
                withheld=withheld.get(channel.id, ()),
                checksums=self._sums(team) if self._checksums else None,
            )
            found.tasks.append(task)
        return found

    def _is_meant(self, channel: ExportedChannel, source: Source) -> bool:
        """Tell whether a source holds a channel that was to come across."""
        return any(one.id == channel.id and source.selection.selects_channel(one) for one in source.channels)

    # --- what the homeserver knows

    async def _rooms(
        self, team: TeamId, channel: ChannelId, portal: Portal | None, past: Portal | None
    ) -> list[RoomId]:
        """Return the rooms of a channel, that of its past first."""
        found = [
            await self._room(team, past_of(channel), past),
            await self._room(team, channel, portal),
        ]
        return [room for room in found if room is not None]

    async def _room(self, team: TeamId, channel: ChannelId, portal: Portal | None) -> RoomId | None:
        if portal is not None and portal.room is not None and portal.target != "create":
            return portal.room  # somebody else's room, which has aliases of its own
        alias = f"#{self._names.alias_localpart(team, channel)}:{self._names.domain}"
        return await self._matrix.rooms.resolve_alias(alias) or (portal.room if portal is not None else None)

    # --- what the store knows

    def _team(self) -> TeamId:
        return next((team for source in self._sources if (team := source.team())), TeamId(""))

    async def _imported(self) -> tuple[dict[ChannelId, str], dict[TeamId, int]]:
        """Return why each channel that an import saw was left out (empty for one it took), and how far imports know."""
        taken: dict[ChannelId, str] = {}
        as_of: dict[TeamId, int] = {}
        for one in reversed(await self._stores.imports.newest(_MOST)):
            if one.as_of:
                as_of[one.team] = ts_to_ms(one.as_of)
            for channel in await self._stores.imports.channels(one.id):
                taken[present_of(channel.channel)] = channel.reason if channel.state is ChannelState.LEFT_OUT else ""
        return taken, as_of

    async def _set_aside(self) -> dict[str, dict[str, str]]:
        """Return the reasons for what is not shown of each queue, by the record's place in its archive or by its ts."""
        found: dict[str, dict[str, str]] = {}
        after = 0
        while page := await self._stores.imports.quarantined(after, _MOST):
            for one in page:
                found.setdefault(channel_queue(one.team, present_of(one.channel)), {})[one.place] = one.reason
            after = page[-1].id
        after = 0
        while rows := await self._stores.ledger.parked(after, _MOST):
            for row in rows:
                event = mapping(mapping(orjson.loads(row.raw)).get("event"))
                ts = ts_of(event.get("ts"))
                is_message = event.get("type") == "message" and not text_of(event.get("subtype")).startswith("message_")
                if row.direction == TO_MATRIX and is_message and ts:
                    team, _, channel = row.queue.partition("/")
                    queue = channel_queue(TeamId(team), present_of(ChannelId(channel)))
                    found.setdefault(queue, {})[ts] = row.reason
            after = rows[-1].seq
        return found

    async def _withheld(self) -> dict[ChannelId, list[tuple[Subject, str]]]:
        """Return what policies keep from crossing of each channel, with the rule; what waits still is among it."""
        found: dict[ChannelId, list[tuple[Subject, str]]] = {}
        after = 0
        while page := await self._stores.audit.withheld(after, _MOST):
            for one in page:
                if (subject := read_subject(one.subject)) is not None:
                    found.setdefault(present_of(subject.channel), []).append((subject, one.detail))
            after = page[-1].id
        after = 0
        while rows := await self._stores.held.rows(after, _MOST):
            for row in rows:
                if row.direction == TO_MATRIX:
                    channel = present_of(ChannelId(row.queue.partition("/")[2]))
                    found.setdefault(channel, []).append((Subject(channel, Ts(row.name)), f"held: {row.wait}"))
            after = rows[-1].id
        return found

    async def _facts(self, team: TeamId, channels: Mapping[ChannelId, ExportedChannel]) -> Known:
        if team not in self._known:
            self._known[team] = await self._asked(team, channels)
        return self._known[team]

    async def _asked(self, team: TeamId, channels: Mapping[ChannelId, ExportedChannel]) -> Known:
        directory, nobody = self._stores.directory, SlackUserId("")
        accounts = await self._stores.people.accounts(team)
        owners = {account: user for user, account in accounts.items()}
        people: dict[SlackUserId, Person] = {}
        pictures = await directory.words.all(team, "emoji")
        for source in self._sources:
            pictures |= source.emoji()
            for user in source.users():
                user_id = SlackUserId(user["id"])
                people[user_id] = person_of_user(user, user_id, self._names, team)

        def who(user: str) -> str:
            ghost = self._names.slack_author(user)
            if ghost is not None:
                return ghost[1] if ghost[0] == team else ""
            return owners.get(MatrixUserId(user), "")

        return Known(
            names=self._names,
            workspace=await directory.workspace(team) or Workspace(team, "", nobody, nobody, ""),
            who=who,
            hands={one.account: one.user for one in (await self._stores.grants.all()).values() if one.team == team},
            rules=self._rules,
            people=people,
            met={
                user: Person(user, name, self._names.ghost(team, user))
                for user, name in (await self._stores.people.names(team)).items()
                if user not in people
            },
            channels={one.id: one.name for one in channels.values()},
            usergroups=await directory.words.all(team, "usergroup"),
            emoji=_standard(pictures),
            system=self._system,
        )

    def _sums(self, team: TeamId) -> Callable[[Sequence[str]], Awaitable[Mapping[str, str]]]:
        async def sums(ids: Sequence[str]) -> Mapping[str, str]:
            found = await self._stores.files.find_all(team, ids)
            return {one.id: one.sha256 for one in found.values() if one.sha256}

        return sums


def _is_live(portal: Portal | None) -> bool:
    """Tell whether something newer than the sources can be there: it is mirrored, or was until it moved."""
    return portal is not None and portal.state not in (PortalState.PLANNED, PortalState.REMOVED)


def _standard(pictures: Mapping[str, str]) -> dict[str, str]:
    """Return the standard emoji that names of the workspace's own are other names of."""
    found: dict[str, str] = {}
    for name, value in pictures.items():
        for _ in range(_ALIASES):
            if not value.startswith(_ALIAS):
                break
            value = pictures.get(value.removeprefix(_ALIAS)) or emoji.unicode_of(value.removeprefix(_ALIAS)) or ""
        if value and not value.startswith((_ALIAS, "http")):
            found[name] = value
    return found
