"""In a real browser the pages of plans and reports are fit for everybody (WCAG), run nothing and load nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from bridge.cli import cli
from bridge.proof.prove import ChannelProof, Quarantined
from bridge.proof.report import Report, SourceNote, page
from bridge.proof.tasks import LeftOut
from portals.history.evidence import KINDS, Difference, Tally
from portals.history.export import ExportedChannel, Problem
from portals.ids import ChannelId, RoomId, Ts
from tests.bridge.console.axe import Absent, axe, flaws
from tests.sandbox.chromium import Chromium, binary
from tests.sandbox.exports import Generated

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(binary() is None, reason="NO BROWSER: install chromium, or name one as CHROMIUM")

TS = Ts("1700000000.000100")


def channel(number: int) -> ExportedChannel:
    return ExportedChannel(ChannelId(f"C{number}"), f"channel <{number}>", "public")


def tallies(missing: int) -> dict[str, Tally]:
    found = {kind: Tally() for kind in KINDS}
    found["messages"] = Tally(source=3, present=2 - missing, missing=missing)
    found["messages"].explain("deleted in Slack", 1)
    return found


def report() -> Report:
    """A report with everything in it that one may have."""
    wrong = ChannelProof(channel(1), (RoomId("!a:localhost"),), TS, TS, 5, tallies(1))
    wrong.differences.append(Difference("messages", "is missing", TS, "general/1.json[2]", "$e", "hello", "nothing"))
    wrong.quarantined.append(Quarantined(TS, "general/1.json[3]", "no ts"))
    wrong.untold = 2
    right = ChannelProof(channel(2), (RoomId("!b:localhost"),), TS, TS, 5, tallies(0))
    return Report(
        at="2026-11-24T12:00:00Z",
        versions={"Causeway": "0.1.0"},
        homeserver="localhost",
        sources=[SourceNote("export.zip", "0" * 64, (Problem("general/2.json", "is no JSON"),))],
        proofs=[wrong, right],
        left_out=[LeftOut(channel(3), "it has no room", False)],
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_a_plan_and_a_report_are_fit_for_everybody(scheme: str, tmp_path: Path) -> None:
    try:
        script = axe()
    except Absent as absent:
        pytest.skip(f"NO ACCESSIBILITY CHECK: {absent}")
    Generated(seed=4, messages=60, channels=4).write(tmp_path / "export.zip", "full")
    command = ["import", str(tmp_path / "export.zip"), "--dry-run", "--out", str(tmp_path / "plan")]
    assert CliRunner().invoke(cli, command).exit_code == 0
    (tmp_path / "report.html").write_text(page(report()))
    path = binary()
    assert path is not None
    found: dict[str, list[str]] = {}
    async with Chromium(path) as chromium:
        await chromium.prefer(scheme)
        for name in ("plan/plan.html", "report.html"):
            await chromium.open(f"file://{tmp_path / name}")
            found[name] = await flaws(chromium, script)
            assert await chromium.run("document.querySelectorAll('script').length") == 0
            await chromium.narrow(320)
            assert await chromium.run("document.documentElement.scrollWidth") <= 320, name
            await chromium.narrow(1200)
        assert chromium.errors == []
    assert {name: wrong for name, wrong in found.items() if wrong} == {}
