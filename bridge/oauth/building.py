"""The parts of consents, built by hand in one place from what the configuration says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.oauth.connecting import Connecting
from bridge.oauth.seal import Seal
from bridge.oauth.slack_app import SlackApp
from bridge.slack.limits import Limits
from bridge.slack.web import WebApi
from config.manifest import CONNECTED, user_scopes

if TYPE_CHECKING:
    from collections.abc import Mapping

    import aiohttp

    from bridge.administration.store import Store
    from bridge.matrix.client import MatrixClient
    from bridge.slack.installation import Installation
    from bridge.store.grants import Grants
    from bridge.work.hands import Hands
    from config.settings import Settings
    from portals.ids import TeamId


def seal_from(settings: Settings) -> Seal:
    """Return what seals and opens tokens."""
    return Seal(settings.oauth.key.reveal() if settings.oauth.key is not None else None)


def apps_from(settings: Settings, session: aiohttp.ClientSession) -> dict[str, SlackApp]:
    """Return the apps that ask people, by the names of their workspaces."""
    return {
        one.name: SlackApp(
            one.name,
            one.client_id,
            one.client_secret.reveal(),
            web=WebApi(one.name, "", session=session, limits=Limits(), api_url=settings.slack.api_url),
            api_url=settings.slack.api_url,
            redirect_uri=f"{settings.public.url}{CONNECTED}",
            scopes=tuple(sorted(user_scopes(settings))),
            pkce=settings.oauth.pkce,
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
        secret=key.reveal(),
    )
