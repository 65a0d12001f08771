"""What the bridge listens on: one listener for the homeserver, and one each for Slack, the internet and admins.

Only the homeserver's is always there; the others are for those who set them up. All are bound before the bridge says
that it is ready, and all are freed when it ends.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from aiohttp import web

from bridge.administration.guesses import Guesses
from bridge.api.contract import PREFIX
from bridge.api.provisioning import PREFIX as PROVISIONING
from bridge.api.provisioning import Provisioning
from bridge.api.server import LARGEST_BODY
from bridge.api.server import application as api_for
from bridge.configured import avatars_from
from bridge.console.server import Console
from bridge.http import Listener
from bridge.matrix.appservice import Appservice
from bridge.observability.endpoints import Endpoints
from bridge.public.face import application
from bridge.slack.events_api import EventsApi

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bridge.administration.office import Office
    from bridge.console.signing import Signing
    from bridge.matrix.media import Media
    from bridge.oauth.connecting import Connecting
    from bridge.oauth.installing import Installing
    from bridge.observability.metrics import Metrics
    from bridge.slack.events_api import SignedApp
    from bridge.work.intake import Intake
    from bridge.work.permalinks import Permalinks
    from config.settings import Settings
    from config.values import Listen

log = logging.getLogger(__name__)

_LARGEST = 64 * 1024 * 1024


def for_homeserver(settings: Settings, intake: Intake) -> Listener:
    """Return what takes the homeserver's transactions."""
    token = settings.appservice.hs_token.reveal()
    appservice = Appservice(token, intake.from_matrix, intake.weather, _user_exists, _alias_exists)
    return _with(appservice.routes(), settings.appservice.listen)


def for_slack(settings: Settings, apps: Sequence[SignedApp]) -> Listener:
    """Return what takes signed events of Slack."""
    events = settings.slack.events
    return _with([web.post(events.path, EventsApi(apps).handle)], events.listen)


def for_the_internet(
    settings: Settings,
    listen: Listen,
    permalinks: Permalinks,
    media: Media,
    consents: Sequence[Connecting | Installing],
) -> Listener:
    """Return what redirects old links, shows avatars and leads people through consents in Slack."""
    secure = (settings.public.url or "").startswith("https:")
    app = application(permalinks, media, avatars_from(settings), consents, secure=secure)
    return Listener(app, listen.host, listen.port)


def for_admins(listen: Listen, office: Office, metrics: Metrics, signing: Signing) -> Listener:
    """Return what shows how the bridge does, and lets admins act."""
    app = web.Application(client_max_size=LARGEST_BODY)
    app.add_routes(Endpoints(office.store.database, office.health, metrics).routes())
    guesses = Guesses(office.store.database)
    app.add_subapp(PREFIX, api_for(office, guesses))
    app.add_subapp(PROVISIONING, Provisioning(office, guesses).application())
    Console(office, signing, guesses).mount(app)
    return Listener(app, listen.host, listen.port)


async def serve(listeners: Sequence[Listener], ready: Callable[[], None]) -> None:
    """Listen until cancelled; `ready` is called once all are bound."""
    try:
        for listener in listeners:
            await listener.start()
            log.info("listening on %s", listener.url)
        ready()
        await asyncio.Event().wait()
    finally:
        for listener in listeners:
            await listener.stop()


def _with(routes: list[web.RouteDef], listen: Listen) -> Listener:
    app = web.Application(client_max_size=_LARGEST)
    app.add_routes(routes)
    return Listener(app, listen.host, listen.port)


async def _user_exists(_user: str) -> bool:
    return False  # ghosts are made when they first speak, never because somebody asks for one


async def _alias_exists(_alias: str) -> bool:
    return False
