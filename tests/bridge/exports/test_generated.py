"""Generated exports of every kind are read and counted exactly; broken ones lose only what is broken, and say it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import pytest

from bridge.errors import BadExport
from bridge.exports.export import open_export
from bridge.exports.planning import make_plan
from portals.history.plan_json import as_json
from portals.history.selection import Selection
from tests.sandbox.exports import BROKEN, UNREADABLE, Counts, Generated, Packing, broken

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from portals.history.plan import Plan
    from tests.sandbox.exports import Kind

KINDS = {"im": "dm", "mpim": "group_dm"}
HARMLESS = frozenset({"marked_utf_8", "in_utf_16", "many_entries", "lone_surrogates", "odd_paths"})
"""What is read as if nothing were wrong, or has nothing to do with messages."""


def plan_for(path: Path, selection: Selection = Selection()) -> Plan:  # noqa: B008  frozen
    with open_export(path) as export:
        return make_plan(export, path.name, selection)


def counts(figures: dict[str, Any]) -> dict[str, int]:  # Any: whatever JSON can hold
    return {name: figures[name] for name in asdict(Counts())}


@pytest.mark.parametrize("kind", ["standard", "full", "grid"])
@pytest.mark.parametrize("target", ["export.zip", "export"])
@pytest.mark.parametrize(
    "packing", [Packing(), Packing(nested="My export", junk=True), Packing(decomposed=True, level=0)]
)
def test_every_kind_of_export_is_counted_exactly(tmp_path: Path, kind: Kind, target: str, packing: Packing) -> None:
    spec = Generated(seed=3, messages=900, trail=packing.junk)
    truth = spec.write(tmp_path / target, kind, packing=packing)
    found = as_json(plan_for(tmp_path / target))
    expected = {
        each.id: (each.name or each.id, KINDS.get(each.kind, each.kind), asdict(each.counts)) for each in truth.channels
    }
    assert {one["id"]: (one["name"], one["kind"], counts(one)) for one in found["channels"]} == expected
    assert counts(found["totals"]) == asdict(truth.totals)


def test_a_date_range_is_counted_and_its_orphans_are_told(tmp_path: Path) -> None:
    spec = Generated(seed=2, messages=2000)
    truth = spec.write(tmp_path / "x.zip", "standard", date_range=(spec.moment(0.4), spec.moment(0.6)))
    plan = plan_for(tmp_path / "x.zip")
    assert counts(as_json(plan)["totals"]) == asdict(truth.totals)
    assert 0 < plan.totals.orphans < plan.totals.replies


def test_a_selection_by_time_parts_an_export(tmp_path: Path) -> None:
    spec = Generated(seed=2, messages=900)
    spec.write(tmp_path / "x.zip", "full")
    middle = spec.moment(0.5)
    before, after = (
        plan_for(tmp_path / "x.zip", Selection(until=middle)),  # type: ignore[arg-type]  # a ts of the generator
        plan_for(tmp_path / "x.zip", Selection(since=middle)),  # type: ignore[arg-type]
    )
    assert 0 < before.totals.messages < 900
    assert before.totals.messages + after.totals.messages == 900
    private = plan_for(tmp_path / "x.zip", Selection(kinds=frozenset({"private"})))
    assert {one.channel.kind for one in private.channels} == {"private"}
    assert private.not_selected > 0


@pytest.mark.parametrize("name", sorted(set(BROKEN) - {*UNREADABLE, "zip_in_zip"}))
def test_what_is_broken_is_told_with_its_place_and_the_rest_is_there(tmp_path: Path, name: str) -> None:
    export = broken(name, tmp_path)
    plan = plan_for(export.path)
    where = [problem.where for problem in plan.problems]
    if name not in HARMLESS:
        assert [place for place in where if export.at.partition("/")[0].rstrip("/") in place or place == "."], where
    missing = export.truth.totals.messages - plan.totals.messages
    day = 25  # no day of the good export holds so many messages
    assert missing <= day


@pytest.mark.parametrize("name", sorted({*UNREADABLE, "zip_in_zip"}))
def test_what_cannot_be_read_at_all_says_what_to_do(tmp_path: Path, name: str) -> None:
    export = broken(name, tmp_path)
    with pytest.raises(BadExport) as refused:
        plan_for(export.path)
    assert str(export.path) in str(refused.value)
    assert any(word in str(refused.value) for word in ("name ", "download", "unpack", "put "))
