"""Writing in Slack as oneself: the link that begins it, which nobody else may read, and its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.errors import Declined
from portals.commands import replies

if TYPE_CHECKING:
    from bridge.administration.office import Office
    from bridge.commands.asker import Asker
    from bridge.oauth.connecting import Connecting
    from portals.text import Document


class OwnHand:
    """Connects and disconnects people; without `connecting`, no workspace lets them."""

    def __init__(self, office: Office, connecting: Connecting | None) -> None:
        self._office = office
        self._connecting = connecting

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
            raise Declined("no_client_id", "nobody is connected here")
        ended, done = await self._connecting.end(asker.user, str(asker.actor))
        if not ended and not asker.done:
            raise Declined("not_connected_yourself", "your account of Slack is not connected: `connect` does that")
        if not done:
            return replies.said(
                "You are disconnected, and what you write is posted by the app again. Slack could not be asked now: "
                "what you allowed will be taken back there as soon as it answers."
            )
        return replies.said("You are disconnected, and Slack knows. What you write is posted by the app again.")
