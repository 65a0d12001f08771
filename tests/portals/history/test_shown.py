"""What an event of a room tells: what homeservers vouch for is trusted, what it says of itself is a claim."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portals.history.evidence import ShownFile
from portals.history.shown import (
    ELSEWHERE,
    ENCRYPTED,
    NO_MESSAGE,
    WRITTEN,
    Described,
    Edit,
    Entered,
    Pinned,
    Reacted,
    Redacted,
    Room,
    ShownMessage,
    Stray,
    tells,
)
from portals.ids import ChannelId
from tests.portals.history.mirrored import ACCOUNT, CHANNEL, NAMES, TEAM, ghost, who

ROOM = Room(TEAM, CHANNEL, NAMES, who)
SOURCE = {"team": TEAM, "channel": CHANNEL, "ts": "1700000000.000100"}


def event(content: Any, sender: str = ghost("U1"), kind: str = "m.room.message", **more: Any) -> dict[str, Any]:
    base = {"type": kind, "event_id": "$e", "sender": sender, "origin_server_ts": 1_700_000_000_000}
    return {**base, "content": content, **more}


def told(content: Any, *args: Any, **more: Any) -> Any:
    return tells(event(content, *args, **more), 7, ROOM)


def test_a_part_of_a_message_says_whose_it_is_and_what_it_says() -> None:
    relation = {"rel_type": "m.thread", "event_id": "$root"}
    content: dict[str, Any] = {
        "msgtype": "m.text",
        "body": "hello",
        "dev.causeway.slack": SOURCE,
        "m.relates_to": relation,
    }
    one = told(content)
    assert isinstance(one, ShownMessage)
    part = one.part
    assert (one.ts, part.part, part.event_id, part.sender, part.author) == (SOURCE["ts"], "", "$e", ghost("U1"), "U1")
    assert (part.time, part.position, part.root, part.words, part.file) == (
        1_700_000_000_000,
        7,
        "$root",
        "hello",
        None,
    )
    assert told({**content, "body": "other"}).part.form != part.form
    assert told({**content, "msgtype": "m.notice"}).part.form != part.form
    assert told(content, ACCOUNT).part.author == "U3"
    assert told(content, "@eve:localhost").part.author == ""


def test_a_file_is_told_with_its_address_and_its_name() -> None:
    content: dict[str, Any] = {
        "msgtype": "m.file",
        "body": "a caption",
        "filename": "a.pdf",
        "url": "mxc://localhost/a",
    }
    content |= {"info": {"mimetype": "application/pdf", "size": 10}, "dev.causeway.slack": {**SOURCE, "part": "F1"}}
    assert told(content).part.file == ShownFile("a.pdf", "application/pdf", 10, "mxc://localhost/a")
    del content["filename"]
    assert told(content).part.file.name == "a caption"
    sealed = {"url": content.pop("url"), "v": "v2"}
    assert told({**content, "file": sealed}).part.file.sealed == sealed


def test_an_edit_names_what_it_changes() -> None:
    relation = {"rel_type": "m.replace", "event_id": "$first"}
    one = told({"body": "* new", "m.new_content": {"body": "new"}, "m.relates_to": relation})
    assert one == Edit("$first", ghost("U1"), "$e", 1_700_000_000_000, {"body": "new"})


@pytest.mark.parametrize(
    ("key", "shortcode", "told_as"),
    [("👍", "", "👍"), ("mxc://a/b", ":party:", ":party:"), (":+1:", "", "👍"), ("", "", "")],
)
def test_a_reaction_is_told_by_the_emoji_that_slack_names(key: str, shortcode: str, told_as: str) -> None:
    content = {"m.relates_to": {"event_id": "$first", "key": key}, "shortcode": shortcode}
    one = told(content, kind="m.reaction")
    assert isinstance(one, Reacted)
    assert (one.target, one.reaction.author, one.reaction.key) == ("$first", "U1", told_as)
    assert told(content, "@eve:localhost", "m.reaction") is None


def test_of_a_redacted_event_its_place_and_the_time_of_its_end_are_known() -> None:
    gone = event({}, unsigned={"redacted_because": {"origin_server_ts": 9}})
    assert tells(gone, 1, ROOM) == Redacted("$e", "U1", 1_700_000_000_000, 9)
    assert told({}) == Redacted("$e", "U1", 1_700_000_000_000, 0)
    assert told({}, "@eve:localhost") is None


def test_what_belongs_to_no_message_is_told_by_what_it_is() -> None:
    said = {"msgtype": "m.text", "body": "hello"}
    assert told(said) == Stray("$e", ghost("U1"), 1_700_000_000_000, NO_MESSAGE, "hello")
    assert told(said, "@eve:localhost").what == WRITTEN
    assert told(said, ACCOUNT).what == WRITTEN
    assert told({**said, "dev.causeway.slack": {**SOURCE, "channel": "C2"}}).what == ELSEWHERE
    assert told({**said, "dev.causeway.slack": {**SOURCE, "ts": "soon"}}).what == NO_MESSAGE
    assert told({}, kind="m.room.encrypted").what == ENCRYPTED
    assert told(said, NAMES.bot) is None


def test_the_room_tells_who_is_there_and_what_is_pinned() -> None:
    entered = told({"membership": "join", "displayname": "Ada"}, kind="m.room.member", state_key=ghost("U1"))
    assert entered == Entered(ghost("U1"), "join", "Ada", 1_700_000_000_000)
    assert told({"pinned": ["$a", 5]}, kind="m.room.pinned_events", state_key="") == Pinned(("$a",), 1_700_000_000_000)
    assert told({"pinned": "$a"}, kind="m.room.pinned_events", state_key="") == Pinned((), 1_700_000_000_000)
    assert told({"name": "x"}, kind="m.room.name", state_key="") is None
    assert told({"name": "x"}, kind="m.sticker") is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ("m.relates_to", "m.new_content", "body", "msgtype", "formatted_body", "format", "url", "info", "pinned")


@given(
    st.sampled_from(["m.room.message", "m.reaction", "m.room.member", "m.room.pinned_events", "m.room.encrypted"]),
    st.dictionaries(st.sampled_from((*FIELDS, "dev.causeway.slack")), JSON),
    st.dictionaries(
        st.sampled_from(("state_key", "event_id", "sender", "unsigned", "origin_server_ts", "content")), JSON
    ),
)
def test_nothing_foreign_raises(kind: str, content: Any, more: Any) -> None:
    tells({**event(content, kind=kind), **more}, 0, ROOM)


def test_what_a_room_is_about_is_told_from_then_on() -> None:
    assert told({"topic": "plans"}, kind="m.room.topic", state_key="") == Described("plans", 1_700_000_000_000)


def test_a_message_that_was_shown_under_a_former_id_of_the_channel_is_one_of_it() -> None:
    content = {"msgtype": "m.text", "body": "x", "dev.causeway.slack": {**SOURCE, "channel": "C0OLD"}}
    assert isinstance(tells(event(content), 1, ROOM), Stray)
    former = Room(TEAM, CHANNEL, NAMES, who, frozenset([ChannelId("C0OLD")]))
    assert isinstance(tells(event(content), 1, former), ShownMessage)
