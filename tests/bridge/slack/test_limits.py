from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from bridge.slack.limits import JITTER, OUTSIDE_MARKETPLACE, RATES, TIER_2, TIER_3, Limits

if TYPE_CHECKING:
    from collections.abc import Coroutine


class Hours:
    """A clock that a test turns: `sleep` returns once it has been turned far enough."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._sleepers: list[tuple[float, asyncio.Event]] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        woken = asyncio.Event()
        self._sleepers.append((self.now + seconds, woken))
        await woken.wait()

    async def turn(self, seconds: float) -> None:
        self.now += seconds
        for due, woken in self._sleepers:
            if due <= self.now:
                woken.set()
        await settle()


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


class Callers:
    """Callers of one `Limits`; `passed` lists who was let through."""

    def __init__(self, scale: float = 1.0) -> None:
        self.hours = Hours()
        self.limits = Limits(scale=scale, clock=self.hours, sleep=self.hours.sleep)
        self.passed: list[str] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def ask(self, name: str, method: str, channel: str | None = None) -> None:
        self.tasks[name] = asyncio.create_task(self._ask(name, self.limits.wait(method, channel)))
        await settle()

    async def _ask(self, name: str, waiting: Coroutine[None, None, None]) -> None:
        await waiting
        self.passed.append(name)

    async def end(self) -> None:
        for task in self.tasks.values():
            task.cancel()
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)


@pytest.fixture
async def callers() -> Callers:
    return Callers()


async def test_no_more_than_the_published_number_passes_in_any_minute(callers: Callers) -> None:
    for number in range(TIER_2.calls + 3):
        await callers.ask(str(number), "users.list")
    assert len(callers.passed) == TIER_2.calls
    await callers.hours.turn(59)
    assert len(callers.passed) == TIER_2.calls
    await callers.hours.turn(1 + JITTER)
    assert callers.passed == [str(number) for number in range(TIER_2.calls + 3)]


async def test_a_channel_takes_one_post_a_second_in_order_and_other_channels_do_not_notice(callers: Callers) -> None:
    for name in ("a", "b", "c"):
        await callers.ask(name, "chat.postMessage", "C1")
    await callers.ask("other", "chat.postMessage", "C2")
    assert callers.passed == ["a", "other"]
    await callers.hours.turn(1.1)
    assert callers.passed == ["a", "other", "b"]
    await callers.hours.turn(1.1)
    assert callers.passed == ["a", "other", "b", "c"]


async def test_a_shared_file_counts_as_a_post_of_its_channel(callers: Callers) -> None:
    await callers.ask("file", "files.completeUploadExternal", "C1")
    await callers.ask("text", "chat.postMessage", "C1")
    assert callers.passed == ["file"]
    await callers.end()


async def test_a_pause_of_one_method_leaves_the_others_alone(callers: Callers) -> None:
    callers.limits.pause("conversations.history", 30)
    await callers.ask("history", "conversations.history", "C1")
    await callers.ask("update", "chat.update", "C1")
    assert callers.passed == ["update"]
    await callers.hours.turn(29)
    assert callers.passed == ["update"]
    await callers.hours.turn(1)
    assert callers.passed == ["update", "history"]


async def test_a_pause_for_posting_holds_one_channel_only(callers: Callers) -> None:
    callers.limits.pause("chat.postMessage", 5, "C1")
    await callers.ask("one", "chat.postMessage", "C1")
    await callers.ask("two", "chat.postMessage", "C2")
    assert callers.passed == ["two"]
    await callers.hours.turn(5)
    assert callers.passed == ["two", "one"]


async def test_a_pause_that_comes_while_somebody_waits_is_kept(callers: Callers) -> None:
    await callers.ask("a", "chat.postMessage", "C1")
    await callers.ask("b", "chat.postMessage", "C1")
    callers.limits.pause("chat.postMessage", 10, "C1")
    await callers.hours.turn(2)
    assert callers.passed == ["a"]
    await callers.hours.turn(8)
    assert callers.passed == ["a", "b"]


async def test_a_shorter_pause_does_not_shorten_a_longer_one(callers: Callers) -> None:
    callers.limits.pause("chat.update", 10)
    callers.limits.pause("chat.update", 1)
    await callers.ask("a", "chat.update")
    await callers.hours.turn(2)
    assert callers.passed == []
    await callers.end()


@pytest.mark.parametrize("who", ["b", "c"])
async def test_a_caller_that_is_cancelled_leaves_no_trace(callers: Callers, who: str) -> None:
    for name in ("a", "b", "c", "d"):
        await callers.ask(name, "chat.postMessage", "C1")
    callers.tasks[who].cancel()
    await settle()
    for _ in range(3):
        await callers.hours.turn(1.1)
    assert callers.passed == [name for name in ("a", "b", "c", "d") if name != who]


async def test_a_method_that_waits_for_its_tier_does_not_use_up_the_channels_second(callers: Callers) -> None:
    callers.limits.pause("chat.postMessage", 10)
    await callers.ask("a", "chat.postMessage", "C1")
    await callers.ask("b", "chat.postMessage", "C1")
    await callers.hours.turn(10)
    assert callers.passed == ["a"]
    await callers.hours.turn(1.1)
    assert callers.passed == ["a", "b"]


async def test_a_method_can_be_slowed_down_for_those_too_who_wait_already(callers: Callers) -> None:
    for number in range(51):
        await callers.ask(str(number), "conversations.history")
    assert len(callers.passed) == 50
    callers.limits.slow_down("conversations.history", OUTSIDE_MARKETPLACE)
    await callers.ask("51", "conversations.history")
    await callers.hours.turn(60 + JITTER)
    assert callers.passed[50:] == ["50"]
    await callers.hours.turn(59)
    assert callers.passed[50:] == ["50"]
    await callers.hours.turn(1 + JITTER)
    assert callers.passed[50:] == ["50", "51"]
    await callers.end()


async def test_time_can_be_scaled() -> None:
    callers = Callers(scale=0.01)
    for number in range(TIER_3.calls + 1):
        await callers.ask(str(number), "chat.update")
    assert len(callers.passed) == TIER_3.calls
    await callers.hours.turn(0.6 + JITTER)
    assert len(callers.passed) == TIER_3.calls + 1


async def test_a_method_that_nobody_listed_is_called_rarely(callers: Callers) -> None:
    for number in range(TIER_2.calls + 1):
        await callers.ask(str(number), "surprise.method")
    assert len(callers.passed) == TIER_2.calls
    await callers.end()


async def test_channels_that_fell_quiet_are_forgotten(callers: Callers) -> None:
    for number in range(1200):
        callers.hours.now += 2
        await callers.limits.wait("chat.postMessage", f"C{number}")
    assert len(callers.limits._channels) <= 500


def test_the_tiers_are_those_of_the_reference() -> None:
    assert RATES["conversations.history"] == TIER_3
    assert RATES["reactions.remove"] == TIER_2
    assert RATES["reactions.add"] == TIER_3
