"""Signing in: the bot sends an admin a link that works once; it becomes a session, and a session ends.

Identity is Matrix's: a link is made for a user id, and whoever is no admin any more is signed in no longer, whatever
their cookie says. The link itself only shows a button, so that a program which looks at links first uses none up.
"""

from __future__ import annotations

import hmac
import secrets
from typing import TYPE_CHECKING

from aiohttp import web

from bridge.errors import Declined
from bridge.store.sign_ins import Session, SignIns

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.store.database import Database
    from config.console import Console

SIGN_IN = "/sign-in"
_LINK_LASTS = 600.0
_BYTES = 32


class Signing:
    """Links, sessions and the cookie that holds one."""

    def __init__(self, settings: Console, database: Database, is_admin: Callable[[str], bool]) -> None:
        self._settings = settings
        self._is_admin = is_admin
        self._sign_ins = SignIns(database)
        self._address = self._settings.address_at(self._settings.listen) if self._settings.listen else ""
        self._is_https = self._address.startswith("https:")
        self._cookie = "__Host-causeway" if self._is_https else "causeway"

    async def sign_in_link(self, user: str) -> str:
        """Return a link by which an admin can sign in once, within ten minutes; raises Declined."""
        if not self._address:
            raise Declined("no_console", "there is no console: set console.listen in the configuration")
        if not self._is_admin(user):
            raise Declined(
                "no_admin", f"{user} is no admin: add them to `admins` in the configuration, or give them that level"
            )
        secret = secrets.token_urlsafe(_BYTES)
        await self._sign_ins.add_link(secret, user, _LINK_LASTS)
        return f"{self._address.rstrip('/')}{SIGN_IN}?link={secret}"

    async def session(self, request: web.Request) -> Session | None:
        """Return who asks."""
        secret = request.cookies.get(self._cookie, "")
        found = await self._sign_ins.session(secret) if secret else None
        return found if found is not None and self._is_admin(found.user) else None

    async def sign_in(self, request: web.Request, link: str) -> web.Response | None:
        """Use up a link and return an answer that signs in; None for a link that does not work."""
        user = await self._sign_ins.take_link(link) if link else None
        if user is None or not self._is_admin(user):
            return None
        secret, seconds = secrets.token_urlsafe(_BYTES), self._settings.session.total_seconds()
        session = Session(user, secrets.token_urlsafe(_BYTES))
        await self._sign_ins.add_session(secret, session, seconds, request.remote or "")
        response = web.Response(status=303, headers={"Location": "/"})
        response.set_cookie(
            self._cookie,
            secret,
            max_age=int(seconds),
            httponly=True,
            secure=self._is_https,
            samesite="Strict",
            path="/",
        )
        return response

    async def sign_out(self, request: web.Request) -> web.Response:
        """End a session."""
        await self._sign_ins.remove_session(request.cookies.get(self._cookie, ""))
        response = web.Response(status=303, headers={"Location": SIGN_IN})
        response.del_cookie(self._cookie, path="/", secure=self._is_https, httponly=True, samesite="Strict")
        return response


def is_ours(session: Session, shown: object) -> bool:
    """Tell whether a form was made for this session."""
    return isinstance(shown, str) and hmac.compare_digest(session.form_token.encode(), shown.encode(errors="replace"))
