"""A running bridge with a console, and a browser without JavaScript that reads its pages and sends its forms."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import aiohttp
from selectolax.lexbor import LexborHTMLParser

from bridge.administration.office import is_admin
from bridge.console.signing import Signing
from tests.journeys.stage import Stage, until
from tests.sandbox.child import free_port
from tests.sandbox.slack.seed import demo_workspace

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from selectolax.lexbor import LexborNode

ADMIN = "@admin:localhost"


@dataclass(frozen=True)
class Page:
    """What the browser shows."""

    status: int
    path: str
    headers: dict[str, str]
    text: str

    @property
    def tree(self) -> LexborHTMLParser:
        return LexborHTMLParser(self.text)

    @property
    def said(self) -> str:
        found = self.tree.css_first("p.said")
        return found.text() if found else ""

    def form(self, action: str) -> LexborNode:
        return next(one for one in self.tree.css("form") if one.attributes.get("action") == action)

    def fields(self, action: str, **given: str) -> dict[str, str]:
        """Return what a form of the page sends, with some of it filled in."""
        form = self.form(action)
        found = {str(one.attributes["name"]): one.attributes.get("value") or "" for one in form.css("input[name]")}
        for select in form.css("select[name]"):
            options = [one.attributes.get("value") or one.text() for one in select.css("option")]
            found[str(select.attributes["name"])] = options[0] if options else ""
        return {**found, **given}


@dataclass
class Browser:
    """Somebody at the console; cookies are kept."""

    stage: Stage
    session: aiohttp.ClientSession

    @property
    def url(self) -> str:
        return f"http://{self.stage.settings.console.listen}"

    async def get(self, path: str) -> Page:
        async with self.session.get(self.url + path) as response:
            return await _page(response)

    async def post(self, path: str, data: dict[str, str], **headers: str) -> Page:
        async with self.session.post(self.url + path, data=data, headers=headers) as response:
            return await _page(response)

    async def send(self, page: Page, action: str, **given: str) -> Page:
        """Send a form of a page."""
        return await self.post(action, page.fields(action, **given))

    async def link(self, user: str = ADMIN) -> str:
        """Return a link for signing in, without the address."""
        assert self.stage.database is not None
        settings = self.stage.settings
        signing = Signing(settings.console, self.stage.database, partial(is_admin, settings))
        return (await signing.sign_in_link(user)).removeprefix(self.url)

    async def sign_in(self) -> Page:
        """Follow a link of the bot's, and press the button."""
        return await self.send(await self.get(await self.link()), "/sign-in")


async def _page(response: aiohttp.ClientResponse) -> Page:
    return Page(response.status, response.url.path, dict(response.headers), await response.text())


@contextlib.asynccontextmanager
async def browsing(database_url: str, *, channels: str = "general", **console: str) -> AsyncIterator[Browser]:
    """Run a bridge with one portal, or with those of a pattern, and open a browser beside it."""
    more = {
        "console": {"listen": f"127.0.0.1:{free_port()}", **console},
        "admins": [ADMIN],
        "portals": {"automatic": {"include": [channels]}},
    }
    jar = aiohttp.CookieJar(unsafe=True)
    async with (
        Stage(database_url, more, demo_workspace) as stage,
        aiohttp.ClientSession(cookie_jar=jar) as session,
    ):
        await stage.start()
        await stage.room("#general")
        await until(lambda: stage.slack.sockets.connections)
        yield Browser(stage, session)
