from __future__ import annotations

import orjson
import pytest

from bridge.slack.wire import parsed, storable


def test_an_object_is_read_as_it_is() -> None:
    assert parsed('{"a": ["\\ud83d\\ude00", 1, null]}') == {"a": ["😀", 1, None]}
    assert parsed(b'{"a": 1}') == {"a": 1}


def test_half_a_surrogate_pair_does_not_cost_the_message() -> None:
    data = parsed('{"text": "cut \\ud83d", "deep": [{"\\udc00": 1}]}')
    assert data == {"text": "cut ?", "deep": [{"?": 1}]}
    assert orjson.dumps(storable({"text": "\ud83d"})) == b'{"text":"?"}'


@pytest.mark.parametrize("text", ["", "[1]", "null", "{", "NaN", b"\xff\xfe", "[" * 100_000])
def test_anything_else_is_nothing(text: str | bytes) -> None:
    assert parsed(text) is None
