from __future__ import annotations

from bridge.exports.outlook import Outlook, Progress
from bridge.exports.shelf import Listed
from portals.ids import ChannelId

DAY = 86_400
OLD, NEW = (Listed(ChannelId(name), name.lower(), "public", False, 0) for name in ("COLD", "CNEW"))


def outlook(*channels: Listed) -> Outlook:
    return Outlook(channels, now=100 * DAY, messages=0, interval=2.0)


def test_what_is_left_of_a_channel_is_reckoned_from_its_lifetime() -> None:
    seen = outlook(OLD)
    seen.page(OLD, f"{50 * DAY}.000000", f"{40 * DAY}.000000", 200, 0)
    assert seen.progress(limited=False).seconds_left == 8.0
    seen.page(OLD, f"{40 * DAY}.000000", f"{25 * DAY}.000000", 200, 0)
    assert seen.progress(limited=False) == Progress(1, 0, 400, 0, 4.0, False)


def test_a_channel_that_was_not_begun_is_reckoned_like_the_others() -> None:
    seen = outlook(OLD, NEW)
    assert seen.progress(limited=False).seconds_left == 4.0
    seen.page(OLD, f"{50 * DAY}.000000", f"{25 * DAY}.000000", 200, 0)
    assert seen.progress(limited=False).seconds_left == (1 + 2) * 2.0


def test_threads_that_are_to_come_count() -> None:
    seen = outlook(OLD)
    seen.page(OLD, f"{50 * DAY}.000000", f"{25 * DAY}.000000", 200, 30)
    assert seen.progress(limited=False).seconds_left == 30 * 2.0
    seen.threads(OLD, 60)
    seen.thread(OLD, 5)
    progress = seen.progress(limited=False)
    assert (progress.threads_left, progress.messages, progress.seconds_left) == (59, 205, 118.0)
    seen.over(OLD)
    assert seen.progress(limited=False) == Progress(1, 1, 205, 0, 0.0, False)


def test_a_page_a_minute_takes_as_many_minutes_as_pages() -> None:
    seen = outlook(OLD)
    seen.page(OLD, f"{50 * DAY}.000000", f"{40 * DAY}.000000", 15, 0)
    assert seen.progress(limited=True).seconds_left == 240.0


def test_it_is_said_in_words() -> None:
    assert str(Progress(12, 3, 12_345, 1_200, 1_500.0, False)) == (
        "3 of 12 channels read, 12,345 messages, 1,200 threads to read; about 25 min left"
    )
    words = {30.0: "a minute", 7_200.0 * 2: "4 h", 86_400.0 * 9: "9 days"}
    for seconds, said in words.items():
        assert str(Progress(1, 0, 5, 0, seconds, False)) == f"0 of 1 channels read, 5 messages; about {said} left"
    assert "sold outside its marketplace" in str(Progress(1, 0, 5, 0, 9.0, True))
