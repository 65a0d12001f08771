"""Plans and reports: which there are, and each whole; as they quote messages, reading and dropping one is noted."""

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
    paper, text = await _found(store, number)
    await store.database.commit(noted(str(actor), "read", f"{paper.kind} {paper.id}", paper.title))
    return _shown(paper), text


async def drop(store: Store, number: int, actor: Actor) -> ShownPaper:
    """Forget a paper for good, and return what it was; raises Declined."""
    paper, _ = await _found(store, number)
    entry = noted(str(actor), "drop", f"{paper.kind} {paper.id}", paper.title)
    await Papers(store.database).drop(paper.id, entry)
    return _shown(paper)


async def _found(store: Store, number: int) -> tuple[Paper, str]:
    found = await Papers(store.database).find(number)
    if found is None:
        raise Declined("not_found", f"there is no plan or report {number}: of each kind the newest are kept")
    return found


def _shown(one: Paper) -> ShownPaper:
    return ShownPaper(one.id, one.kind, one.title, one.outcome, moment(one.made_at), one.made_by)
