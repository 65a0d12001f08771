"""The pages of consents: ours, which says what is asked and leads on to Slack, and the one that leads back from there.

Promises: nothing is done by looking at the first page; no answer holds a token of Slack's or is kept by anybody; all of
it works without a script, and whatever is shown was escaped.
"""

from __future__ import annotations

import logging
from html import escape
from typing import TYPE_CHECKING

from aiohttp import web

from bridge.errors import BridgeError
from bridge.oauth.consent import Turned, new_cookie

if TYPE_CHECKING:
    from bridge.oauth.connecting import Connecting
    from bridge.oauth.installing import Installing
    from bridge.public.allowance import Allowance

log = logging.getLogger(__name__)

_LASTS = 900
_PAGE = (
    '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
    '<meta name="viewport" content="width=device-width, initial-scale=1"></head>'
    "<body><main><h1>{title}</h1>{body}</main></body></html>\n"
)


class ConsentPages:
    """Answers browsers for one kind of consent; `secure` says that the public address is https."""

    def __init__(self, flow: Connecting | Installing, allowance: Allowance, *, secure: bool) -> None:
        self._flow = flow
        self._allowance = allowance
        self._secure = secure
        self._cookie = "__Host-causeway-consent" if secure else "causeway-consent"

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of both pages."""
        return [
            web.get(self._flow.path, self.ask, allow_head=False),
            web.get(self._flow.back_path, self.back, allow_head=False),
        ]

    async def ask(self, request: web.Request) -> web.Response:
        """Say what is asked; with `go`, lead to Slack."""
        if (refusal := self._allowance.spend()) is not None:
            return refusal
        link, go = request.query.get("link", ""), request.query.get("go", "")
        try:
            if go:
                address = await self._flow.go(link, request.cookies.get(self._cookie, ""), go)
                return web.Response(status=302, headers={"Location": address, "Cache-Control": "no-store"})
            title, asked, onward = self._flow.asks(await self._flow.consent.look(link))
        except Turned as turned:
            return _said("Not done", str(turned), status=400)
        except BridgeError as error:
            return _later(error)
        cookie = new_cookie()
        way = f"{self._flow.path}?link={escape(link)}&amp;go={self._flow.consent.token(link, cookie)}"
        response = _shown(title, f'{asked}<p><a href="{way}">{onward}</a></p>')
        response.set_cookie(
            self._cookie, cookie, max_age=_LASTS, httponly=True, secure=self._secure, samesite="Lax", path="/"
        )
        return response

    async def back(self, request: web.Request) -> web.Response:
        """Take up what somebody brings back from Slack."""
        if (refusal := self._allowance.spend()) is not None:
            return refusal
        query = request.query
        try:
            said = await self._flow.back(
                query.get("state", ""),
                query.get("code", ""),
                query.get("error", ""),
                request.cookies.get(self._cookie, ""),
            )
        except Turned as turned:
            response = _said("Not done", str(turned), status=400)
        except BridgeError as error:
            response = _later(error)
        else:
            response = _said("Done", said)
        response.del_cookie(self._cookie, path="/", secure=self._secure, httponly=True, samesite="Lax")
        return response


def _said(title: str, words: str, *, status: int = 200) -> web.Response:
    return _shown(title, f"<p>{escape(words)}</p>", status)


def _shown(title: str, body: str, status: int = 200) -> web.Response:
    page = _PAGE.format(title=escape(title), body=body)
    return web.Response(text=page, content_type="text/html", status=status, headers={"Cache-Control": "no-store"})


def _later(error: BridgeError) -> web.Response:
    log.warning("nobody can consent at the moment: %s", error)
    return _said("Not done", "That cannot be done at the moment. Ask for a new link later.", status=503)
