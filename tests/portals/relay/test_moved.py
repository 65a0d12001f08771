"""A channel that has moved: what is still said in Slack comes across and its author is told once; nothing goes back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest

from portals.actions import Note, PostMessage, RecordChannel, RecordTold, RecordTrouble, SendEvent, SetMembership
from portals.events import Ignored
from portals.facts import Link, PortalKind, PortalState
from portals.ids import Ts
from portals.reading.late_files import FILE_CAME
from portals.reading.slack import LOOK_BACK, is_looked_up
from portals.relay import to_matrix, to_slack
from portals.relay.moved import writer_of
from tests.portals.relay.scene import ALICE, CHANNEL, PORTAL, ROOM, facts, ghost, link, rules, said_in_matrix
from tests.portals.relay.scene import said_in_slack as said

MOVED_AT = Ts("1700000000.000000")
BEFORE, LATE = "1699999999.000000", "1700000001.000100"
FROZEN = replace(PORTAL, state=PortalState.FROZEN)
ENDED = replace(PORTAL, state=PortalState.ARCHIVED)
TOLD = rules(moved="See {link} of #{channel}")


def decided(event: Any, portal: Any = FROZEN, *links: Link, **more: Any) -> Any:
    return to_matrix.decide(event, portal, facts(*links, rules=TOLD, **{"moved_at": MOVED_AT} | more))


def test_a_stray_message_comes_across_and_its_author_is_told_in_a_thread() -> None:
    sent, word = decided(said(text="am I late?", ts=LATE))
    assert isinstance(sent, SendEvent)
    assert isinstance(word, PostMessage)
    assert word.text == f"See <https://matrix.to/#/{ROOM}?via=example.org> of #general"
    assert (word.channel, word.thread_ts, word.username, word.unfurl) == (CHANNEL, LATE, "", False)
    assert word.record == RecordTold(ALICE)


def test_in_a_thread_the_word_stands_in_that_thread() -> None:
    _, word = decided(said(text="late reply", ts=LATE, thread_ts=BEFORE), FROZEN, link(BEFORE, "$root"))
    assert word.thread_ts == BEFORE


@pytest.mark.parametrize(
    ("event", "portal", "more"),
    [
        ({"ts": BEFORE}, FROZEN, {}),
        ({"ts": LATE}, FROZEN, {"moved_at": None}),
        ({"ts": LATE}, PORTAL, {}),
        ({"ts": LATE, "bot_id": "B9", "user": "U9"}, FROZEN, {}),
        ({"ts": LATE, "subtype": "bot_add"}, FROZEN, {}),
    ],
)
def test_nobody_is_told_who_was_told_or_wrote_before_or_is_no_person(
    event: dict[str, Any], portal: Any, more: dict[str, Any]
) -> None:
    actions = decided(said(text="words", **event), portal, **more)
    assert [type(action) for action in actions] == [SendEvent]


def test_without_words_nobody_is_told() -> None:
    actions = to_matrix.decide(said(text="words", ts=LATE), FROZEN, facts(moved_at=MOVED_AT))
    assert not isinstance(actions, Ignored)
    assert len(actions) == 1


def test_what_is_shown_already_is_no_stray_message() -> None:
    assert isinstance(decided(said(text="words", ts=LATE), FROZEN, link(LATE, "$shown")), Ignored)
    edited = said(seen=7, text="other words", ts=LATE, edited={"ts": "1700000002.000000"})
    actions = decided(edited, FROZEN, link(LATE, "$shown", digest="old", version=Ts(LATE)))
    assert not any(isinstance(action, PostMessage) for action in actions)


def test_only_what_a_person_writes_just_now_may_need_a_word() -> None:
    assert to_matrix.needs(said(text="words", ts=LATE)).writer == ALICE
    assert writer_of(said(text="words", ts=LATE, bot_id="B9", user="U9")) is None  # type: ignore[arg-type]


# --- the channel itself


@pytest.mark.parametrize("portal", [FROZEN, ENDED])
@pytest.mark.parametrize(
    "event",
    [
        {"subtype": "channel_topic", "topic": "Moved to Matrix", "ts": LATE},
        {"type": "channel_rename", "channel": {"id": CHANNEL, "name": "old-general"}},
        {"subtype": "channel_convert_to_private", "ts": LATE},
        {"type": "channel_unarchive"},
        {"type": "member_left_channel"},
    ],
)
def test_its_room_goes_its_own_way(portal: Any, event: dict[str, Any]) -> None:
    found = decided(said(**event), portal)
    assert isinstance(found, Ignored)
    assert "moved to Matrix" in found.reason


def test_its_archiving_is_known_and_not_shown() -> None:
    (note,) = decided(said(type="channel_archive"))
    assert isinstance(note, Note)
    assert note.record == RecordChannel(archived=True)
    (note,) = decided(said(type="channel_unarchive"), replace(FROZEN, archived=True))
    assert note.record == RecordChannel(archived=False)


def test_the_bots_removal_is_known_and_not_shown() -> None:
    left, joined = said(type="channel_left"), said(type="member_joined_channel", user="UBOT")
    (note,) = decided(left)
    assert isinstance(note.record, RecordTrouble)
    assert note.record.trouble
    assert isinstance(decided(joined), Ignored)
    troubled = replace(FROZEN, trouble=note.record.trouble)
    assert isinstance(decided(left, troubled), Ignored)
    (note,) = decided(joined, troubled)
    assert note.record == RecordTrouble("")


def test_who_joins_in_slack_comes_into_the_room() -> None:
    (joined,) = decided(said(type="member_joined_channel"))
    assert isinstance(joined, SetMembership)
    assert joined.user == ghost(ALICE)


def test_nothing_goes_back_to_slack() -> None:
    event = said_in_matrix({"msgtype": "m.text", "body": "ours now"})
    for portal in (FROZEN, ENDED):
        assert isinstance(to_slack.decide(event, portal, facts()), Ignored)
    past = replace(ENDED, kind=PortalKind.HISTORY)
    assert not past.has_moved


def test_what_history_brings_is_told_from_what_slack_delivers_whatever_it_says() -> None:
    words = {"event": {"type": "message", "text": '"causeway_look_back": 1, "causeway_file_came"'}}
    assert not is_looked_up(orjson.dumps(words).decode())
    assert is_looked_up(orjson.dumps({**words, LOOK_BACK: 7}).decode())
    assert is_looked_up(orjson.dumps({"event": {"type": FILE_CAME}}).decode())
