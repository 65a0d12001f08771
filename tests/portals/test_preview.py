"""A preview shows what the bridge would send, knows what stands before in its list, and takes any JSON."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.settings import Appservice
from portals.facts import Person
from portals.ids import ChannelId, MatrixUserId, RoomId, SlackUserId
from portals.preview import Known, Preview, ghost_names, preview_to_matrix, preview_to_slack

ANN, BOB = SlackUserId("U1"), SlackUserId("U2")
HTTPS = "https://matrix.to/#/"
KNOWN = Known(
    people={user: Person(user, name, MatrixUserId("@x:y")) for user, name in ((ANN, "Ann"), (BOB, "Bob"))},
    rooms={ChannelId("C1"): RoomId("!one:example.com"), ChannelId("C2"): RoomId("#two:example.com")},
    users={BOB: MatrixUserId("@bob:example.com"), SlackUserId("U3"): MatrixUserId("@eve:example.com")},
)


def message(second: int, text: str, **more: Any) -> dict[str, Any]:
    return {"type": "message", "channel": "C1", "user": "U1", "ts": f"170000000{second}.000100", "text": text, **more}


def event(name: str, kind: str = "m.room.message", **more: Any) -> dict[str, Any]:
    whole = {"type": kind, "room_id": "!one:example.com", "event_id": f"${name}", "sender": "@carol:example.com"}
    return {**whole, "content": {"msgtype": "m.text", "body": name}, **more}


def relation(kind: str, target: str, **more: Any) -> dict[str, Any]:
    return {"content": {"m.relates_to": {"rel_type": kind, "event_id": target, **more}, **more.pop("content", {})}}


def contents(seen: Preview) -> list[dict[str, Any]]:
    return [shown["content"] for shown in seen.shown]


def calls(seen: Preview) -> list[tuple[str, dict[str, Any]]]:
    return [(shown["method"], shown["args"]) for shown in seen.shown]


# --- to Matrix


def test_a_message_is_shown_without_the_stamp() -> None:
    assert preview_to_matrix([message(1, "hi")], Known()) == Preview(
        [{"type": "m.room.message", "content": {"msgtype": "m.text", "body": "hi", "m.mentions": {}}}], []
    )


@pytest.mark.parametrize(
    "form",
    [
        {"ts": "1.000100", "user": "U1", "text": "hi"},
        message(1, "hi"),
        {"event": message(1, "hi")},
        {"type": "event_callback", "team_id": "T1", "event": message(1, "hi")},
        {"type": "events_api", "envelope_id": "e", "payload": {"type": "event_callback", "event": message(1, "hi")}},
    ],
)
def test_every_form_of_a_message_is_taken(form: dict[str, Any]) -> None:
    (content,) = contents(preview_to_matrix([form], Known()))
    assert content["body"] == "hi"


@pytest.mark.parametrize("form", [{"type": "event_callback"}, {"type": "event_callback", "event": "x"}, {}, 5, None])
def test_what_is_no_message_has_a_note(form: object) -> None:
    seen = preview_to_matrix([form], Known())
    assert (seen.shown, len(seen.notes)) == ([], 1)


def test_people_are_mentioned_by_their_own_id_or_by_their_ghosts() -> None:
    seen = preview_to_matrix([message(1, "<@U1> <@U2> <@U3> <@U4|dan>", team="T1")], KNOWN)
    (content,) = contents(seen)
    assert content["body"] == "Ann Bob eve @dan"
    assert content["m.mentions"] == {"user_ids": ["@slack_t1_u1:example.com", "@bob:example.com", "@eve:example.com"]}


def test_channels_are_mentioned_by_their_rooms() -> None:
    (content,) = contents(preview_to_matrix([message(1, "<#C1|one> <#C2> <#C3|three>")], KNOWN))
    assert content["body"] == "#one #two #three"
    assert f"{HTTPS}!one:example.com" in content["formatted_body"]
    assert f"{HTTPS}#two:example.com" in content["formatted_body"]


def test_what_follows_finds_the_message_before_it() -> None:
    item = {"type": "message", "channel": "C1", "ts": "1700000001.000100"}
    edited = {**message(1, "two"), "edited": {"user": "U1", "ts": "1700000003.000000"}}
    seen = preview_to_matrix(
        [
            message(1, "one"),
            message(2, "reply", thread_ts="1700000001.000100"),
            {"type": "reaction_added", "user": "U2", "reaction": "tada", "item": item},
            {"type": "message", "subtype": "message_changed", "channel": "C1", "ts": "1700000003.0", "message": edited},
            {"type": "reaction_removed", "user": "U2", "reaction": "tada", "item": item},
            message(4, "more", thread_ts="1700000001.000100"),
            {"type": "message", "subtype": "message_deleted", "channel": "C1", "deleted_ts": "1700000001.000100"},
        ],
        KNOWN,
    )
    assert seen.notes == []
    assert [shown["type"] for shown in seen.shown] == [
        "m.room.message",
        "m.room.message",
        "m.reaction",
        "m.room.message",
        "m.room.redaction",
        "m.room.message",
        "m.room.redaction",
    ]
    _, reply, reaction, edit, unreaction, more, deletion = contents(seen)
    assert reply["m.relates_to"]["event_id"] == "$preview1"
    assert reaction["m.relates_to"] == {"rel_type": "m.annotation", "event_id": "$preview1", "key": "🎉"}
    assert edit["m.new_content"]["body"] == "two"
    assert edit["m.relates_to"] == {"rel_type": "m.replace", "event_id": "$preview1"}
    assert unreaction == {"redacts": "$preview3"}
    assert more["m.relates_to"]["m.in_reply_to"] == {"event_id": "$preview2"}
    assert deletion == {"redacts": "$preview1"}


def test_messages_find_each_other_only_in_their_channel() -> None:
    item = {"type": "message", "channel": "C2", "ts": "1700000001.000100"}
    seen = preview_to_matrix(
        [message(1, "one"), {"type": "reaction_added", "user": "U2", "reaction": "tada", "item": item}], KNOWN
    )
    assert len(seen.shown) == 1
    assert seen.notes == ["message 2 shows nothing: a reaction to a message that is not mirrored"]


def test_what_was_deleted_or_shown_is_not_shown_again() -> None:
    gone = {"type": "message", "subtype": "message_deleted", "channel": "C1", "deleted_ts": "1700000001.000100"}
    seen = preview_to_matrix([gone, message(1, "late"), message(2, "x"), message(2, "x")], KNOWN)
    assert [content["body"] for content in contents(seen)] == ["x"]
    assert [note.partition(": ")[2] for note in seen.notes] == [
        "only the bridge's records change",
        "a message that was deleted",
        "shown already",
    ]


def test_a_file_shows_with_an_address_of_its_own_and_goes_with_its_message() -> None:
    file = {"id": "F1", "name": "a.png", "mimetype": "image/png", "size": 5, "url_private": "https://files/x"}
    without = {**message(1, "look"), "edited": {"user": "U1", "ts": "1700000003.000000"}, "files": []}
    change = {"type": "message", "subtype": "message_changed", "channel": "C1", "message": without}
    seen = preview_to_matrix([message(1, "look", files=[file]), change], KNOWN)
    assert contents(seen)[1] == {
        "msgtype": "m.image",
        "body": "a.png",
        "filename": "a.png",
        "info": {"mimetype": "image/png", "size": 5},
        "m.mentions": {},
        "url": "mxc://preview/F1",
    }


def test_a_bot_is_named_where_its_message_bears_another_name() -> None:
    plain = {**message(1, "done"), "bot_id": "B1", "bot_profile": {"id": "B1", "name": "Build"}}
    del plain["user"]
    named = {**plain, "ts": "1700000002.000100", "username": "Release"}
    first, second = contents(preview_to_matrix([plain, named], Known()))
    assert "com.beeper.per_message_profile" not in first
    assert second["com.beeper.per_message_profile"]["displayname"] == "Release"


def test_members_and_channels_change_the_room() -> None:
    seen = preview_to_matrix(
        [
            {"type": "member_joined_channel", "channel": "C1", "user": "U1", "team": "T1"},
            {"type": "member_left_channel", "channel": "C1", "user": "U1", "team": "T1"},
            {"type": "channel_rename", "channel": {"id": "C1", "name": "new"}},
        ],
        KNOWN,
    )
    ghost = "@slack_t1_u1:example.com"
    assert seen.shown == [
        {"type": "m.room.member", "state_key": ghost, "content": {"membership": "join"}},
        {"type": "m.room.member", "state_key": ghost, "content": {"membership": "leave"}},
        {"type": "m.room.name", "state_key": "", "content": {"name": "#new"}},
    ]


def test_a_link_leads_to_the_room_that_is_known_and_to_a_message_that_stands_before() -> None:
    place = "https://acme.slack.com/archives"
    links = [f"{place}/C1{name}" for name in ("", "/p1700000001000100", "/p1700000009000100")] + [f"{place}/C9"]
    said = " ".join(f"<{link}>" for link in links)
    seen = preview_to_matrix([message(1, "one"), message(2, said)], KNOWN)
    words = contents(seen)[1]["body"].split()
    to_room = "https://matrix.to/#/!one:example.com"
    assert words[:2] == [f"{to_room}?via=example.com", f"{to_room}/$preview1?via=example.com"]
    assert words[2:] == links[2:]


def test_what_happens_to_a_channel_is_shown_as_the_states_of_its_room() -> None:
    pin = {"type": "pin_added", "channel_id": "C1", "item": {"message": {"ts": "1700000001.000100"}}}
    given = [
        message(1, "one"),
        {**message(2, ""), "subtype": "channel_topic", "topic": "Tea"},
        pin,
        {**pin, "type": "pin_removed"},
        {"type": "channel_archive", "channel": "C1"},
        {"type": "member_joined_channel", "channel": "C1", "user": "U1"},
    ]
    shown = preview_to_matrix(given, KNOWN).shown[1:]
    states = [(one["type"], one.get("state_key"), one["content"]) for one in shown]
    assert states[:4] == [
        ("m.room.topic", "", {"topic": "Tea"}),
        ("m.room.pinned_events", "", {"pinned": ["$preview1"]}),
        ("m.room.pinned_events", "", {"pinned": []}),
        ("m.room.power_levels", "", {"events_default": 50}),
    ]
    assert states[-1][::2] == ("m.room.member", {"membership": "join"})


def test_a_picture_is_shown_with_its_thumbnail() -> None:
    file = {"id": "F1", "name": "a.png", "mimetype": "image/png", "size": 3, "url_private": "https://x/a.png"}
    thumbnail = {"original_w": 2000, "thumb_720": "https://x/t.png", "thumb_720_w": 720, "thumb_720_h": 720}
    (content,) = contents(preview_to_matrix([message(1, "", files=[file | thumbnail])], KNOWN))
    assert content["info"]["thumbnail_url"] == "mxc://preview/F1-thumbnail"


# --- to Slack


def test_an_event_or_its_content_alone_is_taken() -> None:
    known = Known(rooms={ChannelId("C1"): RoomId("!one:example.com")})
    for form in (event("a"), {"type": "m.room.message", "content": {"msgtype": "m.text", "body": "a"}}):
        ((method, args),) = calls(preview_to_slack([form], known))
        assert (method, args["channel"], args["text"]) == ("chat.postMessage", "C1", "a")
        assert args["blocks"][0]["type"] == "rich_text"
    ((_, args),) = calls(preview_to_slack([{"msgtype": "m.text", "body": "a"}], Known()))
    assert (args["channel"], args["username"]) == ("CPREVIEW", "somebody")


def test_mentions_go_back_to_slack() -> None:
    who = {"@bob:example.com": "bob", "@slack_t1_u1:example.com": "Ann", "@dan:example.com": "Dan"}
    places = {"#two:example.com": "two", "!other:example.com": "other"}
    html = " ".join(f'<a href="{HTTPS}{target}">{label}</a>' for target, label in (who | places).items())
    said = {
        "msgtype": "m.text",
        "body": "…",
        "format": "org.matrix.custom.html",
        "formatted_body": html,
        "m.mentions": {"user_ids": list(who)},
    }
    ((_, args),) = calls(preview_to_slack([event("a", content=said)], KNOWN))
    assert args["text"].startswith("<@U2> <@U1> @Dan <#C2> ")


def test_what_follows_finds_the_event_before_it() -> None:
    text = {"msgtype": "m.text", "body": "* two", "m.new_content": {"msgtype": "m.text", "body": "two"}}
    replace, thread = ({"rel_type": kind, "event_id": "$one"} for kind in ("m.replace", "m.thread"))
    picture = {"msgtype": "m.image", "body": "a.png", "url": "mxc://example.com/a", "m.relates_to": thread}
    annotation = {"m.relates_to": {"rel_type": "m.annotation", "event_id": "$one", "key": "👍"}}
    joined = {"membership": "join", "displayname": "Carol C"}
    seen = preview_to_slack(
        [
            event("join", "m.room.member", state_key="@carol:example.com", content=joined),
            event("one"),
            event("file", content=picture),
            event("edit", content={**text, "m.relates_to": replace}),
            event("reaction", "m.reaction", content=annotation),
            event("unreaction", "m.room.redaction", redacts="$reaction", content={}),
            event("redaction", "m.room.redaction", redacts="$one", content={}),
        ],
        KNOWN,
    )
    assert seen.notes == ["message 1 shows nothing: memberships of Matrix people are not shown in Slack"]
    (post, upload, update, react, unreact, delete) = calls(seen)
    assert (post[0], post[1]["username"]) == ("chat.postMessage", "Carol C")
    assert upload == (
        "files.completeUploadExternal",
        {
            "channel_id": "C1",
            "files": [{"id": "FPREVIEW", "title": "a.png", "filename": "a.png"}],
            "blocks": [
                {
                    "type": "rich_text",
                    "elements": [
                        {"type": "rich_text_section", "elements": [{"type": "text", "text": "Carol C:"}]},
                    ],
                }
            ],
            "thread_ts": "1.000000",
        },
    )
    assert (update[0], update[1]["ts"], update[1]["text"]) == ("chat.update", "1.000000", "two")
    assert react == ("reactions.add", {"channel": "C1", "timestamp": "1.000000", "name": "+1"})
    assert unreact == ("reactions.remove", {"channel": "C1", "timestamp": "1.000000", "name": "+1"})
    assert delete == ("chat.delete", {"channel": "C1", "ts": "1.000000"})


def test_pins_and_topics_are_calls_too() -> None:
    pinned = {"pinned": ["$a"]}
    seen = preview_to_slack(
        [
            event("a"),
            event("b", "m.room.pinned_events", state_key="", content=pinned),
            event("c", "m.room.pinned_events", state_key="", content={}, unsigned={"prev_content": pinned}),
            event("d", "m.room.topic", state_key="", content={"topic": "Tea"}),
        ],
        KNOWN,
    )
    assert calls(seen)[1:] == [
        ("pins.add", {"channel": "C1", "timestamp": "1.000000"}),
        ("pins.remove", {"channel": "C1", "timestamp": "1.000000"}),
        ("conversations.setTopic", {"channel": "C1", "topic": "Tea"}),
    ]


def test_what_refers_to_nothing_shows_nothing_and_says_why() -> None:
    annotation = {"m.relates_to": {"rel_type": "m.annotation", "event_id": "$none", "key": "👍"}}
    seen = preview_to_slack(
        [
            event("a", "m.reaction", content=annotation),
            event("b", "m.room.redaction", redacts="$none", content={}),
            event("c", content={"msgtype": "m.text", "body": "* x", "m.relates_to": {"rel_type": "m.replace"}}),
            event("d", "m.room.encrypted", content={"algorithm": "m.megolm.v1.aes-sha2"}),
            event("e", sender="@slack_t1_u1:example.com"),
            event("f", "m.room.name", state_key="", content={"name": "x"}),
        ],
        KNOWN,
    )
    assert seen.shown == []
    assert len(seen.notes) == 6


def test_ghosts_are_named_as_a_configuration_names_them_by_default() -> None:
    names, fields = ghost_names("example.org"), Appservice.model_fields
    assert names.bot_localpart == fields["bot_localpart"].default
    assert names.ghost_template == fields["ghost_localpart"].default
    assert names.alias_template == fields["alias_localpart"].default


# --- anything

KEYS = st.sampled_from(
    [
        "type",
        "event",
        "payload",
        "event_id",
        "team_id",
        "channel",
        "ts",
        "user",
        "text",
        "thread_ts",
        "subtype",
        "message",
        "blocks",
        "elements",
        "files",
        "item",
        "attachments",
        "reaction",
        "bot_id",
        "bot_profile",
        "name",
        "edited",
        "deleted_ts",
        "room_id",
        "sender",
        "state_key",
        "redacts",
        "content",
        "msgtype",
        "body",
        "format",
        "formatted_body",
        "m.relates_to",
        "rel_type",
        "m.new_content",
        "m.mentions",
        "url",
        "info",
        "size",
        "id",
        "url_private",
    ]
)
WORDS = st.sampled_from(
    [
        "message",
        "reaction_added",
        "message_changed",
        "message_deleted",
        "member_joined_channel",
        "channel_rename",
        "C1",
        "U1",
        "T1",
        "B1",
        "F1",
        "1700000001.000100",
        "m.room.message",
        "m.reaction",
        "m.room.redaction",
        "m.room.member",
        "m.text",
        "m.image",
        "mxc://a/b",
        "m.replace",
        "m.thread",
        "m.annotation",
        "$a",
        "rich_text",
        "rich_text_section",
        "section",
    ]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | WORDS
RUBBISH = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=6), max_leaves=25
)
MESSAGES = st.fixed_dictionaries({"type": st.just("message"), "ts": st.just("1.000100")}, optional={}).flatmap(
    lambda base: st.dictionaries(KEYS, RUBBISH, max_size=8).map(lambda more: {"channel": "C1", **more, **base})
)
EVENTS = st.dictionaries(KEYS, RUBBISH, max_size=8).map(lambda content: event("a", content=content))


@given(st.lists(RUBBISH | MESSAGES, max_size=4))
def test_any_json_is_taken_for_matrix(items: list[Any]) -> None:
    preview_to_matrix(items, KNOWN)


@given(st.lists(RUBBISH | EVENTS, max_size=4))
def test_any_json_is_taken_for_slack(items: list[Any]) -> None:
    preview_to_slack(items, KNOWN)
