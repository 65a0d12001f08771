"""A JSON list is read whatever its size and encoding, and what is none is told, with the place of the damage."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.exports.limits import LIMITS, Unreadable
from bridge.exports.lists import document, parts_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.exports.limits import Limits

LONG = replace(LIMITS, at_once=16, one_record=400)
"""With these, nearly every list is a long one."""


def pieces(raw: bytes, size: int = 7) -> Iterator[bytes]:
    return (raw[at : at + size] for at in range(0, len(raw), size))


def read(raw: bytes, limits: Limits = LIMITS) -> list[object]:
    return [value for part in parts_of(pieces(raw), len(raw), limits) for value in part.values]


def read_up_to_damage(raw: bytes, limits: Limits) -> tuple[list[object], str]:
    found: list[object] = []
    try:
        for part in parts_of(pieces(raw), len(raw), limits):
            found += part.values
    except Unreadable as refused:
        return found, refused.what
    return found, ""


def notes(raw: bytes, limits: Limits = LIMITS) -> set[str]:
    return {note for part in parts_of(pieces(raw), len(raw), limits) for note in part.notes}


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
)
VALUES = st.lists(
    SCALARS | st.lists(SCALARS) | st.dictionaries(st.sampled_from(["ts", "ä", '"\\']), SCALARS), max_size=6
)


@pytest.mark.parametrize("limits", [LIMITS, LONG])
@pytest.mark.parametrize("indent", [None, 4])
@given(values=VALUES)
def test_a_list_is_read_whole_or_in_parts_alike(limits: Limits, indent: int | None, values: list[object]) -> None:
    raw = json.dumps(values, ensure_ascii=False, indent=indent).encode()
    assert read(raw, replace(limits, one_record=LIMITS.one_record)) == values


def test_parts_tell_where_they_begin() -> None:
    raw = json.dumps([{"n": number} for number in range(50)]).encode()
    found = list(parts_of(pieces(raw), len(raw), LONG))
    assert len(found) > 5
    assert [value for part in found for value in part.values] == [{"n": number} for number in range(50)]
    assert [part.first for part in found] == [sum(len(one.values) for one in found[:n]) for n in range(len(found))]


@pytest.mark.parametrize("limits", [LIMITS, LONG])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_other_encodings_are_told_by_their_first_bytes(encoding: str, limits: Limits) -> None:
    values = [{"text": "größer 😀"}, {"text": "als früher"}]
    raw = json.dumps(values, ensure_ascii=False).encode(encoding)
    assert (read(raw, limits), notes(raw, limits)) == (values, set())


@pytest.mark.parametrize("limits", [LIMITS, LONG])
def test_what_is_not_utf_8_at_all_is_read_as_windows_1252_and_told(limits: Limits) -> None:
    raw = '[{"text": "größer – als früher"}]'.encode("cp1252")
    if limits is LIMITS:
        assert read(raw, limits) == [{"text": "größer – als früher"}]
    assert any("Windows-1252" in note for note in notes(raw, limits))


@pytest.mark.parametrize("limits", [LIMITS, LONG])
def test_single_bytes_that_are_no_utf_8_do_not_spoil_the_rest(limits: Limits) -> None:
    raw = '[{"text": "größer'.encode() + b"\xc3" + '"}, {"text": "früher"}]'.encode()
    assert read(raw, limits) == [{"text": "größer\N{REPLACEMENT CHARACTER}"}, {"text": "früher"}]
    assert notes(raw, limits) == {"holds bytes that are no UTF-8: each shows as \N{REPLACEMENT CHARACTER}"}


@pytest.mark.parametrize("limits", [LIMITS, LONG])
def test_half_a_character_becomes_a_question_mark(limits: Limits) -> None:
    assert read(b'[{"text": "a \\ud83d b \\u0000"}]', limits) == [{"text": "a ? b \0"}]


@pytest.mark.parametrize("limits", [LIMITS, LONG])
def test_numbers_that_are_none_are_nothing(limits: Limits) -> None:
    assert read(b'[{"a": NaN, "b": 123456}]', limits) == [{"a": None, "b": 123456}]


@pytest.mark.parametrize(
    ("raw", "what"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b'{"ok": true}', "holds no list"),
        (b'"text"', "holds no list"),
        (b"[1,", "is no JSON: Expecting value (line 1, column 4)"),
        (b"[1, 2] 3", "is no JSON: Extra data"),
        (b"\x89PNG\r\n\x1a\n", "is no JSON"),
        (b"[" * 100_000 + b"]" * 100_000, "nests too deeply"),
        (b"[" + b"9" * 10_000 + b"]", "endless numbers"),
        (b"\xff\xfe[\x00]\x00\x00", "is no text in UTF-16-LE"),
    ],
)
def test_a_short_file_is_read_whole_or_not_at_all(raw: bytes, what: str) -> None:
    with pytest.raises(Unreadable) as refused:
        read(raw)
    assert what in refused.value.what


@pytest.mark.parametrize(
    ("raw", "values", "what"),
    [
        (b'{"ok": true, "messages": []}', [], "holds no list"),
        (b"[1111, 2222, 3333, 4444, 5555, ", [1111, 2222, 3333], "from its value 5 on"),
        (b"[1111, 2222, 3333, 4444 5555]   ", [1111, 2222, 3333], "behind its value 3"),
        (b"[1111, 2222, 3333] and what follows", [1111, 2222, 3333], "behind the end of its list"),
        (b"[1111, 2222, 3333, x" + b" " * 900, [1111, 2222, 3333], "from its value 3 on"),
        (b"[1111, 2222, 3333, " + b"9" * 9_000, [1111, 2222, 3333], "too long as value 3"),
        (b"[1111, 2222, 3333, " + b"[" * 300_000, [1111, 2222, 3333], "value 3"),
        (
            b"\xff\xfe[\x001\x00,\x001\x00,\x001\x00,\x001\x00,\x001\x00,\x001\x00,\x00\x00",
            [],
            "no text in the encoding",
        ),
    ],
)
def test_of_a_long_file_what_stands_in_front_of_the_damage_is_read(raw: bytes, values: list[int], what: str) -> None:
    found, refused = read_up_to_damage(raw, LONG)
    assert found == values
    assert what in refused


def test_what_nests_too_deeply_for_a_parser_is_told() -> None:
    raw = b"[1, 2, " + b"[" * 50_000 + b"]" * 50_000 + b"]"
    found, refused = read_up_to_damage(raw, replace(LONG, one_record=LIMITS.one_record))
    assert (found, "deep" in refused) == ([], True)


@pytest.mark.parametrize("limits", [LIMITS, replace(LIMITS, at_once=16)])
@pytest.mark.parametrize("opening", ["[", '{"a":'])
@pytest.mark.parametrize("depth", [101, 200, 300, 900])
def test_whatever_is_given_can_be_written_again(limits: Limits, opening: str, depth: int) -> None:
    deep = f"{opening * depth}1{(']' if opening == '[' else '}') * depth}"
    raw = f'[{{"text": "before"}}, {{"text": "x", "blocks": {deep}}}, {{"text": "behind"}}]'.encode()
    found = read(raw, limits)
    orjson.dumps([[[found]]])
    assert [one["text"] for one in found if isinstance(one, dict)] == ["before", "x", "behind"]
    assert any("nests deeper" in note for note in notes(raw, limits)) is (depth > 200)


def test_an_empty_list_is_one_however_long_its_file_is() -> None:
    assert read(b"[" + b" " * 100 + b"]", LONG) == []


def test_a_whole_document_may_be_any_value() -> None:
    assert document(b'{"emoji": {}}') == ({"emoji": {}}, ())


@pytest.mark.parametrize("limits", [LIMITS, LONG])
@given(raw=st.binary(max_size=200) | st.text(alphabet='[]{}",:\\u0 \n1aé', max_size=60).map(str.encode))
def test_no_bytes_raise_anything_else(limits: Limits, raw: bytes) -> None:
    read_up_to_damage(raw, limits)
