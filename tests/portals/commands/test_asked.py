"""What is said to the bot, and what only looks so."""

from __future__ import annotations

from typing import Any

import pytest

from portals.actions import STAMP
from portals.commands.asked import is_addressed, words_alone, words_of
from portals.events import MatrixMessage
from portals.reading.matrix import read

PREFIX = "!slack"
EDIT = {"m.relates_to": {"rel_type": "m.replace", "event_id": "$a"}}
ANSWER = {"m.relates_to": {"m.in_reply_to": {"event_id": "$a"}}}


def event(body: str, **content: Any) -> dict[str, Any]:
    told = {"msgtype": "m.text", "body": body, **content}
    return {"type": "m.room.message", "room_id": "!r", "event_id": "$e", "sender": "@a:b", "content": told}


def message(body: str, **content: Any) -> MatrixMessage:
    found = read(event(body, **content), "matrix:$e")
    assert isinstance(found, MatrixMessage)
    return found


@pytest.mark.parametrize(
    ("body", "content", "words"),
    [
        ("!slack pause", {}, "pause"),
        ("  !Slack\tpause #a ", {}, "pause #a"),
        ("!slack", {}, ""),
        ("!slackers unite", {}, None),
        ("say !slack pause", {}, None),
        ("> <@x:y> said\n\n!slack pause", ANSWER, "pause"),
        ("> <@x:y> said\n\n!slack pause", {}, None),
        ("!slack pause", {"msgtype": "m.notice"}, None),
        ("!slack pause", {"msgtype": "m.emote"}, None),
        ("!slack pause", {STAMP: "cwabc"}, None),
    ],
)
def test_the_prefix_makes_a_command(body: str, content: dict[str, Any], words: str | None) -> None:
    assert words_of(message(body, **content), PREFIX) == words
    assert is_addressed(event(body, **content), PREFIX) is (words is not None)


def test_an_edit_is_no_command() -> None:
    inside = {"m.new_content": {"msgtype": "m.text", "body": "!slack pause"}}
    assert words_of(message("!slack pause", **EDIT, **inside), PREFIX) is None
    assert words_alone(message("pause", **EDIT, **inside)) is None
    assert not is_addressed(event("!slack pause", **EDIT), PREFIX)


def test_alone_with_the_bot_everything_typed_is_a_command() -> None:
    assert words_alone(message(" pause ")) == "pause"
    assert words_alone(message("> <@x:y> a\n> b", **ANSWER)) is None
    assert words_alone(message("pause", msgtype="m.notice")) is None


def test_states_and_other_events_are_no_commands() -> None:
    assert not is_addressed({**event("!slack pause"), "state_key": ""}, PREFIX)
    assert not is_addressed({**event("!slack pause"), "type": "m.sticker"}, PREFIX)
    assert not is_addressed({"type": "m.room.message", "content": None}, PREFIX)


def test_what_is_encrypted_is_not_read() -> None:
    sealed = read({**event("!slack pause"), "type": "m.room.encrypted"}, "matrix:$e")
    assert isinstance(sealed, MatrixMessage)
    assert words_of(sealed, PREFIX) is None
    assert words_alone(sealed) is None
