"""How fast Slack may be called: one window per method, one per channel for posting, and Slack's own `Retry-After`.

Promises: calls of one method leave in the order in which they asked; no more than the published number in any window;
a method or channel that waits never holds up another one; a caller that is cancelled leaves no trace. One `Limits`
belongs to one app in one workspace, because that is how Slack counts. Refuses to queue by importance: first come,
first served.

Figures: https://docs.slack.dev/apis/web-api/rate-limits and the "Rate limits" line of each method's reference page.
Slack's tiers are floors ("20+ per minute"), so keeping to them exactly is never refused in earnest.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `calls` in any `seconds`."""

    calls: int
    seconds: float


TIER_1: Final = Rate(1, 60)
TIER_2: Final = Rate(20, 60)
TIER_3: Final = Rate(50, 60)
TIER_4: Final = Rate(100, 60)

RATES: Final[Mapping[str, Rate]] = {
    # "several hundred messages per minute" for the whole workspace, beside one a second in each channel
    "chat.postMessage": Rate(600, 60),
    # "hundreds of requests per minute" are allowed for the token test
    "auth.test": Rate(300, 60),
    **dict.fromkeys(
        (
            "bookmarks.add",
            "bookmarks.edit",
            "bookmarks.remove",
            "conversations.archive",
            "conversations.create",
            "conversations.list",
            "conversations.rename",
            "conversations.setPurpose",
            "conversations.setTopic",
            "emoji.list",
            "pins.add",
            "pins.list",
            "pins.remove",
            "reactions.remove",
            "usergroups.list",
            "users.list",
        ),
        TIER_2,
    ),
    **dict.fromkeys(
        (
            "apps.connections.open",
            "auth.revoke",
            "bookmarks.list",
            "bots.info",
            "chat.delete",
            "chat.meMessage",
            "chat.update",
            "conversations.history",
            "conversations.info",
            "conversations.invite",
            "conversations.join",
            "conversations.kick",
            "conversations.leave",
            "conversations.mark",
            "conversations.open",
            "conversations.replies",
            "files.delete",
            "files.list",
            "reactions.add",
            "reactions.get",
            "team.info",
            "users.conversations",
            "users.getPresence",
            "users.lookupByEmail",
        ),
        TIER_3,
    ),
    **dict.fromkeys(
        (
            "chat.postEphemeral",
            "conversations.members",
            "files.completeUploadExternal",
            "files.getUploadURLExternal",
            "files.info",
            "oauth.v2.access",
            "users.info",
            "users.profile.get",
        ),
        TIER_4,
    ),
}
OUTSIDE_MARKETPLACE: Final = TIER_1
"""conversations.history and .replies for an app that is sold, but not in Slack's marketplace: 15 messages a minute."""

UNLISTED: Final = TIER_2
"""A method that the table does not know is called as if it were a rare one."""

POSTING: Final = Rate(1, 1)
"""One message a second in one channel, whichever method brings it there."""
POSTING_METHODS: Final = frozenset({"chat.postMessage", "files.completeUploadExternal"})

JITTER: Final = 0.01
"""Windows are this much longer here, because two calls can travel for unequal times."""

IDLE_GATES: Final = 500
"""With more channel gates than this, the idle ones are forgotten."""


class Gate:
    """One window: callers pass in order of arrival, each no earlier than the rate and the last pause allow."""

    def __init__(self, rate: Rate, clock: Callable[[], float], sleep: Callable[[float], Awaitable[None]]) -> None:
        self._seconds = rate.seconds
        self._passed: deque[float] = deque(maxlen=rate.calls)
        self._turns: deque[asyncio.Event] = deque()
        self._closed_until = 0.0
        self._clock = clock
        self._sleep = sleep

    def slow_down(self, rate: Rate) -> None:
        """Keep to another rate from now on; who waits already waits for it, too."""
        self._seconds = rate.seconds
        self._passed = deque(self._passed, maxlen=rate.calls)

    def pause(self, seconds: float) -> None:
        """Let nobody through for so long; a shorter pause never shortens a longer one."""
        self._closed_until = max(self._closed_until, self._clock() + seconds)

    def delay(self) -> float:
        """Seconds until the next caller may pass; zero or less means now."""
        due = self._closed_until
        if len(self._passed) == self._passed.maxlen:
            due = max(due, self._passed[0] + self._seconds)
        return due - self._clock()

    @property
    def is_idle(self) -> bool:
        """Nobody waits and nothing is remembered that could hold up the next caller."""
        return not self._turns and self.delay() <= 0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Stand in line until first and due; the body runs before anybody behind may pass, and counts at its end."""
        mine = asyncio.Event()
        self._turns.append(mine)
        try:
            if self._turns[0] is not mine:
                await mine.wait()
            while (delay := self.delay()) > 0:
                await self._sleep(delay)
            yield
            self._passed.append(self._clock())
        finally:
            was_first = self._turns[0] is mine
            self._turns.remove(mine)
            if was_first and self._turns:
                self._turns[0].set()


class Limits:
    """The windows of one app in one workspace.

    `scale` shortens every window (0.01 makes a minute 0.6 s) for tests and demos, 0 removes them;
    Slack's `Retry-After` is never scaled.
    """

    def __init__(
        self,
        *,
        scale: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._scale = scale
        self._clock = clock
        self._sleep = sleep
        self._methods: dict[str, Gate] = {}
        self._channels: dict[str, Gate] = {}

    async def wait(self, method: str, channel: str | None = None) -> None:
        """Return when `method` may be called; for the methods that post, `channel` is where."""
        gate = self._method(method)
        if channel is None or method not in POSTING_METHODS:
            async with gate.turn():
                return
        # The turn in the channel is kept while the method is awaited: whoever stands behind is in the same channel.
        async with self._channel(channel).turn(), gate.turn():
            return

    def pause(self, method: str, seconds: float, channel: str | None = None) -> None:
        """Note Slack's `Retry-After`: for the channel where the method posts, otherwise for the method everywhere."""
        posts = channel is not None and method in POSTING_METHODS
        gate = self._channel(channel) if posts and channel is not None else self._method(method)
        gate.pause(seconds)

    def slow_down(self, method: str, rate: Rate) -> None:
        """Keep to another rate for a method than the published one."""
        self._method(method).slow_down(self._scaled(rate))

    def _method(self, method: str) -> Gate:
        gate = self._methods.get(method)
        if gate is None:
            gate = self._methods[method] = self._gate(RATES.get(method, UNLISTED))
        return gate

    def _channel(self, channel: str) -> Gate:
        gate = self._channels.get(channel)
        if gate is None:
            if len(self._channels) >= IDLE_GATES:
                self._channels = {name: kept for name, kept in self._channels.items() if not kept.is_idle}
            gate = self._channels[channel] = self._gate(POSTING)
        return gate

    def _gate(self, rate: Rate) -> Gate:
        return Gate(self._scaled(rate), self._clock, self._sleep)

    def _scaled(self, rate: Rate) -> Rate:
        return Rate(rate.calls, (rate.seconds + JITTER) * self._scale)
