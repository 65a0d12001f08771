"""A history is brought over beside the live traffic: the export of an older workspace, planned, imported and proven."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.demo.parts import CommandFailed
from tests.demo.report import Seen
from tests.sandbox.exports import Generated

if TYPE_CHECKING:
    from rich.console import Console

    from tests.demo.stage import Stage
    from tests.sandbox.exports import Truth

_GROUP = "A history from an export"
_EXPORT = "older-workspace.zip"
_FIGURES = ("messages", "thread_roots", "replies", "reactions", "files", "pins")


async def play(stage: Stage) -> None:
    """Plan, import and prove the export, and check each by what the export is known to hold."""
    truth = write(stage)
    plan, seen = await _asked(stage, "import", str(stage.parts.directory / _EXPORT), "--dry-run", "--json")
    if plan is not None:
        totals = {figure: plan["totals"][figure] for figure in _FIGURES}
        known = {figure: getattr(truth.totals, figure) for figure in _FIGURES}
        seen = Seen(totals == known, _words(totals))
    stage.report.note(_GROUP, "the plan", _words({figure: getattr(truth.totals, figure) for figure in _FIGURES}), seen)
    done, seen = await _imported(stage)
    if done is not None:
        seen = Seen(done["shown"] == truth.totals.messages, f"{done['shown']} of {done['records']} records")
    stage.report.note(_GROUP, "the import", f"{truth.totals.messages} records, none in quarantine", seen)
    proof, seen = await _asked(stage, "report", *_compared(stage), "--json")
    if proof is not None:
        seen = Seen(proof["unexplained"] == 0, f"{len(proof['channels'])} channels, {proof['unexplained']} unexplained")
    stage.report.note(_GROUP, "the proof, read back from the homeserver", "nothing unexplained", seen)
    again, seen = await _imported(stage)
    if again is not None:
        rows = again["waiting"]
        seen = Seen(rows == 0 and again["import"] != (done or again)["import"], "nothing new")
    stage.report.note(_GROUP, "the same import again", "nothing new", seen)


async def show(stage: Stage, console: Console) -> None:
    """Import the export and print its proof, for somebody who watches."""
    write(stage)
    console.print(f"\nBringing the history of an older workspace over, from an export ({_EXPORT}) …")
    try:
        await _import(stage)
        proof = (await stage.parts.causeway("report", *_compared(stage), "--config", str(stage.parts.config))).out
    except CommandFailed as failed:
        console.print(str(failed), style="red", markup=False)
        return
    console.print("Its rooms read back from the homeserver and compared with the export (causeway report):\n")
    console.print(proof, markup=False)


def write(stage: Stage) -> Truth:
    """Write the export."""
    spec = Generated(seed=11, messages=90, channels=3, people=8)
    return spec.write(stage.parts.directory / _EXPORT, kind="standard")


async def _imported(stage: Stage) -> tuple[dict[str, Any] | None, Seen]:
    try:
        return await _import(stage), Seen(True, "")
    except CommandFailed as failed:
        return None, Seen(False, str(failed))


async def _import(stage: Stage) -> dict[str, Any]:
    words = ("import", str(stage.parts.directory / _EXPORT), "--without-files", "--json")
    done: dict[str, Any] = json.loads((await stage.parts.causeway(*words, "--config", str(stage.parts.config))).out)
    return done


def _compared(stage: Stage) -> tuple[str, str]:
    return ("--export", str(stage.parts.directory / _EXPORT))


async def _asked(stage: Stage, *words: str) -> tuple[dict[str, Any] | None, Seen]:
    try:
        answered = await stage.parts.causeway(*words, "--config", str(stage.parts.config))
    except CommandFailed as failed:
        return None, Seen(False, str(failed))
    found: dict[str, Any] = json.loads(answered.out)
    return found, Seen(True, "")


def _words(figures: dict[str, int]) -> str:
    return ", ".join(f"{number} {figure.replace('_', ' ')}" for figure, number in figures.items())
