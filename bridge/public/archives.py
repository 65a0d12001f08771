"""Old Slack links go on working: `/archives/C…/p…` leads to the room's message, `/archives/C…` to the room.

Whoever has replaced the workspace's host in their documents by this one's is led on to matrix.to. What a link tells is
the id of a room and of an event, which open nothing to who may not be in the room.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from aiohttp import web

from bridge.errors import BridgeError
from portals.ids import ChannelId, is_slack_id
from portals.permalinks import message_ts

if TYPE_CHECKING:
    from bridge.public.allowance import Allowance
    from bridge.work.permalinks import Permalinks

log = logging.getLogger(__name__)


class Archives:
    """Answers with redirects."""

    def __init__(self, permalinks: Permalinks, allowance: Allowance) -> None:
        self._permalinks = permalinks
        self._allowance = allowance

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of both forms of a link."""
        return [
            web.get("/archives/{channel}{slash:/?}", self.handle),
            web.get("/archives/{channel}/{message}{slash:/?}", self.handle),
        ]

    async def handle(self, request: web.Request) -> web.Response:
        """Answer one link with a redirect, or with 404 and the reason."""
        channel, message = request.match_info["channel"], request.match_info.get("message")
        ts = message_ts(message) if message is not None else None
        if not is_slack_id(channel) or (message is not None and ts is None):
            raise web.HTTPNotFound
        if (refusal := self._allowance.spend()) is not None:
            return refusal
        try:
            address = await self._permalinks.in_matrix(ChannelId(channel), ts)
            if address is not None:
                return web.Response(status=302, headers={"Location": address, "Cache-Control": "no-cache"})
            room = await self._permalinks.in_matrix(ChannelId(channel), None) if ts is not None else None
        except BridgeError as error:
            log.warning("a link could not be looked up: %s", error)
            return web.Response(status=503, text="Links cannot be looked up at the moment.\n")
        if room is not None:
            return web.Response(status=404, text=f"This message is not in Matrix. Its channel is here: {room}\n")
        return web.Response(status=404, text="This channel is not in Matrix.\n")
