"""A look back reads back to what is known, uses whatever lies on the same pages, and reads few more for old threads."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, cast

import pytest

from bridge.work.channel_history import History, read_history
from portals.ids import NO_TS, Ts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bridge.slack.client import SlackClient

PAGE = 10


def ts(number: int) -> Ts:
    return Ts(f"1700000{number:03d}.000100")


class Channel:
    """A channel with so many messages, of which pages are counted."""

    def __init__(self, messages: int) -> None:
        self._messages = [{"ts": ts(number)} for number in range(messages)]
        self.pages = 0

    async def history_answers(self, _channel: str, oldest: str, latest: str) -> AsyncIterator[dict[str, Any]]:
        assert float(latest) > time.time(), "the newest first"
        found = [one for one in reversed(self._messages) if one["ts"] >= oldest or oldest == "0"]
        for start in range(0, len(found) or 1, PAGE):
            self.pages += 1
            yield {"messages": [*found[start : start + PAGE], {"ts": "no time"}, None], "pin_count": 3}


async def read(channel: Channel, *, newest: int | None, start: int, oldest: int = 0, most: int = 200) -> History:
    known = None if newest is None else ts(newest)
    begin = NO_TS if newest is None else ts(start)
    client = cast("SlackClient", channel)
    return await read_history(client, "C1", newest=known, start=begin, oldest=ts(oldest), most=most)


def numbers(messages: list[dict[str, Any]]) -> list[int]:
    return [int(one["ts"][7:10]) for one in messages]


async def test_what_lies_on_a_page_beyond_what_is_read_again_is_used_as_older() -> None:
    channel = Channel(16)
    found = await read(channel, newest=14, start=13)
    assert numbers(found.recent) == [15, 14, 13]
    assert numbers(found.older) == list(range(12, -1, -1))
    assert (found.since, found.reread, found.pin_count) == (ts(13), 2, 3)


async def test_pages_for_old_threads_alone_are_few_however_busy_a_channel_is() -> None:
    channel = Channel(400)
    found = await read(channel, newest=395, start=395)
    assert channel.pages == 5
    assert numbers(found.recent) == [399, 398, 397, 396, 395]
    assert len(found.older) == 5 * PAGE - 5


async def test_what_is_new_is_read_however_much_it_is() -> None:
    channel = Channel(400)
    found = await read(channel, newest=100, start=99)
    assert numbers(found.recent) == list(range(399, 98, -1))


async def test_no_more_known_messages_are_read_again_than_may_be() -> None:
    found = await read(Channel(16), newest=14, start=0, most=3)
    assert numbers(found.recent) == [15, 14, 13, 12]
    assert found.since == ts(12)
    assert numbers(found.older)[0] == 11


async def test_of_a_new_portal_as_much_is_read_as_may_be_and_nothing_older() -> None:
    channel = Channel(400)
    found = await read(channel, newest=None, start=0, most=12)
    assert numbers(found.recent) == list(range(399, 387, -1))
    assert (found.older, found.since, channel.pages) == ([], ts(388), 2)


@pytest.mark.parametrize("most", [0, 5])
async def test_an_empty_channel_has_nothing(most: int) -> None:
    found = await read(Channel(0), newest=None, start=0, most=most)
    assert (found.recent, found.older, found.since) == ([], [], NO_TS)
