"""What is counted of a channel is what the README says, whatever the records hold."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from portals.history.export import ExportedChannel, records_of
from portals.history.selection import Selection
from portals.history.tally import Authors, Counted, Figures, Tally
from portals.ids import ChannelId, SlackUserId, Ts
from tests.portals.foreign import JSON, objects

CHANNEL = ExportedChannel(
    ChannelId("C01"), "general", "public", members=(SlackUserId("U1"),), pins=(Ts("1.0"), Ts("2.0"))
)


def counted(*records: dict[str, Any], selection: Selection = Selection()) -> Counted:  # noqa: B008  frozen
    tally = Tally(CHANNEL, selection, Authors(), set())
    tally.add(records)
    return tally.counted()


def test_an_empty_channel_has_its_pins_and_members() -> None:
    assert counted() == Counted(CHANNEL, Figures(pins=2, members=1), Ts(""), Ts(""))


def test_every_record_is_a_message_whatever_slack_says_with_it() -> None:
    figures = counted(
        {"ts": "1.0", "user": "U1"},
        {"ts": "2.0", "subtype": "channel_join"},
        {"ts": "3.0", "subtype": "tombstone"},
        {"ts": "4.0", "subtype": "bot_message", "bot_id": "B1"},
        {"ts": "5.0", "subtype": ["odd"]},
        {"no": "time"},
    ).figures
    assert (figures.messages, figures.system, figures.bots) == (6, 2, 1)


def test_roots_and_replies_are_told_by_thread_ts_and_orphans_by_their_missing_root() -> None:
    figures = counted(
        {"ts": "1.0", "thread_ts": "1.0"},
        {"ts": "2.0", "thread_ts": "1.0"},
        {"ts": "3.0", "thread_ts": "0.5", "subtype": "thread_broadcast"},
        {"ts": "4.0", "thread_ts": 7},
        {"ts": "5.0", "thread_ts": None, "reply_count": 0},
    ).figures
    assert (figures.thread_roots, figures.replies, figures.orphans) == (1, 3, 2)


def test_a_reaction_is_one_person_with_one_emoji() -> None:
    emoji: set[str] = set()
    authors = Authors()
    tally = Tally(CHANNEL, Selection(), authors, emoji)
    tally.add(
        [
            {"ts": "1.0", "reactions": [{"name": "+1", "users": ["U1", "U2", "U1", 7], "count": 9}]},
            {"ts": "2.0", "reactions": [{"name": "+1", "users": ["U1"]}, {"name": "our-logo", "users": ["U3"]}]},
            {"ts": "3.0", "reactions": [{"name": "wave::skin-tone-2", "users": "U1"}, "x"]},
            {"ts": "4.0", "reactions": "+1"},
        ]
    )
    assert tally.counted().figures.reactions == 4
    assert authors.reacted == {"U1", "U2", "U3"}
    assert emoji == {"our-logo"}


def test_a_file_counts_on_every_message_that_shows_it() -> None:
    hosted = {"id": "F1", "size": 100, "mode": "hosted"}
    figures = counted(
        {"ts": "1.0", "files": [hosted, hosted, {"id": "F2", "mode": "tombstone"}]},
        {"ts": "2.0", "files": [hosted]},
        {"ts": "3.0", "file": {"id": "F3", "size": 7, "mode": ["odd"]}},
        {"ts": "4.0", "files": [{"id": "F4", "size": "large", "file_access": "access_denied"}]},
        {"ts": "5.0", "files": [{"id": "F5", "size": 1, "file_access": ["odd"]}]},
    ).figures
    assert (figures.files, figures.bytes, figures.files_gone) == (6, 208, 2)


def test_edited_messages_are_counted() -> None:
    assert counted({"ts": "1.0", "edited": {"ts": "2.0"}}, {"ts": "2.0"}).figures.edited == 1


def test_the_oldest_and_the_newest_are_found_although_days_are_out_of_order() -> None:
    tally = Tally(CHANNEL, Selection(), Authors(), set())
    for day in (["5.0", "6.0"], ["2.0", "3.0"], ["none"], []):
        tally.add([{"ts": ts} for ts in day])
    found = tally.counted()
    assert (found.first, found.last) == ("2.0", "6.0")


def test_only_what_is_selected_counts() -> None:
    found = counted({"ts": "1.0"}, {"ts": "2.0"}, {"ts": "3.0"}, selection=Selection(since=Ts("2.0"), until=Ts("3.0")))
    assert (found.figures.messages, found.first, found.last) == (1, "2.0", "2.0")


def test_strangers_are_called_as_their_own_messages_say() -> None:
    authors = Authors(["U1"])
    tally = Tally(CHANNEL, Selection(), authors, set())
    tally.add(
        [
            {"ts": "1.0", "user": "U1", "user_profile": {"display_name": "Listed"}},
            {"ts": "2.0", "user": "U2"},
            {"ts": "3.0", "user": "U2", "user_profile": {"display_name": "", "real_name": "Sam"}},
            {"ts": "4.0", "user": "U2", "user_profile": {"display_name": "Other"}},
            {"ts": "5.0", "user": 7, "bot_id": ["odd"]},
        ]
    )
    assert authors.names == {"U2": "Sam"}
    assert authors.messages == {"U1": 1, "U2": 3}


RECORD = objects(
    {
        "ts": st.from_regex(r"[0-9]{1,10}\.[0-9]{6}", fullmatch=True),
        "thread_ts": st.from_regex(r"[0-9]{1,10}\.[0-9]{6}", fullmatch=True),
        "reactions": st.lists(objects({"name": st.text(), "users": st.lists(st.text())})),
        "files": st.lists(
            objects({"id": st.text(), "size": st.integers(), "mode": st.text(), "file_access": st.text()})
        ),
        "file": objects({"id": st.text()}),
        "user": st.text(),
        "user_profile": objects({"display_name": st.text()}),
        "bot_id": st.text(),
        "subtype": st.text(),
    }
)


@given(st.lists(RECORD | JSON, max_size=8))
def test_no_record_raises_and_each_is_counted(values: list[object]) -> None:
    records, _ = records_of(values, "d.json")
    assert counted(*records).figures.messages == len(records)


def test_figures_add_up() -> None:
    assert Figures(messages=1, bytes=2) + Figures(messages=3, pins=4) == Figures(messages=4, bytes=2, pins=4)
