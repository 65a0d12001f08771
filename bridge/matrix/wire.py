"""One request to the homeserver, and what became of it.

Promises: a request goes to the configured homeserver only, once, and ends as its JSON answer or as an error of
`bridge.errors`. Refuses: redirects, cookies, proxies of the environment, and repeats of any kind. aiohttp itself sends
an idempotent request anew when a kept connection turns out to be dead; that is a blind second send, so it is off.

mautrix gives the paths. Its `HTTPAPI` is not used: it puts every address together twice, once for a log that nobody
reads, and that is a good part of what the bridge spends on a message.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector
from mautrix.api import Method
from yarl import URL

from bridge.errors import Fatal, Refused
from bridge.matrix.failures import NotAccepted, read_answer, refusal, silence, unknown
from bridge.matrix.foreign_json import parse
from portals.people.puppets import PUPPETS_UNKNOWN

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Callable, Sequence

    from aiohttp import ClientMiddlewareType
    from mautrix.api import PathBuilder

    from portals.ids import MatrixUserId

Json = dict[str, Any]
"""A JSON object of the homeserver: a foreign value, read field by field where it is used."""

_CONNECT = 10.0
_KEEP_ALIVE = 30.0
"""Seconds an idle connection is kept: less than the minute after which Synapse closes it."""


@dataclass(frozen=True, slots=True)
class Puppeting:
    """The token for acting as people's own accounts, and which these are, as patterns with * and ?.

    `is_ours` tells our bot and ghosts, who have the other token.
    """

    token: str
    accounts: tuple[str, ...]
    is_ours: Callable[[str], bool]


class NotJson(Exception):
    """A success whose body is no JSON object: something answers that is not a homeserver."""


class Wire:
    """The requests of one service to one homeserver over one shared pool of connections.

    Made inside a running event loop. `connections` is the most requests in flight at once; further ones wait their
    turn. `timeout` is the longest silence, in seconds, that a request waits for its answer. `nobody` is whom a request
    acts as that names no user, where that is not the token's owner. `around` stands around every request.
    """

    def __init__(
        self,
        homeserver: str,
        token: str,
        *,
        connections: int,
        timeout: float,
        verify_tls: bool = True,
        puppeting: Puppeting | None = None,
        nobody: MatrixUserId | None = None,
        around: Sequence[ClientMiddlewareType] = (),
    ) -> None:
        self._session = ClientSession(
            connector=TCPConnector(limit=connections, keepalive_timeout=_KEEP_ALIVE, ssl=verify_tls),
            timeout=ClientTimeout(total=None, sock_connect=_CONNECT, sock_read=timeout),
            cookie_jar=DummyCookieJar(),
            headers={"User-Agent": "causeway"},
            middlewares=tuple(around),
        )
        self._session._retry_connection = False
        self._homeserver = URL(homeserver)
        self._below = self._homeserver.raw_path.rstrip("/")
        self._bearer = {"Authorization": f"Bearer {token}"}
        self.timeout = timeout
        self._puppeting = puppeting
        self._nobody = nobody
        self.in_flight = 0
        """How many requests wait for their answer, or for their turn."""

    def acts_as(self, user: str | None) -> bool:
        """Tell whether a request for this user carries the token for acting as people."""
        return self._puppeting is not None and user is not None and not self._puppeting.is_ours(user)

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def call(
        self,
        method: Method,
        path: PathBuilder,
        content: Mapping[str, Any] | AsyncIterable[bytes] | None = None,
        *,
        user: MatrixUserId | None = None,
        ts: int | None = None,
        query: Mapping[str, str | Sequence[str]] | None = None,
        headers: Mapping[str, str] | None = None,
        wants: str = "",
        kind: type = str,
        repeatable: bool = True,
    ) -> Json:
        """Make one request and return its answer.

        `user` acts as that user (None: the bot), `ts` is the event's time in ms, `wants` names the field of `kind`
        that the answer must hold. Raises Later, Refused or Fatal, and Unsure where the request is not `repeatable` and
        its outcome cannot be told.
        """
        parameters: dict[str, Any] = dict(query) if query else {}
        if (acting := user or self._nobody) is not None:
            parameters["user_id"] = acting
        if ts is not None:
            parameters["ts"] = str(ts)
        sent = {**self._bearer, **(headers or {})}
        if self._puppeting is not None and self.acts_as(acting):
            sent["Authorization"] = f"Bearer {self._puppeting.token}"
        body: bytes | AsyncIterable[bytes] | None = None
        if content is not None and not isinstance(content, Mapping):
            body = content
        elif method is not Method.GET:
            body = _written(content or {})
            sent["Content-Type"] = "application/json"
        try:
            answer = await self._send(method, self.address(path, parameters), body, sent)
        except NotAccepted as error:
            failure = refusal(error.answer, repeatable)
            if isinstance(failure, Fatal) and self.acts_as(user):
                failure = Refused(
                    PUPPETS_UNKNOWN,
                    "the homeserver does not know double_puppet.as_token",
                    "Load the file doublepuppet.yaml that `causeway register` writes, and restart the homeserver",
                )
            raise failure from None
        except NotJson:
            raise unknown("what answers at the homeserver's address is not a homeserver", repeatable) from None
        except (ClientError, TimeoutError) as error:
            raise silence(error, repeatable) from error
        if wants and not isinstance(answer.get(wants), kind):
            raise unknown(f"the homeserver's answer has no {wants}", repeatable)
        return answer

    async def open(self, path: PathBuilder, query: Mapping[str, str] | None = None) -> ClientResponse:
        """Begin a GET whose body the caller reads and then closes; what fails later is told by `failures.silence`."""
        if self._nobody is not None:
            query = {**(query or {}), "user_id": self._nobody}
        url = self.address(path, query)
        try:
            response = await self._session.get(url, headers=self._bearer, allow_redirects=False)
            if response.status == 200:
                return response
            async with response:
                answer = read_answer(response.status, response.headers, await response.read())
        except (ClientError, TimeoutError) as error:
            raise silence(error, repeatable=True) from error
        raise refusal(answer, repeatable=True)

    def address(self, path: PathBuilder, query: Mapping[str, str | Sequence[str]] | None = None) -> URL:
        """Return the full address of a path below the homeserver's, which may itself have one."""
        address = self._homeserver.with_path(f"{self._below}/{path}", encoded=True)
        return address.with_query(query) if query else address

    async def _send(
        self,
        method: Method,
        url: URL,
        content: bytes | AsyncIterable[bytes] | None,
        headers: Mapping[str, str],
    ) -> Json:
        """Send once, following no redirect; raises NotAccepted with the whole answer of a failure."""
        request = self._session.request(method.value, url, data=content, headers=headers, allow_redirects=False)
        self.in_flight += 1
        try:
            async with request as response:
                body = await response.read()
        finally:
            self.in_flight -= 1
        if response.status != 200 and response.status != 201:
            raise NotAccepted(read_answer(response.status, response.headers, body))
        return _object(body)


def _written(content: Mapping[str, Any]) -> bytes:
    """Write what Synapse would otherwise answer with 500, half a surrogate pair for one, as a refusal."""
    try:
        return orjson.dumps(dict(content))
    except TypeError as error:
        raise Refused("M_BAD_JSON", f"the content cannot be written as JSON: {error}") from error


def _object(body: bytes) -> Json:
    try:
        found = parse(body)
    except ValueError:
        raise NotJson from None
    if not isinstance(found, dict):
        raise NotJson
    return found
