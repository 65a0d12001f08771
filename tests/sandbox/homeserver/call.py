"""One request to an instant homeserver, and the ways to refuse it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Self

import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.sandbox.homeserver.transport import Json


class MatrixError(Exception):
    """A request that is refused, with what the homeserver answers."""

    def __init__(self, status: int, code: str, error: str, /, **more: Any) -> None:
        super().__init__(f"{status} {code}: {error}")
        self.status = status
        self.body: Json = {"errcode": code, "error": error, **more}


def forbidden(error: str) -> MatrixError:
    return MatrixError(403, "M_FORBIDDEN", error)


def not_found(error: str = "Event not found.") -> MatrixError:
    return MatrixError(404, "M_NOT_FOUND", error)


def bad(error: str, code: str = "M_UNKNOWN") -> MatrixError:
    return MatrixError(400, code, error)


@dataclass(frozen=True, slots=True)
class Service:
    """An application service, as its registration describes it."""

    id: str
    url: str | None
    as_token: str
    hs_token: str
    sender: str
    users: tuple[re.Pattern[str], ...]
    aliases: tuple[re.Pattern[str], ...]
    ephemeral: bool

    @classmethod
    def of(cls, registration: Mapping[str, Any], server_name: str) -> Self:
        def patterns(kind: str) -> tuple[re.Pattern[str], ...]:
            return tuple(re.compile(each["regex"]) for each in registration["namespaces"].get(kind, ()))

        return cls(
            id=registration["id"],
            url=(registration["url"] or "").rstrip("/") or None,
            as_token=registration["as_token"],
            hs_token=registration["hs_token"],
            sender=f"@{registration['sender_localpart']}:{server_name}",
            users=patterns("users"),
            aliases=patterns("aliases"),
            ephemeral=bool(
                registration.get("receive_ephemeral") or registration.get("de.sorunome.msc2409.push_ephemeral")
            ),
        )

    def owns_user(self, user_id: str) -> bool:
        return user_id == self.sender or _matches(self.users, user_id)

    def owns_alias(self, alias: str) -> bool:
        return _matches(self.aliases, alias)


@lru_cache(100_000)
def _matches(patterns: tuple[re.Pattern[str], ...], text: str) -> bool:
    return any(pattern.match(text) for pattern in patterns)


@dataclass(slots=True)
class Call:
    """What a handler knows about the request; `arguments` are the variable parts of the path, decoded."""

    method: str
    path: str
    query: Mapping[str, str]
    content: bytes = b""
    content_type: str = ""
    arguments: tuple[str, ...] = ()
    sender: str = ""
    service: Service | None = None
    _body: Json | None = field(default=None, repr=False)

    @property
    def body(self) -> Json:
        """The JSON object that was sent; an absent body counts as an empty one."""
        if self._body is None:
            if not self.content:
                return {}
            try:
                body = orjson.loads(self.content)
            except orjson.JSONDecodeError as unreadable:
                raise bad("Content not JSON.", "M_NOT_JSON") from unreadable
            if not isinstance(body, dict):
                raise bad("Content must be a JSON object.", "M_BAD_JSON")
            self._body = body
        return self._body

    def need(self, key: str) -> Any:
        """A required value of the body."""
        if key not in self.body:
            raise bad(f"Missing params: ['{key}']", "M_MISSING_PARAM")
        return self.body[key]

    def number(self, key: str, otherwise: int) -> int:
        """A number in the query."""
        try:
            return int(self.query.get(key, otherwise))
        except ValueError as wrong:
            raise bad(f"Query parameter {key} must be an integer", "M_INVALID_PARAM") from wrong
