"""What an admin types beside the running bridge, through the real command line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.demo.parts import CommandFailed
from tests.demo.report import Seen
from tests.demo.stage import BRIDGED

if TYPE_CHECKING:
    from tests.demo.stage import Stage

_GROUP = "The command line"


async def check(stage: Stage) -> None:
    """Have the installation checked and the portals listed."""
    config = str(stage.parts.config)
    report = stage.report
    try:
        said = (await stage.parts.causeway("check", "--config", config)).out
        seen = Seen("All is well" in said, said.strip().splitlines()[-1])
    except CommandFailed as failed:
        seen = Seen(False, str(failed))
    report.note(_GROUP, "causeway check", "All is well", seen)
    try:
        said = (await stage.parts.causeway("portals", "list", "--json", "--config", config)).out
        states = {portal["name"]: portal["state"] for portal in json.loads(said)["portals"]}
        words = ", ".join(f"#{name} {state}" for name, state in states.items())
        seen = Seen(states == dict.fromkeys(BRIDGED, "live"), words)
    except CommandFailed as failed:
        seen = Seen(False, str(failed))
    report.note(_GROUP, "causeway portals list", "five portals, all of them live", seen)
