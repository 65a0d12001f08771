"""Planning reads each day once and says how far it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.exports.export import open_export
from bridge.exports.planning import make_plan
from portals.history.selection import Selection
from tests.bridge.exports.packed import an_export, zipped

if TYPE_CHECKING:
    from pathlib import Path


def test_what_was_read_is_told_day_by_day(tmp_path: Path) -> None:
    told: list[int] = []
    with open_export(zipped(tmp_path / "x.zip", an_export())) as export:
        days, size = export.measure(export.channels[0])
        plan = make_plan(export, "x.zip", Selection(), tell=told.append)
    assert (len(told), plan.totals.messages) == (days, 3)
    assert size - days < sum(told) <= size
