"""New inputs from old ones: values of JSON are exchanged for others, and bytes for worse ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

LARGEST = 40_000
"""Bytes; an input does not grow beyond it."""

NASTY: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 2**63 - 1, -(2**63), 1e308, 0.1, "", " ", "\0", "\ud800", "\u202e", "\r\n", "a" * 5000),
    *("<!channel>", "@room", "<@U1|x>", "<script>alert(1)</script>", "javascript:alert(1)", "../../etc/passwd"),
    *("1700000000.000100", "9" * 40, "T1", "C1", "U1", "F1", "$e:hs", "!r:hs", "@slack_t1_u1:hs", "mxc://hs/x"),
    *([], {}, [None], [[[[]]]], {"": ""}, {"text": {"text": {}}}, ["x"] * 200),
)
PIECES: tuple[bytes, ...] = (
    *(
        b"*",
        b"_",
        b"~",
        b"`",
        b"```",
        b"> ",
        b"<",
        b">",
        b"&",
        b"&lt;",
        b"|",
        b":",
        b"\n",
        b"\0",
        b"\xff",
        b"\xed\xa0\x80",
    ),
    *(b"<@U1>", b"<!here>", b"<#C1|x>", b"<https://x|y>", b":+1::skin-tone-6:", b"<!date^1^{date}|x>", b"<b>", b"</b>"),
    *(
        b"<a href='",
        b"<table>",
        b"<ul><li>",
        b"<mx-reply>",
        b"<!--",
        b"<![CDATA[",
        b"https://matrix.to/#/@a:b",
        b"@room",
    ),
    *(
        b"{",
        b"}",
        b"[",
        b"]",
        b'"',
        b",",
        b"\\",
        b"- ",
        b": ",
        b"&a ",
        b"*a",
        b"!!",
        b"!slack ",
        b"#general",
        b"PK\x03\x04",
    ),
    *("👩‍👩‍👧".encode(), "ﷺ".encode(), "\u202e".encode(), "ǅ".encode()),
)


def mutated(data: bytes, others: Sequence[bytes], chance: Random) -> bytes:
    """Return a changed copy; `others` lend parts of themselves."""
    for _ in range(chance.choice((1, 1, 2, 4))):
        try:
            value = orjson.loads(data)
        except orjson.JSONDecodeError:
            value = None
        if isinstance(value, dict | list) and chance.random() < 0.8:
            data = _written(_changed(value, others, chance), data)
        else:
            data = _bytes_changed(data, others, chance)
    return data[:LARGEST]


def _changed(value: Any, others: Sequence[bytes], chance: Random) -> Any:  # Any: foreign JSON
    """Return JSON in which one place is another."""
    if not isinstance(value, dict | list) or not value or chance.random() < 0.2:
        return _other(value, others, chance)
    if isinstance(value, dict):
        key = chance.choice(list(value))
        what = chance.random()
        if what < 0.1:
            return {name: inner for name, inner in value.items() if name != key}
        if what < 0.15:
            return {**value, chance.choice(list(value)): value[key]}
        return {**value, key: _changed(value[key], others, chance)}
    place = chance.randrange(len(value))
    if chance.random() < 0.2:
        return value[:place] + [value[place]] * chance.choice((0, 2, 30)) + value[place + 1 :]
    return [*value[:place], _changed(value[place], others, chance), *value[place + 1 :]]


def _other(value: Any, others: Sequence[bytes], chance: Random) -> Any:  # Any: foreign JSON
    what = chance.random()
    if what < 0.4:
        return chance.choice(NASTY)
    if what < 0.6 and isinstance(value, str):
        return _bytes_changed(value.encode(errors="replace"), others, chance).decode(errors="replace")
    if what < 0.7:
        for _ in range(chance.choice((1, 3, 60))):
            value = [value] if chance.random() < 0.5 else {chance.choice(("text", "elements", "blocks", "x")): value}
        return value
    try:
        found = orjson.loads(chance.choice(others))
    except orjson.JSONDecodeError:
        return chance.choice(NASTY)
    while isinstance(found, dict | list) and found and chance.random() < 0.8:
        found = chance.choice(list(found.values()) if isinstance(found, dict) else found)
    return found


def _bytes_changed(data: bytes, others: Sequence[bytes], chance: Random) -> bytes:
    start = chance.randrange(len(data) + 1)
    end = min(len(data), start + chance.choice((0, 0, 1, 4, 40)))
    what = chance.random()
    if what < 0.5:
        new = chance.choice(PIECES) * chance.choice((1, 1, 1, 2, 50))
    elif what < 0.65:
        new = bytes([chance.randrange(256)])
    elif what < 0.8:
        new = data[start:end] * chance.choice((2, 20))
    elif what < 0.9:
        new = b""
    else:
        other = chance.choice(others)
        place = chance.randrange(len(other) + 1)
        new = other[place : place + chance.choice((8, 80))]
    return data[:start] + new + data[end:]


def _written(value: Any, otherwise: bytes) -> bytes:  # Any: foreign JSON
    try:
        return orjson.dumps(value)
    except TypeError:  # half a character, or nested too deeply to be written
        return otherwise
