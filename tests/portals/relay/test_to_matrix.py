"""What becomes of what happened in Slack."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portals.actions import (
    SOURCE,
    STAMP,
    Note,
    RecordDeletion,
    RecordEdit,
    RecordLink,
    RedactEvent,
    SendEvent,
    SendFile,
    SetMembership,
)
from portals.events import Ignored
from portals.facts import Needs, Origin
from portals.ids import EventId, SlackUserId, Ts
from portals.reading import slack
from portals.relay.to_matrix import decide, needs
from tests.portals.relay.scene import (
    ALICE,
    CHANNEL,
    FACTS,
    NAMES,
    PORTAL,
    ROOM,
    TEAM,
    WORKSPACE,
    facts,
    from_ada,
    ghost,
    link,
    said_in_slack,
)

TS = "1700000000.000100"
FILE = {
    "id": "F1",
    "name": "cat.png",
    "mimetype": "image/png",
    "size": 1000,
    "url_private": "https://files.slack.com/cat.png",
    "original_w": 10,
    "original_h": 20,
}


def done(event: Any, known: Any = FACTS) -> tuple[Any, ...]:
    decision = decide(event, PORTAL, known)
    assert not isinstance(decision, Ignored), decision
    return decision


def ignored(event: Any, known: Any = FACTS) -> str:
    decision = decide(event, PORTAL, known)
    assert isinstance(decision, Ignored), decision
    return decision.reason


# --- messages


def test_a_message_is_sent_by_its_authors_ghost_at_its_own_time() -> None:
    (action,) = done(said_in_slack(ts=TS, text="hello *you*"))
    assert isinstance(action, SendEvent)
    assert (action.room, action.sender, action.ts) == (ROOM, ghost(ALICE), 1700000000000)
    assert action.content["formatted_body"] == "hello <strong>you</strong>"
    assert action.content[STAMP] == action.key
    assert isinstance(action.record, RecordLink)
    assert (action.record.ts, action.record.origin, action.record.part) == (TS, Origin.SLACK, "")


def test_every_part_names_the_slack_message_that_it_shows() -> None:
    text, file = done(said_in_slack(ts=TS, text="look", files=[FILE]))
    of = {"team": TEAM, "channel": CHANNEL, "ts": TS}
    assert (text.content[SOURCE], file.content[SOURCE]) == (of, {**of, "part": "F1"})


def test_the_same_message_has_the_same_key_whichever_way_it_came() -> None:
    live = done(said_in_slack(ts=TS, text="x", source="live"))
    seen = done(said_in_slack(ts=TS, text="x", source="seen", seen=4))
    assert live[0].key == seen[0].key


@pytest.mark.parametrize("mark", [{"app_id": "A1"}, {"bot_profile": {"app_id": "A1"}}])
def test_our_own_message_is_no_news(mark: dict[str, Any]) -> None:
    event = said_in_slack(ts=TS, text="x", subtype="bot_message", bot_id="B9", **mark)
    assert ignored(event) == "our own message"
    assert needs(event) == Needs(messages=frozenset([Ts(TS)]))


def test_a_message_that_is_shown_already_is_not_sent_again() -> None:
    assert ignored(said_in_slack(ts=TS, text="x"), facts(link(TS, "$a"))) == "shown already"


def test_a_message_whose_deletion_came_first_is_not_shown() -> None:
    tombstone = link(TS, "", deleted=True)
    assert "deleted" in ignored(said_in_slack(ts=TS, text="x"), facts(tombstone))


def test_an_emote_is_an_emote() -> None:
    (action,) = done(said_in_slack(ts=TS, text="waves", subtype="me_message"))
    assert action.content["msgtype"] == "m.emote"


def test_a_message_without_content_is_ignored() -> None:
    assert ignored(said_in_slack(ts=TS, text="")) == "a message without content"


def test_a_long_message_is_shown_whole_in_pieces() -> None:
    words = " ".join(f"word{number}" for number in range(9000))
    actions = done(said_in_slack(ts=TS, text=words + "\n\n" + words))
    assert len(actions) > 1
    assert len({action.key for action in actions}) == len(actions)
    assert " ".join(action.content["body"] for action in actions).split().count("word8999") == 2


def test_the_pieces_of_a_long_message_break_between_its_lines_and_keep_its_markup() -> None:
    rows = [f"row {number:04d} is *bold* and long enough" for number in range(900)]
    actions = done(said_in_slack(ts=TS, text="\n".join(rows)))
    shown = [row for action in actions for row in action.content["body"].splitlines()]
    assert shown == [row.replace("*", "") for row in rows]
    assert all("<strong>bold</strong>" in action.content["formatted_body"] for action in actions)


@pytest.mark.parametrize("said", ["x" * 45_000, f"<https://a.test/|{'x' * 45_000}>"])
def test_a_message_of_one_endless_word_is_shown_whole_too(said: str) -> None:
    actions = done(said_in_slack(ts=TS, text=said))
    assert sum(action.content["body"].count("x") for action in actions) == 45_000


# --- threads


def test_a_reply_is_in_its_thread_and_falls_back_to_the_newest_message_of_it() -> None:
    known = facts(link("1.0", "$root"), tails={"1.0": ("$first", "$last")})
    (action,) = done(said_in_slack(ts=TS, thread_ts="1.0", text="x"), known)
    assert action.content["m.relates_to"] == {
        "rel_type": "m.thread",
        "event_id": "$root",
        "is_falling_back": True,
        "m.in_reply_to": {"event_id": "$last"},
    }
    assert action.record.thread_ts == "1.0"


def test_replies_to_a_root_from_before_the_bridge_stay_together_under_the_first_of_them() -> None:
    (first,) = done(said_in_slack(ts="2.0", thread_ts="1.0", text="x"))
    assert "m.relates_to" not in first.content
    (second,) = done(said_in_slack(ts=TS, thread_ts="1.0", text="x"), facts(tails={"1.0": ("$first", "$first")}))
    assert second.content["m.relates_to"]["event_id"] == "$first"


def test_a_broadcast_reply_is_in_the_thread_and_in_the_time_line() -> None:
    event = said_in_slack(ts=TS, thread_ts="1.0", text="x", subtype="thread_broadcast")
    inside, outside = done(event, facts(link("1.0", "$root")))
    assert inside.content["m.relates_to"]["rel_type"] == "m.thread"
    assert "m.relates_to" not in outside.content
    assert (inside.record.part, outside.record.part) == ("", "channel")


# --- edits and deletions


def changed(message: dict[str, Any], event_ts: str = "1700009999.000200") -> Any:
    inner = {"type": "message", "user": ALICE, "ts": TS, "edited": {"user": ALICE, "ts": "1700009999.000000"}} | message
    return said_in_slack(subtype="message_changed", message=inner, event_ts=event_ts, ts=event_ts, source="edit")


def digest(text: str) -> str:
    event = said_in_slack(ts=TS, text=text)
    assert hasattr(event, "digest")
    return str(event.digest)


def test_an_edit_replaces_the_event_and_is_remembered() -> None:
    note, edit = done(changed({"text": "new"}), facts(link(TS, "$a", digest=digest("old"))))
    assert note.record == RecordEdit(TS, digest("new"), "1700009999.000200")
    assert edit.content["m.relates_to"] == {"rel_type": "m.replace", "event_id": "$a"}
    assert edit.content["m.new_content"]["body"] == "new"
    assert edit.content["m.new_content"][SOURCE] == edit.content[SOURCE]
    assert edit.content["body"] == "* new"


def test_an_unfurl_is_no_edit() -> None:
    attachment = {"from_url": "https://example.org", "text": "a page"}
    event = changed({"text": "see", "attachments": [attachment]})
    assert "as it stands" in ignored(event, facts(link(TS, "$a", digest=digest("see"))))


def test_an_older_edit_does_not_undo_a_newer_one() -> None:
    known = facts(link(TS, "$a", digest=digest("newest"), version="1700010000.000000"))
    assert "older state" in ignored(changed({"text": "older"}), known)


def test_an_edit_that_overtook_its_message_shows_it() -> None:
    (action,) = done(changed({"text": "new"}, event_ts="1700000005.000000"))
    assert action.content["body"] == "new"


def test_an_edit_of_a_message_from_before_the_bridge_is_ignored() -> None:
    assert "not mirrored" in ignored(changed({"text": "new"}))


def test_our_own_edit_of_a_matrix_message_is_no_news() -> None:
    assert "our own" in ignored(changed({"text": "new"}), facts(from_ada(TS, "$a")))


def test_history_corrects_only_what_was_edited_since() -> None:
    known = facts(link(TS, "$a", digest="differs"))
    assert "as it stands" in ignored(said_in_slack(seen=3, ts=TS, text="x"), known)
    edited = said_in_slack(seen=3, ts=TS, text="x", edited={"ts": "1700000001.000000"})
    assert len(done(edited, known)) == 2
    by_a_bot = said_in_slack(seen=3, ts=TS, text="x", bot_id="B7")  # Slack does not mark what apps edit by blocks
    assert len(done(by_a_bot, known)) == 2


def test_a_file_that_an_edit_removed_is_redacted_and_a_new_one_sent() -> None:
    known = facts(link(TS, "$a", digest=digest("x")), link(TS, "$f", part="F0"))
    sent, removed = done(changed({"text": "x", "files": [FILE]}), known)
    assert isinstance(sent, SendFile)
    assert removed == RedactEvent(removed.key, ROOM, ghost(ALICE), EventId("$f"), record=RecordDeletion(TS, "F0"))


def test_an_edit_that_shortens_a_split_message_redacts_what_is_left_over() -> None:
    known = facts(link(TS, "$a", digest="d"), link(TS, "$b", part="1", digest="d"))
    _, edit, removed = done(changed({"text": "short"}), known)
    assert (edit.content["m.relates_to"]["event_id"], removed.event_id) == ("$a", "$b")


def test_an_edit_that_lengthens_a_message_goes_on_in_further_events() -> None:
    first, *more = done(changed({"text": "line of words\n" * 9000}), facts(link(TS, "$a", digest="d")))[1:]
    assert first.content["m.relates_to"] == {"rel_type": "m.replace", "event_id": "$a"}
    assert more
    assert [one.record.part for one in more] == [str(number) for number in range(1, len(more) + 1)]


def test_an_edit_leaves_the_files_that_stay_alone() -> None:
    known = facts(link(TS, "$a", digest="d"), link(TS, "$f", part="F1", digest="d"))
    _, edited = done(changed({"text": "new", "files": [FILE]}), known)
    assert edited.content["m.relates_to"]["event_id"] == "$a"


def test_an_edit_brings_no_part_back_that_was_taken_off() -> None:
    known = facts(link(TS, "$a", digest="d", deleted=True), link(TS, "$f", part="F1", digest="d"))
    assert [type(one) for one in done(changed({"text": "new", "files": [FILE]}), known)] == [Note]


def test_a_matrix_message_that_slack_shows_in_pieces_is_redacted_once() -> None:
    event = said_in_slack(subtype="message_deleted", deleted_ts=TS)
    pieces = (link(TS, "$m", origin=Origin.MATRIX), link(TS, "$m", part="1", origin=Origin.MATRIX))
    redaction, _ = done(event, facts(*pieces))
    assert isinstance(redaction, RedactEvent)


def test_both_places_of_a_broadcast_are_edited() -> None:
    known = facts(link(TS, "$in", digest="d"), link(TS, "$out", part="channel", digest="d"))
    _, inside, outside = done(changed({"text": "new", "thread_ts": "1.0"}), known)
    assert [one.content["m.relates_to"]["event_id"] for one in (inside, outside)] == ["$in", "$out"]


def test_a_reply_that_is_sent_to_the_channel_later_gets_its_copy_there() -> None:
    root, reply = link("1600000000.000100", "$root"), link(TS, "$a", thread_ts="1600000000.000100")
    later = changed({"text": "x", "subtype": "thread_broadcast", "thread_ts": root.ts})
    same = replace(reply, digest=later.digest)
    (copy,) = done(later, facts(root, same))
    assert isinstance(copy, SendEvent)
    assert "m.relates_to" not in copy.content
    assert isinstance(copy.record, RecordLink)
    assert copy.record.part == "channel"
    gone = link(TS, "$b", part="channel", digest=later.digest, deleted=True)
    assert "as it stands" in ignored(later, facts(root, same, gone))


def test_a_deletion_redacts_every_part_once_and_is_remembered() -> None:
    known = facts(link(TS, "$a"), link(TS, "$f", part="F1"), link(TS, "$gone", part="F2", deleted=True))
    event = said_in_slack(subtype="message_deleted", deleted_ts=TS)
    first, second, note = done(event, known)
    assert [first.event_id, second.event_id] == ["$a", "$f"]
    assert note == Note(note.key, RecordDeletion(TS))


def test_a_deletion_of_the_unknown_is_remembered_for_a_message_that_comes_late() -> None:
    (note,) = done(said_in_slack(subtype="message_deleted", deleted_ts=TS))
    assert note.record == RecordDeletion(TS)


def test_a_matrix_message_that_slack_deleted_is_redacted_by_the_bot() -> None:
    action, _ = done(said_in_slack(subtype="message_deleted", deleted_ts=TS), facts(from_ada(TS, "$a")))
    assert action.sender == NAMES.bot


def test_a_second_deletion_does_nothing() -> None:
    event = said_in_slack(subtype="message_deleted", deleted_ts=TS)
    assert ignored(event, facts(link(TS, "$a", deleted=True))) == "deleted already"


# --- people, the channel


@pytest.mark.parametrize(("kind", "joined"), [("member_joined_channel", True), ("member_left_channel", False)])
def test_members_come_and_go(kind: str, joined: bool) -> None:
    (action,) = done(said_in_slack(type=kind, user=ALICE))
    assert action == SetMembership(action.key, ROOM, ghost(ALICE), joined)


@pytest.mark.parametrize(
    "event",
    [
        {"type": "user_change", "user": {"id": ALICE, "profile": {}}},
        {"type": "emoji_changed", "subtype": "add", "name": "ship", "value": "https://x/s.png"},
    ],
)
def test_what_somebody_or_something_is_called_is_no_matter_of_a_portal(event: dict[str, Any]) -> None:
    said = said_in_slack(**event)
    assert "no matter of a portal" in ignored(said)
    assert needs(said).slack_users == frozenset()


def test_without_a_room_nothing_is_decided() -> None:
    decision = decide(said_in_slack(ts=TS, text="x"), replace(PORTAL, room=None), FACTS)
    assert isinstance(decision, Ignored)


# --- for any event


def test_needs_name_everything_that_a_message_touches() -> None:
    event = said_in_slack(ts=TS, thread_ts="1.0", text="<@UBOB> <#C2> <!subteam^S1> :party:")
    wanted = needs(event)
    assert wanted.slack_users == {ALICE, "UBOB"}
    assert wanted.channels == {"C2"}
    assert wanted.usergroups == {"S1"}
    assert wanted.emoji == {"party"}
    assert wanted.messages == {TS, "1.0"}
    assert wanted.targets == wanted.tails == {"1.0"}
    assert needs(changed({"text": "x"})).targets == {TS}


scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.just(TS) | st.just("C1")
json = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner))
fields = st.sampled_from(
    ["text", "blocks", "files", "attachments", "subtype", "thread_ts", "message", "edited", "bot_id", "item", "topic"]
)


@given(
    kind=st.sampled_from(["message", "reaction_added", "member_joined_channel", "channel_rename"]),
    given_fields=st.dictionaries(fields, json),
    known=st.sampled_from([FACTS, facts(link(TS, "$a")), facts(from_ada(TS, "$b"))]),
)
def test_any_event_yields_actions_with_keys_of_their_own(kind: str, given_fields: dict[str, Any], known: Any) -> None:
    payload = {"event": {"channel": CHANNEL, "user": ALICE, "ts": TS, **given_fields, "type": kind}}
    event = slack.read(payload, "source", WORKSPACE)
    if isinstance(event, Ignored):
        return
    needs(event)
    decision = decide(event, PORTAL, known)
    if not isinstance(decision, Ignored):
        keys = [action.key for action in decision]
        assert len(set(keys)) == len(keys) > 0
        assert all(getattr(action, "sender", NAMES.bot) not in ("", SlackUserId("")) for action in decision)
    assert PORTAL.team == TEAM
