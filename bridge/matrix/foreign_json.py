"""JSON as foreign servers write it.

One bad character in one event must not make a whole transaction or page unreadable, for the homeserver would repeat it
for ever. What is returned can be written as UTF-8 again.
"""

from __future__ import annotations

import re

import orjson

_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a surrogate pair: one good character
    rb"|(u[dD][89a-fA-F][0-9a-fA-F]{2})"  # half a pair: no character at all
    rb"|.)",
    re.DOTALL,
)


def parse(body: bytes) -> object:
    """Return the JSON value, with U+FFFD for what is no character; raises ValueError where there is no value."""
    try:
        return orjson.loads(body)
    except ValueError:
        mended = _ESCAPE.sub(_replace_half, body.decode("utf-8", "replace").encode())
        return orjson.loads(mended)


def _replace_half(escape: re.Match[bytes]) -> bytes:
    return rb"\ufffd" if escape[1] else escape[0]
