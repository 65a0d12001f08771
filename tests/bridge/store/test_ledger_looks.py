"""What the ledger is asked about itself: names, numbers and times, of one queue and no other."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bridge.store.ledger import LOOK, TO_MATRIX, TO_SLACK, Arrival, Ledger, State

if TYPE_CHECKING:
    from bridge.store.database import Database

QUEUE, OTHER = "T1/C1", "T1/C2"


async def filled(ledger: Ledger) -> dict[str, int]:
    """Rows of each state in one queue, and one parked row in each other queue and direction; returns their numbers."""
    places = [(TO_MATRIX, QUEUE, "open"), (TO_MATRIX, QUEUE, "planned"), (TO_MATRIX, QUEUE, "settled")]
    places += [(TO_MATRIX, QUEUE, "parked"), (TO_MATRIX, OTHER, "elsewhere"), (TO_SLACK, QUEUE, "the other way")]
    await ledger.admit([Arrival(direction, queue, name, "{}") for direction, queue, name in places])
    rows = [*await ledger.next_rows(TO_MATRIX, QUEUE, 9), *await ledger.next_rows(TO_MATRIX, OTHER, 9)]
    rows += await ledger.next_rows(TO_SLACK, QUEUE, 9)
    found = {row.source_key: row for row in rows}
    await ledger.plan(found["planned"], [])
    await ledger.keep(ledger.settling(found["settled"], ""))
    for name in ("parked", "elsewhere", "the other way"):
        await ledger.park(found[name], "no")
    return {name: row.seq for name, row in found.items()}


async def test_names_of_parked_rows_are_those_of_one_queue(ledger: Ledger) -> None:
    await filled(ledger)
    assert await ledger.parked_names(TO_MATRIX, QUEUE) == ["parked"]
    assert await ledger.parked_names(TO_SLACK, QUEUE) == ["the other way"]


async def test_what_waits_is_counted_by_queue(ledger: Ledger) -> None:
    rows = await filled(ledger)
    assert [one[:3] for one in await ledger.open_counts()] == [(TO_MATRIX, QUEUE, 2)]
    assert await ledger.under_way(TO_MATRIX, QUEUE) == {rows["planned"]}


async def test_a_name_is_known_however_its_row_ended(ledger: Ledger) -> None:
    await filled(ledger)
    for name in ("open", "planned", "settled", "parked"):
        assert await ledger.knows("nobody's", name) is True
    assert await ledger.knows("nobody's") is False


async def test_times_of_admission_are_told_and_zero_is_never(ledger: Ledger, database: Database) -> None:
    assert await ledger.newest_admission() == 0
    before = time.time_ns() // 1_000_000
    rows = await filled(ledger)
    await database.fetch("UPDATE inbox SET admitted_at = 5 WHERE seq = $1 RETURNING seq", rows["open"])
    assert await ledger.admitted_at(rows["open"]) == 5
    assert await ledger.admitted_at(10_000) == 0
    newest = await ledger.newest_admission()
    assert before <= newest <= time.time_ns() // 1_000_000
    assert newest == await ledger.admitted_at(rows["the other way"])


async def test_each_queue_is_looked_at_once_for_one_asking(ledger: Ledger) -> None:
    assert await ledger.is_asked() is False
    await ledger.keep(ledger.looking([QUEUE, OTHER, QUEUE]))
    assert await ledger.is_asked() is True
    assert await ledger.requests() == [(LOOK, QUEUE), (LOOK, OTHER)]


async def test_what_a_state_is_called_in_the_store_never_changes(ledger: Ledger) -> None:
    assert [int(state) for state in (State.NEW, State.PLANNED, State.SETTLED, State.PARKED)] == [0, 1, 2, 3]
