"""The store as admins use it: the running bridge's own, or opened beside it, but never as its owner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from bridge.errors import Declined
from bridge.store.audit import Audit
from bridge.store.directory import Directory
from bridge.store.imports import Imports
from bridge.store.ledger import TO_MATRIX, TO_SLACK, Ledger
from bridge.store.people import People
from portals.facts import PortalKind, PortalState
from portals.ids import channel_queue

if TYPE_CHECKING:
    from bridge.store.database import Database
    from portals.facts import Portal
    from portals.ids import GhostNames, TeamId

_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Store:
    """What admins read and change."""

    database: Database
    names: GhostNames
    directory: Directory
    ledger: Ledger
    people: People
    imports: Imports
    audit: Audit

    @classmethod
    def on(cls, database: Database, names: GhostNames) -> Self:
        """Build it for a process in which nothing else reads and writes the database."""
        return cls.beside(database, names, Directory(database, names), Ledger(database), People(database))

    @classmethod
    def beside(
        cls, database: Database, names: GhostNames, directory: Directory, ledger: Ledger, people: People
    ) -> Self:
        """Build it in the bridge, on what that reads and writes through: what one keeps in memory, both know."""
        return cls(database, names, directory, ledger, people, Imports(database), Audit(database))

    async def portals(self) -> list[Portal]:
        """Return every portal, removed ones too."""
        found: list[Portal] = []
        while page := await self.directory.portals(found[-1].id if found else 0, _PAGE):
            found += page
        return found

    async def find(self, wanted: str) -> Portal:
        """Return the portal of a channel, by name or id, or of a room; raises Declined where none is meant.

        Where channels of several workspaces bear the name, `T…/C…` tells them apart.
        """
        every = await self.portals()
        found = [portal for portal in every if wanted in _names(portal)]
        there = [portal for portal in found if portal.state is not PortalState.REMOVED] or found
        there = [portal for portal in there if portal.kind is not PortalKind.HISTORY] or there
        if len(there) == 1:
            return there[0]
        if there:
            choices = " or ".join(channel_queue(portal.team, portal.channel) for portal in there)
            raise Declined("ambiguous", f"several workspaces have a portal of {wanted}: write {choices}")
        hint = like(wanted, [one.name for one in every]) or ": `causeway portals list` shows those that there are"
        raise Declined("not_found", f"there is no portal of {wanted}{hint}")

    async def portal_of(self, direction: str, queue: str) -> Portal | None:
        """Return the portal whose queue this is, removed or not."""
        if direction != TO_MATRIX:
            return await self.directory.portal_of_room(queue)
        team, _, channel = queue.partition("/")
        return await self.directory.portal_of_channel(team, channel)

    async def workspace_name(self, team: TeamId) -> str:
        """Return the name of a workspace, or its id until the bridge has been connected to it."""
        workspace = await self.directory.workspace(team)
        return workspace.name if workspace else team

    async def request(self, portal: Portal) -> None:
        """Have the running bridge look at both queues of a portal."""
        await self.ledger.request(TO_MATRIX, channel_queue(portal.team, portal.channel))
        if portal.room is not None:
            await self.ledger.request(TO_SLACK, portal.room)

    async def tell_of_people(self, team: TeamId) -> None:
        """Have a running bridge read the links of people anew."""
        await self.ledger.request(TO_MATRIX, team)


def _names(portal: Portal) -> set[str | None]:
    queue = channel_queue(portal.team, portal.channel)
    return {portal.channel, queue, portal.name, f"#{portal.name}", portal.room, portal.target} - {"create", ""}


def like(wanted: str, names: list[str]) -> str:
    """Return the question whether something similar is meant, or nothing."""
    from difflib import get_close_matches

    found = get_close_matches(wanted.removeprefix("#").lower(), names, n=3, cutoff=0.6)
    return f": did you mean {' or '.join(f'#{name}' for name in found)}?" if found else ""
