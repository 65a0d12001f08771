"""`causeway preview` needs nothing but its files, prints JSON alone, and answers any file with words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.bridge.cli.conftest import Causeway

MESSAGE = {"type": "message", "channel": "C1", "user": "U1", "ts": "1700000001.000100", "text": "Hi <@U2> in <#C2>"}
PERSON = {"id": "U2", "name": "bob", "profile": {"display_name": "Bob"}}


def written(path: Path, value: object) -> Path:
    path.write_text(json.dumps(value))
    return path


def test_a_message_becomes_an_event_with_the_names_and_ids_of_the_files(causeway: Causeway, tmp_path: Path) -> None:
    people = written(tmp_path / "users.json", [PERSON])
    users = written(tmp_path / "user-map.json", {"U2": "@bob:example.com"})
    rooms = written(tmp_path / "room-map.json", {"#two:example.com": "C2", "C1": "!one:example.com"})
    file = written(tmp_path / "message.json", MESSAGE)
    said = causeway("preview", "to-matrix", file, "--people", people, "--user-map", users, "--room-map", rooms)
    (event,) = said.data
    assert event["type"] == "m.room.message"
    assert event["content"]["body"] == "Hi Bob in #two"
    assert event["content"]["m.mentions"] == {"user_ids": ["@bob:example.com"]}
    assert said.err == ""
    assert causeway("preview", "to-matrix", "--json", file, "--people", people).data[0]["content"]["body"]


def test_an_answer_of_users_list_names_people_too(causeway: Causeway, tmp_path: Path) -> None:
    people = written(tmp_path / "users.json", {"ok": True, "members": [PERSON, "rubbish", {"id": 5}]})
    file = written(tmp_path / "message.json", [MESSAGE])
    (event,) = causeway("preview", "to-matrix", file, "--people", people).data
    assert event["content"]["body"].startswith("Hi Bob in ")


def test_an_event_from_standard_input_becomes_a_call(causeway: Causeway, tmp_path: Path) -> None:
    html = '<a href="https://matrix.to/#/@bob:example.com">Bob</a>'
    content = {"msgtype": "m.text", "body": "Bob", "format": "org.matrix.custom.html", "formatted_body": html}
    users = written(tmp_path / "user-map.json", {"@bob:example.com": "U2"})
    (call,) = causeway("preview", "to-slack", "-", "--user-map", users, answers=json.dumps(content)).data
    assert (call["method"], call["args"]["text"]) == ("chat.postMessage", "<@U2>")


def test_what_one_direction_prints_the_other_takes(causeway: Causeway, tmp_path: Path) -> None:
    reply = {**MESSAGE, "ts": "1700000002.000100", "thread_ts": MESSAGE["ts"], "text": "yes"}
    there = causeway("preview", "to-matrix", written(tmp_path / "messages.json", [MESSAGE, reply]))
    first, second = causeway("preview", "to-slack", "-", answers=there.out).data
    assert (first["method"], second["args"]["thread_ts"]) == ("chat.postMessage", "1.000000")


@pytest.mark.parametrize("direction", ["to-matrix", "to-slack"])
@pytest.mark.parametrize("given", ["5", "null", "[]", "{}", '[1, "x", {"type": 7}]', '{"event": []}'])
def test_json_that_is_no_message_shows_nothing(causeway: Causeway, direction: str, given: str) -> None:
    said = causeway("preview", direction, "-", answers=given)
    assert said.data == []
    assert ("shows nothing" in said.err) == (given != "[]")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("", "standard input is no JSON: Expecting value at line 1, column 1"),
        ('{"a":\n 1,}', "at line 2"),
        ("[" * 100_000, "standard input cannot be read"),
        ("9" * 10_000, "standard input cannot be read"),
    ],
)
def test_what_is_no_json_is_told_with_its_place(causeway: Causeway, given: str, words: str) -> None:
    assert words in causeway("preview", "to-matrix", "-", answers=given, code=1).err


def test_bytes_that_are_no_text_are_no_json(causeway: Causeway, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_bytes(b'"\xff\xff"')
    assert "is no UTF-8 text" in causeway("preview", "to-slack", tmp_path / "x.json", code=1).err


def test_half_a_character_and_what_a_terminal_obeys_are_printed_as_json_escapes(causeway: Causeway) -> None:
    given = json.dumps({**MESSAGE, "text": "a \ud800 b \x9b31m c \u202e d"})
    said = causeway("preview", "to-matrix", "-", answers=given)
    assert not {"\x9b", "\u202e"} & set(said.out)
    assert said.data[0]["content"]["body"].startswith("a ")


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--room-map", [], "no JSON object of Slack ids and Matrix ids"),
        ("--room-map", {"general": "!a:b"}, '"general" is no Slack id'),
        ("--room-map", {"C1": "general"}, '"general", beside C1, is not a room id or alias'),
        ("--user-map", {"U1": 5}, "5, beside U1, is not a Matrix user id"),
        ("--people", {"ok": False}, "neither a list of users nor an answer of users.list"),
    ],
)
def test_a_file_of_another_kind_is_refused(
    causeway: Causeway, tmp_path: Path, option: str, value: object, words: str
) -> None:
    file = written(tmp_path / "map.json", value)
    assert words in causeway("preview", "to-matrix", "-", option, file, answers="[]", code=1).err


def test_a_file_that_is_not_there_is_a_misuse(causeway: Causeway, tmp_path: Path) -> None:
    assert "does not exist" in causeway("preview", "to-matrix", tmp_path / "none.json", code=2).err
