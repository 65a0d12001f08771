"""People with Matrix accounts of their own: who speaks, who is mentioned, who comes and goes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from portals.actions import (
    Note,
    PostMessage,
    RecordLink,
    RecordReaction,
    RedactEvent,
    SendEvent,
    SendFile,
    SetMembership,
)
from portals.facts import Account, Facts, Link, Origin, ReactionLink
from portals.ids import EventId, MatrixUserId, SlackUserId, Ts
from portals.relay import to_matrix, to_slack
from tests.portals.relay.scene import (
    ADA,
    ALICE,
    FACTS,
    NAMES,
    PORTAL,
    facts,
    from_ada,
    ghost,
    link,
    reaction,
    rules,
    said_in_matrix,
    said_in_slack,
)

TS = "1700000000.000100"
OWN = MatrixUserId("@alice:example.org")
BOB = SlackUserId("UBOB")


def known(*links: Link, acts: bool = True, **more: Any) -> Facts:
    return facts(*links, accounts={ALICE: Account(OWN, acts)}, **more)


def decided(event: Any, given: Facts, **portal: Any) -> tuple[Any, ...]:
    found = to_matrix.decide(event, replace(PORTAL, **portal), given)
    assert isinstance(found, tuple), found
    return found


# --- who speaks


def test_a_linked_person_speaks_in_their_own_account_with_the_ghost_behind_it() -> None:
    file = {
        "id": "F1",
        "name": "a.txt",
        "mimetype": "text/plain",
        "size": 1,
        "url_private": "https://files.slack.com/a",
    }
    text, sent = decided(said_in_slack(ts=TS, text="hello", files=[file]), known())
    assert isinstance(text, SendEvent)
    assert isinstance(sent, SendFile)
    for action in (text, sent):
        assert isinstance(action.record, RecordLink)
        assert (action.sender, action.ghost, action.record.sender) == (OWN, ghost(ALICE), OWN)
        assert action.ts == 1_700_000_000_000


def test_one_whom_the_bridge_may_not_act_as_speaks_as_a_ghost() -> None:
    for given in (known(acts=False), FACTS):
        (text,) = decided(said_in_slack(ts=TS, text="hello"), given)
        assert (text.sender, text.ghost) == (ghost(ALICE), None)


def test_a_file_that_only_is_told_of_is_told_by_the_account() -> None:
    file = {"id": "F1", "mode": "hidden_by_limit"}
    (told,) = decided(said_in_slack(ts=TS, text="", files=[file]), known())
    assert (told.sender, told.ghost) == (OWN, ghost(ALICE))


@pytest.mark.parametrize("sender", [OWN, ghost(ALICE)])
def test_edits_and_what_they_add_go_by_whoever_said_the_message(sender: MatrixUserId) -> None:
    shown = link(TS, "$1", sender=sender, digest="old")
    stands: dict[str, Any] = {
        "ts": TS,
        "text": "new",
        "user": ALICE,
        "edited": {"user": ALICE, "ts": "1700000009.000000"},
    }
    stands["files"] = [{"id": "F1", "mode": "hidden_by_limit"}]
    event = said_in_slack(subtype="message_changed", ts="1700000009.000000", message={"type": "message", **stands})
    given = known(shown)
    note, edit, added = decided(event, given)
    assert isinstance(note, Note)
    assert {edit.sender, added.sender} == {sender}
    assert {edit.ghost, added.ghost} == ({ghost(ALICE)} if sender == OWN else {None})


def test_what_was_deleted_is_redacted_by_whoever_said_it_and_what_matrix_said_by_the_bot() -> None:
    event = said_in_slack(subtype="message_deleted", ts="1700000009.000000", deleted_ts=TS)
    for shown, sender in ((link(TS, "$1", sender=OWN), OWN), (from_ada(TS, "$1"), NAMES.bot)):
        redaction, _ = decided(event, known(shown))
        assert isinstance(redaction, RedactEvent)
        assert redaction.sender == sender


# --- reactions


def reacted(added: bool = True) -> Any:
    kind = "reaction_added" if added else "reaction_removed"
    return said_in_slack(type=kind, reaction="tada", item={"type": "message", "channel": "C1", "ts": TS})


def test_a_reaction_is_the_account_s_and_so_is_its_end() -> None:
    shown = link(TS, "$1")
    (action,) = decided(reacted(), known(shown))
    assert (action.sender, action.ghost) == (OWN, ghost(ALICE))
    assert isinstance(action.record, RecordReaction)
    assert action.record.sender == OWN
    made = ReactionLink(Ts(TS), "tada", ALICE, EventId("$r"), Origin.SLACK, sender=OWN)
    (redaction,) = decided(reacted(added=False), known(shown, reactions=(made,)))
    assert (redaction.sender, redaction.event_id) == (OWN, "$r")


def test_what_the_ghost_put_there_before_the_link_is_the_ghost_s_to_take_away() -> None:
    made = reaction(TS, "tada", ALICE, "$r", Origin.SLACK)
    (redaction,) = decided(reacted(added=False), known(link(TS, "$1"), reactions=(made,)))
    assert redaction.sender == ghost(ALICE)


def test_an_annotation_that_stands_for_the_same_person_s_on_both_sides_goes_with_the_last() -> None:
    made = ReactionLink(Ts(TS), "tada", ALICE, EventId("$r"), Origin.SLACK, sender=OWN)
    own = reaction(TS, "tada", OWN, "$r", Origin.MATRIX)
    (action,) = decided(reacted(added=False), known(link(TS, "$1"), reactions=(made, own)))
    assert isinstance(action, Note)


# --- who is mentioned


@pytest.mark.parametrize("acts", [True, False])
def test_a_mention_of_a_linked_person_reaches_their_account(acts: bool) -> None:
    (action,) = decided(said_in_slack(ts=TS, text=f"<@{ALICE}> look", user=BOB), known(acts=acts))
    assert action.content["m.mentions"] == {"user_ids": [OWN]}
    assert OWN in action.content["formatted_body"]
    assert action.sender == ghost(BOB)


@pytest.mark.parametrize("members", [FACTS.members, {}])
def test_a_mention_of_a_linked_account_becomes_the_person_s_in_slack(members: Any) -> None:
    pill = f'<a href="https://matrix.to/#/{OWN}">Alice</a> look'
    html = {"format": "org.matrix.custom.html", "formatted_body": pill}
    event = said_in_matrix({"msgtype": "m.text", "body": "Alice look", **html, "m.mentions": {"user_ids": [OWN]}})
    given = replace(known(), members=members, people={})
    found = to_slack.decide(event, PORTAL, given)
    assert isinstance(found, tuple)
    assert isinstance(found[0], PostMessage)
    assert f"<@{ALICE}> look" in found[0].text


def test_a_linked_account_keeps_the_name_that_the_room_shows() -> None:
    given = replace(known(), members={**FACTS.members, OWN: replace(FACTS.members[ADA], user=OWN, name="Allie")})
    event = said_in_matrix({"msgtype": "m.text", "body": "hello"}, sender=OWN)
    found = to_slack.decide(event, PORTAL, given)
    assert isinstance(found, tuple)
    assert isinstance(found[0], PostMessage)
    assert found[0].username == "Allie"


# --- who comes and goes


def moved(joined: bool, seen: int | None = None) -> Any:
    return said_in_slack(seen, type="member_joined_channel" if joined else "member_left_channel", user=ALICE)


def test_a_linked_person_comes_in_their_own_account_and_not_as_a_ghost_too() -> None:
    for acts in (True, False):
        (action,) = decided(moved(True), known(acts=acts))
        assert isinstance(action, SetMembership)
        assert (action.user, action.joined, action.ghost) == (OWN, True, ghost(ALICE))


def test_where_nobody_is_invited_the_ghost_comes() -> None:
    given = known(acts=False, rules=rules(invite=False))
    for joined in (True, False):
        (action,) = decided(moved(joined), given)
        assert (action.user, action.joined, action.ghost) == (ghost(ALICE), joined, None)


def test_who_leaves_the_channel_leaves_the_room_in_both() -> None:
    actions = decided(moved(False), known())
    assert [(one.user, one.joined) for one in actions] == [(ghost(ALICE), False), (OWN, False)]
    assert len({one.key for one in actions}) == 2


def test_the_owner_of_an_account_is_taken_out_of_private_rooms_alone() -> None:
    assert [one.user for one in decided(moved(False), known(acts=False))] == [ghost(ALICE)]
    assert [one.user for one in decided(moved(False), known(acts=False), private=True)] == [ghost(ALICE), OWN]


def test_whoever_is_merely_missing_in_the_channel_s_list_keeps_their_account_in_the_room() -> None:
    assert [one.user for one in decided(moved(False, seen=7), known())] == [ghost(ALICE)]
