"""The pages by which people connect their accounts of Slack: ours, which leads there, and the one that leads back.

Promises: nothing is done by looking at the first page; no answer holds a token of Slack's or is kept by anybody; all of
it works without a script, and whatever is shown was escaped.
"""

from __future__ import annotations

import logging
from html import escape
from typing import TYPE_CHECKING

from aiohttp import web

from bridge.errors import BridgeError
from bridge.oauth.connecting import CONNECT, Turned
from config.manifest import CONNECTED

if TYPE_CHECKING:
    from bridge.oauth.connecting import Connecting
    from bridge.public.allowance import Allowance

log = logging.getLogger(__name__)

_LASTS = 900
_PAGE = (
    '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
    '<meta name="viewport" content="width=device-width, initial-scale=1"></head>'
    "<body><main><h1>{title}</h1>{body}</main></body></html>\n"
)


class ConnectPages:
    """Answers browsers; `secure` says that the public address is https."""

    def __init__(self, connecting: Connecting, allowance: Allowance, *, secure: bool) -> None:
        self._connecting = connecting
        self._allowance = allowance
        self._secure = secure
        self._cookie = "__Host-causeway-connect" if secure else "causeway-connect"

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of both pages."""
        return [
            web.get(CONNECT, self.connect, allow_head=False),
            web.get(CONNECTED, self.connected, allow_head=False),
        ]

    async def connect(self, request: web.Request) -> web.Response:
        """Say who would write as whom; with `go`, lead to Slack."""
        if (refusal := self._allowance.spend()) is not None:
            return refusal
        link, go = request.query.get("link", ""), request.query.get("go", "")
        try:
            if go:
                address = await self._connecting.go(link, request.cookies.get(self._cookie, ""), go)
                return web.Response(status=302, headers={"Location": address, "Cache-Control": "no-store"})
            about = await self._connecting.page(link)
        except Turned as turned:
            return _said("Not connected", str(turned), status=400)
        except BridgeError as error:
            return _later(error)
        cookie = self._connecting.new_cookie()
        onward = f"{CONNECT}?link={escape(link)}&amp;go={self._connecting.token(link, cookie)}"
        account, workspace = escape(about.account), escape(about.workspace)
        response = _shown(
            "Write in Slack as yourself",
            f"<p>The Matrix account <strong>{account}</strong> asks to write, edit, delete, react and share files in "
            f"Slack ({workspace}) <strong>as you</strong>.</p>"
            f"<p>Go on only if {account} is your own account. Otherwise close this page: nothing has happened.</p>"
            f'<p><a href="{onward}">{account} is mine: go on to Slack</a></p>',
        )
        response.set_cookie(
            self._cookie, cookie, max_age=_LASTS, httponly=True, secure=self._secure, samesite="Lax", path="/"
        )
        return response

    async def connected(self, request: web.Request) -> web.Response:
        """Take up what somebody brings back from Slack."""
        if (refusal := self._allowance.spend()) is not None:
            return refusal
        query = request.query
        try:
            about = await self._connecting.back(
                query.get("state", ""),
                query.get("code", ""),
                query.get("error", ""),
                request.cookies.get(self._cookie, ""),
            )
        except Turned as turned:
            response = _said("Not connected", str(turned), status=400)
        except BridgeError as error:
            response = _later(error)
        else:
            words = f"{about.account} writes in Slack ({about.workspace}) as you from now on. You can close this page."
            response = _said("Connected", words)
        response.del_cookie(self._cookie, path="/", secure=self._secure, httponly=True, samesite="Lax")
        return response


def _said(title: str, words: str, *, status: int = 200) -> web.Response:
    return _shown(title, f"<p>{escape(words)}</p>", status)


def _shown(title: str, body: str, status: int = 200) -> web.Response:
    page = _PAGE.format(title=escape(title), body=body)
    return web.Response(text=page, content_type="text/html", status=status, headers={"Cache-Control": "no-store"})


def _later(error: BridgeError) -> web.Response:
    log.warning("nobody can connect at the moment: %s", error)
    return _said("Not connected", "That cannot be done at the moment. Ask the bot for a new link later.", status=503)
