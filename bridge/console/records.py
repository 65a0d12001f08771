"""What the pages of plans, reports, moves and of what leaves the house show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.administration import moves, papers
from bridge.administration.leaving import destinations
from bridge.administration.move_plans import WORDS
from bridge.console.views import ROWS, number_in
from portals.cutover import Command, Phase, Wish, refusal

if TYPE_CHECKING:
    from bridge.administration.office import Office
    from bridge.console.views import Query, Values

_MARKS = {"stop": "stops it", "loss": "would be lost", "note": "note"}


class Records:
    """Gathers, from the office, what templates show."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._store = office.store

    async def papers(self, query: Query) -> Values:
        """A page of plans and reports, the newest first."""
        rows = await papers.page(self._store, number_in(query.get("before")) or papers.NEWEST, ROWS)
        return {"rows": rows, "next": f"/papers?before={rows[-1].number}" if len(rows) == ROWS else None}

    async def leaving(self, _: Query) -> Values:
        """Where the bridge connects to, and what goes there."""
        return {"rows": destinations(self._office.settings)}

    async def moves(self, query: Query) -> Values:
        """A page of channels that move to Matrix, and what was ordered here."""
        start = number_in(query.get("after"))
        rows = await moves.page(self._store, start, ROWS)
        return {
            "rows": [(one, _may(one.phase)) for one in rows],
            "orders": self._office.moving.orders()[:ROWS],
            "next": f"/moves?after={start + ROWS}" if len(rows) == ROWS else None,
        }

    async def move_plan(self, query: Query) -> Values:
        """What a move of some channels would do, and the orders that they can be given; raises Declined."""
        archive, topic = query.get("archive") == "yes", query.get("topic") != "no"
        channels = channels_in(query.get("channels", ""))
        return {
            "channels": channels,
            "archive": archive,
            "topic": topic,
            "plans": await self._office.moving.plan(channels, Wish(topic, archive)),
            "marks": _MARKS,
            "words": {str(step): words for step, words in WORDS.items()},
        }


def channels_in(text: str) -> list[str]:
    """Return the channels that somebody wrote, one a line or between commas."""
    return list(dict.fromkeys(name for line in text.splitlines() for one in line.split(",") if (name := one.strip())))


def _may(phase: str) -> dict[str, bool]:
    """Return which orders a move can be given at this point of its way."""
    return {str(one): not refusal(one, Phase(phase)) for one in (Command.FINISH, Command.REVERT)}
