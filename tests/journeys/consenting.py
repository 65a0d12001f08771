"""A stage on which people connect their own accounts of Slack, in a browser of theirs."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp

from tests.journeys.talk import Talk, talk_on
from tests.journeys.test_commands import asked, own_room
from tests.journeys.world import people_of
from tests.sandbox.child import free_port

USER_EVENTS = ("message.im", "message.mpim", "reaction_added", "reaction_removed")
"""What the app hears on behalf of those who allowed it to read that, as its manifest says."""

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.sandbox.homeserver.person import Person
    from tests.sandbox.slack import Reality, SlackSandbox, Workspace


@dataclass
class Consents:
    """A talk, and what people do beside it: `settled` talk in #general, `browser` is ada's."""

    talk: Talk
    browser: aiohttp.ClientSession

    @property
    def slack(self) -> SlackSandbox:
        return self.talk.stage.slack

    async def own_room(self, name: str = "ada") -> tuple[Person, str]:
        """Return somebody of Matrix and their own room with the bot."""
        return await own_room(self.talk.stage, name)

    async def ask(self, person: Person, room: str, words: str) -> str:
        """Tell the bot something, and return its answer."""
        return await asked(self.talk.stage, person, room, words)

    async def link(self, person: Person, room: str) -> str:
        """Return the link that the bot gives."""
        return str(re.findall(r"http\S+", await self.ask(person, room, "connect"))[0])

    async def page(self, link: str, browser: aiohttp.ClientSession | None = None) -> tuple[int, str]:
        """Open an address of the bridge's."""
        async with (browser or self.browser).get(link, allow_redirects=False) as response:
            return response.status, response.headers.get("Location") or await response.text()

    async def to_slack(self, link: str, browser: aiohttp.ClientSession | None = None) -> str:
        """Go on from our page, and return the address of Slack's."""
        _, page = await self.page(link, browser)
        onward = re.findall(r'href="([^"]+)"', page)[0].replace("&amp;", "&")
        status, address = await self.page(link.partition("/slack/")[0] + onward, browser)
        assert status == 302, address
        return address

    async def back(self, link: str, as_: str, **how: Any) -> tuple[int, str]:
        """Go the whole way, and agree in Slack as somebody; returns what our last page says."""
        return await self.page(self.slack.oauth.consent(await self.to_slack(link), as_, **how))

    async def connect(self, name: str = "ada", as_: str = "alice") -> tuple[Person, str]:
        """Have somebody of Matrix connect their account of Slack."""
        person, room = await self.own_room(name)
        status, page = await self.back(await self.link(person, room), as_)
        assert (status, "writes in Slack (acme) as you from now on" in page) == (200, True), page
        await self.talk.settle()
        return person, room

    async def rows(self, sql: str) -> list[tuple[Any, ...]]:
        assert self.talk.stage.database is not None
        return [tuple(row) for row in await self.talk.stage.database.fetch(sql)]


@asynccontextmanager
async def consents_on(
    database_url: str,
    *,
    rotation: bool = False,
    pkce: bool = False,
    seed: Callable[[SlackSandbox], object] = people_of,
    reality: Reality | None = None,
    **others: Any,
) -> AsyncIterator[Consents]:
    """Open a talk in which everybody may connect; `others` are groups of settings."""
    public = f"127.0.0.1:{free_port()}"

    def seeded(slack: SlackSandbox) -> None:
        seed(slack)
        app = slack.team().installation.app
        app.redirect_urls, app.rotation, app.pkce = {f"http://{public}/slack/connected"}, rotation, pkce
        app.user_subscriptions = set(USER_EVENTS)

    more: dict[str, Any] = {
        "oauth": {"key": "k" * 24, "rotation": rotation, "pkce": pkce},
        "public": {"listen": public, "url": f"http://{public}"},
        "permissions": {"rules": [{"who": "*", "level": "user"}]},
        **others,
    }
    async with (
        talk_on(database_url, seeded, reality, **more) as talk,
        aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser,
    ):
        yield Consents(talk, browser)


def other_team(slack: SlackSandbox) -> Workspace:
    """Return another workspace in which the same app is."""
    workspace = slack.new_team("Other", app=slack.team().installation.app)
    workspace.add_user("mallory", "Mallory", display_name="mallory")
    return workspace
