"""The proof of one channel, made like `causeway report` does, as a page that goes into the room and may be kept."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

    from bridge.work.cutover_steps import Proven
    from config.settings import Settings
    from portals.facts import Portal


def prover(
    settings: Settings, portal: Portal, exports: Sequence[Path], *, checksums: bool, reports: Path | None
) -> Callable[[], Awaitable[Proven]]:
    """Return what makes the report of a channel; it is written into the directory `reports`, if there is one."""

    async def prove() -> Proven:
        from bridge.administration.move_proof import name_of, proven
        from bridge.cli.report import Progress
        from bridge.cli.written import OPEN, write_files
        from bridge.proof.making import make_report
        from bridge.proof.report import as_json, page
        from portals.history.selection import Selection

        selection = Selection(channels=frozenset([portal.channel]))
        made = await make_report(settings, exports, selection, checksums, shown=Progress)
        shown = page(made)
        path = ""
        if reports is not None:
            name = name_of(made, portal)
            html = reports / f"{name}.html"
            data = json.dumps(as_json(made), indent=2, ensure_ascii=False)
            write_files({html: (shown, OPEN), reports / f"{name}.json": (data, OPEN)})
            path = str(html.resolve())
        return proven(made, portal, shown, path)

    return prove
