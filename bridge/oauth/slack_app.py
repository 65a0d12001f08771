"""Slack's side of a consent: where people are asked, and what their answer is exchanged for.

Promises: the app's secret travels in a header alone; no token is in an error, a log line or a `repr`. Refuses to repeat
an exchange whose answer was lost (Unsure): Slack takes a code and a refresh token only once.
https://docs.slack.dev/authentication/installing-with-oauth and /using-token-rotation, /using-pkce
"""

from __future__ import annotations

import base64
import time
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from yarl import URL

from bridge.errors import Refused, Unsure
from portals.ids import SlackUserId, TeamId

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.slack.web import WebApi

REFUSED_BY_PERSON = "access_denied"


@dataclass(frozen=True, slots=True)
class Given:
    """A token of a person, with what renews it where it expires (in milliseconds; 0 for never)."""

    team: TeamId
    user: SlackUserId
    token: str = field(repr=False)
    refresh: str = field(repr=False)
    expires_at: int
    scopes: frozenset[str]


class SlackApp:
    """The app of one workspace of the configuration, `name`, which asks people, or for itself, for `scopes`."""

    def __init__(
        self,
        name: str,
        client_id: str,
        client_secret: str,
        *,
        web: WebApi,
        api_url: str,
        redirect_uri: str,
        scopes: tuple[str, ...],
        pkce: bool,
        for_itself: bool = False,
    ) -> None:
        self.name = name
        self._client_id = client_id
        self._client_secret = client_secret
        self._web = web
        self._authorize = URL(api_url).with_path("/oauth/v2/authorize").with_query(None)
        self._redirect_uri = redirect_uri
        self._scopes = scopes
        self._pkce = pkce
        self._for_itself = for_itself

    def consent_address(self, state: str, team: TeamId | None, verifier: str) -> str:
        """Return where Slack asks somebody, of one workspace or of any, whether the app may do so."""
        query = {
            "client_id": self._client_id,
            "scope" if self._for_itself else "user_scope": ",".join(self._scopes),
            "redirect_uri": self._redirect_uri,
            "state": state,
        }
        if team is not None:
            query["team"] = team
        if self._pkce:
            query |= {"code_challenge": challenge_of(verifier), "code_challenge_method": "S256"}
        return str(self._authorize.with_query(query))

    async def exchange(self, code: str, verifier: str) -> Given:
        """Return what somebody gave who came back from Slack; raises Later, Unsure where its answer was lost, Refused.

        https://docs.slack.dev/reference/methods/oauth.v2.access
        """
        answer = await self._access(
            code=code, redirect_uri=self._redirect_uri, code_verifier=verifier if self._pkce else None
        )
        person = answer.get("authed_user")
        team = answer.get("team")
        if not isinstance(person, dict) or not isinstance(team, dict):
            raise Refused("no_person", "oauth.v2.access: the answer names no person")
        if self._for_itself:
            return _given(answer, str(team.get("id") or ""), "")
        return _given(person, str(team.get("id") or ""), str(person.get("id") or ""))

    async def renew(self, refresh: str, team: TeamId, user: SlackUserId) -> Given:
        """Return what takes the place of a token that expires; raises Later, Unsure where its answer was lost, Refused.

        Slack takes `refresh` only once; the old token is good until it expires.
        """
        answer = await self._access(grant_type="refresh_token", refresh_token=refresh)
        person = answer.get("authed_user")
        source = person if isinstance(person, dict) and person.get("access_token") else answer
        return _given(source, team, user)

    async def _access(self, **args: object) -> Mapping[str, Any]:
        return await self._web.call_as_app("oauth.v2.access", self._client_id, self._client_secret, **args)


def challenge_of(verifier: str) -> str:
    """Return what Slack is shown of a verifier before it is shown that itself (RFC 7636, S256)."""
    return base64.urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _given(source: Mapping[str, Any], team: str, user: str) -> Given:
    token, refresh, seconds = source.get("access_token"), source.get("refresh_token"), source.get("expires_in")
    if not isinstance(token, str) or not token:
        raise Refused("no_token", "oauth.v2.access: the answer holds no token")
    expires = isinstance(seconds, int) and seconds > 0
    if expires and not isinstance(refresh, str):
        raise Unsure("oauth.v2.access: the token expires, and nothing came that renews it")
    return Given(
        team=TeamId(team),
        user=SlackUserId(user),
        token=token,
        refresh=refresh if isinstance(refresh, str) else "",
        expires_at=int((time.time() + seconds) * 1000) if isinstance(seconds, int) and seconds > 0 else 0,
        scopes=frozenset(scope for scope in str(source.get("scope") or "").split(",") if scope),
    )
