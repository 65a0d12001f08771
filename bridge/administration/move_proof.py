"""The proof of a channel that moves: the report on it, as a page for its room, which the console keeps as well."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from bridge.store.papers import Kind, Papers
from bridge.work.cutover_steps import Proven
from portals.history.selection import Selection

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bridge.proof.report import Report
    from bridge.store.database import Database
    from config.settings import Settings
    from portals.facts import Portal


def prover(settings: Settings, database: Database, portal: Portal, actor: str) -> Callable[[], Awaitable[Proven]]:
    """Return what compares a channel's room with the exports that were imported, in the bridge that runs."""

    async def prove() -> Proven:
        from bridge.proof.making import make_report  # what reads exports is not for a bridge that proves nothing
        from bridge.proof.report import outcome_of, page

        made = await make_report(settings, (), Selection(channels=frozenset([portal.channel])), checksums=False)
        shown = page(made)
        sources = ", ".join(source.name for source in made.sources)
        await Papers(database).keep(Kind.REPORT, sources, outcome_of(made), actor, shown)
        return proven(made, portal, shown)

    return prove


def proven(made: Report, portal: Portal, page: str, path: str = "") -> Proven:
    """Return what a report on one channel comes to; `path` is where the page is kept as well."""
    digest = hashlib.sha256(page.encode()).hexdigest()
    return Proven(page, f"{name_of(made, portal)}.html", digest, made.unexplained, path)


def name_of(made: Report, portal: Portal) -> str:
    """Return what the report of a channel is called, without an ending."""
    plain = re.sub(r"[^\w-]+", "-", portal.name).strip("-") or portal.channel
    return f"{plain}-{portal.channel}-{made.at[:10]}"
