"""What becomes of what happened in a Matrix room."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portals.actions import (
    DeleteMessage,
    Note,
    PostMessage,
    RecordDeletion,
    RecordLink,
    UpdateMessage,
)
from portals.avatars import AvatarAddresses
from portals.events import Ignored, Undeliverable
from portals.facts import Account, Member, Origin
from portals.reading import matrix
from portals.relay.to_slack import decide, needs
from tests.portals.relay.scene import (
    ADA,
    ALICE,
    CHANNEL,
    FACTS,
    PORTAL,
    ROOM,
    facts,
    from_ada,
    ghost,
    link,
    rules,
    said_in_matrix,
)

TEXT = {"msgtype": "m.text", "body": "hello"}


def done(event: Any, known: Any = FACTS) -> tuple[Any, ...]:
    decision = decide(event, PORTAL, known)
    assert isinstance(decision, tuple), decision
    return decision


def refused(event: Any, known: Any = FACTS) -> str:
    decision = decide(event, PORTAL, known)
    assert isinstance(decision, Ignored | Undeliverable), decision
    return decision.reason


def relating(kind: str, target: str, **more: Any) -> dict[str, Any]:
    return {"m.relates_to": {"rel_type": kind, "event_id": target, **more}}


# --- messages


def test_a_person_speaks_under_their_own_name() -> None:
    (action,) = done(said_in_matrix(TEXT))
    assert isinstance(action, PostMessage)
    assert (action.channel, action.username, action.text, action.icon_url) == (CHANNEL, "Ada Lovelace", "hello", "")
    assert action.record == RecordLink(Origin.MATRIX, ADA, event_id="$new")


def test_a_name_cannot_hide_or_grow_without_bound() -> None:
    known = facts(members={ADA: Member(ADA, "A\u202ed\u200ba\n" + "x" * 300)})
    (action,) = done(said_in_matrix(TEXT), known)
    assert action.username.startswith("Ada x") or action.username.startswith("Ada")
    assert len(action.username) <= 80
    assert "\u202e" not in action.username


def test_somebody_without_a_name_is_called_by_their_user_id() -> None:
    (action,) = done(said_in_matrix(TEXT), facts(members={}))
    assert action.username == "ada"
    template = rules(name_template="{name} ({server})")
    (action,) = done(said_in_matrix(TEXT), facts(members={}, rules=template))
    assert action.username == "ada (example.org)"


def test_an_avatar_is_shown_where_slack_can_fetch_it() -> None:
    avatars = AvatarAddresses("https://b.example.org", b"key")
    (action,) = done(said_in_matrix(TEXT), facts(rules=rules(avatars=avatars)))
    assert action.icon_url == avatars.of("mxc://example.org/ada")
    (action,) = done(said_in_matrix(TEXT), facts(rules=rules(avatars=avatars), members={}))
    assert action.icon_url == ""


def test_a_message_that_was_relayed_is_not_sent_again() -> None:
    assert refused(said_in_matrix(TEXT), facts(from_ada("1.0", "$new"))) == "relayed already"


def test_formatting_mentions_and_emotes_are_kept() -> None:
    html = f'<b>hi</b> <a href="https://matrix.to/#/{ghost(ALICE)}">Alice</a>'
    content = {"msgtype": "m.text", "body": "hi", "format": "org.matrix.custom.html", "formatted_body": html}
    (action,) = done(said_in_matrix(content | {"m.mentions": {"user_ids": [ghost(ALICE)]}}))
    assert action.text == "*hi* <@UALICE>"
    (emote,) = done(said_in_matrix({"msgtype": "m.emote", "body": "waves <&"}))
    assert emote.text == "_waves &lt;&amp;_"
    (formatted,) = done(said_in_matrix(content | {"msgtype": "m.emote"}))
    assert formatted.text.startswith("_")
    assert refused(said_in_matrix({"msgtype": "m.emote", "body": 7})) == "a message without content"


@pytest.mark.parametrize("typed", ["@channel", "<!channel>", "<@UALICE>", "<!subteam^S1>"])
def test_what_only_looks_like_a_mention_pings_nobody(typed: str) -> None:
    (action,) = done(said_in_matrix({"msgtype": "m.text", "body": typed}))
    assert "<" not in action.text
    assert {"user", "broadcast", "usergroup"}.isdisjoint(str(action.blocks).replace("'", " ").split())


def test_an_encrypted_message_is_refused_with_a_reason() -> None:
    event = said_in_matrix({"algorithm": "m.megolm.v1.aes-sha2"}, "m.room.encrypted")
    assert "encrypted" in refused(event)


def test_a_long_message_is_posted_whole_in_pieces_with_keys_of_their_own() -> None:
    actions = done(said_in_matrix({"msgtype": "m.text", "body": "a sentence. " * 900}))
    assert len(actions) > 2
    assert len({action.key for action in actions}) == len(actions)
    assert all(len(action.text) <= 4000 for action in actions)
    assert "".join(action.text for action in actions).count("sentence") == 900


# --- where it belongs


def test_a_thread_goes_under_its_root_even_where_the_root_is_a_reply_in_slack() -> None:
    event = said_in_matrix(TEXT | relating("m.thread", "$root", is_falling_back=True))
    assert done(event, facts(link("1.0", "$root")))[0].thread_ts == "1.0"
    assert done(event, facts(link("2.0", "$root", thread_ts="1.0")))[0].thread_ts == "1.0"
    assert done(event)[0].thread_ts is None


AT_ROOM = TEXT | {"body": "@room hello", "m.mentions": {"room": True}}


def test_the_room_is_notified_by_who_may_and_where_the_configuration_lets_them() -> None:
    event = said_in_matrix(AT_ROOM)
    assert needs(event).broadcaster == ADA
    assert needs(said_in_matrix(TEXT)).broadcaster is None
    allowed = rules(allow_broadcast=True)
    assert done(event, facts(rules=allowed, may_broadcast=True))[0].text == "<!channel> hello"
    assert done(event, facts(rules=allowed))[0].text == "@room hello"
    assert done(event, facts(may_broadcast=True))[0].text == "@room hello"


# --- edits, redactions


def edit(body: str, target: str = "$a", **more: Any) -> Any:
    new = {"msgtype": "m.text", "body": body} | more
    return said_in_matrix({**TEXT, "m.new_content": new, **relating("m.replace", target)})


def test_an_edit_updates_the_message() -> None:
    (action,) = done(edit("better"), facts(from_ada("1.0", "$a")))
    assert isinstance(action, UpdateMessage)
    assert (action.ts, action.text) == ("1.0", "better")


def test_an_edit_that_grows_goes_on_in_further_messages_and_one_that_shrinks_deletes_them() -> None:
    longer = done(edit("a sentence. " * 500), facts(from_ada("1.0", "$a", thread_ts="0.5")))
    assert [type(action) for action in longer] == [UpdateMessage, PostMessage]
    assert (longer[1].thread_ts, longer[1].record.event_id) == ("0.5", "$a")
    shorter = done(edit("short"), facts(from_ada("1.0", "$a"), from_ada("2.0", "$a")))
    assert [type(action) for action in shorter] == [UpdateMessage, DeleteMessage]
    assert shorter[1].record == RecordDeletion("2.0")


def test_an_emote_and_a_place_are_edited_in_their_own_form() -> None:
    (emote,) = done(edit("waves", msgtype="m.emote"), facts(from_ada("1.0", "$a")))
    assert emote.text == "_waves_"
    (place,) = done(edit("here", msgtype="m.location", geo_uri="geo:1,2"), facts(from_ada("1.0", "$a")))
    assert "openstreetmap.org" in place.text


def test_nobody_edits_what_somebody_else_wrote() -> None:
    assert "did not write" in refused(edit("x"), facts(link("1.0", "$a")))
    other = from_ada("1.0", "$a")
    assert "did not write" in refused(edit("x"), facts(replace(other, sender=ghost("UX"))))
    assert "not in Slack" in refused(edit("x"), facts(from_ada("1.0", "$a", deleted=True)))
    assert "leaves nothing" in refused(edit(""), facts(from_ada("1.0", "$a")))


def redaction(target: str) -> Any:
    return said_in_matrix({"redacts": target}, "m.room.redaction")


def test_a_redaction_deletes_every_piece() -> None:
    first, second = done(redaction("$a"), facts(from_ada("1.0", "$a"), from_ada("2.0", "$a")))
    assert (first.ts, second.ts) == ("1.0", "2.0")
    assert first.record == RecordDeletion("1.0")
    assert "not in Slack" in refused(redaction("$a"))


def test_a_moderators_redaction_of_a_slack_message_is_only_remembered() -> None:
    (note,) = done(redaction("$a"), facts(link("1.0", "$a")))
    assert note == Note(note.key, RecordDeletion("1.0", ""))


def test_memberships_stay_in_matrix() -> None:
    event = said_in_matrix({"membership": "join"}, "m.room.member", state_key=ADA)
    assert "not shown" in refused(event)
    assert needs(event).events == frozenset()


# --- for any event


def test_needs_name_everything_that_a_message_touches() -> None:
    html = '<a href="https://matrix.to/#/@bob:x.org">Bob</a> <a href="https://matrix.to/#/!r:x.org">room</a>'
    content = {"msgtype": "m.text", "body": "x", "format": "org.matrix.custom.html", "formatted_body": html}
    wanted = needs(said_in_matrix(content | relating("m.thread", "$root", **{"m.in_reply_to": {"event_id": "$a"}})))
    assert wanted.matrix_users == {ADA, "@bob:x.org"}
    assert wanted.rooms == {"!r:x.org"}
    assert wanted.targets == {"$root", "$a"}
    assert wanted.events == {"$root", "$a", "$new"}
    assert needs(redaction("$a")).targets == {"$a"}


scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.just("$a")
json = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner))
fields = st.sampled_from(
    ["msgtype", "body", "format", "formatted_body", "m.relates_to", "m.new_content", "url", "info", "m.mentions"]
)


@given(
    kind=st.sampled_from(["m.room.message", "m.sticker", "m.reaction", "m.room.redaction", "m.room.member"]),
    content=st.dictionaries(fields, json),
    known=st.sampled_from([FACTS, facts(link("1.0", "$a")), facts(from_ada("1.0", "$a"))]),
)
def test_any_event_yields_actions_with_keys_of_their_own(kind: str, content: dict[str, Any], known: Any) -> None:
    event = {"type": kind, "room_id": ROOM, "event_id": "$new", "sender": ADA, "content": content}
    read = matrix.read(event, "source")
    if isinstance(read, Ignored):
        return
    needs(read)
    decision = decide(read, PORTAL, known)
    if isinstance(decision, tuple):
        keys = [action.key for action in decision]
        assert len(set(keys)) == len(keys) > 0


def test_a_name_that_could_be_taken_for_somebody_elses_in_slack_bears_its_owners_id() -> None:
    def shown(**more: Any) -> str:
        event = said_in_matrix({"msgtype": "m.text", "body": "hi"})
        decision = decide(event, PORTAL, facts(lookalikes=frozenset([ALICE]), **more))
        assert isinstance(decision, tuple)
        (post,) = decision
        assert isinstance(post, PostMessage)
        return post.username

    assert shown() == "Ada Lovelace (@ada:example.org)"
    assert shown(accounts={ALICE: Account(ADA)}) == "Ada Lovelace"
    assert shown(rules=rules(name_template="{name} <{user}>")) == "Ada Lovelace <@ada:example.org>"
