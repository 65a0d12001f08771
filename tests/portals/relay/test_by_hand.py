"""What somebody said is changed by themself on the other side, and comes back from there only once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from portals.actions import (
    SOURCE,
    DeleteMessage,
    Note,
    RecordDeletion,
    RecordEdit,
    RecordWithheld,
    RedactEvent,
    RemoveReaction,
    SendEvent,
    UpdateMessage,
)
from portals.crossing.policy import OPEN
from portals.events import Ignored, Undeliverable
from portals.facts import Account, Origin
from portals.history.compare import differences
from portals.ids import Ts
from portals.relay import to_matrix, to_slack
from tests.portals.relay.scene import (
    ADA,
    ALICE,
    CHANNEL,
    NAMES,
    PORTAL,
    WORKSPACE,
    facts,
    from_ada,
    ghost,
    link,
    reaction,
    said_in_matrix,
    said_in_slack,
)

TS = "1700000000.000100"
LATER = "1700000009.000300"
ACTS = {"accounts": {ALICE: Account(ADA, acts=True)}}
ADAS = from_ada(TS, "$a", hand=ALICE)


def edited(text: str = "new", *, by: str = ALICE, **more: Any) -> Any:
    """A message that the app posted as alice, edited in Slack."""
    message: Any = {"ts": TS, "user": ALICE, "app_id": WORKSPACE.app, "bot_id": "BBOT", "text": text}
    message |= {"edited": {"user": by, "ts": "1700000009.000000"}, **more}
    return said_in_slack(subtype="message_changed", message=message, event_ts=LATER)


def done(event: Any, *links: Any, **more: Any) -> tuple[Any, ...]:
    decision = to_matrix.decide(event, PORTAL, facts(*links, **more))
    assert isinstance(decision, tuple), decision
    return decision


# --- said in Matrix, edited in Slack


def test_their_own_account_replaces_what_it_said_and_that_is_known_when_it_comes_back() -> None:
    event = edited()
    wanted = to_matrix.needs(event)
    assert (wanted.whole, wanted.targets, TS in wanted.messages) == (True, frozenset(), True)
    note, send = done(event, ADAS, **ACTS)
    assert note.record == RecordEdit(TS, "", LATER, event.digest)
    assert (send.sender, send.ghost, send.content["m.new_content"]["body"]) == (ADA, ghost(ALICE), "new")
    assert send.record == RecordEdit(TS, "", "", None)
    assert SOURCE not in send.content["m.new_content"]  # it was said in Matrix, and no report on Slack tells of it
    known = replace(ADAS, shown=frozenset([event.digest]))
    assert to_matrix.decide(event, PORTAL, facts(known)) == Ignored("our own message")
    newer = replace(ADAS, version=Ts("1700000099.0"))
    assert to_matrix.decide(event, PORTAL, facts(newer)) == Ignored("our own message")
    assert to_matrix.decide(edited(by="BBOT"), PORTAL, facts(ADAS)) == Ignored("our own message")
    assert to_matrix.needs(edited(by="BBOT")).messages == {TS}


@pytest.mark.parametrize(
    ("links", "more"),
    [
        ((ADAS,), {}),
        ((replace(ADAS, digest="mxc://x/cat"),), ACTS),
        ((ADAS, from_ada("1700000000.000200", "$a", hand=ALICE)), ACTS),
    ],
)
def test_what_cannot_be_replaced_is_answered(links: Any, more: Any) -> None:
    _, send = done(edited(), *links, **more)
    assert send.content["body"] == "edited in Slack:\n\nnew"
    assert send.content["m.relates_to"] == {"is_falling_back": False, "m.in_reply_to": {"event_id": "$a"}}
    assert SOURCE not in send.content
    assert (send.record.part, send.record.origin, send.record.ts) == ("edited", Origin.SLACK, TS)


def test_an_answer_is_replaced_by_the_next_edit_and_goes_with_the_message() -> None:
    answer = link(TS, "$answer", part="edited")
    _, send = done(edited(thread_ts="1.0"), ADAS, answer, **ACTS)
    assert (send.sender, send.content["m.relates_to"]["event_id"]) == (ghost(ALICE), "$answer")
    gone = done(said_in_slack(subtype="message_deleted", deleted_ts=TS), ADAS, answer)
    assert [(one.sender, one.event_id) for one in gone[:2]] == [(NAMES.bot, "$a"), (ghost(ALICE), "$answer")]
    (delete,) = _to_slack(_redaction("$a"), ADAS, hand=ALICE)
    assert delete.record == RecordDeletion(TS, "")


def test_an_edit_that_leaves_nothing_or_too_much_is_told_too() -> None:
    _, send = done(edited(""), ADAS, **ACTS)
    assert send.content["body"] == "edited in Slack: no words are left"
    _, *sends = done(edited("words " * 7500), ADAS, **ACTS)
    assert len(sends) > 1
    assert {one.record.origin for one in sends} == {Origin.SLACK}
    assert [one.record.part for one in sends][:2] == ["edited", "edited1"]


def test_a_policy_judges_it_like_any_other_edit_and_takes_the_message_away() -> None:
    policy = replace(OPEN, words=("secret",))
    redact, *_, told = done(edited("secret"), ADAS, policy=policy)
    assert (type(redact), redact.sender) == (RedactEvent, NAMES.bot)
    assert isinstance(told.record, RecordWithheld)
    assert isinstance(done(edited("harmless"), ADAS, policy=policy)[-1], SendEvent)


def test_history_tells_of_an_edit_that_was_missed_and_of_no_other() -> None:
    message: Any = {"type": "message", "user": ALICE, "text": "new", "ts": TS, "app_id": WORKSPACE.app}
    message["edited"] = {"user": ALICE, "ts": "1700000009.000000"}

    def told(known: Any) -> int:
        news = differences(
            [message], [known], [], channel=CHANNEL, workspace=WORKSPACE, gap=1, since=Ts("1.0"), as_of=Ts("9.9")
        )
        return len(list(news))

    digest = edited().digest
    assert told(replace(ADAS, version=Ts("1700000009.000300"))) == 1  # in the same second
    assert told(replace(ADAS, version=Ts("1700000010.000300"))) == 0
    assert [told(one) for one in (ADAS, replace(ADAS, shown=frozenset([digest])), from_ada(TS, "$a"))] == [1, 0, 0]
    assert told(link(TS, "$a", digest="other", shown=frozenset([digest]))) == 0


# --- said in Slack, edited and deleted in Matrix

MINE = link(TS, "$a", sender=ADA, digest="d", version="1.5")
EDIT = {"rel_type": "m.replace", "event_id": "$a"}
TEXT = {"msgtype": "m.text", "body": "new"}


def _redaction(target: str) -> Any:
    return said_in_matrix({"redacts": target}, "m.room.redaction")


def _edit(content: dict[str, Any] = TEXT) -> Any:
    return said_in_matrix({**content, "m.new_content": content, "m.relates_to": EDIT})


def _to_slack(event: Any, *links: Any, **more: Any) -> Any:
    return to_slack.decide(event, PORTAL, facts(*links, **more))


def test_an_edit_goes_to_slack_by_their_own_hand_and_its_echo_is_known() -> None:
    (update,) = _to_slack(_edit(), MINE, hand=ALICE)
    assert (type(update), update.ts, update.hand, update.text) == (UpdateMessage, TS, ALICE, "new")
    assert update.record == RecordEdit(TS, "d", "1.5", None)
    echo: Any = said_in_slack(
        subtype="message_changed", message={"ts": TS, "user": ALICE, "text": "new"}, event_ts=LATER
    )
    known = replace(MINE, shown=frozenset([echo.digest]))
    assert to_matrix.decide(echo, PORTAL, facts(known)) == Ignored("our own edit, by its author's hand")
    (update,) = _to_slack(_edit(), MINE, link(TS, "$copy", part="channel", sender=ADA), hand=ALICE)
    assert update.record is None


def test_an_edit_in_slack_is_known_by_its_event_when_that_comes_back() -> None:
    event: Any = said_in_slack(
        subtype="message_changed", message={"ts": TS, "user": ALICE, "text": "new"}, event_ts=LATER
    )
    note, send = done(event, replace(MINE, shown=frozenset(["$earlier", "digest"])), **ACTS)
    assert note.record == RecordEdit(TS, event.digest, LATER, "$earlier")
    assert (send.sender, send.record) == (ADA, RecordEdit(TS, "d", "1.5", None))


def test_an_edit_that_would_lose_something_or_is_not_theirs_does_not() -> None:
    assert isinstance(_to_slack(_edit(), MINE, link(TS, "$b", part="1"), hand=ALICE), Undeliverable)
    assert isinstance(_to_slack(_edit(), link(TS, "$a", part="F1", sender=ADA), hand=ALICE), Undeliverable)
    long = {"msgtype": "m.text", "body": "words " * 9000}
    assert isinstance(_to_slack(_edit(long), MINE, hand=ALICE), Undeliverable)
    assert isinstance(_to_slack(_edit(), link(TS, "$a"), hand=ALICE), Ignored)


def test_without_a_hand_they_are_told_what_stays() -> None:
    (told,) = _to_slack(_edit(), MINE)
    assert told.content["m.relates_to"] == {"m.in_reply_to": {"event_id": "$new"}}
    assert told.content["body"].startswith("In Slack this stays as it was. To have it done there too")
    note, told = _to_slack(_redaction("$a"), MINE)
    assert (type(note), note.record) == (Note, RecordDeletion(TS, ""))
    assert told.content["m.relates_to"] == {"m.in_reply_to": {"event_id": "$a"}}


def test_a_deletion_goes_to_slack_when_all_of_the_message_is_gone() -> None:
    wanted = to_slack.needs(_redaction("$a"))
    assert (wanted.whole, wanted.speaker) == (True, ADA)
    (delete,) = _to_slack(_redaction("$a"), MINE, hand=ALICE)
    assert delete == DeleteMessage(delete.key, CHANNEL, Ts(TS), RecordDeletion(TS, ""), hand=ALICE)
    file = link(TS, "$file", part="F1", sender=ADA)
    _, told = _to_slack(_redaction("$a"), MINE, file, hand=ALICE)
    assert told.content["body"] == "In Slack this stays until all of the message is deleted, its words and its files."
    (delete,) = _to_slack(_redaction("$a"), MINE, replace(file, deleted=True), hand=ALICE)
    assert delete.has_file
    (delete,) = _to_slack(_redaction("$a"), link(TS, "$a"), hand=ALICE)  # by a moderator who is the ghost's person
    assert isinstance(delete, DeleteMessage)


def test_what_somebody_else_deletes_stays_in_slack_and_so_does_what_a_copy_shows() -> None:
    for shown in (link(TS, "$a", sender=ghost("UBOB")), replace(MINE, part="channel"), replace(MINE, part="edited")):
        assert [type(one) for one in _to_slack(_redaction("$a"), shown, hand=ALICE)] == [Note]


def test_a_reaction_from_slack_that_they_take_back_goes_there_by_their_hand() -> None:
    mine = reaction(TS, "tada", ALICE, "$r", Origin.SLACK)
    (remove,) = _to_slack(_redaction("$r"), link(TS, "$a"), hand=ALICE, reactions=(mine,))
    assert (type(remove), remove.name, remove.hand) == (RemoveReaction, "tada", ALICE)
    (note,) = _to_slack(_redaction("$r"), link(TS, "$a"), reactions=(mine,))
    assert isinstance(note, Note)
