"""Any damage to a room is told, that damage and nothing else; and what is as it should be is counted so."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from portals.history.evidence import Difference, Tally
from portals.history.expected import Expecting
from portals.history.reconcile import IN_THE_PLACE, files
from tests.portals.history.compared import (
    Compared,
    again,
    content,
    figures,
    history,
    later,
    lose,
    outside,
    reaction,
    room,
    sender,
    ts,
)
from tests.portals.history.mirrored import CHANNEL, WORKSPACE, Mirrored, at, ghost, known, record, shown

if TYPE_CHECKING:
    from collections.abc import Callable


def test_a_room_that_shows_everything_leaves_nothing_unexplained() -> None:
    found = Compared(history(), room())
    assert found.told == []
    assert figures(found.tallies["messages"]) == (9, 9, 0, 0, 0)
    assert figures(found.tallies["threads"]) == (1, 1, 0, 0, 0)
    assert figures(found.tallies["reactions"]) == (2, 2, 0, 0, 0)
    assert figures(found.tallies["files"]) == (2, 2, 0, 0, 0)
    assert found.digest != Compared([], room([])).digest


DAMAGE = [
    (lose(ts(9)), ("messages", "missing", ts(9))),
    (lose(ts(7)), ("messages", "missing", ts(7))),
    (lose(ts(3)), ("messages", "missing", ts(3))),
    (lose(ts(4), "F1"), ("files", "missing", ts(4))),
    (lose(ts(8), "channel"), ("messages", "content", ts(8))),
    (content(ts(2), body="hi where", formatted_body="hi <strong>where</strong>"), ("messages", "content", ts(2))),
    (content(ts(2), body="hi where"), ("messages", "content", ts(2))),
    (content(ts(9), msgtype="m.notice"), ("messages", "content", ts(9))),
    (content(ts(1), formatted_body="hello <a href=\"https://matrix.to/#/@slack_t1_u3:localhost\">Brian</a>"),
     ("messages", "content", ts(1))),
    (content(ts(4), "F1", filename="other.pdf"), ("files", "file", ts(4))),
    (content(ts(4), "F1", info={"mimetype": "application/pdf", "size": 11}), ("files", "file", ts(4))),
    (sender(ts(9), ghost("U2")), ("messages", "author", ts(9))),
    (sender(ts(9), "@eve:localhost"), ("messages", "author", ts(9))),
    (sender(ts(7), ghost("U2")), ("files", "author", ts(7))),
    (content(ts(6), body="CD: passed", formatted_body="passed",
             **{"com.beeper.per_message_profile": {"displayname": "CD", "has_fallback": True}}),
     ("messages", "name", ts(6))),
    (again(ts(9)), ("messages", "twice", ts(9))),
    (again(ts(4), "F1"), ("files", "twice", ts(4))),
    (lambda room: room.event_of(ts(9)).update(origin_server_ts=at(ts(9)) + 2), ("messages", "time", ts(9))),
    (later(ts(2)), ("messages", "order", ts(2))),
    (outside(ts(5)), ("threads", "thread", ts(5))),
    (outside(ts(5), ts(2)), ("threads", "thread", ts(5))),
    (outside(ts(5), "$nowhere"), ("threads", "thread", ts(5))),
    (reaction(), ("reactions", "missing", ts(2))),
    (reaction(ghost("U2"), "🎉"), ("reactions", "unexpected", ts(2))),
    (reaction(ghost("U1"), "👍"), ("reactions", "unexpected", ts(2))),
    (lambda room: room.redact(room.event_of(ts(9))), ("messages", "missing", ts(9))),
    (lambda room: room.edit(room.event_of(ts(9)), {"msgtype": "m.text", "body": "no"}), ("messages", "content", ts(9))),
    (lambda room: room.show([record(ts(10), "U1", "never said")]), ("messages", "unexpected", ts(10))),
    (content(ts(4), "F1", **{"dev.causeway.slack": {"team": "T1", "channel": "C1", "ts": ts(4), "part": "F9"}}),
     ("files", "unexpected", ts(4))),
    (content(ts(4), "F1", url="", body="gone"), ("files", "file", ts(4))),
]  # fmt: skip


@pytest.mark.parametrize(("damage", "told"), DAMAGE)
def test_exactly_the_damage_is_told(damage: Callable[[Mirrored], object], told: tuple[str, str, str]) -> None:
    damaged = room()
    damage(damaged)
    found = Compared(history(), damaged)
    others = [("files", "missing", ts(4))] if told == ("files", "unexpected", ts(4)) else []
    assert found.told == [told, *others]
    (kind, what, _) = told
    tally = found.tallies[kind]
    if what in ("unexpected", "twice"):
        assert tally.unexpected == 1
    else:
        assert (tally.missing, tally.differing) == ((1, 0) if what == "missing" else (0, 1))


def test_an_event_of_another_time_within_a_millisecond_is_the_same() -> None:
    mirrored = room()
    mirrored.event_of(ts(9)).update(origin_server_ts=at(ts(9)) + 1)
    assert Compared(history(), mirrored).told == []


def test_a_message_that_differs_and_is_out_of_order_counts_once() -> None:
    damaged = room()
    later(ts(2))(damaged)
    content(ts(2), body="else", formatted_body="else")(damaged)
    found = Compared(history(), damaged)
    assert sorted(found.told) == [("messages", "content", ts(2)), ("messages", "order", ts(2))]
    assert figures(found.tallies["messages"]) == (9, 8, 1, 0, 0)


def test_the_fewest_messages_are_told_to_be_out_of_order() -> None:
    records = [record(ts(n), "U1", f"message {n}") for n in range(1, 30)]
    mirrored = room(records)
    moved = [mirrored.event_of(ts(n)) for n in (5, 20)]
    for event in moved:
        mirrored.events.remove(event)
    mirrored.events[3:3] = [moved[1]]
    mirrored.events.append(moved[0])
    assert Compared(records, mirrored).told == [("messages", "order", ts(5)), ("messages", "order", ts(20))]


# --- threads


def test_a_thread_whose_root_is_gone_begins_with_its_first_reply() -> None:
    records = [
        record(ts(1), "USLACKBOT", "This message was deleted.", subtype="tombstone", thread_ts=ts(1)),
        *(record(ts(n), "U1", f"answer {n}", thread_ts=ts(1)) for n in (2, 3, 4)),
        *(record(ts(n), "U1", f"orphan {n}", thread_ts="1600000000.000100") for n in (5, 6)),
    ]
    found = Compared(records, room(records))
    assert found.told == []
    assert figures(found.tallies["threads"]) == (2, 2, 0, 0, 0)
    damaged = room(records)
    outside(ts(3), ts(5))(damaged)
    outside(ts(6))(damaged)
    found = Compared(records, damaged)
    assert found.told == [("threads", "thread", ts(3)), ("threads", "thread", ts(6))]
    assert figures(found.tallies["threads"]) == (2, 0, 2, 0, 0)


def test_a_thread_under_a_message_of_matrix_is_one() -> None:
    records = [
        record(ts(1), WORKSPACE.bot_user, "from Matrix", app_id=WORKSPACE.app, thread_ts=ts(1)),
        record(ts(2), "U1", "an answer", thread_ts=ts(1)),
        record(ts(3), "U2", "another", thread_ts=ts(1)),
    ]
    mirrored = room(records)
    for n in (2, 3):
        outside(ts(n), "$original")(mirrored)
    assert Compared(records, mirrored).told == []


def test_something_may_stand_in_the_place_of_a_deleted_root() -> None:
    records = [record(ts(1), "USLACKBOT", "This message was deleted.", subtype="tombstone", thread_ts=ts(1))]
    records += [record(ts(n), "U1", "answer", thread_ts=ts(1)) for n in (2, 3)]
    mirrored = room([record(ts(1), "USLACKBOT", "(deleted)"), *records[1:]])
    event = mirrored.event_of(ts(1))
    assert Compared(records, mirrored).told == [("messages", "unexpected", ts(1))]
    event["content"]["msgtype"] = "m.notice"
    found = Compared(records, mirrored)
    assert found.told == []
    assert found.tallies["messages"].explained == {IN_THE_PLACE: 1}


def test_a_thread_without_any_of_its_replies_is_missing_and_told_by_them() -> None:
    records = history()
    mirrored = room(records)
    for n in (3, 5, 8):
        mirrored.events = [
            one for one in mirrored.events if one["content"].get("dev.causeway.slack", {}).get("ts") != ts(n)
        ]
    found = Compared(records, mirrored)
    assert found.told == [("messages", "missing", ts(n)) for n in (3, 5, 8)]
    assert figures(found.tallies["threads"]) == (1, 0, 0, 1, 0)


# --- the rest


def test_the_digest_of_the_source_is_that_of_a_room_that_differs_by_what_is_explained() -> None:
    whole = Compared(history(), room()).digest
    assert Compared(history(), room()).digest == whole
    mirrored = room()
    lose(ts(9))(mirrored)
    assert Compared(history(), mirrored).digest == whole
    assert Compared(history()[:-1], mirrored).digest != whole
    event = mirrored.event_of(ts(4), "F1")
    words = "The file “plan.pdf” (10 bytes) was not brought over: it does not exist any more."
    event["content"] = {
        "msgtype": "m.notice",
        "body": words,
        "dev.causeway.slack": event["content"]["dev.causeway.slack"],
    }
    assert Compared(history(), mirrored).digest != whole


def test_both_sides_of_a_file_are_found_for_whoever_compares_the_bytes() -> None:
    records = [*history(), record(ts(10), "U1", "joined", subtype="channel_join"), record(ts(11), "U1", "not there")]
    expecting = Expecting(CHANNEL, known())
    expected = [expecting.of(one, "") for one in records]
    found = list(
        files(expected, [*shown(room().events), *shown(Mirrored().show([record(ts(12), "U1", "more")]).events)])
    )
    assert [(one.ts, about.id, there.uri) for one, about, _, there in found] == [
        (ts(4), "F1", "mxc://localhost/F1"),
        (ts(7), "F2", "mxc://localhost/F2"),
    ]


def test_a_tally_that_lost_something_is_not_balanced() -> None:
    tally = Tally(source=3, present=1, missing=1)
    assert not tally.is_balanced
    tally.explain("gone")
    tally.explain("nothing", 0)
    assert tally.is_balanced
    assert tally.explained == {"gone": 1}
    assert replace(Difference("messages", "missing"), ts=ts(1)).ts == ts(1)
