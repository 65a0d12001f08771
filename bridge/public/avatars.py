"""The pictures of Matrix people, for Slack's servers to fetch.

Promises: only a picture whose address the bridge itself has signed is fetched, as a small thumbnail by authenticated
media, and only as one of a few kinds of image that run nothing in a browser; few are fetched at once, and some are kept
in memory. Refuses with the same 404 what is forged, gone, too large or no image.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from typing import TYPE_CHECKING

from aiohttp import web

from bridge.errors import BridgeError, Refused

if TYPE_CHECKING:
    from bridge.matrix.media import Media
    from bridge.public.allowance import Allowance
    from portals.avatars import AvatarAddresses

log = logging.getLogger(__name__)

SIDE = 96
"""Pixels of a picture's side; Slack shows 36 to 72. Every Synapse keeps a thumbnail of this size."""
LARGEST = 512 * 1024
_KEPT = 64
"""Pictures kept: at most 32 MiB, a tenth of that for the usual ones."""
_AT_ONCE = 4
_IMAGES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
_HEADERS = {"Cache-Control": "public, max-age=86400", "Cross-Origin-Resource-Policy": "cross-origin"}


class Avatars:
    """Answers with pictures."""

    def __init__(self, addresses: AvatarAddresses, media: Media, allowance: Allowance) -> None:
        self._addresses = addresses
        self._media = media
        self._allowance = allowance
        self._kept: OrderedDict[str, tuple[bytes, str]] = OrderedDict()
        self._arriving: dict[str, asyncio.Event] = {}
        self._turns = asyncio.Semaphore(_AT_ONCE)

    def routes(self) -> list[web.RouteDef]:
        """Return the route of the addresses that `AvatarAddresses` makes."""
        return [web.get("/avatar/{server}/{media}/{signature}", self.handle)]

    async def handle(self, request: web.Request) -> web.Response:
        """Answer one request with the picture, or with a refusal that does not tell why."""
        parts = request.match_info
        mxc = self._addresses.picture(parts["server"], parts["media"], parts["signature"])
        if mxc is None:
            raise web.HTTPNotFound
        if mxc not in self._kept:
            if (refusal := self._allowance.spend()) is not None:
                return refusal
            try:
                await self._have(mxc)
            except Refused as refused:
                log.info("the avatar %s is not shown: %s", mxc, refused)
                raise web.HTTPNotFound from refused
            except BridgeError as error:
                log.info("the avatar %s cannot be had at the moment: %s", mxc, error)
                return web.Response(status=503, text="Try again later.\n", headers={"Retry-After": "30"})
        self._kept.move_to_end(mxc)
        picture, kind = self._kept[mxc]
        return web.Response(body=picture, content_type=kind, headers=_HEADERS)

    async def _have(self, mxc: str) -> None:
        """Have a picture in memory; who asks for one that is arriving waits for it."""
        while (arriving := self._arriving.get(mxc)) is not None:
            await arriving.wait()
        if mxc in self._kept:
            return
        self._arriving[mxc] = arrived = asyncio.Event()
        try:
            self._kept[mxc] = await self._fetch(mxc)
        finally:
            del self._arriving[mxc]
            arrived.set()
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)

    async def _fetch(self, mxc: str) -> tuple[bytes, str]:
        async with self._turns, self._media.thumbnail(mxc, SIDE, LARGEST) as found:
            kind = found.content_type.partition(";")[0].strip().lower()
            if kind not in _IMAGES:
                raise Refused("no_image", f"it is {kind[:80]}, which is no image that may be shown")
            return b"".join([chunk async for chunk in found.chunks]), kind
