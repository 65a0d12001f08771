"""What a look back reads of a channel's history: pages, newest first, each with whatever lies on it.

    newest ── new ── last known ── re-read ── since ─┊─ older: in the same pages, and in a few more ── oldest
                                                     ┊
    nothing is left out back to here ────────────────┘      of these, only what is known is compared

A page costs one call however much of it is wanted, so what lies on it beyond the part that is re-read is used as well:
known messages are compared with it, and the first messages of threads tell when their newest reply was written. For
these alone a few pages more are read, since Slack has no other word of a reply that nobody heard of.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from portals.ids import NO_TS, Ts, is_ts, next_ts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.slack.client import SlackClient

    Json = dict[str, Any]  # Any: foreign JSON

_PAGES_FOR_THREADS = 4
"""Pages of 200 that are read for the first messages of threads alone."""
_AHEAD = 86_400.0
"""Seconds by which Slack's clock may be ahead of ours."""


@dataclass(slots=True)
class History:
    """Messages of a channel, newest first; `since` is from when on none is left out of `recent`."""

    recent: list[Json] = field(default_factory=list)
    since: Ts = NO_TS
    older: list[Json] = field(default_factory=list)
    pin_count: int | None = None
    """How many messages of the channel are pinned, as far as Slack says it."""
    reread: int = 0
    """How many of the recent ones are no newer than what was known."""


async def read_history(
    client: SlackClient, channel: str, *, newest: Ts | None, start: Ts, oldest: Ts, most: int
) -> History:
    """Return the messages from `start` on, at most so many of those up to the `newest` known one, and older ones.

    Of a channel of which nothing is known (`newest` is None) nothing is older than what is read of it.
    """
    found = History(since=start)
    further = 0
    async for answer in client.history_answers(channel, oldest or "0", _end()):
        count = answer.get("pin_count")
        found.pin_count = count if isinstance(count, int) else found.pin_count
        _take_in(found, answer, newest, start, most)
        if found.older and newest is None:
            found.older.clear()
            break
        further += bool(found.older)
        if further > _PAGES_FOR_THREADS:
            break
    return found


async def went_on(client: SlackClient, channel: str, top: Ts) -> bool:
    """Tell whether anything was said in the channel after that."""
    async for answer in client.history_answers(channel, next_ts(top), _end(), limit=1):
        return bool(answer.get("messages"))
    return False


def _end() -> str:
    """Return a time that is still to come: Slack does not say from which side it counts where no end is given."""
    return f"{time.time() + _AHEAD:.6f}"


def _take_in(found: History, answer: Mapping[str, Any], newest: Ts | None, start: Ts, most: int) -> None:
    for message in answer.get("messages") or ():
        if not (isinstance(message, dict) and is_ts(str(message.get("ts")))):
            continue
        ts = Ts(message["ts"])
        is_known = newest is None or ts <= newest
        if not found.older and ts >= start and not (is_known and found.reread >= most):
            found.reread += is_known
            found.recent.append(message)
            continue
        if not found.older and ts >= start:
            found.since = Ts(found.recent[-1]["ts"] if found.recent else f"{time.time():.6f}")
        found.older.append(message)
