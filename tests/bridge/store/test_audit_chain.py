"""A log that was changed afterwards is found out, whatever was changed, and one that was not is not."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from bridge.store.audit import Entry, noted
from bridge.store.audit_chain import BEGINNING, AuditChain, seal_of
from bridge.store.database import Statement
from bridge.store.opening import open_database

if TYPE_CHECKING:
    from bridge.store.database import Database


async def written(database: Database, count: int = 5) -> AuditChain:
    for number in range(count):
        await database.commit(noted("alice", "pause portal", f"T1/C{number}", "was live"))
    return AuditChain(database)


async def test_every_entry_is_sealed_once(database: Database) -> None:
    chain = await written(database)
    assert await chain.seal() == 5
    assert await chain.seal() == 0
    assert [link.number for link in [one async for one in chain.links()]] == [1, 2, 3, 4, 5]
    verdict = await chain.verify()
    assert (verdict.entries, verdict.flaw) == (5, "")


async def test_an_empty_log_is_whole(database: Database) -> None:
    assert await AuditChain(database).verify() == await AuditChain(database).verify(BEGINNING)


@pytest.mark.parametrize(
    ("change", "flaw"),
    [
        ("UPDATE audit SET actor = 'bob' WHERE id = 3", "entry 3 is not as it was written"),
        ("UPDATE audit SET at = at + 1 WHERE id = 1", "entry 1 is not as it was written"),
        ("DELETE FROM audit WHERE id = 5", "entry 5 is gone"),
        ("DELETE FROM audit_seals WHERE entry = 2", "entry 3 is not as it was written, or others were taken out"),
    ],
)
async def test_a_change_is_found_out(change: str, flaw: str, database: Database) -> None:
    chain = await written(database)
    await chain.seal()
    await database.commit(Statement(change))
    assert (await chain.verify()).flaw.startswith(flaw)


async def test_an_end_that_was_taken_off_is_found_out_by_a_seal_that_was_noted(database: Database) -> None:
    chain = await written(database)
    await chain.seal()
    seal = (await chain.verify()).seal
    assert (await chain.verify(seal)).flaw == ""
    await database.commit(
        Statement("DELETE FROM audit_seals WHERE entry = 5"), Statement("DELETE FROM audit WHERE id = 5")
    )
    assert (await chain.verify()).flaw == ""
    assert "its end was taken off" in (await chain.verify(seal)).flaw


async def test_several_processes_make_one_chain(database: Database, database_url: str) -> None:
    chain = await written(database, 40)
    other = await open_database(database_url)
    try:
        await asyncio.gather(chain.seal(), AuditChain(other).seal())
    finally:
        await other.close()
    verdict = await chain.verify()
    assert (verdict.entries, verdict.flaw) == (40, "")


def test_a_seal_can_be_made_by_anybody_from_what_is_exported() -> None:
    entry = Entry(id=1, at=2, actor="alice", act="retry", subject="parked 3", detail="ü")
    # printf '%s\n%s' 00…0 '{"act":"retry","actor":"alice","at":2,"detail":"ü","id":1,"subject":"parked 3"}' | sha256sum
    assert seal_of(BEGINNING, entry) == "3bcf030823320ec59ed63718212d5d2a9eea3bc1ada81efd90d2996edd9cd712"
