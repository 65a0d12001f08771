"""What is held is out of the way, as it stands last; moderators see it where others cannot, and what came of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from portals.actions import Note, PostMessage, RedactEvent, SendEvent
from portals.crossing.held import digest_of, verdict_of
from portals.crossing.moderators import reason_to_hide
from portals.crossing.policy import Policy
from portals.crossing.quiet import Quiet, Span
from portals.crossing.records import RecordHeld, RecordHeldEnd, RecordNotice
from portals.crossing.waiting import Held, Hold, Moderators, Verdict, Wait, Waiting
from portals.events import Ignored, SlackMessage
from portals.facts import Quoted
from portals.ids import EventId, MatrixUserId, RoomId, Ts
from portals.relay import to_matrix, to_slack
from tests.portals.relay.scene import ADA, ALICE, NAMES, PORTAL, facts, from_ada, link, said_in_matrix, said_in_slack

ROOM = RoomId("!moderators:example.org")
POLICY = Policy("strict", hold=Hold(("draft",), "#moderators:example.org"))
MODERATORS = Moderators(ROOM)
NOW = 1_700_000_000_000
TS = Ts("1700000000.000100")
DRAFT = {"msgtype": "m.text", "body": "the draft"}


def known(*held: Held, policy: Policy = POLICY, room: Moderators | None = MODERATORS, **more: Any) -> Any:
    return replace(facts(), policy=policy, waiting=Waiting(NOW, held, moderators=room), **more)


def in_slack(name: str = TS, source: str = "s", **more: Any) -> Held:
    event = said_in_slack(ts=TS, text="the draft")
    assert isinstance(event, SlackMessage)
    return replace(Held(name, source, Wait.MODERATOR, ALICE, digest=digest_of(event)), **more)


def in_matrix(name: str = "$first", source: str = "matrix:$first", **more: Any) -> Held:
    return replace(Held(name, source, Wait.MODERATOR, ADA), **more)


def edit_of(target: str, body: str = "another draft") -> dict[str, Any]:
    relation = {"rel_type": "m.replace", "event_id": target}
    return {**DRAFT, "body": "*", "m.new_content": {**DRAFT, "body": body}, "m.relates_to": relation}


def actions_of(decision: object) -> tuple[Any, ...]:
    assert isinstance(decision, tuple), decision
    return decision


def notices(actions: tuple[Any, ...]) -> list[SendEvent]:
    return [one for one in actions if isinstance(one, SendEvent) and one.room == ROOM]


def ignored(decision: object) -> str:
    assert isinstance(decision, Ignored), decision
    return decision.reason


def test_moderators_are_shown_who_said_what_where_and_nobody_is_notified() -> None:
    said = {**DRAFT, "body": "@room the draft", "m.mentions": {"room": True}}
    (shown,) = notices(actions_of(to_slack.decide(said_in_matrix(said), PORTAL, known())))
    assert shown.content["body"].startswith("#general of Acme, to Slack: Ada Lovelace (@ada:example.org)")
    assert "the draft" in shown.content["body"]
    assert shown.content["m.mentions"] == {}
    assert shown.sender == NAMES.bot
    assert shown.record == RecordNotice("$new", ROOM)
    files = [{"id": "F1", "name": "a.pdf", "mimetype": "application/pdf", "size": 5, "url_private": "https://s/f"}]
    of_slack = said_in_slack(ts=TS, text="the draft", files=files)
    (shown,) = notices(actions_of(to_matrix.decide(of_slack, PORTAL, known())))
    assert "a.pdf (application/pdf, 5 bytes)" in shown.content["body"]
    assert "Alice (UALICE)" in shown.content["body"]
    assert shown.record == RecordNotice(TS, ROOM)


def test_a_bot_is_called_what_its_message_says_and_a_file_has_its_caption() -> None:
    of_bot = said_in_slack(ts=TS, text="draft", subtype="bot_message", bot_id="BX", username="Deploy")
    (shown,) = notices(actions_of(to_matrix.decide(of_bot, PORTAL, known())))
    assert "Deploy (BX)" in shown.content["body"]
    file = {"msgtype": "m.file", "body": "the draft", "filename": "a.pdf", "url": "mxc://a/b", "info": {"size": 5}}
    (shown,) = notices(actions_of(to_slack.decide(said_in_matrix(file), PORTAL, known(members={}))))
    assert "to Slack: @ada:example.org" in shown.content["body"]
    assert "the draft" in shown.content["body"]


def test_where_others_read_nothing_is_quoted_and_without_a_room_nothing_is_shown() -> None:
    open_room = Moderators(ROOM, "everybody may read this room")
    (shown,) = notices(actions_of(to_slack.decide(said_in_matrix(DRAFT), PORTAL, known(room=open_room))))
    assert "draft" not in shown.content["body"]
    assert "not shown here, for everybody may read this room" in shown.content["body"]
    assert notices(actions_of(to_slack.decide(said_in_matrix(DRAFT), PORTAL, known(room=None)))) == []


@pytest.mark.parametrize(
    ("rules", "history", "more", "reason"),
    [
        ({"join_rule": "invite"}, {"history_visibility": "shared"}, {}, ""),
        (None, None, {}, ""),
        ({"join_rule": "public"}, None, {}, "more people than the invited may join this room"),
        ({"join_rule": "restricted"}, None, {}, "more people than the invited may join this room"),
        (None, {"history_visibility": "world_readable"}, {}, "everybody may read this room"),
        (None, None, {"is_portal": True}, "this room is bridged itself"),
        (None, None, {"is_clear": True}, ""),
        (
            *(None, None, {"is_clear": True, "from_encrypted": True}),
            "it comes from an encrypted room, and this one is not",
        ),
        (None, None, {"from_encrypted": True}, ""),
    ],
)
def test_what_is_held_is_quoted_only_where_moderators_alone_read_it(
    rules: Any, history: Any, more: dict[str, bool], reason: str
) -> None:
    flags = {"is_portal": False, "is_clear": False, "from_encrypted": False} | more
    assert reason_to_hide(rules, history, **flags) == reason


def test_what_is_held_stays_as_it_stands_when_it_is_seen_again() -> None:
    again = said_in_slack(1, source="seen", ts=TS, text="the draft")
    assert ignored(to_matrix.decide(again, PORTAL, known(in_slack()))) == "it is held, as it stands"
    said = said_in_matrix(DRAFT, event_id="$first")
    assert ignored(to_slack.decide(said, PORTAL, known(in_matrix(source="before")))) == "it is held, as it stands"
    edit = said_in_matrix(edit_of("$first"))
    assert ignored(to_slack.decide(edit, PORTAL, known(in_matrix(source="matrix:$new")))) == "it is held, as it stands"


def test_a_row_that_was_released_and_overtaken_does_nothing() -> None:
    row = said_in_slack(source="held:3:1", ts=TS, text="the draft")
    reason = "it was changed or taken back while it was held"
    assert ignored(to_matrix.decide(row, PORTAL, known())) == reason
    assert ignored(to_matrix.decide(row, PORTAL, known(in_slack(source="later")))) == reason


def test_an_edit_while_it_is_held_takes_its_place_in_its_thread() -> None:
    held = in_matrix(thread=Ts("1.000001"), room=ROOM, notice=EventId("$notice"))
    actions = actions_of(to_slack.decide(said_in_matrix(edit_of("$first")), PORTAL, known(held)))
    (record,) = [one.record for one in actions if isinstance(one.record, RecordHeld)]
    assert (record.name, record.source, record.thread, record.approved) == (
        *("$first", "matrix:$new"),
        *("1.000001", False),
    )
    assert [one.event_id for one in actions if isinstance(one, RedactEvent)] == ["$notice"]
    assert "was changed by its author, who is judged by what it says now." in notices(actions)[0].content["body"]
    mended = actions_of(to_slack.decide(said_in_matrix(edit_of("$first", "mended")), PORTAL, known(held)))
    (post,) = [one for one in mended if isinstance(one, PostMessage)]
    assert (post.text, post.thread_ts) == ("mended", "1.000001")
    assert [one.record for one in mended if isinstance(one, Note)] == [
        RecordHeldEnd("$first", "C1 (matrix:$first)", "changed by its author, who is judged by what it says now")
    ]
    other = said_in_matrix(edit_of("$first"), sender="@eve:example.org")
    assert "did not write" in ignored(to_slack.decide(other, PORTAL, known(held)))


def test_a_change_in_slack_while_it_is_held_is_the_message_itself_however_late() -> None:
    message = {"user": ALICE, "ts": TS, "text": "mended", "edited": {"ts": "1700009999.000100"}}
    change = said_in_slack(subtype="message_changed", message=message, ts="1700009999.000200")
    actions = actions_of(to_matrix.decide(change, PORTAL, known(in_slack(source="before"))))
    assert [one.content["body"] for one in actions if isinstance(one, SendEvent)] == ["mended"]
    late = said_in_slack(subtype="message_changed", message={**message, "text": "draft"}, ts="1700009999.000200")
    assert "not mirrored" in ignored(to_matrix.decide(late, PORTAL, known()))


def test_an_edit_of_what_is_shown_waits_and_the_copy_stays() -> None:
    edit = said_in_matrix(edit_of("$old"))
    actions = actions_of(to_slack.decide(edit, PORTAL, known(links=(from_ada("1.000001", "$old"),))))
    assert {type(one) for one in actions} == {Note, SendEvent}
    again = said_in_matrix(edit_of("$gone"))
    gone = known(links=(from_ada("1.000001", "$gone", deleted=True),))
    assert "not in Slack" in ignored(to_slack.decide(again, PORTAL, gone))


def test_moderators_see_what_came_of_it_and_no_more_what_it_said() -> None:
    held = in_slack(source="s", verdict=Verdict.APPROVED, by="@mod:example.org", room=ROOM, notice=EventId("$n"))
    actions = actions_of(to_matrix.decide(said_in_slack(ts=TS, text="the draft"), PORTAL, known(held)))
    taken = next(one for one in actions if isinstance(one, RedactEvent))
    assert (taken.room, taken.event_id, taken.sender) == (ROOM, "$n", NAMES.bot)
    words = "#general of Acme: a message of UALICE was let through by @mod:example.org"
    assert [one.content["body"] for one in notices(actions)] == [f"{words}."]
    assert actions[0].record == RecordHeldEnd(TS)
    stricter = replace(POLICY, words=("draft",))
    withheld = actions_of(
        to_matrix.decide(said_in_slack(ts=TS, text="the draft"), PORTAL, known(held, policy=stricter))
    )
    assert [one.content["body"] for one in notices(withheld)] == [f"{words}, and withheld by what the policy says now."]


def test_what_a_moderator_let_through_stays_so_through_quiet_hours() -> None:
    night = replace(POLICY, quiet=Quiet((Span(frozenset(range(7)), 0, 23 * 60),)))
    event = said_in_matrix(DRAFT)
    held = in_matrix(
        "$new", "matrix:$new", verdict=Verdict.APPROVED, by="@mod:example.org", room=ROOM, notice=EventId("$n")
    )
    waits = actions_of(to_slack.decide(event, PORTAL, known(held, policy=night)))
    (record,) = [one.record for one in waits if isinstance(one.record, RecordHeld)]
    assert (record.wait, record.approved) == ("quiet", True)
    assert "let through by @mod:example.org" in notices(waits)[0].content["body"]
    over = in_matrix("$new", "matrix:$new", wait=Wait.QUIET, verdict=Verdict.OVER, approved=True)
    assert any(isinstance(one, PostMessage) for one in actions_of(to_slack.decide(event, PORTAL, known(over))))


def test_what_waits_for_a_moment_alone_is_not_told() -> None:
    behind = replace(known(policy=Policy("n", quiet=Quiet((Span(frozenset({0}), 0, 1),)))))
    behind = replace(behind, waiting=replace(behind.waiting, quiet=frozenset({("@bob:example.org", NOW)})))
    (note,) = actions_of(to_slack.decide(said_in_matrix(DRAFT), PORTAL, behind))
    assert isinstance(note.record, RecordHeld)
    assert note.record.until == NOW


def test_an_answer_quotes_nothing_of_what_is_held_but_what_was_let_through() -> None:
    secret = said_in_matrix({"msgtype": "m.text", "body": "the draft"}, event_id="$held", sender="@bob:example.org")
    answer = said_in_matrix({**DRAFT, "body": "yes", "m.relates_to": {"m.in_reply_to": {"event_id": "$held"}}})
    quoting = known(quoted=Quoted(secret, "Bob"), rules=replace(facts().rules, reply_style="quote"))
    there = replace(link("1.000001", "$held"), sender=MatrixUserId("@bob:example.org"))
    for links, is_quoted in (((), False), ((there,), True)):
        (post,) = actions_of(to_slack.decide(answer, PORTAL, replace(quoting, links=links)))
        assert ("draft" in f"{post.text} {post.blocks}") is is_quoted


def test_a_short_time_is_told_in_words() -> None:
    soon = replace(POLICY, hold=replace(POLICY.hold, within_ms=90_000))
    told = actions_of(to_slack.decide(said_in_matrix(DRAFT), PORTAL, known(policy=soon)))[-1]
    assert "within 2 minutes" in told.content["body"]
    now = replace(POLICY, hold=replace(POLICY.hold, within_ms=20_000))
    told = actions_of(to_slack.decide(said_in_matrix(DRAFT), PORTAL, known(policy=now)))[-1]
    assert "within a minute" in told.content["body"]


@pytest.mark.parametrize(
    ("sign", "verdict"),
    [
        ("👍", Verdict.APPROVED),
        ("👍🏽", Verdict.APPROVED),
        ("✔\ufe0f", Verdict.APPROVED),
        ("👎🏿", Verdict.REFUSED),
        ("❌", Verdict.REFUSED),
        ("🎉", Verdict.NONE),
        ("", Verdict.NONE),
        ("👍👎", Verdict.NONE),
    ],
)
def test_a_reaction_is_a_verdict_if_it_is_a_thumb_or_a_tick(sign: str, verdict: Verdict) -> None:
    assert verdict_of(sign) is verdict


def test_a_bot_is_told_nothing() -> None:
    of_bot = said_in_slack(ts=TS, text="draft", subtype="bot_message", bot_id="BX", username="Deploy")
    actions = actions_of(to_matrix.decide(of_bot, PORTAL, known(in_slack(verdict=Verdict.APPROVED))))
    assert [type(one) for one in actions] == [Note, SendEvent]


def test_a_policy_holds_back_where_it_has_marks_or_hours() -> None:
    assert POLICY.holds_back
    assert Policy("n", quiet=Quiet((Span(frozenset({0}), 0, 1),))).holds_back
    assert not Policy("o").holds_back
