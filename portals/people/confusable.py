"""Names that look alike: two are confusable when their skeletons are equal (UTS 39, section 4), in either case.

The skeleton is for comparing alone and is never shown.
"""

from __future__ import annotations

import json
import unicodedata
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from portals.text import label_of

if TYPE_CHECKING:
    from collections.abc import Mapping


@cache
def _table() -> Mapping[int, str]:
    found = Path(__file__).with_name("data").joinpath("confusables.json").read_text(encoding="utf-8")
    return {ord(sign): to for sign, to in json.loads(found).items()}


def skeletons(name: str) -> frozenset[str]:
    """Return what a name looks like: as it is written, and in small letters; none where there is nothing to see."""
    seen = "".join(label_of(name).split())
    return frozenset(filter(None, map(_skeleton, (seen, seen.casefold()))))


def _skeleton(text: str) -> str:
    """Return a text with every sign as the plain one that it looks like, and without marks that change no letter."""
    for _ in range(2):  # what a sign stands for may stand for another
        text = unicodedata.normalize("NFD", unicodedata.normalize("NFD", text).translate(_table()))
    return text


def marked(name: str, whose: str, longest: int) -> str:
    """Return a name with its owner's id behind it, shortened so that the id stays whole where it can."""
    suffix = f" ({whose})"[: longest - 1]
    return name[: longest - len(suffix)].rstrip() + suffix
