"""Matrix's JSON becomes events: each kind of event, and rubbish in any place of it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portals.events import (
    Ignored,
    MatrixFile,
    MatrixMembership,
    MatrixMessage,
    MatrixPins,
    MatrixReaction,
    MatrixRedaction,
    MatrixTopic,
)
from portals.ids import EventId, MatrixUserId, RoomId
from portals.reading.matrix import address, latest, read, subject
from portals.reading.slack import Address
from tests.portals.foreign import JSON, objects

SOURCE = "matrix:$143273582443PhrSn:example.org"
ROOM = RoomId("!636q39766251:example.com")
EVENT = EventId("$143273582443PhrSn:example.org")
ALICE = MatrixUserId("@alice:example.org")
TEXT = {"msgtype": "m.text", "body": "hello"}


def event(content: Any, kind: str = "m.room.message", **more: Any) -> dict[str, Any]:
    return {
        "type": kind,
        "room_id": ROOM,
        "event_id": EVENT,
        "sender": ALICE,
        "origin_server_ts": 1432735824653,
        "unsigned": {"age": 1234},
        "content": content,
        **more,
    }


def message(content: dict[str, Any], kind: str = "m.room.message") -> MatrixMessage:
    found = read(event(content, kind), SOURCE)
    assert isinstance(found, MatrixMessage), found
    return found


def ignored(foreign: dict[str, Any]) -> str:
    found = read(foreign, SOURCE)
    assert isinstance(found, Ignored), found
    return found.reason


# --- messages


def test_a_message() -> None:
    assert message(TEXT) == MatrixMessage(SOURCE, ROOM, EVENT, ALICE, TEXT)


def test_an_edit_shows_its_new_content() -> None:
    new = {"msgtype": "m.text", "body": "hello!"}
    relation = {"rel_type": "m.replace", "event_id": "$old"}
    found = message({**TEXT, "body": "* hello!", "m.new_content": new, "m.relates_to": relation})
    assert (found.edits, found.content, found.reply_to) == ("$old", new, None)


def test_an_edit_without_new_content_shows_what_it_has() -> None:
    found = message({**TEXT, "m.relates_to": {"rel_type": "m.replace", "event_id": "$old"}})
    assert (found.edits, found.content["body"]) == ("$old", "hello")


def test_an_edit_of_a_reply_is_an_edit() -> None:
    relation = {"rel_type": "m.replace", "event_id": "$old", "m.in_reply_to": {"event_id": "$asked"}}
    found = message({**TEXT, "m.new_content": TEXT, "m.relates_to": relation})
    assert (found.edits, found.reply_to) == ("$old", None)


def test_a_reply() -> None:
    found = message({**TEXT, "m.relates_to": {"m.in_reply_to": {"event_id": "$asked"}}})
    assert (found.reply_to, found.thread_root) == ("$asked", None)


@pytest.mark.parametrize(("falling_back", "reply"), [(True, None), (False, "$tail"), (None, "$tail")])
def test_a_message_in_a_thread(falling_back: bool | None, reply: str | None) -> None:
    relation: dict[str, Any] = {"rel_type": "m.thread", "event_id": "$root", "m.in_reply_to": {"event_id": "$tail"}}
    if falling_back is not None:
        relation["is_falling_back"] = falling_back
    found = message({**TEXT, "m.relates_to": relation})
    assert (found.thread_root, found.reply_to) == ("$root", reply)


def test_an_encrypted_message_is_known_as_such() -> None:
    found = message({"algorithm": "m.megolm.v1.aes-sha2", "ciphertext": "AwgA", "msgtype": []}, "m.room.encrypted")
    assert found.encrypted
    assert found.file is None


@pytest.mark.parametrize(
    ("foreign", "reason"),
    [
        (event({}), "a message without content (redacted before its turn came)"),
        (event(None), "a message without content (redacted before its turn came)"),
        (event({"body": "hello"}), "a message without a msgtype"),
        (event({**TEXT, "msgtype": ["m.text"]}), "a message without a msgtype"),
        (
            event({**TEXT, "msgtype": "m.key.verification.request"}),
            "a verification of keys, which is between two clients",
        ),
        (event({**TEXT, "m.relates_to": {"rel_type": "m.replace"}}), "an edit of nothing"),
        (event(TEXT, state_key=""), "a state event with the type of a message"),
        (event({}, "m.room.name", state_key=""), "events of type 'm.room.name' are not relayed"),
        (event({}, "m.room.topic"), "an event with the type of a state that is not the room's"),
        (event({}, "m.room.pinned_events", state_key="x"), "an event with the type of a state that is not the room's"),
        (event({}, type=["m.room.message"]), "events of type '' are not relayed"),
        (event(TEXT, room_id=None), "an event without room, id or sender"),
        (event(TEXT, event_id=7), "an event without room, id or sender"),
        (event(TEXT, sender={}), "an event without room, id or sender"),
        ({}, "an event without room, id or sender"),
    ],
)
def test_what_is_no_message_is_ignored_with_the_reason(foreign: dict[str, Any], reason: str) -> None:
    assert ignored(foreign) == reason


# --- files

IMAGE = {
    "msgtype": "m.image",
    "body": "A view of Vulcan",
    "filename": "vulcan.jpg",
    "url": "mxc://example.org/JWEIFJgwEIhweiWJE",
    "info": {"mimetype": "image/jpeg", "size": 31037, "w": 394, "h": 398},
}


def test_a_file() -> None:
    file = MatrixFile("mxc://example.org/JWEIFJgwEIhweiWJE", "vulcan.jpg", "image/jpeg", 31037)
    assert message(IMAGE).file == file


def test_a_sticker_is_an_image() -> None:
    found = message({name: value for name, value in IMAGE.items() if name != "msgtype"}, "m.sticker")
    assert found.content["msgtype"] == "m.image"
    assert found.file is not None


def test_an_edited_file_is_the_new_one() -> None:
    relation = {"rel_type": "m.replace", "event_id": "$old"}
    found = message({**TEXT, "m.new_content": IMAGE, "m.relates_to": relation})
    assert found.file is not None
    assert found.edits == "$old"


def test_a_file_of_an_encrypted_room_is_found_too() -> None:
    found = message({"msgtype": "m.file", "body": "x.txt", "file": {"url": "mxc://example.org/x"}})
    wanted = MatrixFile("mxc://example.org/x", "x.txt", "application/octet-stream", 0, {"url": "mxc://example.org/x"})
    assert found.file == wanted
    both = message({"msgtype": "m.file", "body": "x", "url": "mxc://x/y", "file": {"url": "mxc://example.org/x"}})
    assert both.file is not None
    assert (both.file.uri, both.file.encryption) == ("mxc://x/y", None)


@pytest.mark.parametrize("url", [None, "https://example.org/x.png", 7, ""])
def test_a_file_that_is_nowhere_is_none(url: Any) -> None:
    assert message({**IMAGE, "url": url}).file is None


@pytest.mark.parametrize(("size", "read_as"), [(0, 0), (-1, 0), (True, 0), ("9", 0), (9.5, 9), (2**80, 0), (9, 9)])
def test_a_size_that_is_none_is_unsaid(size: Any, read_as: int) -> None:
    file = message({**IMAGE, "filename": None, "body": "", "info": {"size": size}}).file
    assert file is not None
    assert (file.name, file.size) == ("file", read_as)


# --- reactions, redactions, memberships


def test_a_reaction() -> None:
    content = {"m.relates_to": {"rel_type": "m.annotation", "event_id": "$target", "key": "👍"}}
    found = read(event(content, "m.reaction"), SOURCE)
    assert found == MatrixReaction(SOURCE, ROOM, EVENT, ALICE, EventId("$target"), "👍")


@pytest.mark.parametrize("field", ["shortcode", "com.beeper.reaction.shortcode"])
def test_a_custom_reaction_has_a_name(field: str) -> None:
    relation = {"rel_type": "m.annotation", "event_id": "$target", "key": "mxc://x/y"}
    found = read(event({"m.relates_to": relation, field: ":party_parrot:"}, "m.reaction"), SOURCE)
    assert isinstance(found, MatrixReaction)
    assert found.shortcode == "party_parrot"


@pytest.mark.parametrize(
    "relation",
    [
        None,
        {},
        {"rel_type": "m.annotation", "event_id": "$target"},
        {"rel_type": "m.annotation", "key": "👍"},
        {"rel_type": "m.thread", "event_id": "$target", "key": "👍"},
    ],
)
def test_a_reaction_to_nothing_is_ignored(relation: Any) -> None:
    assert ignored(event({"m.relates_to": relation}, "m.reaction")) == "a reaction to nothing"


@pytest.mark.parametrize("foreign", [event({}, redacts="$target"), event({"redacts": "$target"})])
def test_a_redaction_of_any_room_version(foreign: dict[str, Any]) -> None:
    found = read({**foreign, "type": "m.room.redaction"}, SOURCE)
    assert found == MatrixRedaction(SOURCE, ROOM, EVENT, ALICE, EventId("$target"))


def test_a_redaction_of_nothing_is_ignored() -> None:
    assert ignored(event({"redacts": None}, "m.room.redaction")) == "a redaction of nothing"


@pytest.mark.parametrize(
    ("before", "now", "added", "removed"),
    [
        (["$a"], ["$a", "$b"], ("$b",), ()),
        (["$a", "$b"], ["$b"], (), ("$a",)),
        ([], ["$a", "$a", 7, ""], ("$a",), ()),
        (None, ["$a"], ("$a",), ()),
        ("$a", ["$a"], ("$a",), ()),
    ],
)
def test_pins_are_compared_with_those_before(
    before: Any, now: list[Any], added: tuple[str, ...], removed: tuple[str, ...]
) -> None:
    unsigned = {"prev_content": {"pinned": before}}
    found = read(event({"pinned": now}, "m.room.pinned_events", state_key="", unsigned=unsigned), SOURCE)
    assert isinstance(found, MatrixPins)
    assert (found.added, found.removed) == (added, removed)
    assert set(found.pinned) == {one for one in now if isinstance(one, str) and one}


def test_pins_that_stay_as_they_were_are_ignored() -> None:
    same = {"pinned": ["$a"]}
    foreign = event(same, "m.room.pinned_events", state_key="", unsigned={"prev_content": same})
    assert ignored(foreign) == "pins that stay as they were"
    assert ignored(event({"pinned": {}}, "m.room.pinned_events", state_key="")) == "pins that stay as they were"


@pytest.mark.parametrize(("content", "topic"), [({"topic": "tea"}, "tea"), ({}, ""), ({"topic": 7}, "")])
def test_a_topic(content: dict[str, Any], topic: str) -> None:
    found = read(event(content, "m.room.topic", state_key=""), SOURCE)
    assert found == MatrixTopic(SOURCE, ROOM, EVENT, ALICE, topic)


def test_a_membership() -> None:
    content = {"membership": "join", "displayname": "Bob", "avatar_url": "mxc://example.org/b"}
    found = read(event(content, "m.room.member", state_key="@bob:example.org"), SOURCE)
    bob = MatrixUserId("@bob:example.org")
    assert found == MatrixMembership(SOURCE, ROOM, ALICE, bob, "join", "Bob", "mxc://example.org/b")
    invited = event({"membership": "invite", "is_direct": True}, "m.room.member", state_key="@bob:example.org")
    assert read(invited, SOURCE) == MatrixMembership(SOURCE, ROOM, ALICE, bob, "invite", is_direct=True)


@pytest.mark.parametrize(
    "more",
    [
        {"state_key": "@bob:example.org", "content": {"membership": "guest"}},
        {"state_key": "@bob:example.org", "content": {"membership": ["join"]}},
        {"state_key": None, "content": {"membership": "join"}},
        {"content": {"membership": "join"}},
    ],
)
def test_a_membership_of_nobody_is_ignored(more: dict[str, Any]) -> None:
    assert ignored({**event({}, "m.room.member"), **more}) == "a membership of nobody"


# --- addresses


@pytest.mark.parametrize(
    "kind",
    ["m.room.message", "m.sticker", "m.room.encrypted", "m.reaction", "m.room.redaction", "m.room.member"],
)
def test_what_may_be_relayed_is_kept_in_the_queue_of_its_room(kind: str) -> None:
    assert address(event(TEXT, kind)) == Address(ROOM, SOURCE)


@pytest.mark.parametrize(
    "more",
    [
        {"type": "m.room.name"},
        {"type": ["m.room.message"]},
        {"type": None},
        {"room_id": ""},
        {"room_id": {}},
        {"event_id": 1},
        {"sender": None},
    ],
)
def test_what_cannot_concern_the_bridge_is_not_kept(more: dict[str, Any]) -> None:
    assert address(event(TEXT, **more)) is None


# --- rubbish

IDS = st.sampled_from(["$a", "@a:x", "!r:x", ""])
RELATION = objects(
    {
        "rel_type": st.sampled_from(["m.replace", "m.thread", "m.annotation"]),
        "event_id": IDS,
        "key": st.text(max_size=3),
        "m.in_reply_to": objects({"event_id": IDS}),
        "is_falling_back": st.booleans(),
    }
)
CONTENT = objects(
    {
        "msgtype": st.sampled_from(["m.text", "m.image", "m.file"]),
        "body": st.text(max_size=5),
        "url": st.just("mxc://x/y"),
        "info": objects({"size": st.integers(), "mimetype": st.text()}),
        "file": objects({"url": st.just("mxc://x/y")}),
        "membership": st.sampled_from(["join", "leave"]),
        "redacts": IDS,
        "m.relates_to": RELATION,
        "m.new_content": objects({"msgtype": st.just("m.text"), "body": st.text()}),
    }
)
KINDS = ["m.room.message", "m.sticker", "m.room.encrypted", "m.reaction", "m.room.redaction", "m.room.member"]


@given(
    objects(
        {
            "type": st.sampled_from(KINDS),
            "room_id": IDS,
            "event_id": IDS,
            "sender": IDS,
            "state_key": IDS,
            "redacts": IDS,
            "content": CONTENT,
        }
    )
)
def test_rubbish_never_raises(rubbish: dict[str, Any]) -> None:
    found = read(rubbish, SOURCE)
    assert isinstance(found, Ignored | MatrixMessage | MatrixReaction | MatrixRedaction | MatrixMembership)
    where = address(rubbish)
    assert where is None or isinstance(rubbish["sender"], str)


@given(CONTENT, st.sampled_from(KINDS))
def test_rubbish_in_a_good_envelope_never_raises(content: dict[str, Any], kind: str) -> None:
    read(
        event(content, kind, state_key="@bob:example.org") if kind == "m.room.member" else event(content, kind), SOURCE
    )


@given(JSON)
def test_any_content_at_all_never_raises(content: Any) -> None:
    for kind in KINDS:
        read(event(content, kind), SOURCE)


@pytest.mark.parametrize(
    ("more", "answered"),
    [
        ({}, "$e"),
        ({"content": {"m.relates_to": {"rel_type": "m.annotation", "event_id": "$a", "key": "x"}}}, "$a"),
        ({"content": {"m.relates_to": {"rel_type": "m.replace", "event_id": "$a"}}}, "$a"),
        ({"content": {"m.relates_to": {"rel_type": "m.thread", "event_id": "$a"}}}, "$e"),
        ({"content": {"redacts": "$a"}}, "$a"),
        ({"redacts": "$a", "content": 7}, "$a"),
        ({"event_id": 7}, ""),
    ],
)
def test_a_word_about_an_event_answers_the_message_that_it_concerns(more: dict[str, Any], answered: str) -> None:
    assert subject({"event_id": "$e", "content": {}} | more) == answered


# --- messages as they stand now


def said(**content: Any) -> dict[str, Any]:
    return {"type": "m.room.message", "room_id": "!r:x", "event_id": "$e", "sender": "@a:x", "content": content}


def test_the_latest_of_a_message_is_its_last_edit_in_the_place_of_the_first() -> None:
    reply = {"m.in_reply_to": {"event_id": "$a"}}
    event = said(msgtype="m.text", body="old", **{"m.relates_to": reply})
    edit = {"content": {"body": "* new", "m.new_content": {"msgtype": "m.text", "body": "new"}}}
    found = latest({**event, "unsigned": {"m.relations": {"m.replace": edit}}}, "s")
    assert found is not None
    assert (found.content["body"], found.reply_to) == ("new", "$a")
    broken = latest(
        {**event, "unsigned": {"m.relations": {"m.replace": {"content": {"m.new_content": {"a": 1}}}}}}, "s"
    )
    assert broken is not None
    assert broken.content["body"] == "old"
    assert latest(said(), "s") is None
    assert latest({**said(), "type": "m.reaction"}, "s") is None
