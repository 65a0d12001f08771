"""Writes `emoji.json` from `emoji.json` of the npm package `emoji-datasource` (Slack's own names).

    npm pack emoji-datasource && tar xzf emoji-datasource-*.tgz package/emoji.json
    python portals/text/data/generate.py package/emoji.json

The table has three parts: `names` maps every short name, alias and obsolete name to its fully qualified Unicode form,
the first name of a form being the one that Slack shows; `plain` lists the names whose tone directly follows the first
character; `toned` maps the others to their forms by tone, a tone being a Slack number or two of them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

TONES = {"1F3FB": "2", "1F3FC": "3", "1F3FD": "4", "1F3FE": "5", "1F3FF": "6"}


def characters(unified: str) -> str:
    return "".join(chr(int(point, 16)) for point in unified.split("-"))


def table(source: list[dict[str, object]]) -> dict[str, object]:
    names: dict[str, str] = {}
    plain: list[str] = []
    toned: dict[str, dict[str, str]] = {}
    for emoji in sorted(source, key=lambda entry: entry["sort_order"]):  # type: ignore[arg-type, return-value]
        short = str(emoji["short_name"])
        form = characters(str(emoji["unified"]))
        for name in (short, *emoji["short_names"]):  # type: ignore[misc]
            names.setdefault(name, form)
        variations: dict[str, dict[str, str]] = emoji.get("skin_variations", {})  # type: ignore[assignment]
        forms = {
            "-".join(TONES[tone] for tone in key.split("-")): characters(value["unified"])
            for key, value in variations.items()
        }
        rest = form[1:].removeprefix("\ufe0f")
        ruled = {TONES[tone]: form[0] + characters(tone) + rest for tone in TONES}
        if forms == ruled:
            plain.append(short)
        elif forms:
            toned[short] = forms
    return {"names": names, "plain": sorted(plain), "toned": toned}


if __name__ == "__main__":
    read = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    target = Path(__file__).with_name("emoji.json")
    target.write_text(json.dumps(table(read), ensure_ascii=False, indent=0, separators=(",", ":")) + "\n", "utf-8")
