"""Consents: where an app sends people, what they agree to, and the tokens that it gets for that.

As strict as Slack: a redirect address has to be one of the app's, a code is good once and for ten minutes, a refresh
token once; PKCE is for apps that opted in; tokens expire where the app has rotation on.
https://docs.slack.dev/authentication/installing-with-oauth
"""

from __future__ import annotations

import base64
import hmac
import time
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit

from aiohttp import web

from tests.sandbox.slack.errors import SlackRefusal
from tests.sandbox.slack.reality import ALL_BOT_SCOPES
from tests.sandbox.slack.state import Token
from tests.sandbox.slack.workspace import Announcement

if TYPE_CHECKING:
    from tests.sandbox.slack.server import SlackSandbox
    from tests.sandbox.slack.state import App, Json
    from tests.sandbox.slack.webapi.call import Args
    from tests.sandbox.slack.workspace import Workspace

AUTHORIZE = "/oauth/v2/authorize"
EXPIRES_IN = 43_200
CODE_LASTS = 600.0
USER_SCOPES = frozenset(
    {
        *("chat:write", "files:read", "files:write", "reactions:read", "reactions:write", "users:read"),
        *("channels:history", "channels:write", "im:history", "im:read", "im:write"),
        *("mpim:history", "mpim:read", "mpim:write", "metadata.message:read"),
    }
)


@dataclass(frozen=True, slots=True)
class _Code:
    """What somebody agreed to, until the app fetches it."""

    app: App
    team_id: str
    bot: Token | None
    user_id: str
    scopes: frozenset[str]
    redirect_uri: str
    challenge: str
    until: float


class OAuth:
    """The consent page and `oauth.v2.access`."""

    def __init__(self, sandbox: SlackSandbox) -> None:
        self._sandbox = sandbox
        self._codes: dict[str, _Code] = {}
        self._refresh: dict[str, Token] = {}

    def code_of(self, token: Token, redirect_uri: str = "", challenge: str = "") -> str:
        """A code for an installation whose token is this."""
        return self._code(
            _Code(token.app, token.team_id, token, token.user_id, frozenset(), redirect_uri, challenge, _until())
        )

    def consent(self, address: str, person: str, *, workspace: Workspace | None = None, agrees: bool = True) -> str:
        """Where a person is led who was sent to this address, and agrees or does not. Raises SlackRefusal."""
        place = urlsplit(address)
        asked = dict(parse_qsl(place.query, keep_blank_values=True))
        app = self._app(asked.get("client_id", ""))
        if place.path != AUTHORIZE:
            raise SlackRefusal("oauth_authorization_url_mismatch")
        redirect_uri = asked.get("redirect_uri", "")
        if redirect_uri not in app.redirect_urls:
            raise SlackRefusal("bad_redirect_uri")
        of_bot = _scopes(asked.get("scope", ""))
        scopes = _scopes(asked.get("user_scope", ""))
        if not scopes and not of_bot:
            raise SlackRefusal("no_user_scopes")
        if not scopes <= USER_SCOPES or not of_bot <= ALL_BOT_SCOPES:
            raise SlackRefusal("invalid_scope")
        challenge = asked.get("code_challenge", "")
        if challenge and not app.pkce:
            raise SlackRefusal("pkce_not_allowed")
        state = {"state": asked["state"]} if "state" in asked else {}
        if not agrees:
            return f"{redirect_uri}?{urlencode({'error': 'access_denied', **state})}"
        chosen = workspace or self._sandbox.team(asked.get("team", ""))
        bot = self._installed(app, chosen, of_bot) if of_bot else None
        code = _Code(app, chosen.id, bot, chosen.user(person).id, scopes, redirect_uri, challenge, _until())
        return f"{redirect_uri}?{urlencode({'code': self._code(code), **state})}"

    def page(self, request: web.BaseRequest) -> web.Response:
        """The consent page for a browser: whoever is clicked agrees."""
        try:
            if "as" in request.query:
                address = request.path_qs.partition("&as=")[0]
                return web.Response(status=302, headers={"Location": self.consent(address, request.query["as"])})
            team = self._sandbox.team(request.query.get("team", ""))
        except (SlackRefusal, KeyError) as error:
            return web.Response(status=400, text=f"{error}\n")
        people = [user.name for user in team.users.values() if not user.is_bot and user.email]
        links = "".join(f'<li><a href="{escape(request.path_qs)}&amp;as={name}">{name}</a></li>' for name in people)
        return web.Response(text=f"<h1>Allow it, as</h1><ul>{links}</ul>", content_type="text/html")

    def access(self, args: Args) -> Json:
        """oauth.v2.access"""
        app = self._app(args.text("client_id"))
        if not hmac.compare_digest(app.client_secret, args.text("client_secret")):
            raise SlackRefusal("bad_client_secret")
        if args.text("grant_type") == "refresh_token":
            return self._renewed(app, args.text("refresh_token"))
        if args.text("grant_type", "authorization_code") != "authorization_code":
            raise SlackRefusal("invalid_grant_type")
        code = self._codes.get(args.text("code"))
        if code is None or code.app is not app or code.until < time.monotonic():
            raise SlackRefusal("invalid_code")
        if code.redirect_uri != args.text("redirect_uri"):
            raise SlackRefusal("bad_redirect_uri")
        if code.challenge and challenge_of(args.text("code_verifier")) != code.challenge:
            raise SlackRefusal("invalid_code_verifier")
        del self._codes[args.text("code")]
        team = self._sandbox.teams[code.team_id].team
        body: Json = {"ok": True, "app_id": app.id, "enterprise": None, "is_enterprise_install": False}
        body["team"] = {"id": team.id, "name": team.name}
        if code.bot is not None:
            body |= {"bot_user_id": code.bot.user_id, **self._told(code.bot)}
            return body | {"authed_user": {"id": code.user_id}}
        token = self._new_token(app, code.team_id, code.user_id, set(code.scopes))
        return body | {"authed_user": {"id": code.user_id, **self._told(token)}}

    def expire(self, person: str) -> None:
        """Lets twelve hours go by for the tokens of a person."""
        for token in self.tokens_of(person):
            token.state = "token_expired"

    def tokens_of(self, person: str) -> list[Token]:
        """The tokens by which apps act as a person, the oldest first."""
        user = self._sandbox.team().user(person).id
        return [one for one in self._sandbox.tokens.values() if one.kind == "user" and one.user_id == user]

    def revoked(self, token: Token) -> None:
        """What renews a token that was revoked is good for nothing."""
        self._refresh = {value: one for value, one in self._refresh.items() if one is not token}

    def uninstall(self, workspace: Workspace) -> None:
        """The app is taken out of a workspace, with all that it was allowed."""
        app = workspace.installation.app
        for token in self._sandbox.tokens.values():
            if token.app is app and token.team_id == workspace.id and token.kind != "app":
                token.state = "account_inactive"
                self.revoked(token)
        self._sandbox.delivery.announce(Announcement(workspace, {"type": "app_uninstalled"}, only_app=app.id))

    def _renewed(self, app: App, refresh: str) -> Json:
        old = self._refresh.pop(refresh, None)
        if old is None or old.app is not app:
            raise SlackRefusal("invalid_refresh_token")
        token = self._new_token(app, old.team_id, old.user_id, old.scopes, old.kind)
        return {"ok": True, "app_id": app.id, "user_id": old.user_id, **self._told(token)}

    def _installed(self, app: App, workspace: Workspace, scopes: frozenset[str]) -> Token:
        """The app comes into a workspace, or comes in once more with a new token."""
        if app.id not in workspace.installations:
            self._sandbox.install(workspace, app, scopes)
        installation = workspace.installations[app.id]
        installation.token = self._new_token(app, workspace.id, installation.bot_user, set(scopes), "bot")
        return installation.token

    def _new_token(self, app: App, team_id: str, user_id: str, scopes: set[str], kind: str = "user") -> Token:
        mint = self._sandbox.mint
        value = f"{'xoxb' if kind == 'bot' else 'xoxp'}-{mint.secret(10)}-{mint.secret(24)}"
        token = Token(f"xoxe.{value}" if app.rotation else value, kind, app, team_id, user_id, set(scopes))
        self._sandbox.tokens[token.value] = token
        return token

    def _told(self, token: Token) -> Json:
        told: Json = {"scope": ",".join(sorted(token.scopes)), "access_token": token.value, "token_type": token.kind}
        if token.app.rotation:
            refresh = f"xoxe-1-{self._sandbox.mint.secret(40)}"
            self._refresh[refresh] = token
            told |= {"refresh_token": refresh, "expires_in": EXPIRES_IN}
        return told

    def _app(self, client_id: str) -> App:
        for token in self._sandbox.tokens.values():
            if token.app.client_id == client_id:
                return token.app
        raise SlackRefusal("invalid_client_id")

    def _code(self, code: _Code) -> str:
        value = self._sandbox.mint.secret(20)
        self._codes[value] = code
        return value


def _scopes(text: str) -> frozenset[str]:
    return frozenset(scope for scope in text.split(",") if scope)


def challenge_of(verifier: str) -> str:
    """What a PKCE verifier has to hash to (S256)."""
    return base64.urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _until() -> float:
    return time.monotonic() + CODE_LASTS
