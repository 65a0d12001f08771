"""What is done where a person's own account may not act, and what only the ledger can tell."""

from __future__ import annotations

from typing import Any

import pytest

from portals.actions import (
    STAMP,
    DeleteMessage,
    Note,
    RecordLink,
    RecordReaction,
    RedactEvent,
    SendEvent,
    SendFile,
    SetMembership,
)
from portals.ids import ActionKey, ChannelId, EventId, MatrixUserId, RoomId, Ts
from portals.people.puppets import by_ghost, is_about_the_account, is_never_copied, is_puppet, made, stamp_of

KEY, ROOM = ActionKey("cwkey"), RoomId("!room:x.org")
ADA, GHOST = MatrixUserId("@ada:x.org"), MatrixUserId("@slack_t1_u1:x.org")
TEXT = {"msgtype": "m.text", "body": "hello"}


def sent(**more: Any) -> SendEvent:
    given: dict[str, Any] = {"content": TEXT, "ghost": GHOST, "type": "m.room.message"} | more
    return SendEvent(KEY, ROOM, ADA, **given)


@pytest.mark.parametrize(
    ("account", "patterns", "is_one"),
    [
        ("@ada:x.org", ("@*:x.org",), True),
        ("@ada:x.org", ("@b*:x.org", "@ad?:x.org"), True),
        ("@ada:x.org", (), False),
        ("@root:x.org", ("@[!r]*:x.org", "@a*:x.org"), False),
        ("@ada:evil.x.org", ("@*",), False),
        ("@ada:y.org", ("@*:*",), False),
    ],
)
def test_only_accounts_of_the_homeserver_that_fit_a_pattern_are_acted_as(
    account: str, patterns: tuple[str, ...], is_one: bool
) -> None:
    assert is_puppet(MatrixUserId(account), patterns, "x.org") is is_one


@pytest.mark.parametrize("code", ["M_FORBIDDEN", "M_USER_DEACTIVATED", "double_puppet"])
def test_some_refusals_are_about_the_account(code: str) -> None:
    assert is_about_the_account(code)


@pytest.mark.parametrize("code", ["M_TOO_LARGE", "M_BAD_JSON", "banned", ""])
def test_others_would_meet_the_ghost_too(code: str) -> None:
    assert not is_about_the_account(code)


def test_the_ghost_says_the_same_and_the_ledger_knows_who_said_it() -> None:
    action = sent(record=RecordLink("slack", ADA, ts="1.0"), ts=5)
    said = by_ghost(action)
    assert said == SendEvent(KEY, ROOM, GHOST, "m.room.message", TEXT, 5, RecordLink("slack", GHOST, ts="1.0"))
    reaction = by_ghost(sent(record=RecordReaction("slack", "1.0", "tada", "U1", sender=ADA)))
    assert isinstance(reaction, SendEvent)
    assert reaction.record == RecordReaction("slack", "1.0", "tada", "U1", sender=GHOST)
    file = SendFile(KEY, ROOM, ADA, "F1", "u", "n", "t/t", 1, TEXT, "gone", record=None, ghost=GHOST)
    replaced = by_ghost(file)
    assert isinstance(replaced, SendFile)
    assert (replaced.sender, replaced.ghost, replaced.record) == (GHOST, None, None)


def test_an_edit_becomes_an_answer_for_nobody_edits_what_another_one_said() -> None:
    edit = {**TEXT, "body": "* new", "m.new_content": TEXT, "m.relates_to": {"rel_type": "m.replace", "event_id": "$1"}}
    said = by_ghost(sent(content=edit))
    assert isinstance(said, SendEvent)
    assert said.content == {**TEXT, "body": "* new", "m.relates_to": {"m.in_reply_to": {"event_id": "$1"}}}


def test_a_ghost_comes_where_the_account_may_not() -> None:
    came = SetMembership(KEY, ROOM, ADA, True, ghost=GHOST)
    assert by_ghost(came) == SetMembership(KEY, ROOM, GHOST, True)


@pytest.mark.parametrize("action", [sent(ghost=None), Note(KEY), SetMembership(KEY, ROOM, GHOST, True)])
def test_no_ghost_stands_behind_what_a_ghost_does(action: Any) -> None:
    assert by_ghost(action) is None


@pytest.mark.parametrize("event", [{}, {"content": None}, {"content": {STAMP: 7}}, {"content": []}])
def test_what_carries_no_stamp_has_none(event: Any) -> None:
    assert stamp_of(event) == ""


@pytest.mark.parametrize(
    ("kind", "relation", "never"),
    [
        ("m.reaction", {"rel_type": "m.annotation"}, True),
        ("m.room.redaction", {}, True),
        ("m.room.message", {"rel_type": "m.replace"}, True),
        ("m.room.message", {"rel_type": "m.thread"}, False),
        ("m.sticker", {"rel_type": "m.replace"}, False),
    ],
)
def test_messages_are_copied_and_reactions_edits_and_redactions_never(kind: str, relation: Any, never: bool) -> None:
    assert is_never_copied({"type": kind, "content": {"m.relates_to": relation}}) is never


@pytest.mark.parametrize("event", [{}, {"type": 1}, {"type": "m.room.message", "content": {"m.relates_to": "x"}}])
def test_what_is_no_event_is_not_told_to_be_ours(event: Any) -> None:
    assert not is_never_copied(event)


def test_an_event_is_what_an_action_made_by_its_stamp_sender_and_room() -> None:
    event = {"content": {**TEXT, STAMP: KEY}, "sender": ADA, "room_id": ROOM}
    redaction = RedactEvent(KEY, ROOM, ADA, EventId("$1"))
    assert made(sent(), event)
    assert made(redaction, event)
    for other in ({"sender": "@eve:x.org"}, {"room_id": "!other:x.org"}, {"content": {STAMP: "cwother"}}):
        assert not made(sent(), {**event, **other})
    assert not made(DeleteMessage(KEY, ChannelId("C1"), Ts("1.0")), event)
