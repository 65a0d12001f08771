"""Slack's emoji names and Unicode, both ways.

Slack names emoji as the `emoji-datasource` table does and writes tones as `::skin-tone-2` to `::skin-tone-6` (two of
them, `-2-3`, where two people are shown); a tone that an emoji does not have counts for nothing. A name outside the
table is not guessed at: it is a custom emoji or a typo, and the caller shows `:name:`.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_VARIATION = "\ufe0f"
_TONES = {"2": "\U0001f3fb", "3": "\U0001f3fc", "4": "\U0001f3fd", "5": "\U0001f3fe", "6": "\U0001f3ff"}
_LONGEST_NAME = 120

NAMED = re.compile(r":([a-z0-9_+'\-]{1,100}(?:::skin-tone-[2-6](?:-[2-6])?)?):")
"""An emoji by name in text, the name being group 1."""


def _load() -> tuple[dict[str, str], dict[str, str]]:
    table = json.loads(Path(__file__).with_name("data").joinpath("emoji.json").read_text(encoding="utf-8"))
    forms: dict[str, str] = dict(table["names"])
    for name in table["plain"]:
        form = table["names"][name]
        for number, tone in _TONES.items():
            forms[f"{name}::skin-tone-{number}"] = form[0] + tone + form[1:].removeprefix(_VARIATION)
    for name, toned in table["toned"].items():
        forms.update((f"{name}::skin-tone-{number}", form) for number, form in toned.items())
    names: dict[str, str] = {}
    for name, form in forms.items():
        names.setdefault(form.replace(_VARIATION, ""), name)
    return forms, names


_FORMS, _NAMES = _load()
_ALIASED = {alias: _NAMES[form.replace(_VARIATION, "")] for alias, form in _FORMS.items() if "::" not in alias}


def _pattern() -> re.Pattern[str]:
    parts = {char for form in _FORMS.values() for char in form}
    parts -= {*"0123456789#*", _VARIATION, "\u200d", "\u20e3", *_TONES.values()}
    pictures = _ranges(ord(char) for char in parts if not 0x1F1E6 <= ord(char) <= 0x1F1FF and ord(char) < 0xE0000)
    tones = "".join(_TONES.values())
    one = f"[{pictures}{tones}]{_VARIATION}?[{tones}]?{_VARIATION}?"
    return re.compile(
        f"[0-9#*]{_VARIATION}?\u20e3"
        "|[\U0001f1e6-\U0001f1ff]{2}"
        f"|{one}(?:\u200d{one}){{0,8}}[\U000e0020-\U000e007f]{{0,8}}"
    )


def _ranges(points: Iterable[int]) -> str:
    """Return code points for a set in a pattern, as ranges: more than a thousand single ones are tried one by one."""
    found: list[list[int]] = []
    for point in sorted(points):
        if found and point == found[-1][1] + 1:
            found[-1][1] = point
        else:
            found.append([point, point])
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in found)


_SEQUENCE = _pattern()


def unicode_of(name: str) -> str | None:
    """Return the Unicode form of a Slack name, tones and colons allowed, or None where the table has no such name."""
    if len(name) > _LONGEST_NAME:
        return None
    name = name.strip(":")
    form = _FORMS.get(name)
    if form is None and "::" in name:
        base, _, tone = name.partition("::")
        form = _FORMS.get(f"{_ALIASED.get(base, base)}::{tone}") or _FORMS.get(base)
    return form


def is_same(one: str, other: str) -> bool:
    """Tell whether two Slack names are those of one emoji."""
    form = unicode_of(one)
    return one == other or (form is not None and form == unicode_of(other))


def shown(text: str) -> str:
    """Return text with every `:name:` of the table as Unicode, for places that hold only characters."""
    return text if text.count(":") < 2 else NAMED.sub(lambda match: unicode_of(match[1]) or match[0], text)


def name_of(form: str) -> str | None:
    """Return Slack's name (tone included) of exactly one Unicode emoji, qualified or not, or None."""
    return _NAMES.get(form.replace(_VARIATION, "")) if len(form) <= _LONGEST_NAME else None


def pieces(text: str) -> Iterator[tuple[str, str | None]]:
    """Yield the text in pieces: (plain text, None), or (an emoji's Unicode form, its Slack name).

    A character that is text unless a variation selector follows it (`©`, `↔`) is an emoji only with the selector.
    """
    if text.isascii():
        yield text, None
        return
    done = 0
    for match in _SEQUENCE.finditer(text):
        found = _known_start(match[0])
        if found is None:
            continue
        start = match.start()
        if start > done:
            yield text[done:start], None
        form, name = found
        yield form, name
        done = start + len(form)
    if done < len(text):
        yield text[done:], None


def _known_start(sequence: str) -> tuple[str, str] | None:
    candidate = sequence
    while True:
        name = _NAMES.get(candidate.replace(_VARIATION, ""))
        if name is not None:
            shown = _VARIATION in candidate or _VARIATION not in _FORMS[name]
            return (candidate, name) if shown or len(candidate) > 1 else None
        head, joiner, _ = candidate.rpartition("\u200d")
        if joiner:
            candidate = head
        elif len(candidate) > 1:
            candidate = candidate[:-1]
        else:
            return None
