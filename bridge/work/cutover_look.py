"""What is known of a channel that is to move to Matrix: from the store, from Slack and from its room."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from bridge.store.ledger import TO_MATRIX, TO_SLACK
from bridge.work.cutover import WITHOUT_TOPIC
from portals.cutover import topic
from portals.ids import MatrixUserId, SlackUserId, channel_queue
from portals.readiness import Circumstances, History, People, SlackSide

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.matrix.client import MatrixClient
    from bridge.slack.client import SlackClient
    from bridge.store.directory import Directory
    from bridge.store.held import HeldMessages
    from bridge.store.imports import Imports
    from bridge.store.ledger import Ledger
    from bridge.store.people import People as Accounts
    from bridge.work.cutover import CutOver
    from portals.facts import Portal
    from portals.ids import PortalId, TeamId

_PAGE = 1000


class Looking:
    """Looks at channels; what concerns all of them is read once."""

    def __init__(
        self,
        *,
        cutover: CutOver,
        directory: Directory,
        ledger: Ledger,
        imports: Imports,
        held: HeldMessages,
        accounts: Accounts,
        matrix: MatrixClient,
        clients: Mapping[TeamId, SlackClient],
        topic: str,
        domain: str,
    ) -> None:
        self._cutover = cutover
        self._directory = directory
        self._ledger = ledger
        self._imports = imports
        self._held = held
        self._accounts = accounts
        self._matrix = matrix
        self._clients = clients
        self._topic = topic
        self._domain = domain
        self._waiting: Counter[tuple[str, str]] = Counter()
        self._parked: Counter[tuple[str, str]] = Counter()
        self._waits: Counter[PortalId] = Counter()
        self._quarantined: Counter[str] = Counter()
        self._history: dict[str, History] = {}

    async def read(self) -> None:
        """Read what waits, what is set aside and what was imported, of all channels."""
        self._waiting = Counter({(way, queue): rows for way, queue, rows, _ in await self._ledger.open_counts()})
        after = 0
        while rows := await self._ledger.parked(after, _PAGE):
            self._parked.update((row.direction, row.queue) for row in rows)
            after = rows[-1].seq
        after = 0
        while waiting := await self._held.rows(after, _PAGE):
            self._waits.update(row.portal for row in waiting)
            after = waiting[-1].id
        after = 0
        while page := await self._imports.quarantined(after, _PAGE):
            self._quarantined.update(channel_queue(one.team, one.channel) for one in page)
            after = page[-1].id
        for known in reversed(await self._imports.newest(_PAGE)):
            for one in await self._imports.channels(known.id):
                self._history[one.queue] = History(known.id, one.state, one.reason)

    async def at(self, portal: Portal, *, people: bool = True) -> Circumstances:
        """Return what is known of a channel, its `people` too where they are asked for; raises Declined or Refused."""
        _, phase = await self._cutover.phase(portal)
        queue, room = channel_queue(portal.team, portal.channel), portal.room or ""
        return Circumstances(
            portal=portal,
            phase=phase,
            slack=await self._slack(portal),
            people=await self._people(portal) if people else None,
            history=self._history.get(queue),
            to_matrix=self._waiting[TO_MATRIX, queue],
            to_slack=self._waiting[TO_SLACK, room],
            parked_to_matrix=self._parked[TO_MATRIX, queue],
            parked_to_slack=self._parked[TO_SLACK, room],
            held=self._waits[portal.id],
            quarantined=self._quarantined[queue],
            topic=topic(self._topic, portal, self._domain),
        )

    async def _slack(self, portal: Portal) -> SlackSide | None:
        if await self._cutover.in_slack(portal) is None:
            return None
        client = self._clients[portal.team]
        info = await client.channel(portal.channel)
        return SlackSide(
            archived=info.get("is_archived") is True,
            member=info.get("is_member") is True or portal.kind in WITHOUT_TOPIC,
            general=info.get("is_general") is True,
            scopes=(await client.auth()).scopes,
            has_topic=portal.kind not in WITHOUT_TOPIC,
        )

    async def _people(self, portal: Portal) -> People | None:
        """Return who of the channel is in the room in their own account; None where Slack cannot be asked."""
        client = self._clients.get(portal.team)
        if client is None or portal.room is None:
            return None
        workspace = await self._directory.workspace(portal.team)
        joined = set(await self._matrix.rooms.joined_members(portal.room))
        accounts = await self._accounts.accounts(portal.team)
        members, here = 0, 0
        away: list[MatrixUserId] = []
        without: list[str] = []
        async for page in client.members(portal.channel):
            for user in map(SlackUserId, page):
                person = await self._directory.person(portal.team, user)
                if (workspace is not None and user == workspace.bot_user) or (person is not None and person.is_bot):
                    continue
                members += 1
                account = accounts.get(user)
                if account is None:
                    without.append(person.name if person is not None else user)
                elif account in joined:
                    here += 1
                else:
                    away.append(account)
        return People(members, here, tuple(sorted(away)), tuple(sorted(without)))
