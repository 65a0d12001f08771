"""JSON as foreign servers write it."""

from __future__ import annotations

import orjson
import pytest

from bridge.matrix.foreign_json import parse


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (rb'{"body": "half \ud83d a pair"}', {"body": "half � a pair"}),
        (rb'{"body": "other \udE00 half"}', {"body": "other � half"}),
        (rb'{"body": "\ud83d\ude00 \ud83d"}', {"body": "\U0001f600 �"}),
        (rb'{"body": "\\ud83d is text, \ud83d is not"}', {"body": "\\ud83d is text, � is not"}),
        (b'{"body": "no \xff UTF-8"}', {"body": "no � UTF-8"}),
    ],
)
def test_one_bad_character_makes_no_page_unreadable(body: bytes, value: object) -> None:
    assert parse(body) == value
    orjson.dumps(parse(body))


@pytest.mark.parametrize("body", [b"", b"{", b'{"a": NaN}', b"[" * 5000 + b"]" * 5000])
def test_what_is_no_json_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError, match="line 1"):
        parse(body)
