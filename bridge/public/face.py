"""What answers on the public listener.

Promises: nothing is told but what whoever asks names exactly; a body is never read; what costs a look-up or a request
to the homeserver is bounded in number whoever asks, so that the relaying beside it goes on. Refuses everything else
with 404, the same for what never was and for what is no longer there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from bridge.public.allowance import Allowance
from bridge.public.archives import Archives
from bridge.public.avatars import Avatars
from bridge.public.consents import ConsentPages

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from bridge.matrix.media import Media
    from bridge.oauth.connecting import Connecting
    from bridge.oauth.installing import Installing
    from bridge.work.permalinks import Permalinks
    from portals.avatars import AvatarAddresses

NOTHING = "There is nothing at this address.\n"
_RATE, _BURST = 20.0, 200.0
"""Answers a second that may cost something, and how many may be asked for at once."""


def application(
    permalinks: Permalinks,
    media: Media,
    avatars: AvatarAddresses | None,
    consents: Sequence[Connecting | Installing] = (),
    *,
    secure: bool = True,
) -> web.Application:
    """Return the application of the public listener; without `avatars` and `consents` it only redirects.

    `secure` says that it is reached by https.
    """
    app = web.Application(middlewares=[_guarded], client_max_size=1024)
    allowance = Allowance(_RATE, _BURST)
    app.add_routes(Archives(permalinks, allowance).routes())
    if avatars is not None:
        app.add_routes(Avatars(avatars, media, allowance).routes())
    for flow in consents:
        app.add_routes(ConsentPages(flow, allowance, secure=secure).routes())
    return app


@web.middleware
async def _guarded(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Have every answer, a refusal too, say no more to a browser than it should."""
    try:
        response = await handler(request)
    except web.HTTPException:
        response = web.Response(status=404, text=NOTHING)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
