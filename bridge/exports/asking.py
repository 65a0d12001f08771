"""Slack asked page by page, for hours if need be: until it answers, and no faster than it wants.

Promises: "too often" is waited out as long as Slack says, however often it says so; a workspace that cannot be reached
is asked again for some minutes, then the reading ends with Later, to be gone on with. An app that Slack holds to one
page of 15 messages a minute, because it is sold and not in Slack's marketplace, is known by those two signs together.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from bridge.errors import Later
from portals.reading.values import mapping, text_of
from portals.retry import is_installation_trouble, pause

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from bridge.slack.client import SlackClient
    from bridge.slack.wire import Fields

log = logging.getLogger(__name__)

T = TypeVar("T")

TRIES: Final = 12
"""How often in a row Slack may be out of reach before a reading ends: about five minutes."""

SMALL_PAGE: Final = 15
"""How many messages Slack gives at once to an app that is sold outside its marketplace."""

_OF_ONE_METHOD: Final = frozenset({"missing_scope", "no_permission", "not_allowed_token_type"})


@dataclass(frozen=True, slots=True)
class Page:
    """Messages as Slack sent them; `more` where it has others, behind `cursor`; `pins` is None where it did not say.

    `cut_off` tells that it hides messages because nobody pays for them.
    """

    messages: Sequence[object]
    more: bool
    cursor: str
    pins: int | None
    cut_off: bool


class Asking:
    """Asks one workspace. `limited` turns true once Slack is seen to hold the app to a page a minute."""

    def __init__(self, client: SlackClient, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self.client = client
        self.limited = False
        self._sleep = sleep
        self._small_pages = self._large_pages = 0

    async def patiently(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Return the answer, however long it takes. Raises Later when Slack stays out of reach, and Refused."""
        failures = 0
        while True:
            try:
                return await ask()
            except Later as later:
                if later.retry_after is None:
                    failures += 1
                    if failures == TRIES:
                        raise
                    await self._sleep(pause(failures))
                    continue
                # how long to wait is the limits' business, which the client has told
                if self._small_pages and not self._large_pages and not self.limited:
                    self.limited = True
                    self.client.slow_down()
                    log.warning("%s: Slack lets this app read %d messages a minute", self.client.name, SMALL_PAGE)

    async def history(self, channel: str, latest: str, cursor: str | None) -> Page:
        """The page of a channel's history that ends before `latest`."""
        answer = await self.patiently(lambda: self.client.history_page(channel, latest=latest, cursor=cursor))
        page = _page(answer)
        self._small_pages += page.more and len(page.messages) == SMALL_PAGE
        self._large_pages += len(page.messages) > SMALL_PAGE
        return page

    async def replies(self, channel: str, root: str, oldest: str | None, latest: str, cursor: str | None) -> Page:
        """The page of a thread that begins after `oldest`; its first message stands before."""
        answer = await self.patiently(
            lambda: self.client.replies_page(channel, root, oldest=oldest, latest=latest, cursor=cursor)
        )
        return _page(answer)


def is_hopeless(code: str) -> bool:
    """Tell whether a refusal would meet every other call as well, so that the reading has to end."""
    return is_installation_trouble(code) and code not in _OF_ONE_METHOD


def _page(answer: Fields) -> Page:
    messages, pins = answer.get("messages"), answer.get("pin_count")
    cursor = text_of(mapping(answer.get("response_metadata")).get("next_cursor"))
    return Page(
        messages=messages if isinstance(messages, list) else [],
        more=answer.get("has_more") is True or bool(cursor),
        cursor=cursor,
        pins=pins if isinstance(pins, int) else None,
        cut_off=answer.get("is_limited") is True,
    )
