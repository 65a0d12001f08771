"""What the pages of plans, reports and moves show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.administration import moves, papers
from bridge.console.views import ROWS, number_in

if TYPE_CHECKING:
    from bridge.administration.store import Store
    from bridge.console.views import Query, Values


class Records:
    """Gathers, from the store, what templates show."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def papers(self, query: Query) -> Values:
        """A page of plans and reports, the newest first."""
        rows = await papers.page(self._store, number_in(query.get("before")) or papers.NEWEST, ROWS)
        return {"rows": rows, "next": f"/papers?before={rows[-1].number}" if len(rows) == ROWS else None}

    async def moves(self, query: Query) -> Values:
        """A page of channels that move to Matrix."""
        start = number_in(query.get("after"))
        rows = await moves.page(self._store, start, ROWS)
        return {"rows": rows, "next": f"/moves?after={start + ROWS}" if len(rows) == ROWS else None}
