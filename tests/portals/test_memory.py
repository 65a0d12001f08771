"""What a ledger of one process keeps of messages that people change on the other side."""

from __future__ import annotations

from portals.actions import RecordEdit, RecordLink
from portals.facts import Needs
from portals.ids import EventId, Ts
from portals.memory import Memory

TS = Ts("1.1")


def test_the_names_of_states_that_come_back_are_kept_beside_the_state_that_is_shown() -> None:
    memory = Memory()
    memory.record(RecordLink("matrix", "@ada:hs", event_id="$a", hand="UALICE"), TS)
    memory.record(RecordEdit(TS, "d", "1.5", "$edit d"), "")
    memory.record(RecordEdit(TS, "", "", None), "digest")
    ((link,), _, _) = memory.answer(Needs(messages=frozenset([TS])))
    assert [link.hand, link.digest, link.version] == ["UALICE", "d", "1.5"]
    assert link.shown == {"$edit", "d", "digest"}


def test_a_whole_message_is_all_of_its_parts_and_all_that_an_event_became() -> None:
    memory = Memory()
    for ts, part, event in (("1.1", "", "$a"), ("1.2", "", "$a"), ("1.3", "", "$b"), ("1.1", "F1", "$file")):
        memory.record(RecordLink("slack", "@ada:hs", part, event_id=event), ts)
    needs = Needs(events=frozenset([EventId("$a")]), whole=True)
    assert [(link.ts, link.part) for link in memory.answer(needs)[0]] == [("1.1", ""), ("1.2", ""), ("1.1", "F1")]
