"""Every test that the README and SECURITY.md name as a proof is there."""

from __future__ import annotations

import re

import pytest

from tests.house.sources import ROOT

NAMED = re.compile(r"`([\w/]+\.py|…)(?:::(\w+))?`")
ROOTS = ("tests", "tests/bridge", "tests/journeys")


@pytest.mark.parametrize("document", ["SECURITY.md", "README.md"])
def test_each_proof_is_there(document: str) -> None:
    rows = (ROOT / document).read_text().partition("Shown by")[2].partition("\n\n")[0]
    found, last, missing = 0, "", []
    for path, name in NAMED.findall(rows):
        last = last if path == "…" else path
        file = next((ROOT / root / last for root in ROOTS if (ROOT / root / last).exists()), None)
        if file is None or (name and f"def {name}(" not in file.read_text()):
            missing.append(f"{last}::{name}")
        found += 1
    assert missing == []
    assert found > 5
