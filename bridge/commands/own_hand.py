"""Acting in Slack as oneself: the link that begins it, which nobody else may read, its end, and talking directly."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bridge.commands.asker import NotYet
from bridge.errors import Declined
from portals.commands import replies
from portals.ids import SlackUserId
from portals.permalinks import matrix_address

if TYPE_CHECKING:
    from bridge.administration.office import Office
    from bridge.commands.asker import Asker
    from bridge.matrix.client import MatrixClient
    from bridge.oauth.connecting import Connecting
    from bridge.work.conversations import Conversations
    from portals.commands.command import Talk
    from portals.ids import TeamId
    from portals.text import Document

_OPENS_WITHIN = 30.0
"""Seconds for which the room of a conversation is waited for."""


class OwnHand:
    """Connects and disconnects people, and lets them talk; without `connecting`, no workspace does."""

    def __init__(
        self, office: Office, connecting: Connecting | None, conversations: Conversations, matrix: MatrixClient
    ) -> None:
        self._office = office
        self._connecting = connecting
        self._conversations = conversations
        self._matrix = matrix

    async def connect(self, workspace: str, asker: Asker) -> Document:
        """Give somebody the link by which they connect their own account."""
        if not asker.alone:
            return replies.elsewhere(asker.prefix)
        if self._connecting is None:
            words = "nobody can connect their own account here: an admin has to configure the app's client_id first"
            raise Declined("no_client_id", words)
        team, _ = self._office.workspace(workspace or None)
        link = await self._connecting.link(asker.user, asker.room, team)
        return replies.said(
            f"Open this link within ten minutes, in the browser in which you are signed in to Slack: {link}",
            "It is for you alone: whoever follows it lets you write in Slack as them.",
        )

    async def disconnect(self, asker: Asker) -> Document:
        """End that somebody writes in Slack as themself."""
        if self._connecting is None:
            raise Declined(
                "no_client_id",
                "nobody is connected here, and nobody can be: no workspace has a client_id in the configuration",
            )
        ended, done = await self._connecting.end(asker.user, str(asker.actor))
        if not ended and not asker.done:
            raise Declined("not_connected_yourself", "your account of Slack is not connected: `connect` does that")
        if not done:
            return replies.said(
                "You are disconnected, and what you write is posted by the app again. Slack could not be asked now: "
                "what you allowed will be taken back there as soon as it answers."
            )
        return replies.said("You are disconnected, and Slack knows. What you write is posted by the app again.")

    async def talk(self, command: Talk, asker: Asker) -> Document:
        """Lead somebody into the room in which they talk directly with people of Slack."""
        if not asker.alone:
            return replies.elsewhere(asker.prefix)
        team, _ = self._office.workspace(command.workspace or None)
        others = {self._person(one, team) for one in command.people}
        portal = await self._conversations.talk(team, asker.user, others)
        if portal.room is None:
            if not portal.trouble and time.time() - asker.since < _OPENS_WITHIN:
                raise NotYet("the conversation has no room yet", 0.2)
            raise Declined("no_room", "the conversation has no room yet: ask again in a moment")
        await self._matrix.rooms.invite(portal.room, asker.user)
        link = matrix_address(portal.room, None, self._office.store.names.domain)
        return replies.said(f"You are invited to the room of this conversation: {link}")

    def _person(self, named: str, team: TeamId) -> SlackUserId:
        """Return whom somebody named by their id in Slack, or by that of their ghost."""
        if not named.startswith("@"):
            return SlackUserId(named)
        author = self._office.store.names.slack_author(named)
        if author is None or author[0] != team:
            raise Declined("not_found", f"{named} stands for nobody of Slack there")
        return author[1]
