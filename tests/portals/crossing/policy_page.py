"""The table `policy.json` as a page, for whoever reads no JSON: `python -m tests.portals.crossing.policy_page`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

CASES = Path(__file__).parents[2] / "cases" / "policy.json"
PAGE = CASES.with_suffix(".md")

_DECISIONS = {
    "crosses": "crosses",
    "withheld": "does not cross; its author is told",
    "audited": "does not cross; the audit log alone is told",
    "withdrawn": "does not cross, and its copy is taken away; its author is told",
    "kept": "does not cross, and its copy stays as it was; its author is told",
    "line": "does not cross; its author is told, and the other side is shown the configured line",
    "waits": "waits",
    "ended": "waits no more, and does not cross",
}
_HEAD = """# What a policy decides

Made of `policy.json` by `python -m tests.portals.crossing.policy_page`; a test holds that each line is so. Rules are
the names in the audit log, which never holds what a message says. What a room must be like is in `room_policy.json`.

| Situation | The policy says | Decision | Rule | Words to its author |
| --- | --- | --- | --- | --- |
"""


def page() -> str:
    """Return the page."""
    return _HEAD + "".join(map(_line, json.loads(CASES.read_text(encoding="utf-8"))))


def _line(case: dict[str, Any]) -> str:
    said = json.dumps(case["policy"], ensure_ascii=False) if case["policy"] else "nothing"
    decision = _DECISIONS[case["decision"]]
    if case["decision"] == "waits" and "words" in case:
        decision += "; its author is told"
    is_told = case["decision"] not in ("audited", "ended")
    cells = (case["situation"], f"`{said}`", decision, case.get("rule", ""), case.get("words", "") if is_told else "")
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
