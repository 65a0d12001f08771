"""Several sources are one history, several rooms one channel; and what is not a message is told as what it is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bridge.proof import prove
from bridge.proof.prove import REPEATED, Quarantined
from portals.crossing.subjects import PIN, Subject, reaction_of
from portals.history import sets
from portals.history.export import ExportedChannel
from portals.history.reconcile import BEFORE_THE_EDIT
from portals.history.selection import AnyOf, Selection
from portals.ids import ChannelId, Ts
from tests.bridge.proof.listed import GENERAL, Listed, proof_of, told, with_members
from tests.portals.history.mirrored import ACCOUNT, CHANNEL, NAMES, NOW, WORKSPACE, Mirrored, at, file, ghost, record

if TYPE_CHECKING:
    import pytest


def ts(number: int) -> str:
    return f"17000000{number:02d}.000100"


def talk(*numbers: int, words: str = "message") -> list[dict[str, Any]]:
    return [record(ts(n), "U1", f"{words} {n}") for n in numbers]


# --- sources


def test_a_later_source_says_how_a_message_stands_now() -> None:
    before = talk(1, 2, 3)
    now = [*talk(1), record(ts(2), "U1", "edited", edited={"user": "U1", "ts": "1700000050.000000"}), *talk(3, 4)]
    assert told(proof_of(Mirrored().show(now), Listed(before), Listed(now))) == []
    assert told(proof_of(Mirrored().show([*before, *talk(4)]), Listed(before), Listed(now))) == [
        ("messages", "content", ts(2))
    ]


def test_what_a_later_whole_source_leaves_out_was_deleted() -> None:
    before, now = talk(1, 2, 3), talk(1, 3, 4)
    assert told(proof_of(Mirrored().show(now), Listed(before), Listed(now))) == []
    kept = Mirrored().show(talk(1, 2, 3, 4))
    assert told(proof_of(kept, Listed(before), Listed(now))) == [("messages", "unexpected", ts(2))]


def test_what_a_source_of_some_days_leaves_out_was_not_deleted() -> None:
    before, some = talk(1, 2, 3, 4, 5), talk(3, 5)
    whole = Mirrored().show(before)
    assert told(proof_of(whole, Listed(before), Listed(some))) == []
    assert told(proof_of(Mirrored().show(some), Listed(before), Listed(some))) == [
        ("messages", "missing", ts(n)) for n in (1, 2, 4)
    ]


def test_a_source_without_the_channel_or_without_messages_says_nothing() -> None:
    other = Listed(talk(9), ExportedChannel(ChannelId("C9"), "other", "public"))
    assert told(proof_of(Mirrored().show(talk(1)), other, Listed([]), Listed(talk(1)))) == []


def test_records_that_come_twice_or_cannot_be_read_are_counted() -> None:
    records = [*talk(1, 2), *talk(2), record("", "U1", "when?"), {"text": "who?", "ts": ts(3)}]
    found = proof_of(Mirrored().show(talk(1, 2)), Listed(records))
    assert told(found) == []
    assert found.tallies["messages"].source == 5
    assert found.tallies["messages"].explained == {
        REPEATED: 1,
        "a message without a time stamp": 1,
        "a message without an author": 1,
    }
    assert found.tallies["messages"].is_balanced


def test_what_is_set_aside_is_found_by_its_place_or_its_time() -> None:
    records = [*talk(1, 2, 3), record("", "U1", "when?")]
    aside = {"general/day.json[1]": "too odd", ts(3): "refused", "general/day.json[3]": "no time"}
    found = proof_of(Mirrored().show(talk(1)), Listed(records), quarantined=aside)
    assert told(found) == []
    assert found.quarantined == [
        Quarantined(ts(2), "general/day.json[1]", "too odd"),
        Quarantined(ts(3), "general/day.json[2]", "refused"),
        Quarantined("", "general/day.json[3]", "no time"),
    ]
    tally = found.tallies["messages"]
    assert (tally.source, tally.present, tally.quarantined, tally.is_balanced) == (4, 1, 3, True)


def test_what_was_set_aside_and_is_shown_by_now_is_not_in_quarantine() -> None:
    found = proof_of(Mirrored().show(talk(1, 2)), Listed(talk(1, 2)), quarantined={ts(2): "refused"})
    assert (found.quarantined, found.tallies["messages"].present) == ([], 2)


def test_a_period_alone_is_proven() -> None:
    selection = Selection(since=Ts(ts(2)), until=Ts(ts(4)))
    records = talk(1, 2, 3, 4, 5)
    damaged = Mirrored().show(talk(2, 4, 5))
    found = proof_of(damaged, Listed(records), selection=selection)
    assert told(found) == [("messages", "missing", ts(3))]
    assert (found.first, found.last) == (ts(2), ts(3))
    whole = proof_of(Mirrored().show(records), Listed(records), selection=selection)
    assert told(whole) == []
    assert str(whole.source_digest) == str(whole.room_digest)
    assert whole.room_digest.lines == 2


# --- rooms


def test_the_room_of_the_past_and_the_one_in_use_are_one_channel() -> None:
    records = talk(1, 2, 3, 4)
    past, now = Mirrored().show(records[:2]), Mirrored().show(records[2:])
    for number, event in enumerate(now.events):
        event["event_id"] = f"$now{number}"
    found = proof_of(now, Listed(records), others=[past])
    assert told(found) == []
    assert found.events == len(past.events) + len(now.events)
    both = proof_of(now, Listed(records), others=[Mirrored().show(records[:3])])
    assert told(both) == [("messages", "twice", ts(3))]


def test_an_edit_counts_by_its_time_and_only_by_its_author() -> None:
    room = Mirrored().show(talk(1))
    event = room.event_of(ts(1))
    room.edit(event, {"msgtype": "m.text", "body": "an older state"}, ts=at(ts(1)) + 1000)
    room.edit(event, {"msgtype": "m.text", "body": "message 1"}, ts=at(ts(1)) + 5000)
    room.edit(event, {"msgtype": "m.text", "body": "arrived too late"}, ts=at(ts(1)) + 2000)
    room.edit(event, {"msgtype": "m.text", "body": "not mine"}, sender=ghost("U2"), ts=NOW)
    room.edit({**event, "event_id": "$nothing"}, {"msgtype": "m.text", "body": "of nothing"})
    edited = {**talk(1)[0], "edited": {"user": "U1", "ts": "1700000006.000000"}}
    assert told(proof_of(room, Listed([edited]))) == []


def test_what_a_policy_withheld_is_explained_by_its_rule() -> None:
    records = [
        record(ts(1), "U1", "kept here"),
        record(ts(2), "U1", "a file", files=[file("F1")]),
        record(ts(3), "U1", "liked", reactions=[{"name": "tada", "users": ["U2"], "count": 1}]),
        record(ts(4), "U1", "an edit", edited={"user": "U1", "ts": "1700000060.000000"}),
    ]
    bare = [
        record(ts(2), "U1", "a file"),
        record(ts(3), "U1", "liked"),
        record(ts(4), "U1", "as it was"),
    ]
    source = with_members(Listed(records), pins=[ts(2)])
    withheld = [
        (Subject(CHANNEL, Ts(ts(1))), "words"),
        (Subject(CHANNEL, Ts(ts(2)), "F1"), "file_types"),
        (Subject(CHANNEL, Ts(ts(2)), PIN), "kinds: pins"),
        (Subject(CHANNEL, Ts(ts(3)), reaction_of("tada", "U2")), "kinds: reactions"),
        (Subject(CHANNEL, Ts(ts(4))), "kinds: edits"),
    ]
    assert len(told(proof_of(Mirrored().show(bare), source))) == 5
    found = proof_of(Mirrored().show(bare), source, withheld=withheld)
    assert told(found) == []
    assert {kind: tally.explained for kind, tally in found.tallies.items() if tally.explained} == {
        "messages": {"withheld by the policy (words)": 1, BEFORE_THE_EDIT: 1},
        "files": {"withheld by the policy (file_types)": 1},
        "reactions": {"withheld by the policy (kinds: reactions)": 1},
        "pins": {"withheld by the policy (kinds: pins)": 1},
    }
    assert all(tally.is_balanced for tally in found.tallies.values())


def test_a_room_says_what_its_channel_is_about() -> None:
    source = Listed(talk(1), replace(GENERAL, topic="Today: <#C9|plans>", purpose="All &amp; sundry"))
    room = Mirrored().show(talk(1))
    room.state("m.room.topic", "", {"topic": "Today: #plans\nAll & sundry"})
    found = proof_of(room, source, describes=True)
    assert (told(found), found.tallies["topics"].present) == ([], 1)
    assert told(proof_of(room, Listed(talk(1)), describes=True)) == [("topics", "topic", "")]
    room.state("m.room.topic", "", {"topic": "made up"})
    assert told(proof_of(room, source, describes=True)) == [("topics", "topic", "")]
    assert told(proof_of(room, source)) == []
    newer = proof_of(room, source, describes=True, live=True)
    assert (told(newer), newer.tallies["topics"].explained) == ([], {sets.CHANGED: 1})


def test_what_imports_were_to_leave_out_is_not_missed() -> None:
    parts = AnyOf((Selection(until=Ts(ts(2))), Selection(since=Ts(ts(3)), until=Ts(ts(4)))))
    source = Listed(talk(1, 2, 3, 4), selection=parts)
    found = proof_of(Mirrored().show(talk(1)), source)
    assert told(found) == [("messages", "missing", ts(3))]
    assert found.tallies["messages"].source == 2


def test_of_very_many_differences_the_first_are_told_and_all_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prove, "MOST_TOLD", 3)
    found = proof_of(Mirrored(), Listed(talk(*range(1, 9))))
    assert (len(found.differences), found.untold, found.unexplained) == (3, 5, 8)


def test_what_ghosts_say_without_a_message_of_slacks_is_told() -> None:
    room = Mirrored().show(talk(1))
    room.add("m.room.message", ghost("U2"), {"msgtype": "m.text", "body": "made up"}, NOW)
    room.add("m.room.encrypted", ghost("U2"), {"algorithm": "m.megolm.v1.aes-sha2"}, NOW)
    elsewhere = {"team": "T1", "channel": "C2", "ts": ts(1)}
    room.add("m.room.message", ghost("U2"), {"msgtype": "m.text", "body": "x", "dev.causeway.slack": elsewhere}, NOW)
    room.add("m.room.message", "@eve:localhost", {"msgtype": "m.text", "body": "a person's"}, NOW)
    room.add("m.room.message", NAMES.bot, {"msgtype": "m.notice", "body": "a notice"}, NOW)
    found = proof_of(room, Listed(talk(1)))
    assert [one.found for one in found.differences] == [
        "1 encrypted events, which cannot be read back",
        f"{ghost('U2')}: made up",
        f"{ghost('U2')}: x",
    ]
    assert found.tallies["messages"].unexpected == 3
    assert found.written_in_matrix == 1


def test_a_bots_name_is_judged_by_how_it_was_called_then() -> None:
    said = {
        "type": "message",
        "subtype": "bot_message",
        "bot_id": "B1",
        "username": "CI",
        "text": "passed",
        "ts": ts(1),
    }
    room = Mirrored().show([said])
    room.events = [event for event in room.events if event["type"] != "m.room.member"]
    event = room.event_of(ts(1))
    content = {"msgtype": "m.text", "body": "passed", "dev.causeway.slack": event["content"]["dev.causeway.slack"]}
    room.events = []
    room.names[ghost("B1")] = "CI (Slack)"
    room.enter(ghost("B1"))
    room.add("m.room.message", ghost("B1"), content, at(ts(1)))
    room.names[ghost("B1")] = "Renamed since"
    room.enter(ghost("B1"))
    assert told(proof_of(room, Listed([said]))) == []
    room.events.insert(1, room.events.pop())
    assert told(proof_of(room, Listed([said]))) == [("messages", "name", ts(1))]


# --- members and pins


def test_members_and_pins_are_those_of_the_last_source() -> None:
    source = with_members(Listed(talk(1, 2)), "U1", "U2", "U3", WORKSPACE.bot_user, pins=[ts(1), ts(2)])
    room = Mirrored().show(talk(1, 2)).enter(ghost("U1"), ghost("U2"), ACCOUNT, NAMES.bot, "@eve:localhost")
    room.pin(ts(1), ts(2))
    assert told(proof_of(room, source)) == []
    room.enter(ghost("U2"), membership="leave").enter(ghost("U4")).pin(ts(1))
    found = proof_of(room, replace(source, channel=replace(source.channel)))
    assert [(one.kind, one.what, one.ts, one.expected or one.found) for one in found.differences] == [
        ("members", "missing", "", "U2"),
        ("members", "unexpected", "", "U4"),
        ("pins", "missing", ts(2), ""),
    ]


def test_a_pin_on_what_is_missing_is_told_once() -> None:
    joined = record(ts(3), "U1", "joined", subtype="channel_join")
    source = with_members(Listed([*talk(1, 2), joined]), "U1", pins=[ts(1), ts(3), ts(9)])
    found = proof_of(Mirrored().show(talk(2)), source)
    assert told(found) == [("messages", "missing", ts(1))]
    assert sum(found.tallies["pins"].explained.values()) == 3
