"""What a policy kept back is explained by its rule, and an edit by its mark; neither hides anything else."""

from __future__ import annotations

import pytest

from portals.crossing.subjects import PIN, Subject, reaction_of, read_subject, subject_of
from portals.history import sets
from portals.history.evidence import Tally
from portals.history.reconcile import BEFORE_THE_EDIT, KEPT, WITHOUT_MARK, reaction_words
from portals.ids import ChannelId, Ts
from tests.portals.history.compared import Compared, content, room, ts
from tests.portals.history.mirrored import ACCOUNT, NOW, file, record

EDITED = {"user": "U1", "ts": "1700000060.000000"}
C1 = ChannelId("C1")


def edited(text: str = "as it is now", seconds: str = EDITED["ts"]) -> list[dict[str, object]]:
    return [record(ts(1), "U1", text, edited={**EDITED, "ts": seconds})]


def test_the_mark_of_an_edit_is_there_of_its_time_and_nowhere_else() -> None:
    differs = [("messages", "edit", ts(1))]
    assert Compared(edited(), room(edited())).told == []
    assert Compared([record(ts(1), "U1", "as it is now")], room(edited())).told == differs
    assert Compared(edited(seconds="1700009999.000000"), room(edited())).told == differs
    unmarked = room([record(ts(1), "U1", "as it is now")])
    assert Compared(edited(), unmarked).told == differs
    assert Compared([record(ts(1), "U1", "as it is now")], room(edited()), live=True).told == []
    bot = [record(ts(1), "", "done", subtype="bot_message", bot_id="B1", username="CI", edited=EDITED)]
    assert Compared([{**bot[0], "edited": None}], room(bot)).told == [], "an app may change its own without a word"


def test_in_a_live_channel_an_edit_may_have_come_before_the_message() -> None:
    found = Compared(edited(), room([record(ts(1), "U1", "as it is now")]), live=True)
    assert (found.told, found.tallies["messages"].explained) == ([], {WITHOUT_MARK: 1})


def test_a_message_without_text_has_nothing_to_mark() -> None:
    records = [record(ts(1), "U1", "", files=[file("F1")], edited=EDITED)]
    assert Compared(records, room(records)).told == []


def test_what_was_withheld_is_explained_and_no_more_than_that() -> None:
    records = [
        record(ts(1), "U1", "kept here", thread_ts=ts(1)),
        record(ts(2), "U1", "a file", files=[file("F1")]),
        record(ts(3), "U1", "liked", reactions=[{"name": "tada", "users": ["U2", "U3"], "count": 2}]),
    ]
    bare = room([record(ts(2), "U1", "a file"), record(ts(3), "U1", "liked")])
    withheld = {(ts(1), ""): "words", (ts(2), "F1"): "types", (ts(3), reaction_words("🎉", "U2")): "kinds: reactions"}
    found = Compared(records, bare, withheld=withheld)
    assert found.told == [("reactions", "missing", ts(3))]
    assert {kind: one.explained for kind, one in found.tallies.items() if one.explained} == {
        "messages": {"withheld by the policy (words)": 1},
        "files": {"withheld by the policy (types)": 1},
        "reactions": {"withheld by the policy (kinds: reactions)": 1},
    }


def test_where_edits_do_not_cross_the_room_shows_what_was_said_before() -> None:
    before = [record(ts(1), "U1", "as it was")]
    withheld = {(ts(1), ""): "kinds: edits"}
    found = Compared(edited(), room(before), withheld=withheld)
    assert (found.told, found.tallies["messages"].explained) == ([], {BEFORE_THE_EDIT: 1})
    same = Compared(edited("as it was"), room(before), withheld=withheld)
    assert (same.told, same.tallies["messages"].present) == ([], 1)
    wrong = room(before)
    content(ts(1), body="as it was", msgtype="m.notice")(wrong)
    wrong.event_of(ts(1))["sender"] = "@slack_t1_u2:localhost"
    assert Compared(edited(), wrong, withheld=withheld).told == [("messages", "author", ts(1))]


def test_what_is_deleted_in_slack_alone_is_explained_where_deletions_do_not_cross() -> None:
    records = [record(ts(n), "U1", f"number {n}") for n in range(5)]
    shown, left = room(records), [records[1], records[3]]
    found = Compared(left, shown, kept={ts(0), ts(2), ts(4)})
    assert (found.told, found.kept, found.tallies["messages"].unexpected) == ([], 3, 0)
    assert found.digest == Compared(records[1:4], shown, kept={ts(0), ts(4)}).digest
    assert Compared(left, shown, kept={ts(0), ts(2)}).told == [("messages", "unexpected", ts(4))]
    assert Compared(left, room([records[3]]), kept={ts(1)}).told == [("messages", "missing", ts(1))]


def test_an_answered_message_that_is_deleted_in_slack_alone_is_explained() -> None:
    tombstone = record(ts(1), "USLACKBOT", "This message was deleted.", subtype="tombstone", thread_ts=ts(1))
    shown = room([record(ts(1), "U1", "deleted there", thread_ts=ts(1))])
    found = Compared([tombstone], shown, kept={ts(1)})
    assert (found.told, found.tallies["messages"].explained) == ([], {KEPT: 1})
    assert Compared([tombstone], shown).told == [("messages", "unexpected", ts(1))]


@pytest.mark.parametrize(("by", "key"), [("@eve:localhost", "👍"), ("@eve:localhost", "👍️"), (ACCOUNT, "👍")])
def test_a_reaction_by_somebodys_own_hand_is_theirs_in_slack_and_never_too_much(by: str, key: str) -> None:
    shown = room([record(ts(1), "U1", "hello")])
    relation = {"rel_type": "m.annotation", "event_id": shown.event_of(ts(1))["event_id"], "key": key}
    shown.add("m.reaction", by, {"m.relates_to": relation}, NOW)
    there = [record(ts(1), "U1", "hello", reactions=[{"name": "+1", "users": ["U3"], "count": 1}])]
    found = Compared(there, shown, hands={"@eve:localhost": "U3"})
    assert (found.told, found.tallies["reactions"].present) == ([], 1)
    assert Compared([record(ts(1), "U1", "hello")], shown, hands={"@eve:localhost": "U3"}).told == []


def test_a_pin_that_may_not_cross_is_explained() -> None:
    tally = Tally()
    told = sets.pins(["1.0"], {}, tally, stands={"1.0": "$1"}.get, is_newer=False, kept_back=lambda _: "no pins")
    assert (list(told), tally.explained) == ([], {"no pins": 1})


@pytest.mark.parametrize(
    ("wanted", "found", "is_newer", "told", "figures"),
    [
        (["today"], "today", False, 0, (1, 1, 0, 0)),
        (["#plans", "C9"], "C9", False, 0, (1, 1, 0, 0)),
        ([""], "", False, 0, (0, 0, 0, 0)),
        (["today"], "made up", False, 1, (1, 0, 1, 0)),
        ([""], "made up", False, 1, (0, 0, 0, 1)),
        (["today"], "tomorrow", True, 0, (1, 0, 0, 0)),
    ],
)
def test_a_room_has_its_channels_topic(
    wanted: list[str], found: str, is_newer: bool, told: int, figures: tuple[int, int, int, int]
) -> None:
    tally = Tally()
    assert len(list(sets.topic(wanted, found, tally, is_newer=is_newer))) == told
    assert (tally.source, tally.present, tally.differing, tally.unexpected) == figures
    assert tally.is_balanced


@pytest.mark.parametrize(
    ("subject", "found"),
    [
        (subject_of(C1, "slack:Ev1", "1.2"), Subject(C1, Ts("1.2"))),
        (subject_of(C1, "seen:1/a (b)", "1.2", "F1"), Subject(C1, Ts("1.2"), "F1")),
        (subject_of(C1, "x", "1.2", PIN), Subject(C1, Ts("1.2"), PIN)),
        (subject_of(C1, "x"), None),
        ("something else", None),
    ],
)
def test_what_the_audit_log_names_is_found_again(subject: str, found: Subject | None) -> None:
    assert read_subject(subject) == found


def test_a_reaction_is_named_by_its_emoji_and_its_person() -> None:
    found = read_subject(subject_of(C1, "x", "1.2", reaction_of("wave::skin-tone-2", "U1")))
    assert found is not None
    assert found.reaction == ("wave::skin-tone-2", "U1")
    assert Subject(C1, Ts("1.2")).reaction is None
