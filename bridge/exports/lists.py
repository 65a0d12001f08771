"""A JSON list in a file, read whole where it is short and in parts where it is long, whatever its encoding.

A short file is read whole or not at all: half a day must not look like a day. Of a long one the parts in front of the
damage have been given when the damage is met. What is given can be written as JSON again: halves of surrogate pairs
become question marks, and what nests deeper than anything that Slack makes is cut off there.
"""

from __future__ import annotations

import codecs
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from bridge.exports.limits import Unreadable
from bridge.slack.wire import storable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bridge.exports.limits import Limits

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""In this order: the mark of UTF-16 is the beginning of that of UTF-32."""
_BETWEEN = re.compile(r"[ \t\r\n]*")
_BEHIND_A_VALUE = frozenset(" \t\r\n,]")
_BROKEN = re.compile("[\udc80-\udcff]")
_NOT_UTF8 = "is not UTF-8: it was read as Windows-1252, so check its accented letters"
_DEEPEST = 100
_TOO_DEEP = f"nests deeper than {_DEEPEST} levels, which Slack never does: what lies deeper is left out"
_PARTLY_UTF8 = "holds bytes that are no UTF-8: each shows as \N{REPLACEMENT CHARACTER}"


@dataclass(frozen=True, slots=True)
class Part:
    """Values of a list that follow each other; `first` is the first one's index, `notes` what was odd about it."""

    values: list[object]
    first: int
    notes: tuple[str, ...] = ()


def parts_of(pieces: Iterable[bytes], size: int, limits: Limits) -> Iterator[Part]:
    """Yield the values of a list that comes in pieces of bytes; raises Unreadable where it is none, or no further."""
    if size > limits.at_once:
        yield from _in_parts(pieces, limits)
        return
    value, notes = document(b"".join(pieces))
    if not isinstance(value, list):
        raise Unreadable("holds no list: it is not read")
    yield Part(value, 0, notes)


def document(raw: bytes) -> tuple[object, tuple[str, ...]]:
    """Return what a JSON file says, and what is odd about its text; raises Unreadable."""
    try:
        return _shallow(orjson.loads(raw), ())
    except ValueError:
        pass
    text, notes = _text(raw)
    if not text.strip():
        raise Unreadable("is empty")
    try:
        return _shallow(storable(_DECODER.decode(text)), notes)
    except json.JSONDecodeError as error:
        raise Unreadable(f"is no JSON: {error.msg} (line {error.lineno}, column {error.colno})") from None
    except (ValueError, RecursionError):
        raise Unreadable("is no JSON that an export can hold: it nests too deeply, or holds endless numbers") from None


def _nothing(_: str) -> None:
    """NaN and the infinities are no JSON."""


def _shallow(value: Any, notes: tuple[str, ...]) -> tuple[Any, tuple[str, ...]]:  # Any: foreign JSON
    """Return a value that can be written again, also inside a few others, and the notes, one more if it was cut."""
    try:
        orjson.dumps([[[[[[[[value]]]]]]]])
    except TypeError:
        return _cut(value, 0), (*notes, _TOO_DEEP)
    return value, notes


def _cut(value: Any, depth: int) -> Any:  # Any: foreign JSON
    if not isinstance(value, dict | list):
        return value
    if depth > _DEEPEST:
        return None
    if isinstance(value, list):
        return [_cut(item, depth + 1) for item in value]
    return {name: _cut(item, depth + 1) for name, item in value.items()}


_DECODER = json.JSONDecoder(strict=False, parse_constant=_nothing)


# --- text


def _text(raw: bytes) -> tuple[str, tuple[str, ...]]:
    encoding, mark = _encoding(raw)
    if encoding == "utf-8":
        return _mended(raw[mark:].decode("utf-8", "surrogateescape"))
    try:
        return raw[mark:].decode(encoding), ()
    except UnicodeDecodeError:
        raise Unreadable(f"is no text in {encoding.upper()}, as it seems to be") from None


def _encoding(raw: bytes) -> tuple[str, int]:
    """Return the encoding of a file by its first bytes, and how many of them are a mark."""
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            return encoding, len(mark)
    if len(raw) > 1 and 0 in (raw[0], raw[1]):  # JSON begins with an ASCII character
        return ("utf-16-be" if raw[0] == 0 else "utf-16-le"), 0
    return "utf-8", 0


def _mended(text: str) -> tuple[str, tuple[str, ...]]:
    """Return a text without halves of surrogate pairs, each of which stands for a byte that is no UTF-8."""
    broken = len(_BROKEN.findall(text))
    if not broken:
        return text, ()
    if broken == sum(not char.isascii() for char in text):
        return text.encode("utf-8", "surrogateescape").decode("cp1252", "replace"), (_NOT_UTF8,)
    return _BROKEN.sub("\N{REPLACEMENT CHARACTER}", text), (_PARTLY_UTF8,)


# --- long lists


def _in_parts(pieces: Iterable[bytes], limits: Limits) -> Iterator[Part]:
    text = _Text(pieces, limits)
    if not text.skip("["):
        raise Unreadable("holds no list: it is not read")
    values: list[object] = []
    first, begin = 0, text.read
    more = not text.skip("]")
    while more:
        values.append(text.value(first + len(values)))
        more = text.skip(",")
        if not more and not text.skip("]"):
            raise Unreadable(f"is no JSON behind its value {first + len(values) - 1}: it is read up to there")
        if not more or text.read - begin > limits.at_once:
            yield _part(values, first, text.notes)
            first, values, begin = first + len(values), [], text.read
    if not text.is_over():
        raise Unreadable("goes on behind the end of its list: what follows is not read")


def _part(values: list[object], first: int, notes: set[str]) -> Part:
    said = tuple(sorted(notes))
    notes.clear()
    try:
        shallow, said = _shallow(storable(values), said)
    except (ValueError, RecursionError):
        raise Unreadable(f"nests too deeply behind its value {first}: it is read up to there") from None
    return Part(shallow, first, said)


class _Text:
    """A text that comes in pieces, taken value by value; `read` counts its characters."""

    def __init__(self, pieces: Iterable[bytes], limits: Limits) -> None:
        self._pieces = iter(pieces)
        self._most = limits.one_record
        self._buffer, self._at = "", 0
        self._ended = False
        self._decoder: codecs.IncrementalDecoder | None = None
        self._is_utf8 = True
        self.read = 0
        self.notes: set[str] = set()

    def skip(self, char: str) -> bool:
        """Step over white space, and over this character where it follows; tells whether it did."""
        self._pass_space()
        follows = self._buffer.startswith(char, self._at)
        self._step(self._at + follows)
        return follows

    def is_over(self) -> bool:
        """Tell whether nothing follows."""
        self._pass_space()
        return self._at == len(self._buffer)

    def value(self, index: int) -> object:
        """Take the value that follows; raises Unreadable where none does."""
        self._pass_space()
        while True:
            left = len(self._buffer) - self._at
            try:
                value, end = _DECODER.raw_decode(self._buffer, self._at)
                # The beginning of a number is a number: what follows must show that it was whole.
                if self._ended or self._buffer[end : end + 1] in _BEHIND_A_VALUE:
                    self._step(end)
                    return value
            except json.JSONDecodeError as error:
                if self._ended or left > self._most:
                    raise Unreadable(f"is no JSON from its value {index} on ({error.msg}): read up to there") from None
            except (ValueError, RecursionError):
                raise Unreadable(f"holds something too deep or long as value {index}: read up to there") from None
            if left > self._most:
                raise Unreadable(f"holds something too long as value {index}: read up to there")
            self._fill(max(left, 1))  # doubling: what is long is not parsed again and again

    def _pass_space(self) -> None:
        while True:
            found = _BETWEEN.match(self._buffer, self._at)
            self._step(found.end() if found else self._at)
            if self._at < len(self._buffer) or not self._fill(1):
                return

    def _step(self, at: int) -> None:
        self.read += at - self._at
        self._at = at

    def _fill(self, least: int) -> bool:
        """Add at least so many characters to the buffer, if there are; tells whether any came."""
        gathered = [self._buffer[self._at :]]
        came = 0
        while came < least and not self._ended:
            piece = next(self._pieces, None)
            text = self._decoded(piece)
            came += len(text)
            gathered.append(text)
        self._buffer, self._at = "".join(gathered), 0
        return came > 0

    def _decoded(self, piece: bytes | None) -> str:
        if self._decoder is None:
            encoding, mark = _encoding(piece or b"")
            self._is_utf8 = encoding == "utf-8"
            self._decoder = codecs.getincrementaldecoder(encoding)("surrogateescape" if self._is_utf8 else "strict")
            piece = piece and piece[mark:]
        self._ended = piece is None
        try:
            text = self._decoder.decode(piece or b"", final=self._ended)
        except UnicodeDecodeError:
            raise Unreadable("is no text in the encoding that its beginning has") from None
        if not self._is_utf8:
            return text
        text, notes = _mended(text)
        self.notes.update(notes)
        return text
