"""The counterpart of an address: which Matrix event shows a Slack message, and the other way round.

It promises that an address has a counterpart only where a portal mirrors exactly what it points to, and that a look-up
waits for no stranger's server: aliases of other servers are known from the mapping or not at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.errors import Refused
from portals.facts import PortalState
from portals.ids import past_of, present_of
from portals.permalinks import matrix_address, matrix_place, slack_address, slack_place

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bridge.matrix.client import MatrixClient
    from bridge.store.directory import Directory
    from bridge.store.links import Links
    from bridge.store.places import Places
    from portals.facts import Portal
    from portals.ids import ChannelId, EventId, GhostNames, TeamId, Ts

_MOST = 50
"""Addresses of one message that are looked up; a message with more keeps the rest as they are."""


class Permalinks:
    """Finds counterparts in the store."""

    def __init__(
        self, *, names: GhostNames, directory: Directory, places: Places, links: Links, matrix: MatrixClient
    ) -> None:
        self._names = names
        self._directory = directory
        self._places = places
        self._links = links
        self._matrix = matrix

    async def counterparts(self, addresses: Iterable[str]) -> dict[str, str]:
        """Return the counterpart of each of these addresses that has one."""
        found = {address: await self._counterpart(address) for address in sorted(addresses)[:_MOST]}
        return {address: counterpart for address, counterpart in found.items() if counterpart is not None}

    async def _counterpart(self, address: str) -> str | None:
        if in_slack := slack_place(address):
            team = in_slack.team or (in_slack.workspace and await self._places.team_at(in_slack.workspace))
            if not team and in_slack.shared:
                return await self.in_matrix(in_slack.channel, in_slack.ts)
            return await self._in_workspace(team, in_slack.channel, in_slack.ts) if team else None
        if in_matrix := matrix_place(address):
            portal = await self.portal_at(in_matrix.room)
            return await self._to_slack(portal, in_matrix.event) if portal else None
        return None

    async def in_matrix(self, channel: ChannelId, ts: Ts | None) -> str | None:
        """Return the matrix.to link to a message of a channel, or to its room, of whichever workspace it is."""
        for team in await self._places.teams_with(channel):
            if address := await self._in_workspace(team, channel, ts):
                return address
        return None

    async def _in_workspace(self, team: TeamId, channel: ChannelId, ts: Ts | None) -> str | None:
        """Look for a message in the room of its channel, then in the one that holds the channel's past."""
        for number in (channel, past_of(channel)) if ts is not None else (channel,):
            portal = await self._directory.portal_of_channel(team, number)
            if portal is not None and (address := await self._to_matrix(portal, ts)):
                return address
        return None

    async def portal_at(self, room: str) -> Portal | None:
        """Return the portal of a room, given by its id or an alias."""
        portal: Portal | None = None
        if room.startswith("!"):
            portal = await self._directory.portal_of_room(room)
        elif room.endswith(f":{self._names.domain}"):
            try:
                target = await self._matrix.rooms.resolve_alias(room)
            except Refused:
                target = None  # what the homeserver does not take for an alias is none
            portal = await self._directory.portal_of_room(target) if target else None
        elif number := await self._places.portal_of_target(room):
            portal = await self._directory.portal(number)
        return None if portal is None or portal.state is PortalState.REMOVED else portal

    async def _to_matrix(self, portal: Portal, ts: Ts | None) -> str | None:
        if portal.room is None or portal.state is PortalState.REMOVED:
            return None
        if ts is None:
            return matrix_address(portal.room, None, self._names.domain)
        for link in await self._links.of_messages(portal.id, [ts]):
            if link.event_id and not link.deleted:
                return matrix_address(portal.room, link.event_id, self._names.domain)
        return None

    async def _to_slack(self, portal: Portal, event: EventId | None) -> str | None:
        workspace = await self._directory.workspace(portal.team)
        if workspace is None or not workspace.url:
            return None
        if event is None:
            return slack_address(workspace.url, present_of(portal.channel))
        for link in await self._links.of_events(portal.id, [event]):
            if not link.deleted:
                return slack_address(workspace.url, present_of(portal.channel), link.ts, link.thread_ts)
        return None
