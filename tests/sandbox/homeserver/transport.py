"""How a test's client reaches a homeserver: over HTTP, or straight into an instant one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping

    import aiohttp

# What JSON is made of; which keys there are is the business of whoever reads it.
Json = dict[str, Any]


class RequestRefused(Exception):
    """The homeserver answered with an error."""

    def __init__(self, status: int, code: str, error: str, body: Json) -> None:
        super().__init__(f"{status} {code}: {error}")
        self.status = status
        self.code = code
        self.error = error
        self.body = body


class Transport(Protocol):
    """One request to a homeserver; raises RequestRefused for any answer that is not 2xx."""

    async def request(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        query: Mapping[str, str] | None = None,
        body: Json | bytes | None = None,
        content_type: str = "application/json",
    ) -> Json | bytes: ...


class HttpTransport:
    """Requests through a session that the caller owns."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url

    async def request(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        query: Mapping[str, str] | None = None,
        body: Json | bytes | None = None,
        content_type: str = "application/json",
    ) -> Json | bytes:
        from yarl import URL

        headers = {"Content-Type": content_type} if body is not None else {}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        data = orjson.dumps(body) if isinstance(body, dict) else body
        url = URL(self._url + path, encoded=True).with_query(query or {})
        async with self._session.request(method, url, data=data, headers=headers) as answer:
            content = await answer.read()
            return understood(answer.status, answer.content_type, content)


def understood(status: int, content_type: str, content: bytes) -> Json | bytes:
    """The body of a good answer; raises RequestRefused for any other."""
    if status < 300:
        return as_json(content) if content_type == "application/json" else content
    try:
        body = as_json(content)
    except (orjson.JSONDecodeError, TypeError):
        body = {}
    raise RequestRefused(status, body.get("errcode", "M_UNKNOWN"), body.get("error", content[:200].decode()), body)


def as_json(content: bytes) -> Json:
    value = orjson.loads(content)
    if not isinstance(value, dict):
        # `GET /rooms/{room}/state` answers with a bare list.
        return {"list": value}
    return value
