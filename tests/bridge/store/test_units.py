"""Units of work on both dialects: whole or not at all, in the order of calls, and each with a fate of its own."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from bridge.errors import Fatal, Refused, StoreUnavailable
from bridge.store.database import Statement, any_of
from bridge.store.opening import open_database
from tests.bridge.store.statements import BROKEN, member, members, request

if TYPE_CHECKING:
    from bridge.store.database import Database


async def test_a_unit_answers_with_the_rows_of_each_statement(database: Database) -> None:
    results = await database.commit(
        member("@a:x"), Statement("SELECT user_id, name FROM members"), Statement("SELECT 1 WHERE 1 = 0")
    )
    assert results == [[], [("@a:x", "Somebody")], []]


async def test_an_empty_unit_is_no_mistake(database: Database) -> None:
    assert await database.commit() == []


async def test_a_unit_with_a_broken_statement_leaves_nothing(database: Database) -> None:
    with pytest.raises(Refused, match="does not take a value"):
        await database.commit(member("@a:x"), BROKEN, member("@b:x"))
    assert await members(database) == set()
    await database.commit(member("@a:x"))
    assert await members(database) == {"@a:x"}


@pytest.mark.parametrize(
    "poison",
    [
        pytest.param((BROKEN,), id="refused"),
        pytest.param((member("@half:x"), BROKEN), id="refused halfway"),
        pytest.param((Statement("NO SUCH WORD"),), id="no statement"),
        pytest.param((Statement("SELECT $1"),), id="too few values"),
        pytest.param((Statement("SELECT 1", ("x",)),), id="too many values"),
        pytest.param(
            (Statement("INSERT INTO requests (kind, body, made_at) VALUES ('', '', $1)", (2**70,)),),
            id="no such number",
        ),
    ],
)
async def test_one_broken_unit_fails_alone_among_many(database: Database, poison: tuple[Statement, ...]) -> None:
    good = [database.commit(member(f"@{number}:x")) for number in range(20)]
    bad = database.commit(*poison)
    good += [database.commit(member(f"@{number}:x")) for number in range(20, 40)]
    results = await asyncio.gather(*good)
    with pytest.raises((Fatal, Refused)):
        await bad
    assert results == [[[]]] * 40
    assert await members(database) == {f"@{number}:x" for number in range(40)}


async def test_broken_units_alone_do_not_stop_the_writer(database: Database) -> None:
    for _ in range(3):
        with pytest.raises(Refused):
            await database.commit(Statement("INSERT INTO requests (kind, body, made_at) VALUES ('', '', $1)", (2**70,)))
    await database.commit(member("@a:x"))
    assert await members(database) == {"@a:x"}


async def test_units_are_committed_in_the_order_of_calls(database: Database) -> None:
    answers = [database.commit(request(str(number))) for number in range(600)]
    places = [results[0][0][0] for results in await asyncio.gather(*answers)]
    assert places == sorted(places)
    rows = await database.fetch("SELECT body FROM requests ORDER BY id")
    assert [row[0] for row in rows] == [str(number) for number in range(600)]


async def test_a_caller_who_goes_away_takes_nothing_along(database: Database) -> None:
    answers = [database.commit(member(f"@{number}:x")) for number in range(5)]
    answers[0].cancel()
    answers[3].cancel()
    await asyncio.gather(*answers, return_exceptions=True)
    assert await members(database) == {f"@{number}:x" for number in range(5)}


async def test_a_read_sees_what_was_committed_before_it(database: Database) -> None:
    for number in range(10):
        await database.commit(member(f"@{number}:x"))
        assert len(await members(database)) == number + 1


async def test_a_query_that_means_nothing_is_an_error_of_ours(database: Database) -> None:
    with pytest.raises(Fatal):
        await database.fetch("SELECT nothing FROM nowhere")
    assert await database.fetch("SELECT 1") == [(1,)]


async def test_close_writes_what_is_queued(database_url: str) -> None:
    database = await open_database(database_url)
    answers = [database.commit(member(f"@{number}:x")) for number in range(300)]
    await database.close()
    assert all(answer.done() and answer.exception() is None for answer in answers)
    again = await open_database(database_url)
    assert len(await members(again)) == 300
    await again.close()


async def test_a_closed_store_says_later_and_closes_twice(database: Database) -> None:
    await database.close()
    await database.close()
    with pytest.raises(StoreUnavailable):
        await database.commit(member("@a:x"))
    with pytest.raises(StoreUnavailable):
        await database.fetch("SELECT 1")


@pytest.mark.parametrize(
    ("text", "kept"),
    [("a\0b", "ab"), ("\0", ""), ("a\ud83d", "a?"), ("Zoë \N{GRINNING FACE}", "Zoë \N{GRINNING FACE}")],
)
async def test_text_that_no_database_holds_is_kept_without_what_it_cannot_hold(
    database: Database, text: str, kept: str
) -> None:
    await database.commit(member(f"@{text}:x", text))
    sql = "SELECT user_id, name FROM members WHERE user_id = $1"
    assert await database.fetch(sql, f"@{text}:x") == [(f"@{kept}:x", kept)]
    assert await database.commit(Statement(sql, (f"@{text}:x",))) == [[(f"@{kept}:x", kept)]]


async def test_numbers_and_none_come_back_as_they_went(database: Database) -> None:
    add = "INSERT INTO inbox (direction, queue, source_key, raw, place, admitted_at) VALUES ('', '', $1, '', $2, $3)"
    await database.commit(Statement(add, ("a", None, 2**63 - 1)), Statement(add, ("b", -1, 0)))
    rows = await database.fetch("SELECT place, admitted_at FROM inbox ORDER BY source_key")
    assert rows == [(None, 2**63 - 1), (-1, 0)]


def test_any_of_numbers_its_places() -> None:
    assert any_of(3, 1) == "($3)"
    assert any_of(2, 3) == "($2, $3, $4)"
