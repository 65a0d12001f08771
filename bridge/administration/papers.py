"""Plans and reports: which there are, and each whole; who reads one is written down, for it quotes messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.administration.times import moment
from bridge.errors import Declined
from bridge.store.audit import noted
from bridge.store.papers import Papers

if TYPE_CHECKING:
    from bridge.administration.acting import Actor
    from bridge.administration.store import Store
    from bridge.store.papers import Paper

NEWEST = 2**62


@dataclass(frozen=True, slots=True)
class ShownPaper:
    """A paper as admins see it listed: `kind` is `plan` or `report`."""

    number: int
    kind: str
    title: str
    outcome: str
    made: str
    made_by: str


async def page(store: Store, before: int, limit: int) -> list[ShownPaper]:
    """Return papers made before one, the newest first."""
    return [_shown(one) for one in await Papers(store.database).before(before, limit)]


async def read(store: Store, number: int, actor: Actor) -> tuple[ShownPaper, str]:
    """Return a paper and its page, HTML; raises Declined."""
    found = await Papers(store.database).find(number)
    if found is None:
        raise Declined("not_found", f"there is no plan or report {number}: of each kind the newest are kept")
    paper, text = found
    await store.database.commit(noted(str(actor), "read", f"{paper.kind} {paper.id}", paper.title))
    return _shown(paper), text


def _shown(one: Paper) -> ShownPaper:
    return ShownPaper(one.id, one.kind, one.title, one.outcome, moment(one.made_at), one.made_by)
