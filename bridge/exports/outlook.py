"""How far a reading through the Web API got, and how long it will still take.

How much a channel holds is not known before it is read, so it is reckoned from the share of its lifetime, up to its
newest message, that was read already; and what was not begun from what was. Slack's rates are what limits: a page or a
thread costs one call each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.exports.shelf import Listed


@dataclass(frozen=True, slots=True)
class Progress:
    """`threads_left` are those that were met and not read; `limited` as in `Asking`; `seconds_left` is an estimate."""

    channels: int
    channels_read: int
    messages: int
    threads_left: int
    seconds_left: float
    limited: bool

    def __str__(self) -> str:
        left = f"about {_span(self.seconds_left)} left"
        if self.limited:
            left += (
                "; Slack holds this app to one page of 15 messages a minute, as it does with apps that are sold outside"
                " its marketplace: with an app that the workspace's owner created (causeway init), it is hundreds of"
                " times as fast"
            )
        threads = f", {self.threads_left:,} threads to read" if self.threads_left else ""
        done = f"{self.channels_read:,} of {self.channels:,} channels read"
        return f"{done}, {self.messages:,} messages{threads}; {left}"


@dataclass(slots=True)
class _Channel:
    """`share` is how much of its lifetime was read, which ended with its `newest` message."""

    newest: float
    pages: int = 0
    share: float = 0.0
    threads: int = 0
    over: bool = False


class Outlook:
    """Counts one reading; `interval` is how many seconds lie between two calls of one method."""

    def __init__(self, channels: Sequence[Listed], *, now: float, messages: int, interval: float) -> None:
        self._channels = {channel.id: _Channel(now) for channel in channels}
        self._messages = messages
        self._interval = interval
        self._threads_met = 0
        self._pages = 0

    def page(self, channel: Listed, newest: str, reached: str, messages: int, threads: int) -> None:
        """Count a page of history from `newest` back to `reached`."""
        told = self._channels[channel.id]
        told.pages += 1
        if told.pages == 1 and not channel.reached:  # else the newest is on a page that was read before
            told.newest = float(newest)
        lifetime = told.newest - channel.created
        read = told.newest - float(reached)
        told.share = min(max(read / lifetime, 0.001), 1.0) if lifetime > 0 else 1.0
        self._pages += 1
        self._threads_met += threads
        self._messages += messages

    def threads(self, channel: Listed, left: int) -> None:
        """Count the threads of a channel whose history is whole."""
        told = self._channels[channel.id]
        told.share, told.threads = 1.0, left

    def thread(self, channel: Listed, messages: int) -> None:
        """Count a thread that was read."""
        self._channels[channel.id].threads -= 1
        self._messages += messages

    def over(self, channel: Listed) -> None:
        """Count a channel that was read, or cannot be."""
        told = self._channels[channel.id]
        told.over, told.share, told.threads = True, 1.0, 0

    def progress(self, *, limited: bool) -> Progress:
        """Return how it stands."""
        begun = [told for told in self._channels.values() if told.pages]
        whole = [told.pages / told.share for told in begun if told.share]
        usual = sum(whole) / len(whole) if whole else 1.0
        pages_left = sum(told.pages / told.share - told.pages for told in begun if told.share and not told.over)
        pages_left += usual * sum(not (told.pages or told.over or told.share) for told in self._channels.values())
        threads_left = sum(told.threads for told in self._channels.values())
        threads_to_come = pages_left * self._threads_met / self._pages if self._pages else 0.0
        calls = max(pages_left, threads_left + threads_to_come)
        return Progress(
            channels=len(self._channels),
            channels_read=sum(told.over for told in self._channels.values()),
            messages=self._messages,
            threads_left=threads_left,
            seconds_left=calls * (60.0 if limited else self._interval),
            limited=limited,
        )


def _span(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes < 1:
        return "a minute"
    if minutes < 120:
        return f"{minutes} min"
    hours = round(minutes / 60)
    return f"{hours} h" if hours < 72 else f"{round(hours / 24)} days"
