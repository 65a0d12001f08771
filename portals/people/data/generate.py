"""Writes confusables.json anew from the table of the package confusable-homoglyphs: `python generate.py its.json`.

That table is Unicode's confusables.txt (UTS 39, https://www.unicode.org/license.txt) with every pair in both
directions: whatever it joins is one class here, and each sign of a class is written as the same plain one.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def classes(pairs: dict[str, list[dict[str, str]]]) -> dict[str, str]:
    """Return the sign that stands for each, where it is another."""
    root: dict[str, str] = {}

    def find(sign: str) -> str:
        while root.setdefault(sign, sign) != sign:
            sign = root[sign]
        return sign

    for sign, others in pairs.items():
        for other in others:
            if len(sign) == len(other["c"]) == 1:
                root[find(other["c"])] = find(sign)
    members: dict[str, list[str]] = {}
    for sign in root:
        members.setdefault(find(sign), []).append(sign)
    plain = {sign: min(found) for found in members.values() for sign in found}
    several = {
        sign: other["c"]
        for sign, others in pairs.items()
        for other in others
        if len(sign) == 1 and len(other["c"]) > 1 and other["c"].isascii()
    }
    table = {sign: several.get(sign, several.get(to, to)) for sign, to in plain.items()} | several
    return {sign: to for sign, to in sorted(table.items()) if sign != to}


if __name__ == "__main__":
    found = classes(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    target = Path(__file__).with_name("confusables.json")
    target.write_text(json.dumps(found, separators=(",", ":")) + "\n", encoding="utf-8")
