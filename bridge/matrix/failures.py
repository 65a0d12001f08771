"""What an answer of the homeserver, or its absence, means for whoever asked.

One place decides whose turn it is. A request is *repeatable* when carrying it out twice shows no more than once (reads,
state, membership, profiles); what cannot be told of a repeatable request is Later, of any other it is Unsure.

    no connection could be made                     Later    nothing left this process
    connection lost, no answer in time              Unsure   (Later where repeatable)
    429                                             Later    with the homeserver's own waiting time
    5xx that a homeserver signed with an errcode    503 Later, others Unsure (Later where repeatable)
    5xx by whatever stands in front of it           Unsure   (Later where repeatable): it may have passed the request on
    3xx, 404 without an errcode                     Later    not a homeserver at all: the address is wrong or in repair
    401 that names our token                        Fatal    no request can succeed
    any other 4xx                                   Refused  with a remedy where one is known
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp
import orjson

from bridge.errors import BridgeError, Fatal, Later, Refused, Unsure
from bridge.faults import in_words

if TYPE_CHECKING:
    from collections.abc import Mapping

_LONGEST = 300
"""Characters of the homeserver's own words that are kept."""

_TOKEN = frozenset({"M_UNKNOWN_TOKEN", "M_MISSING_TOKEN"})
_PING = frozenset({"M_BAD_STATUS", "M_CONNECTION_FAILED", "M_CONNECTION_TIMEOUT", "M_URL_NOT_SET"})

_REMEDIES = {
    "M_FORBIDDEN": "Let the bridge's bot into the room and give it the power to invite and to change state; "
    "for a user outside our namespace, compare the registration file with the configuration",
    "M_EXCLUSIVE": "The name lies outside the namespaces of the registration file: install the file that "
    "`causeway register` writes and restart the homeserver",
    "M_TOO_LARGE": "It is larger than the homeserver accepts; for files, `max_upload_size` of the homeserver and the "
    "body limit of a proxy in front of it decide",
    "M_NOT_FOUND": "The room, event or user does not exist on the homeserver, or the bridge may not see it",
    "M_USER_DEACTIVATED": "Reactivate the account on the homeserver",
    "M_USER_LOCKED": "Unlock the account on the homeserver",
    "M_USER_SUSPENDED": "Lift the suspension of the account on the homeserver",
    "M_UNRECOGNIZED": "The homeserver is too old for this call, or a proxy does not pass its path on",
    "M_RESOURCE_LIMIT_EXCEEDED": "The homeserver has reached a limit that its admin set",
    "M_URL_NOT_SET": "Put the bridge's address into `url` of the registration file and restart the homeserver",
    "M_BAD_STATUS": "The bridge was reached but did not accept: compare `hs_token` on both sides",
    "M_CONNECTION_FAILED": "The homeserver cannot reach `url` of the registration file",
    "M_CONNECTION_TIMEOUT": "The homeserver cannot reach `url` of the registration file in time",
    "M_UNSUPPORTED_ROOM_VERSION": "Choose a room version that the homeserver knows",
    "M_UNABLE_TO_AUTHORISE_JOIN": "Invite the bridge's bot into the room",
    "M_GUEST_ACCESS_FORBIDDEN": "Invite the bridge's bot into the room",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that was not a success; `errcode` is empty where no homeserver signed it."""

    status: int
    errcode: str
    error: str
    retry_after: float | None = None


class NotAccepted(Exception):
    """Carries an answer that was not a success from the wire to where its meaning is decided."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer)
        self.answer = answer


def read_answer(status: int, headers: Mapping[str, str], body: bytes) -> Answer:
    """Read an answer that was not a success; whatever the body holds, the result is an answer."""
    try:
        found: Any = orjson.loads(body)  # a foreign value: checked field by field below
    except ValueError:
        found = None
    fields = found if isinstance(found, dict) else {}
    errcode, error, waiting = fields.get("errcode"), fields.get("error"), fields.get("retry_after_ms")
    return Answer(
        status=status,
        errcode=errcode if isinstance(errcode, str) else "",
        error=error[:_LONGEST] if isinstance(error, str) else "",
        retry_after=_seconds(waiting, headers.get("Retry-After")),
    )


def _seconds(retry_after_ms: object, header: str | None) -> float | None:
    if isinstance(retry_after_ms, int | float) and not isinstance(retry_after_ms, bool) and retry_after_ms >= 0:
        return retry_after_ms / 1000
    if header is not None and header.isascii() and header.isdigit():
        return float(header[:6])
    return None


def refusal(answer: Answer, repeatable: bool) -> BridgeError:
    """Return what an answer that was not a success means; see the table above."""
    status, errcode = answer.status, answer.errcode
    said = answer.error or f"the homeserver answered {status}"
    if status == 429 or errcode == "M_LIMIT_EXCEEDED":
        return Later(f"the homeserver asks to wait: {said}", answer.retry_after)
    if status == 401 and errcode in _TOKEN:
        return Fatal(
            f"the homeserver does not know the bridge's as_token ({errcode}: {said}). Install the registration file "
            "that belongs to this configuration and restart the homeserver"
        )
    if 300 <= status < 400:
        return Later(f"the homeserver's address answers with a redirect ({status}), which the bridge does not follow")
    if errcode == "M_NOT_YET_UPLOADED" or (errcode and status == 503):
        return Later(said, answer.retry_after)
    if errcode in _PING:
        return Refused(errcode, said, _REMEDIES[errcode])
    if status >= 500 or status == 408:
        return unknown(
            f"{said} ({status} {errcode})" if errcode else f"no answer of a homeserver ({status})", repeatable
        )
    if status == 404 and not errcode:
        return Later("no homeserver answers at the configured address (404)")
    if status == 413 and not errcode:
        errcode = "M_TOO_LARGE"
    return Refused(errcode or f"HTTP_{status}", said, _REMEDIES.get(errcode, ""))


def silence(error: BaseException, repeatable: bool) -> BridgeError:
    """Return what a connection that failed means: whether the request can have left decides."""
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError | aiohttp.ClientSSLError):
        return Later(f"the homeserver cannot be reached: {in_words(error)}")
    if isinstance(error, asyncio.TimeoutError):
        return unknown("the homeserver did not answer in time", repeatable)
    return unknown(f"the connection to the homeserver broke: {in_words(error)}", repeatable)


def unknown(detail: str, repeatable: bool) -> BridgeError:
    """Return the failure of a request whose outcome cannot be told."""
    return Later(detail) if repeatable else Unsure(detail)
