"""Any damage to a room is told, that damage and nothing else; and what is as it should be is counted so."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from portals.history.evidence import KINDS, Difference, Tally
from portals.history.expected import Expecting
from portals.history.parts import HIDDEN, NOT_GIVEN
from portals.history.reconcile import (
    CALLED_OTHERWISE,
    IN_THE_PLACE,
    MENTIONED,
    NEWER,
    Circumstances,
    Reconciliation,
    files,
)
from portals.history.selection import Selection
from portals.ids import ChannelId, Ts
from tests.portals.history.mirrored import (
    ACCOUNT,
    CHANNEL,
    NOW,
    WORKSPACE,
    Mirrored,
    at,
    file,
    ghost,
    known,
    record,
    shown,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Json = dict[str, Any]
NO_CHANNELS: Mapping[ChannelId, str] = {}


def ts(number: int) -> str:
    """Return the ts of the n-th message."""
    return f"17000000{number:02d}.000100"


def history() -> list[Json]:
    """Return a talk with a thread, reactions, a file, an edit, a bot, and a message that shows nothing but a file."""
    return [
        record(ts(1), "U1", "hello <@U2>", thread_ts=ts(1)),
        record(ts(2), "U2", "hi *there*", reactions=[{"name": "tada", "users": ["U1", "U3"], "count": 2}]),
        record(ts(3), "U3", "an answer", thread_ts=ts(1)),
        record(ts(4), "U1", "the plan", files=[file("F1")]),
        record(ts(5), "U2", "another answer", thread_ts=ts(1), edited={"user": "U2", "ts": "1700000099.000000"}),
        {"ts": ts(6), "subtype": "bot_message", "bot_id": "B1", "username": "CI", "text": "passed", "type": "message"},
        record(ts(7), "U1", "", files=[file("F2", "a.txt", 5)]),
        record(ts(8), "U2", "everybody", thread_ts=ts(1), subtype="thread_broadcast"),
        record(ts(9), "U1", "the end"),
    ]


class Compared:
    """What came out of a comparison."""

    def __init__(
        self, records: Sequence[Json], room: Mirrored, channels: Mapping[ChannelId, str] = NO_CHANNELS, **given: Any
    ) -> None:
        expecting = Expecting(CHANNEL, known(channels=channels))
        expected = [expecting.of(one, f"general/day.json[{n}]") for n, one in enumerate(records)]
        positions = {part.position: (one.ts, "", part.event_id) for one in shown(room.events) for part in one.parts}
        compared = Reconciliation(Circumstances(**given), positions.__getitem__)
        self.differences = list(compared.differences(expected, shown(room.events)))
        self.tallies = compared.tallies
        self.newer = compared.newer
        self.digest = str(compared.digest)
        for kind in KINDS[:4]:
            assert self.tallies[kind].is_balanced, kind

    @property
    def told(self) -> list[tuple[str, str, str]]:
        """What is told, as (kind, what, ts)."""
        return [(one.kind, one.what, one.ts) for one in self.differences]


def room(records: Sequence[Json] | None = None) -> Mirrored:
    return Mirrored().show(records if records is not None else history())


def figures(tally: Tally) -> tuple[int, int, int, int, int]:
    return tally.source, tally.present, tally.differing, tally.missing, tally.unexpected


def test_a_room_that_shows_everything_leaves_nothing_unexplained() -> None:
    found = Compared(history(), room())
    assert found.told == []
    assert figures(found.tallies["messages"]) == (9, 9, 0, 0, 0)
    assert figures(found.tallies["threads"]) == (1, 1, 0, 0, 0)
    assert figures(found.tallies["reactions"]) == (2, 2, 0, 0, 0)
    assert figures(found.tallies["files"]) == (2, 2, 0, 0, 0)
    assert found.digest != Compared([], room([])).digest


def lose(ts: str, part: str = "") -> Callable[[Mirrored], object]:
    return lambda room: room.events.remove(room.event_of(ts, part))


def content(ts: str, part: str = "", /, **changed: Any) -> Callable[[Mirrored], object]:
    def damage(room: Mirrored) -> None:
        event = room.event_of(ts, part)
        event["content"] = {**event["content"], **changed}

    return damage


def sender(ts: str, user: str) -> Callable[[Mirrored], object]:
    return lambda room: room.event_of(ts).update(sender=user)


def again(ts: str, part: str = "") -> Callable[[Mirrored], object]:
    return lambda room: room.events.append({**room.event_of(ts, part), "event_id": "$again"})


def later(ts: str) -> Callable[[Mirrored], object]:
    def damage(room: Mirrored) -> None:
        event = room.event_of(ts)
        room.events.remove(event)
        room.events.append(event)

    return damage


def outside(ts: str, root: str = "") -> Callable[[Mirrored], object]:
    def damage(room: Mirrored) -> None:
        event = room.event_of(ts)
        event["content"] = {name: value for name, value in event["content"].items() if name != "m.relates_to"}
        if root:
            target = room.event_of(root)["event_id"] if root.startswith("17") else root
            event["content"]["m.relates_to"] = {"rel_type": "m.thread", "event_id": target}

    return damage


def reaction(user: str = "", key: str = "") -> Callable[[Mirrored], object]:
    """Lose the first reaction; or have another person make another one."""

    def damage(room: Mirrored) -> None:
        event = next(event for event in room.events if event["type"] == "m.reaction")
        if not user:
            room.events.remove(event)
            return
        relation = {**event["content"]["m.relates_to"], "key": key}
        room.add("m.reaction", user, {"m.relates_to": relation}, NOW)

    return damage


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


# --- what is explained


def test_what_is_not_shown_is_counted_with_its_reason() -> None:
    liked = [{"name": "+1", "users": ["U1"], "count": 3}]
    records = [
        record(ts(1), "U1", "joined", subtype="channel_join"),
        record(ts(2), "U1", "<@U1> mentioned a file", subtype="file_mention", file=file("F1")),
        record(ts(3), "U1", "see", files=[{"id": "F2", "mode": "tombstone"}]),
        record(ts(4), "U1", "joined", subtype="channel_join", files=[file("F3")], reactions=liked),
        record(ts(5), "U1", "popular", reactions=liked),
    ]
    found = Compared(records, room(records))
    assert found.told == []
    assert found.tallies["messages"].explained == {"messages of subtype 'channel_join' are not shown": 2}
    assert found.tallies["files"].explained == {
        MENTIONED: 1,
        "Slack keeps no more than their place": 1,
        "of messages that are not shown": 1,
    }
    assert found.tallies["reactions"].explained == {
        "Slack counts more people than it names": 4,
        "on messages that are not shown": 1,
    }


def test_what_should_not_be_shown_and_is_is_told() -> None:
    records = [record(ts(1), "U1", "joined", subtype="channel_join")]
    found = Compared(records, room([record(ts(1), "U1", "joined")]))
    assert found.told == [("messages", "unexpected", ts(1))]


def test_what_is_set_aside_is_quarantined_with_all_that_belongs_to_it() -> None:
    records = history()
    mirrored = room(records)
    for n in (2, 3, 7):
        lose(ts(n))(mirrored)
    mirrored.events = [event for event in mirrored.events if event["type"] != "m.reaction"]
    found = Compared(records, mirrored, quarantined={ts(n): "too odd" for n in (2, 3, 7)})
    assert found.told == []
    assert {kind: tally.quarantined for kind, tally in found.tallies.items()} == {
        "messages": 3, "threads": 1, "reactions": 2, "files": 1, "pins": 0, "members": 0,
    }  # fmt: skip
    unreadable = [record(ts(1), None, "no author")]  # type: ignore[arg-type]
    assert Compared(unreadable, room([]), quarantined={ts(1): "no author"}).tallies["messages"].quarantined == 1


def test_a_notice_stands_for_a_file_that_slack_gives_no_more() -> None:
    mirrored = room()
    event = mirrored.event_of(ts(4), "F1")
    words = "The file “plan.pdf” (10 bytes) was not brought over: it does not exist any more."
    event["content"] = {
        "msgtype": "m.notice",
        "body": words,
        "dev.causeway.slack": event["content"]["dev.causeway.slack"],
    }
    found = Compared(history(), mirrored)
    assert found.told == []
    assert found.tallies["files"].explained == {NOT_GIVEN: 1}
    event["content"]["body"] = "The file “another.pdf” was not brought over: it does not exist any more."
    assert Compared(history(), mirrored).told == [("files", "file", ts(4))]


def test_a_file_that_an_earlier_export_still_had_is_as_good_or_better() -> None:
    before, now = record(ts(1), files=[file("F1")]), record(ts(1), files=[file("F1", mode="hidden_by_limit")])
    found = Compared([now], room([before]))
    assert found.told == []
    assert found.tallies["files"].explained == {HIDDEN: 1}
    assert Compared([now], room([now])).tallies["files"].present == 1
    assert Compared([before], room([now])).tallies["files"].explained == {NOT_GIVEN: 1}


def test_a_file_that_is_told_by_its_id_alone_may_be_anything() -> None:
    untold = record(ts(1), files=[{"id": "F1", "file_access": "check_file_info"}])
    assert Compared([untold], room([record(ts(1), files=[file("F1")])])).told == []
    found = Compared([untold], room([untold]))
    assert (found.told, found.tallies["files"].explained) == ([], {NOT_GIVEN: 1})


def test_a_channel_may_be_called_as_it_was_when_it_was_mentioned() -> None:
    records = [record(ts(1), "U1", "see <#C2|about-c2> and *so* on #1"), record(ts(2), "U1", "see #typed")]
    mirrored = room(records)
    found = Compared(records, mirrored, channels={ChannelId("C2"): "renamed"})
    assert found.told == []
    assert found.tallies["messages"].explained == {CALLED_OTHERWISE: 1}
    assert found.tallies["messages"].is_balanced
    later(ts(1))(mirrored)
    assert Compared(records, mirrored, channels={ChannelId("C2"): "renamed"}).told == [("messages", "order", ts(1))]
    content(ts(1), body="see #about-c2 and no further #1")(mirrored)
    assert ("messages", "content", ts(1)) in Compared(records, mirrored, channels={ChannelId("C2"): "renamed"}).told
    content(ts(2), body="see #other")(mirrored)
    assert ("messages", "content", ts(2)) in Compared(records, mirrored).told


def test_a_linked_account_stands_for_its_person() -> None:
    mirrored = room()
    mirrored.event_of(ts(3)).update(sender=ACCOUNT)
    for event in mirrored.events:
        if event["type"] == "m.reaction" and event["sender"] == ghost("U3"):
            event["sender"] = ACCOUNT
    assert Compared(history(), mirrored).told == []


# --- what is newer than the source


def test_in_a_live_channel_what_is_newer_than_the_source_is_no_difference() -> None:
    end = at(ts(9))
    mirrored = room()
    mirrored.show([record(ts(10), "U1", "since then")])
    mirrored.edit(mirrored.event_of(ts(9)), {"msgtype": "m.text", "body": "no end"}, ts=NOW)
    mirrored.redact(mirrored.event_of(ts(3)))
    reaction(ghost("U2"), "👍")(mirrored)
    again(ts(4), "F1")(mirrored)
    mirrored.events[-1]["origin_server_ts"] = NOW
    redacted = {("U3", at(ts(3))): ("$e", NOW)}
    found = Compared(history(), mirrored, until=end, live=True, redacted=redacted)
    assert found.told == []
    assert found.newer == 2
    assert found.tallies["messages"].explained == {NEWER: 1}
    assert figures(found.tallies["threads"]) == (1, 1, 0, 0, 0)
    found = Compared(history(), mirrored, until=end, redacted=redacted)
    assert sorted(found.told) == [
        ("files", "twice", ts(4)),
        ("messages", "content", ts(9)),
        ("messages", "missing", ts(3)),
        ("messages", "unexpected", ts(10)),
        ("reactions", "unexpected", ts(2)),
    ]
    missing = next(one for one in found.differences if one.what == "missing")
    assert (missing.event_id, missing.found) == ("$e", "its event was redacted")


def test_what_was_deleted_since_is_explained_with_all_that_belongs_to_it() -> None:
    mirrored = room()
    mirrored.redact(mirrored.event_of(ts(7)))
    found = Compared(history(), mirrored, until=at(ts(9)), live=True, redacted={("U1", at(ts(7))): ("$e", NOW)})
    assert found.told == []
    assert found.tallies["files"].explained == {"of messages that are not shown": 1}


def test_a_message_of_which_only_something_else_is_there_lacks_its_parts() -> None:
    mirrored = room()
    event = mirrored.event_of(ts(9))
    event["content"]["dev.causeway.slack"] = {**event["content"]["dev.causeway.slack"], "part": "5"}
    found = Compared(history(), mirrored)
    assert found.told == [("messages", "unexpected", ts(9)), ("messages", "content", ts(9))]
    lost = record(ts(1), "U1", "lost", subtype="", files=[{"id": "X1", "name": "odd"}])
    assert Compared([lost], room([lost])).told == [("files", "missing", ts(1))]


def test_a_thread_whose_replies_all_went_since_is_none() -> None:
    records = [record(ts(1), "U1", "root", thread_ts=ts(1)), record(ts(2), "U2", "reply", thread_ts=ts(1))]
    mirrored = room(records)
    mirrored.redact(mirrored.event_of(ts(2)))
    found = Compared(records, mirrored, until=at(ts(2)), live=True, redacted={("U2", at(ts(2))): ("$e", NOW)})
    assert found.told == []
    assert figures(found.tallies["threads"]) == (0, 0, 0, 0, 0)


def test_nothing_is_said_of_what_is_not_selected() -> None:
    chosen = [one for one in history() if one["ts"] < ts(5)]
    given = {"selection": Selection(until=Ts(ts(5)))}
    assert Compared(chosen, room(), **given).told == []
    assert Compared(chosen, room()).told == [("messages", "unexpected", ts(n)) for n in (5, 6, 7, 8, 9)]


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
