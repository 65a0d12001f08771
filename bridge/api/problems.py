"""Why a request is not answered as it was hoped: problem+json (RFC 9457), with what to do in `detail`."""

from __future__ import annotations

from typing import Any

import orjson
from aiohttp import web
from pydantic import BaseModel, Field

from bridge.errors import BridgeError, Declined, Later, Refused, Unsure
from bridge.store.people import TAKEN

CONTENT_TYPE = "application/problem+json"
_DECLINED = {"not_found": 404, "bad_account": 422, "no_account": 422, "bad_request": 422}


class Flaw(BaseModel):
    """One thing that is wrong with a request: where, and what."""

    where: str = Field(description="The field, such as `query.limit` or `body.channel`.")
    what: str


class Problem(BaseModel):
    """What went wrong, and what to do."""

    type: str = Field(description="The kind of problem, the same for the same kind: `urn:causeway:not_found`.")
    title: str
    status: int
    detail: str = Field(description="What is wrong here, and what to do.")
    flaws: list[Flaw] = Field(default_factory=list, description="What is wrong with the request, part by part.")


class Failed(Exception):
    """A request that ends in a problem."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        flaws: list[Flaw] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.problem = Problem(
            type=f"urn:causeway:{code}",
            title=code.replace("_", " ").capitalize(),
            status=status,
            detail=detail,
            flaws=flaws or [],
        )
        self.headers = headers or {}

    def response(self) -> web.Response:
        """Return it as an answer."""
        body = orjson.dumps(self.problem.model_dump())
        status = self.problem.status
        return web.Response(status=status, body=body, content_type=CONTENT_TYPE, headers=self.headers)


def failure_of(error: BridgeError) -> Failed:
    """Return what a failure of the bridge is to whoever asked."""
    if isinstance(error, Declined):
        return Failed(_DECLINED.get(error.code, 409), error.code, str(error))
    if isinstance(error, Refused):
        return Failed(409 if error.code == TAKEN else 502, error.code, str(error))
    if isinstance(error, Later | Unsure):
        seconds = error.retry_after if isinstance(error, Later) else None
        after = {"Retry-After": str(max(int(seconds or 5), 1))}
        return Failed(503, "busy", f"{error}: try again", headers=after)
    return Failed(500, "failed", str(error))


def flaws_of(errors: list[Any], where: str) -> list[Flaw]:  # Any: pydantic's details, whose type it does not export
    """Return what pydantic found, without what was sent."""
    return [Flaw(where=".".join([where, *map(str, one["loc"])]), what=str(one["msg"])) for one in errors]
