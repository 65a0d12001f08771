"""Slack's Web API with one token: one call, one request, and each failure told as whose turn it is.

Promises: a call leaves exactly once (the SDK's own retries are off); the limits are kept before it leaves; an answer
that leaves open whether the call was carried out is `Unsure` for methods that must not run twice and `Later` for all
others. Refuses to retry: the caller knows what a second call would mean. The token travels in the header alone and is
in no URL, log line or error.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import aiohttp
import orjson
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bridge.errors import Later, Refused, Unsure
from bridge.faults import in_words
from bridge.slack.refusals import BUSY, NOT_CONNECTED, UNCLEAR, refusal
from bridge.slack.wire import storable

if TYPE_CHECKING:
    from bridge.errors import BridgeError
    from bridge.slack.limits import Limits
    from bridge.slack.wire import Fields

log = logging.getLogger(__name__)

SLACK_API: Final = "https://slack.com/api/"

REPEATABLE: Final = frozenset(
    {
        "apps.connections.open",
        "auth.revoke",
        "auth.test",
        "bookmarks.edit",
        "bookmarks.remove",
        "chat.delete",
        "chat.update",
        "conversations.archive",
        "conversations.join",
        "conversations.leave",
        "conversations.mark",
        "conversations.open",
        "conversations.setPurpose",
        "conversations.setTopic",
        "files.delete",
        "files.getUploadURLExternal",
        "pins.add",
        "pins.remove",
        "reactions.add",
        "reactions.remove",
        "users.lookupByEmail",
    }
)
"""Methods that change something (or are named unlike a read), but for which twice is as good as once."""

READS: Final = frozenset({"get", "getPresence", "history", "info", "list", "members", "replies", "conversations"})
"""Last words of method names that only read."""

DEFAULT_PAUSE: Final = 30.0
"""Seconds to stay away after a 429 that does not say how long, as Slack's own clients do."""

NEVER_SENT: Final = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.ClientHttpProxyError,
    aiohttp.InvalidURL,
)
"""Faults that happen before the first byte of a request has left."""

_sdk_log = logging.getLogger(f"{__name__}.sdk")
_sdk_log.setLevel(logging.WARNING)  # below that the SDK writes message bodies and spends time on text nobody reads


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: for the whole of one Web API call, and for silence within the transfer of a file."""

    call: float = 30.0
    transfer: float = 60.0


def is_repeatable(method: str) -> bool:
    """Whether a second call after an unknown outcome does no harm; a method nobody listed does harm."""
    return method in REPEATABLE or method.rpartition(".")[2] in READS


def encode(value: object) -> str:
    """A form field as Slack reads it in every method: JSON for structures, words for truth."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping | list | tuple):
        try:
            return orjson.dumps(value).decode()
        except TypeError:  # a lone surrogate somewhere in it, which the slower one escapes
            return json.dumps(value)
    text = str(value)
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


class WebApi:
    """The Web API as one token sees it. `name` is the workspace's name in the config, for words in logs and errors.

    Without a token it refuses every call: so is a workspace of which there is an export and nothing else.

    `session` should be long-lived; proxies are its business (`trust_env`), not the SDK's, which would send even
    requests to this machine through them.
    """

    def __init__(
        self,
        name: str,
        token: str,
        *,
        session: aiohttp.ClientSession,
        limits: Limits,
        api_url: str = SLACK_API,
        timeouts: Timeouts = Timeouts(),
    ) -> None:
        self._name = name
        self._has_token = bool(token)
        self._limits = limits
        self._timeout = timeouts.call
        self._client = AsyncWebClient(
            token=token, base_url=api_url, session=session, retry_handlers=[], logger=_sdk_log
        )
        self._client.proxy = None

    def use(self, token: str) -> None:
        """Call by another token from now on."""
        self._client.token = token
        self._has_token = bool(token)

    async def call(self, method: str, /, **args: object) -> Fields:
        """Call `method` and return the answer's fields; arguments that are None are left out.

        Raises Later, Unsure or Refused.
        """
        answer, _ = await self.call_with_headers(method, args)
        return answer

    async def call_as_app(self, method: str, client_id: str, client_secret: str, /, **args: object) -> Fields:
        """Like `call`, by the app's own id and secret in place of a token: for what gives out tokens."""
        basic = base64.b64encode(f"{client_id}:{client_secret}".encode()).decode()
        answer, _ = await self.call_with_headers(method, args, {"Authorization": f"Basic {basic}"})
        return answer

    async def call_with_headers(
        self, method: str, args: Mapping[str, object], headers: dict[str, str] | None = None
    ) -> tuple[Fields, Mapping[str, str]]:
        """Like `call`, with the headers of the answer (`X-OAuth-Scopes`)."""
        if not self._has_token and headers is None:
            raise refusal(method, {"error": NOT_CONNECTED})
        channel = args.get("channel") or args.get("channel_id")
        where = channel if isinstance(channel, str) else None
        await self._limits.wait(method, where)
        form = {name: encode(value) for name, value in args.items() if value is not None}
        try:
            async with asyncio.timeout(self._timeout):
                response = await self._client.api_call(method, data=form, headers=headers)
        except SlackApiError as refused:
            raise self._told(method, where, refused.response) from None
        except NEVER_SENT as fault:
            raise Later(f"{method}: {self._name} could not be reached: {in_words(fault)}") from None
        except (aiohttp.ClientError, TimeoutError, OSError) as fault:
            raise self._open(method, f"no answer: {in_words(fault)}") from None
        except (AttributeError, ValueError):  # what the SDK makes of a 200 whose body is no JSON object
            raise self._open(method, "the answer was no JSON object") from None
        if not isinstance(response.data, dict):
            raise self._open(method, "the answer was no JSON object")
        log.debug("slack %s: %s done", self._name, method)
        return storable(response.data), response.headers

    def _open(self, method: str, what: str) -> BridgeError:
        """The request went out and its outcome is not known."""
        detail = f"{method}: {self._name}: {what}"
        return Later(detail) if is_repeatable(method) else Unsure(detail)

    def _told(self, method: str, channel: str | None, response: Any) -> BridgeError:
        """Translate an answer that is not `ok`; `response` is the SDK's, or aiohttp's where the body was no JSON."""
        status = response.status_code if hasattr(response, "status_code") else response.status
        data = getattr(response, "data", None)
        answer = data if isinstance(data, dict) else {}
        code = str(answer.get("error") or "")
        if status == 429 or code in {"ratelimited", "rate_limited"}:
            seconds = retry_after(response.headers)
            self._limits.pause(method, seconds, channel)
            log.info("slack %s: %s is rate limited for %g s", self._name, method, seconds)
            return Later(f"{method}: {self._name} allows no more calls for now", seconds)
        if code in BUSY:
            return Later(f"{method}: {self._name} is busy ({code})")
        if status == 413:
            return Refused("http_413", f"{method}: the request is larger than {self._name} takes")
        if status >= 500 or code in UNCLEAR or not code:
            return self._open(method, f"unclear answer ({code or f'status {status}'})")
        return refusal(method, answer)


def retry_after(headers: Mapping[str, str]) -> float:
    """Seconds that a 429 asks for."""
    try:
        return max(0.0, float(headers.get("Retry-After", DEFAULT_PAUSE)))
    except ValueError:
        return DEFAULT_PAUSE
