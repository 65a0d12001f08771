"""Inbox and outbox: order, one row a name, plans that outlive the process, parking, requests, purging."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from bridge.errors import Refused
from bridge.store.database import Statement
from bridge.store.ledger import TO_MATRIX, TO_SLACK, Arrival, InboxRow, Ledger, PlannedAction, State
from portals.actions import Note, RecordDeletion, RecordLink, SendEvent
from portals.ids import ActionKey, MatrixUserId, RoomId
from tests.bridge.store.statements import BROKEN, member, members

if TYPE_CHECKING:
    from bridge.store.database import Database

QUEUE = "T1/C1"


def arrival(name: str, *, queue: str = QUEUE, place: int | None = None, rank: str = "", raw: str = "{}") -> Arrival:
    return Arrival(TO_MATRIX, queue, name, raw, place, rank)


def action(number: int) -> SendEvent:
    return SendEvent(
        key=ActionKey(f"key{number}"),
        room=RoomId("!room:x"),
        sender=MatrixUserId("@ghost:x"),
        type="m.room.message",
        content={"body": f"message {number}", "deep": [{"n": number}]},
        ts=1_700_000_000_000,
        record=RecordLink("slack", "@ghost:x", ts="1.1"),
    )


NOTE = Note(ActionKey("note"), RecordDeletion("1.1"))


async def names(ledger: Ledger, queue: str = QUEUE, limit: int = 100) -> list[str]:
    return [row.source_key for row in await ledger.next_rows(TO_MATRIX, queue, limit)]


async def row_of(ledger: Ledger, name: str = "a", **more: str) -> InboxRow:
    """Admit a row and return it."""
    await ledger.admit([arrival(name, **more)])  # type: ignore[arg-type]
    return next(row for row in await ledger.next_rows(TO_MATRIX, QUEUE, 100) if row.source_key == name)


async def outbox(database: Database) -> list[tuple[int, int, int]]:
    return [tuple(row) for row in await database.fetch("SELECT inbox_seq, n, done FROM outbox ORDER BY inbox_seq, n")]


# --- admission and order


async def test_a_row_comes_back_as_it_was_admitted(ledger: Ledger) -> None:
    raw = '{"text": "Zo\\u00eb \\u0000 \\ud83d\\ude00"}'
    await ledger.admit([Arrival(TO_SLACK, "!room:x", "matrix:$1", raw)])
    (row,) = await ledger.next_rows(TO_SLACK, "!room:x", 10)
    assert (row.direction, row.queue, row.source_key, row.raw) == (TO_SLACK, "!room:x", "matrix:$1", raw)
    assert row.state is State.NEW
    assert row.place == row.seq
    assert row.admitted_at > 1_700_000_000_000


async def test_the_same_name_is_admitted_once(ledger: Ledger) -> None:
    first = await ledger.admit([arrival("a", raw="1"), arrival("b"), arrival("a", raw="2")])
    assert [len(rows) for rows in first] == [1, 1, 0]
    assert await ledger.admit([arrival("a", raw="3")]) == [[]]
    rows = await ledger.next_rows(TO_MATRIX, QUEUE, 10)
    assert [(row.source_key, row.raw) for row in rows] == [("a", "1"), ("b", "{}")]


async def test_a_settled_row_still_recognises_its_repetition(ledger: Ledger) -> None:
    await ledger.keep(ledger.settling(await row_of(ledger), "done"))
    await ledger.admit([arrival("a")])
    assert await names(ledger) == []


async def test_rows_stand_in_the_order_of_admission(ledger: Ledger) -> None:
    await asyncio.gather(*(ledger.admit([arrival(f"{number:03}")]) for number in range(150)))
    assert await names(ledger, limit=200) == [f"{number:03}" for number in range(150)]
    assert await names(ledger, limit=3) == ["000", "001", "002"]


async def test_queues_and_directions_are_apart(ledger: Ledger) -> None:
    await ledger.admit([arrival("a"), arrival("b", queue="T1/C2"), Arrival(TO_SLACK, QUEUE, "c", "{}")])
    assert await names(ledger) == ["a"]
    assert await names(ledger, "T1/C2") == ["b"]
    assert sorted(await ledger.open_queues()) == [(TO_MATRIX, QUEUE), (TO_MATRIX, "T1/C2"), (TO_SLACK, QUEUE)]
    counts = {(direction, queue): rows for direction, queue, rows, _ in await ledger.open_counts()}
    assert counts == {(TO_MATRIX, QUEUE): 1, (TO_MATRIX, "T1/C2"): 1, (TO_SLACK, QUEUE): 1}


async def test_what_a_look_back_brings_stands_at_its_gap_in_the_order_of_ranks(ledger: Ledger) -> None:
    await ledger.admit([arrival("before")])
    gap = await ledger.mark("gap")
    await ledger.admit([arrival("after")])
    ranks = ["2.2", "1.1/reaction_added", "1.1", "", "1.1/deleted", "1.1"]
    await ledger.admit([arrival(f"{number}:{rank}", place=gap, rank=rank) for number, rank in enumerate(ranks)])
    await ledger.admit([arrival("last")])
    assert await names(ledger) == [
        "before",
        "3:",
        "2:1.1",
        "5:1.1",
        "4:1.1/deleted",
        "1:1.1/reaction_added",
        "0:2.2",
        "after",
        "last",
    ]


async def test_a_mark_keeps_its_place(ledger: Ledger) -> None:
    first, second = await ledger.mark("gap:1"), await ledger.mark("gap:2")
    assert first < second
    assert await ledger.mark("gap:1") == first
    assert await ledger.open_queues() == []


async def test_arrivals_and_what_stands_beside_them_are_one_unit(ledger: Ledger, database: Database) -> None:
    with pytest.raises(Refused):
        await ledger.admit([arrival("a")], beside=[member("@a:x"), BROKEN])
    assert (await names(ledger), await members(database)) == ([], set())
    await ledger.admit([arrival("a")], beside=[member("@a:x")])
    assert (await names(ledger), await members(database)) == (["a"], {"@a:x"})


# --- the way of one row


async def test_a_plan_is_read_back_as_it_was_made(ledger: Ledger) -> None:
    row = await row_of(ledger)
    made = await ledger.plan(row, [action(1), action(2), NOTE])
    assert made == [PlannedAction(0, action(1)), PlannedAction(1, action(2)), PlannedAction(2, NOTE)]
    assert await ledger.planned(row) == made
    (again,) = await ledger.next_rows(TO_MATRIX, QUEUE, 10)
    assert again.state is State.PLANNED


async def test_planning_twice_keeps_the_first_plan(ledger: Ledger) -> None:
    row = await row_of(ledger)
    await ledger.plan(row, [action(1)])
    await ledger.plan(row, [action(2)])
    assert await ledger.planned(row) == [PlannedAction(0, action(1))]


async def test_what_is_done_is_not_planned_any_more_and_its_record_is_kept_with_it(
    ledger: Ledger, database: Database
) -> None:
    row = await row_of(ledger)
    await ledger.plan(row, [action(1), action(2)])
    await ledger.done(row, 0, [member("@a:x")])
    assert await ledger.planned(row) == [PlannedAction(1, action(2))]
    with pytest.raises(Refused):
        await ledger.done(row, 1, [BROKEN])
    assert await ledger.planned(row) == [PlannedAction(1, action(2))]
    await ledger.keep(ledger.settling(row, "", [member("@b:x")]))
    assert await members(database) == {"@a:x", "@b:x"}
    assert (await names(ledger), await outbox(database)) == ([], [])


async def test_progress_belongs_to_its_action(ledger: Ledger) -> None:
    row = await row_of(ledger)
    await ledger.plan(row, [action(1), action(2)])
    await ledger.note_progress(row, 1, "uploaded mxc://x/y")
    assert [one.progress for one in await ledger.planned(row)] == ["", "uploaded mxc://x/y"]


async def test_a_settled_row_keeps_its_reason_and_not_its_content(ledger: Ledger, database: Database) -> None:
    row = await row_of(ledger, raw='{"secret": 1}')
    await ledger.plan(row, [action(1)])
    await ledger.keep(ledger.settling(row, "nothing to do", [member("@a:x")]))
    rows = await database.fetch("SELECT state, raw, reason FROM inbox WHERE seq = $1", row.seq)
    assert rows == [(int(State.SETTLED), "", "nothing to do")]
    assert await outbox(database) == []
    await ledger.keep(ledger.settling(row, "again"))
    await ledger.park(row, "too late")
    await ledger.plan(row, [])
    assert await database.fetch("SELECT state, reason FROM inbox WHERE seq = $1", row.seq) == [(2, "nothing to do")]


async def test_under_way_is_what_is_planned_and_not_settled(ledger: Ledger) -> None:
    first, second, third = [await row_of(ledger, name) for name in "abc"]
    assert not await ledger.under_way(TO_MATRIX, QUEUE)
    await ledger.plan(third, [action(3)])
    await ledger.plan(second, [action(2)])
    assert await ledger.under_way(TO_MATRIX, QUEUE) == {second.seq, third.seq}
    assert not await ledger.under_way(TO_SLACK, QUEUE)
    await ledger.keep(ledger.settling(second, ""))
    await ledger.park(third, "no")
    assert not await ledger.under_way(TO_MATRIX, QUEUE)
    assert first.state is State.NEW


# --- parking


async def test_a_parked_row_waits_with_its_content_and_its_plan(ledger: Ledger, database: Database) -> None:
    row = await row_of(ledger, raw='{"kept": 1}')
    await ledger.plan(row, [action(1), action(2)])
    await ledger.done(row, 0, [])
    await ledger.park(row, "not allowed")
    assert await names(ledger) == []
    (parked,) = await ledger.parked()
    assert (parked.seq, parked.source_key, parked.reason, parked.raw) == (row.seq, "a", "not allowed", '{"kept": 1}')
    assert await ledger.parked_row(row.seq) == parked
    assert await outbox(database) == [(row.seq, 0, 1), (row.seq, 1, 0)]


async def test_a_retried_row_goes_on_where_it_was(ledger: Ledger) -> None:
    planned, new = await row_of(ledger, "planned"), await row_of(ledger, "new")
    await ledger.plan(planned, [action(1), action(2)])
    await ledger.done(planned, 0, [])
    await ledger.park(planned, "no")
    await ledger.park(new, "no")
    assert await ledger.retry(planned.seq) == (TO_MATRIX, QUEUE)
    assert await ledger.retry(new.seq) == (TO_MATRIX, QUEUE)
    rows = await ledger.next_rows(TO_MATRIX, QUEUE, 10)
    assert [(row.source_key, row.state) for row in rows] == [("planned", State.PLANNED), ("new", State.NEW)]
    assert await ledger.planned(planned) == [PlannedAction(1, action(2))]


async def test_only_a_parked_row_is_retried_or_dropped(ledger: Ledger, database: Database) -> None:
    row = await row_of(ledger)
    await ledger.plan(row, [action(1)])
    assert await ledger.retry(row.seq) is None
    assert await ledger.drop(row.seq, "no") is False
    assert await ledger.drop_parked_source("a", "no") is False
    assert await ledger.planned(row) == [PlannedAction(0, action(1))]
    assert await ledger.retry(999) is None
    assert await ledger.drop(999, "no") is False
    assert await ledger.parked_row(row.seq) is None
    assert await outbox(database) == [(row.seq, 0, 0)]


@pytest.mark.parametrize("by_name", [True, False])
async def test_a_dropped_row_is_gone_with_its_plan(ledger: Ledger, database: Database, by_name: bool) -> None:
    row = await row_of(ledger, raw='{"secret": 1}')
    await ledger.plan(row, [action(1)])
    await ledger.park(row, "no")
    assert await (ledger.drop_parked_source("a", "by its author") if by_name else ledger.drop(row.seq, "by its author"))
    assert await ledger.parked() == []
    assert await outbox(database) == []
    rows = await database.fetch("SELECT state, raw, reason FROM inbox WHERE seq = $1", row.seq)
    assert rows == [(2, "", "by its author")]


@pytest.mark.parametrize("name", ["matrix:$1", "held:7:1"])
async def test_a_parked_event_is_dropped_by_its_id_also_where_it_was_held_and_let_go(ledger: Ledger, name: str) -> None:
    other = '{"event_id": "$2"}'
    told = {name: '{"event_id": "$1"}', "matrix:$2": other, "held:8:1": other}
    await ledger.admit([Arrival(TO_SLACK, "!room:x", key, raw) for key, raw in told.items()])
    for row in await ledger.next_rows(TO_SLACK, "!room:x", 10):
        await ledger.park(row, "no")
    await ledger.drop_parked_event("!room:x", "$1", "by its author")
    assert [one.source_key for one in await ledger.parked()] == ["matrix:$2", "held:8:1"]


async def test_parked_rows_are_listed_in_pages(ledger: Ledger) -> None:
    rows = [await row_of(ledger, str(number)) for number in range(5)]
    for row in reversed(rows):
        await ledger.park(row, "no")
    first = await ledger.parked(limit=2)
    assert [one.source_key for one in first] == ["0", "1"]
    assert [one.source_key for one in await ledger.parked(after=first[-1].seq)] == ["2", "3", "4"]


# --- requests and purging


async def test_requests_are_taken_once_in_their_order(ledger: Ledger) -> None:
    assert await ledger.requests() == []
    for queue in ("T1/C2", "T1/C1", "T1/C2"):
        await ledger.request(TO_MATRIX, queue)
    assert await ledger.requests() == [(TO_MATRIX, "T1/C2"), (TO_MATRIX, "T1/C1"), (TO_MATRIX, "T1/C2")]
    assert await ledger.requests() == []


async def test_purging_forgets_old_settled_rows_only(ledger: Ledger, database: Database) -> None:
    settled, parked, open_row, young = [await row_of(ledger, name) for name in ("settled", "parked", "open", "young")]
    mark = await ledger.mark("gap")
    await ledger.keep(ledger.settling(settled, ""))
    await ledger.park(parked, "no")
    await ledger.keep(ledger.settling(young, ""))
    old = Statement(
        "UPDATE inbox SET admitted_at = 0, settled_at = CASE WHEN settled_at IS NULL THEN NULL ELSE 0 END "
        "WHERE seq <> $1",
        (young.seq,),
    )
    await database.commit(old)
    await ledger.purge(3_600_000)
    left = {row[0] for row in await database.fetch("SELECT seq FROM inbox")}
    assert left == {parked.seq, open_row.seq, young.seq}
    assert await ledger.mark("later") > mark  # numbers are never used again


async def test_what_a_parked_row_may_have_done_is_found_by_its_name(ledger: Ledger) -> None:
    row = await row_of(ledger)
    await ledger.plan(row, [action(1), action(2)])
    assert await ledger.parked_actions("key1") == []
    await ledger.done(row, 0, ())
    await ledger.park(row, "its outcome stays unknown")
    assert await ledger.parked_actions("key1") == []
    assert await ledger.parked_actions("key2") == [action(2)]
    await ledger.drop(row.seq, "given up")
    assert await ledger.parked_actions("key2") == []
