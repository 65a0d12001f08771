"""Rates: so many calls a minute for each method, workspace and app; about one post a second in each channel.

A bucket for each key fills at the documented rate. An empty bucket answers the whole seconds to wait.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.slack.reality import Limits

PER_MINUTE = {1: 1, 2: 20, 3: 50, 4: 100}


class RateGate:
    """Counts calls; knows nothing of what they do."""

    def __init__(self, limits: Limits, now: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._now = now
        self._full_at: dict[tuple[str, ...], float] = {}

    def admit_call(self, method: str, tier: int, team_id: str, app_id: str) -> int:
        """0 when the call may go on, else the seconds for Retry-After. Tier 0 has no documented rate."""
        if not tier or not self._limits.scale:
            return 0
        allowed = PER_MINUTE[tier]
        return self._take((method, team_id, app_id), 60.0 / allowed, allowed)

    def admit_post(self, team_id: str, channel_id: str) -> int:
        """0 when a post may go into the channel now, else the seconds for Retry-After."""
        if not self._limits.scale:
            return 0
        return self._take(("post", team_id, channel_id), self._limits.post_every, self._limits.post_burst)

    def _take(self, key: tuple[str, ...], every: float, burst: int) -> int:
        every *= self._limits.scale
        now = self._now()
        full_at = max(self._full_at.get(key, now), now)
        wait = full_at + every - now - every * burst
        if wait > 1e-9:
            return max(1, math.ceil(wait))
        self._full_at[key] = full_at + every
        return 0
