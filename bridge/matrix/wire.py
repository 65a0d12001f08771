"""One request to the homeserver, through mautrix, and what became of it.

Promises: a request goes to the configured homeserver only, once, and ends as its JSON answer or as an error of
`bridge.errors`. Refuses: redirects, cookies, proxies of the environment, and repeats of any kind. aiohttp itself sends
an idempotent request anew when a kept connection turns out to be dead; that is a blind second send, so it is off.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector
from mautrix.api import HTTPAPI, Method, PathBuilder
from mautrix.errors import MatrixConnectionError

from bridge.errors import Fatal, Refused
from bridge.matrix.failures import NotAccepted, read_answer, refusal, silence, unknown
from bridge.matrix.foreign_json import parse
from portals.people.puppets import PUPPETS_UNKNOWN

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Callable, Sequence

    from aiohttp import TraceConfig
    from yarl import URL

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


class Wire(HTTPAPI):
    """The requests of one service to one homeserver over one shared pool of connections.

    Made inside a running event loop. `connections` is the most requests in flight at once; further ones wait their
    turn. `timeout` is the longest silence, in seconds, that a request waits for its answer. `nobody` is whom a request
    acts as that names no user, where that is not the token's owner.
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
        traces: Sequence[TraceConfig] = (),
    ) -> None:
        session = ClientSession(
            connector=TCPConnector(limit=connections, keepalive_timeout=_KEEP_ALIVE, ssl=verify_tls),
            timeout=ClientTimeout(total=None, sock_connect=_CONNECT, sock_read=timeout),
            cookie_jar=DummyCookieJar(),
            headers={"User-Agent": "causeway"},
            trace_configs=list(traces),
        )
        session._retry_connection = False
        super().__init__(
            homeserver,
            token,
            client_session=session,
            default_retry_count=0,
            log=logging.getLogger(__name__),  # type: ignore[arg-type]  # only `log` and `warning` are used
        )
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
        await self.session.close()

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
        try:
            answer: Json = await self.request(
                method,
                path,
                _written(content) if isinstance(content, Mapping) else content,  # type: ignore[arg-type]  # any iterable
                headers=dict(headers) if headers else None,
                query_params=parameters,
            )
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
        except MatrixConnectionError as error:
            raise silence(error.__cause__ or error, repeatable) from error
        except TimeoutError as error:
            raise silence(error, repeatable) from error
        if wants and not isinstance(answer.get(wants), kind):
            raise unknown(f"the homeserver's answer has no {wants}", repeatable)
        return answer

    async def open(self, path: PathBuilder, query: Mapping[str, str] | None = None) -> ClientResponse:
        """Begin a GET whose body the caller reads and then closes; what fails later is told by `failures.silence`."""
        headers = {"Authorization": f"Bearer {self.token}"}
        if self._nobody is not None:
            query = {**(query or {}), "user_id": self._nobody}
        try:
            response = await self.session.get(self.address(path), params=query, headers=headers, allow_redirects=False)
            if response.status == 200:
                return response
            async with response:
                answer = read_answer(response.status, response.headers, await response.read())
        except (ClientError, TimeoutError) as error:
            raise silence(error, repeatable=True) from error
        raise refusal(answer, repeatable=True)

    def address(self, path: PathBuilder) -> URL:
        """Return the full address of a path below the homeserver's, which may itself have one."""
        return self.base_url.with_path(self._full_path(path), encoded=True)

    async def _send(  # type: ignore[override]  # mautrix's JSON is any JSON value; ours is an object
        self,
        method: Method,
        url: URL,
        content: Any,  # bytes, text or an iterable, as mautrix prepared it
        query_params: dict[str, str],
        headers: dict[str, str],
    ) -> tuple[Json, ClientResponse]:
        """Send as mautrix does, but follow no redirect and keep the whole answer of a failure."""
        if self._puppeting is not None and self.acts_as(query_params.get("user_id")):
            headers = {**headers, "Authorization": f"Bearer {self._puppeting.token}"}
        request = self.session.request(
            method.value, url, data=content, params=query_params, headers=headers, allow_redirects=False
        )
        self.in_flight += 1
        try:
            async with request as response:
                body = await response.read()
        finally:
            self.in_flight -= 1
        if response.status != 200 and response.status != 201:
            raise NotAccepted(read_answer(response.status, response.headers, body))
        return _object(body), response


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
