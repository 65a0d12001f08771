"""Parked rows: what could not be delivered and was put aside, to be tried again or given up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from bridge.administration.times import moment, seconds_since
from bridge.errors import Declined
from bridge.store.audit import noted
from bridge.store.ledger import TO_MATRIX
from portals.facts import PortalState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bridge.administration.acting import Actor
    from bridge.administration.store import Store
    from bridge.store.ledger import ParkedRow
    from portals.facts import Portal

_PAGE = 100
_DROPPED = "dropped by an admin"


@dataclass(frozen=True, slots=True)
class ShownParked:
    """A parked row as admins see it: never what the message says."""

    number: int
    direction: str
    name: str | None
    channel: str | None
    room: str | None
    source: str
    reason: str
    arrived: str
    seconds: int


async def shown(store: Store, row: ParkedRow) -> ShownParked:
    """Return a parked row as admins see it."""
    portal = await store.portal_of(row.direction, row.queue)
    room = row.queue if row.direction != TO_MATRIX else None
    channel = None if room else row.queue.partition("/")[2]
    return ShownParked(
        number=row.seq,
        direction=row.direction,
        name=portal.name if portal else None,
        channel=portal.channel if portal else channel,
        room=portal.room if portal else room,
        source=row.source_key,
        reason=row.reason,
        arrived=moment(row.admitted_at),
        seconds=seconds_since(row.admitted_at),
    )


def event(row: ParkedRow) -> object:
    """Return what is parked as it came, its content included."""
    try:
        return orjson.loads(row.raw)
    except orjson.JSONDecodeError:
        return row.raw


async def find(store: Store, number: int) -> ParkedRow:
    """Return the parked row of this number; raises Declined."""
    row = await store.ledger.parked_row(number) if 0 < number < 2**63 else None
    if row is None:
        raise Declined("not_found", f"nothing is parked as number {number}: causeway parked list shows what is")
    return row


async def rows(store: Store, only: Portal | None = None, after: int = 0) -> AsyncIterator[ParkedRow]:
    """Yield the parked rows behind a number, of one portal where it is given."""
    while page := await store.ledger.parked(after, _PAGE):
        for row in page:
            its = await store.portal_of(row.direction, row.queue) if only is not None else None
            if only is None or (its is not None and its.id == only.id):
                yield row
        after = page[-1].seq


async def retry(store: Store, row: ParkedRow, actor: Actor) -> None:
    """Try to deliver a parked row again, at its old place in its portal; raises Declined."""
    portal = await store.portal_of(row.direction, row.queue)
    if portal is not None and portal.state is PortalState.REMOVED:
        raise Declined(
            "removed",
            f"number {row.seq} stays parked, for its portal was removed: first causeway portals add {portal.channel}",
        )
    if await store.ledger.retry(row.seq, noted(str(actor), "retry", f"parked {row.seq}", row.source_key)) is not None:
        await store.ledger.request(row.direction, row.queue)


async def drop(store: Store, row: ParkedRow, actor: Actor) -> None:
    """Give a parked row up for good; its content is deleted."""
    await store.ledger.drop(row.seq, _DROPPED, noted(str(actor), "drop", f"parked {row.seq}", row.source_key))
