"""By which hand an action goes: as the person who connected their account, and by the app where that is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from portals.actions import (
    AddReaction,
    DeleteMessage,
    Note,
    PostFile,
    PostMessage,
    RecordLink,
    RecordReaction,
    RecordUnreaction,
    RedactEvent,
    RemoveReaction,
    UpdateMessage,
)
from portals.events import Ignored
from portals.facts import Account, Origin
from portals.history.compare import differences
from portals.ids import MatrixUserId, SlackUserId, Ts
from portals.people.hands import Fault, by_app, fault_of, hand_of, may_be_ours, why, word_of_break, word_of_place
from portals.relay import to_matrix, to_slack
from tests.portals.relay.scene import (
    ADA,
    ALICE,
    CHANNEL,
    NAMES,
    PORTAL,
    TEAM,
    WORKSPACE,
    facts,
    from_ada,
    link,
    reaction,
    said_in_matrix,
    said_in_slack,
)

TS = "1700000000.000100"
TEXT = {"msgtype": "m.text", "body": "hello"}
FILE = {"msgtype": "m.image", "body": "cat.png", "url": "mxc://x/cat", "info": {"mimetype": "image/png", "size": 9}}
EDITS = {"rel_type": "m.replace", "event_id": "$a"}
BRIAN = MatrixUserId("@brian:example.org")


def done(event: Any, *links: Any, hand: SlackUserId | None = ALICE, **more: Any) -> tuple[Any, ...]:
    """What becomes in Slack of an event of Ada's, who acts there as Alice."""
    decision = to_slack.decide(event, PORTAL, facts(*links, hand=hand, **more))
    assert isinstance(decision, tuple), decision
    return decision


def edited(content: dict[str, Any]) -> Any:
    return said_in_matrix({**content, "m.new_content": content, "m.relates_to": EDITS})


def test_a_message_is_posted_as_its_author_and_remembered_so() -> None:
    (post,) = done(said_in_matrix(TEXT))
    assert (post.hand, post.record) == (ALICE, RecordLink(Origin.MATRIX, ADA, event_id="$new", hand=ALICE))
    instead = by_app(post, PORTAL)
    assert isinstance(instead, PostMessage)
    assert (instead.hand, instead.username) == (None, "Ada Lovelace")
    assert instead.record == RecordLink(Origin.MATRIX, ADA, event_id="$new")


def test_a_file_needs_no_signature_beside_its_author_and_has_one_for_the_app() -> None:
    (plain,) = done(said_in_matrix(FILE))
    assert (plain.hand, plain.blocks) == (ALICE, ())
    (captioned,) = done(said_in_matrix(FILE | {"filename": "cat.png", "body": "my cat"}))
    words = [one["text"] for block in captioned.blocks for one in block["elements"][0]["elements"]]
    assert words == ["my cat"]
    instead = by_app(captioned, PORTAL)
    assert isinstance(instead, PostFile)
    signed = [one["text"] for block in instead.blocks for one in block["elements"][0]["elements"]]
    assert (signed, instead.hand, instead.signed) == (["Ada Lovelace:", "my cat"], None, ())


def test_what_was_posted_is_changed_and_deleted_by_the_hand_that_posted_it() -> None:
    by_hand, of_app = from_ada("1.0", "$a", hand=ALICE), from_ada("1.0", "$a")
    for shown, hand in ((by_hand, ALICE), (of_app, None)):
        update, *more = done(edited({"msgtype": "m.text", "body": "words " * 1000}), shown)
        assert (type(update), hand_of(update)) == (UpdateMessage, hand)
        assert {(hand_of(one), one.record.hand) for one in more} == {(hand, hand or "")}
        (delete,) = done(said_in_matrix({"redacts": "$a"}, "m.room.redaction"), shown)
        assert (type(delete), hand_of(delete)) == (DeleteMessage, hand)
        assert by_app(update, PORTAL) is None
        assert by_app(delete, PORTAL) is None


def test_a_file_without_words_may_take_the_place_of_another_one() -> None:
    shown = from_ada("1.0", "$a", hand=ALICE, digest="mxc://x/cat")
    post, delete = done(edited(FILE | {"url": "mxc://x/dog"}), shown)
    assert (post.uri, post.hand, delete.hand) == ("mxc://x/dog", ALICE, ALICE)
    nothing = to_slack.decide(edited(FILE), PORTAL, facts(shown, hand=ALICE))
    assert nothing == Ignored("an edit that leaves nothing")


def in_matrix() -> Any:
    return said_in_matrix({"m.relates_to": {"rel_type": "m.annotation", "event_id": "$a", "key": "👍"}}, "m.reaction")


def test_a_reaction_is_its_authors_own_whoever_else_made_the_same_by_the_app() -> None:
    brians = reaction(TS, "+1", BRIAN, "$b", Origin.MATRIX)
    (add,) = done(in_matrix(), link(TS, "$a"), reactions=(brians,))
    record = RecordReaction(Origin.MATRIX, TS, "+1", ADA, "$new", hand=ALICE)
    assert add == AddReaction(add.key, CHANNEL, Ts(TS), "+1", record, ALICE)
    instead = by_app(add, PORTAL)
    assert instead == replace(add, hand=None, record=replace(record, hand=""))
    adas = replace(reaction(TS, "+1", ADA, "$mine", Origin.MATRIX), hand=ALICE)
    (by_the_app,) = done(in_matrix(), link(TS, "$a"), reactions=(replace(adas, person=BRIAN),), hand=None)
    assert (type(by_the_app), by_the_app.hand) == (AddReaction, None)
    taken_back = said_in_matrix({"redacts": "$mine"}, "m.room.redaction")
    (remove,) = done(taken_back, link(TS, "$a"), reactions=(adas, brians))
    assert (type(remove), remove.hand, by_app(remove, PORTAL)) == (RemoveReaction, ALICE, None)


def in_slack(name: str, *, added: bool) -> Any:
    kind = "reaction_added" if added else "reaction_removed"
    return said_in_slack(type=kind, reaction=name, item={"type": "message", "channel": CHANNEL, "ts": TS})


def test_our_own_reaction_comes_back_unseen_and_its_end_in_slack_ends_it_here() -> None:
    adas = replace(reaction(TS, "+1", ADA, "$mine", Origin.MATRIX), hand=ALICE)
    known = facts(link(TS, "$a"), reactions=(adas,))
    seen = to_matrix.decide(in_slack("thumbsup", added=True), PORTAL, known)
    assert seen == Ignored("our own reaction, by its author's hand")
    assert isinstance(to_matrix.decide(said_in_slack(type="app_uninstalled"), PORTAL, known), Ignored)
    assert isinstance(to_matrix.decide(in_slack("heart", added=True), PORTAL, known), tuple)
    decided = to_matrix.decide(in_slack("+1", added=False), PORTAL, known)
    assert isinstance(decided, tuple)
    (gone,) = decided
    assert isinstance(gone, RedactEvent)
    assert (gone.sender, gone.event_id) == (NAMES.bot, "$mine")
    assert gone.record == RecordUnreaction(TS, "+1", ADA)
    acts = replace(known, accounts={ALICE: Account(ADA, acts=True)})
    decided = to_matrix.decide(in_slack("+1", added=False), PORTAL, acts)
    assert isinstance(decided, tuple)
    assert isinstance(decided[0], RedactEvent)
    assert decided[0].sender == ADA


def test_history_tells_of_no_reaction_that_we_made_as_its_author() -> None:
    message = {"type": "message", "user": ALICE, "text": "x", "ts": TS, "team": TEAM}
    message["reactions"] = [{"name": "thumbsup", "users": [ALICE, "UBOB"], "count": 2}]  # type: ignore[assignment]
    adas = replace(reaction(TS, "+1", ADA, "$mine", Origin.MATRIX), hand=ALICE)
    news = differences(
        [message], [], [adas], channel=CHANNEL, workspace=WORKSPACE, gap=1, since=Ts("1.0"), as_of=Ts("9.9")
    )
    told = [one.payload["event"] for one in news if one.payload["event"]["type"] == "reaction_added"]
    assert [one["user"] for one in told] == ["UBOB"]


def test_what_slack_names_no_app_beside_may_be_ours() -> None:
    shared: dict[str, Any] = {"files": [{"id": "F1", "name": "a"}]}
    assert may_be_ours(said_in_slack(ts=TS, subtype="file_share", **shared), {ALICE})
    assert may_be_ours(in_slack("+1", added=False), {ALICE})
    assert not may_be_ours(in_slack("+1", added=False), set())
    assert not may_be_ours(said_in_slack(ts=TS, text="words alone"), {ALICE})
    assert not may_be_ours(said_in_slack(ts=TS, app_id=WORKSPACE.app, **shared), {ALICE})
    changed = {"ts": TS, "user": ALICE, "text": "x", "edited": {"user": ALICE, "ts": "1.0"}}
    assert may_be_ours(said_in_slack(subtype="message_changed", message=changed), {ALICE})
    assert may_be_ours(said_in_slack(subtype="message_changed", message=changed | {"app_id": WORKSPACE.app}), {ALICE})


@pytest.mark.parametrize(
    ("code", "fault", "words"),
    [
        ("token_revoked", Fault.TOKEN, "it was taken back in Slack"),
        ("org_login_required", Fault.TOKEN, "Slack refuses it (org_login_required)"),
        ("not_in_channel", Fault.PLACE, "you are not in the channel there"),
        ("restricted_action", Fault.PLACE, "the channel does not let you write there"),
        ("msg_too_long", None, "Slack refuses it (msg_too_long)"),
    ],
)
def test_a_refusal_is_about_the_token_the_place_or_what_was_said(code: str, fault: Fault | None, words: str) -> None:
    assert (fault_of(code), why(code)) == (fault, words)
    assert words in word_of_break("acme", words)
    assert word_of_place("Ada", words).startswith("Ada: in Slack, what you write here is posted by the app")


def test_nothing_else_has_a_hand() -> None:
    note = Note("k")  # type: ignore[arg-type]  # any key will do
    assert (hand_of(note), by_app(note, PORTAL)) == (None, None)
    (post,) = done(said_in_matrix(TEXT), hand=None)
    assert (hand_of(post), by_app(post, PORTAL)) == (None, None)
    assert by_app(replace(post, hand=ALICE, record=None), PORTAL) == replace(post, record=None)
