"""How far requests to Slack may go: to Slack's own hosts and to the configured API address, whoever names the address.

Messages, answers of the API and redirects name addresses. A session that is made here sends nothing anywhere else, be
it a call, a socket, a file or what a redirect leads to; names are not even looked up. Where a name of Slack leads to
another machine, TLS stops it: no other address but the configured one is ever spoken to in clear.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.request import getproxies

import aiohttp
from yarl import URL

if TYPE_CHECKING:
    from collections.abc import Sequence

_HOST: Final = re.compile(r"(?:[a-z0-9_-]{1,63}\.){1,8}[a-z]{2,63}", re.ASCII)
"""A name that can be looked up; what a record holds in its place would be looked for again and again."""

_HTTP: Final = {"ws": "http", "wss": "https"}


class Abroad(aiohttp.ClientError):
    """A request was to go to somebody else; its text names no address."""

    def __init__(self) -> None:
        super().__init__("the address is not one of Slack")


class Reach:
    """The addresses that belong to Slack, `api_url` among them."""

    def __init__(self, api_url: str) -> None:
        self._api = _place(URL(api_url))

    def takes_token(self, url: URL) -> bool:
        """Whether a token may be sent to this address."""
        if _place(url) == self._api and url.user is None:
            return True
        return _is_within(url, "slack.com")

    def covers(self, url: URL) -> bool:
        """Whether anything may be sent to this address: Slack's file network serves some files without a token."""
        return self.takes_token(url) or _is_within(url, "slack-edge.com") or _is_within(url, "slack-files.com")

    async def __call__(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        """Pass a request on as a session's middleware, which sees redirects too; raises Abroad."""
        if not self.covers(request.url):
            raise Abroad
        return await handler(request)


def slack_session(
    api_url: str, *, connections: int = 100, around: Sequence[aiohttp.ClientMiddlewareType] = ()
) -> aiohttp.ClientSession:
    """Make a session that reaches Slack alone; proxies of the environment count, `around` stands around requests."""
    return aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=10),
        connector=aiohttp.TCPConnector(limit=connections),
        trust_env=bool(getproxies()),  # where there is none, no thread is to look for it before every request
        middlewares=(*around, Reach(api_url)),
    )


def _place(url: URL) -> tuple[str, str | None, int | None]:
    return _HTTP.get(url.scheme, url.scheme), url.host, url.port


def _is_within(url: URL, domain: str) -> bool:
    host = url.host or ""
    if _HTTP.get(url.scheme, url.scheme) != "https" or url.port != 443 or url.user is not None:
        return False
    return host == domain or (host.endswith(f".{domain}") and _HOST.fullmatch(host) is not None)
