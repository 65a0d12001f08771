"""The parts of consents, built by hand in one place from what the configuration says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.oauth.connecting import Connecting
from bridge.oauth.installing import Installing, steps_of
from bridge.oauth.seal import Seal
from bridge.oauth.slack_app import SlackApp
from bridge.slack.client import SlackClient
from bridge.slack.limits import Limits
from bridge.slack.web import WebApi
from config.manifest import CONNECTED, INSTALLED, scopes, user_scopes

if TYPE_CHECKING:
    from collections.abc import Mapping

    import aiohttp

    from bridge.administration.store import Store
    from bridge.matrix.client import MatrixClient
    from bridge.slack.client import Identity
    from bridge.slack.installation import Installation
    from bridge.store.grants import Grants
    from bridge.work.hands import Hands
    from config.settings import Settings
    from portals.ids import TeamId


def seal_from(settings: Settings) -> Seal:
    """Return what seals and opens tokens."""
    return Seal(settings.oauth.key.reveal() if settings.oauth.key is not None else None)


def apps_from(
    settings: Settings, session: aiohttp.ClientSession, *, for_themselves: bool = False
) -> dict[str, SlackApp]:
    """Return the apps that ask people, or to be installed, by the names of their workspaces."""
    asked = scopes(settings) if for_themselves else user_scopes(settings)
    return {
        one.name: SlackApp(
            one.name,
            one.client_id,
            one.client_secret.reveal(),
            web=WebApi(one.name, "", session=session, limits=Limits(), api_url=settings.slack.api_url),
            api_url=settings.slack.api_url,
            redirect_uri=f"{settings.public.url}{INSTALLED if for_themselves else CONNECTED}",
            scopes=tuple(sorted(asked)),
            pkce=settings.oauth.pkce,
            for_itself=for_themselves,
        )
        for one in settings.slack.workspaces
        if one.client_id is not None and one.client_secret is not None
    }


def connecting_from(
    settings: Settings,
    apps: Mapping[str, SlackApp],
    installations: Mapping[TeamId, Installation],
    store: Store,
    grants: Grants,
    hands: Hands,
    matrix: MatrixClient,
) -> Connecting | None:
    """Return what leads people through their consent; None where no workspace asks anybody."""
    key, url = settings.oauth.key, settings.public.url
    if not apps or key is None or url is None:
        return None
    return Connecting(
        apps=apps,
        installations=installations,
        store=store,
        grants=grants,
        hands=hands,
        seal=seal_from(settings),
        matrix=matrix,
        public_url=url,
        key=key.reveal(),
        with_conversations=settings.people.live_direct_messages,
    )


def installing_from(
    settings: Settings,
    session: aiohttp.ClientSession,
    installations: Mapping[TeamId, Installation],
    store: Store,
    grants: Grants,
) -> Installing | None:
    """Return what leads admins through an installation; None where no workspace can be installed so."""
    apps, key = apps_from(settings, session, for_themselves=True), settings.oauth.key
    names = {one.name for one in settings.slack.workspaces if one.bot_token is None}
    if not names or key is None:
        return None

    async def whose(token: str) -> Identity:
        api_url = settings.slack.api_url
        return await SlackClient("install", token, session=session, limits=Limits(), api_url=api_url).auth()

    return Installing(
        apps={name: app for name, app in apps.items() if name in names},
        installations=installations,
        whose=whose,
        grants=grants,
        seal=seal_from(settings),
        consent=steps_of(store.database, key.reveal()),
    )
