"""The proof of one channel, made like `causeway report` does, as a page that goes into the room and may be kept."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING

from bridge.work.cutover_steps import Proven

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

    from config.settings import Settings
    from portals.facts import Portal


def prover(
    settings: Settings, portal: Portal, exports: Sequence[Path], *, checksums: bool, reports: Path | None
) -> Callable[[], Awaitable[Proven]]:
    """Return what makes the report of a channel; it is written into the directory `reports`, if there is one."""

    async def prove() -> Proven:
        from bridge.cli.report import report_of
        from bridge.cli.written import OPEN, write_files
        from bridge.proof.report import as_json, page
        from portals.history.selection import Selection

        made = await report_of(settings, exports, Selection(channels=frozenset([portal.channel])), checksums)
        shown = page(made)
        plain = re.sub(r"[^\w-]+", "-", portal.name).strip("-") or portal.channel
        name = f"{plain}-{portal.channel}-{made.at[:10]}"
        path = ""
        if reports is not None:
            html = reports / f"{name}.html"
            data = json.dumps(as_json(made), indent=2, ensure_ascii=False)
            write_files({html: (shown, OPEN), reports / f"{name}.json": (data, OPEN)})
            path = str(html.resolve())
        digest = hashlib.sha256(shown.encode()).hexdigest()
        return Proven(shown, f"{name}.html", digest, made.unexplained, path)

    return prove
