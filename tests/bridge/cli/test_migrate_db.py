"""`causeway migrate-db` says what arrived and what comes next, and shows no password."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from bridge.store.ledger import TO_MATRIX, Ledger
from bridge.store.opening import open_database

if TYPE_CHECKING:
    from tests.bridge.cli.conftest import Causeway


async def _fill(url: str) -> None:
    database = await open_database(url)
    await Ledger(database).request(TO_MATRIX, "T/C")
    await database.close()


def test_a_store_is_moved_and_the_next_step_told(causeway: Causeway, sqlite_url: str, postgres_url: str) -> None:
    asyncio.run(_fill(sqlite_url))
    said = causeway("migrate-db", sqlite_url, "env:NEW", NEW=postgres_url)
    assert "requests  1" in " ".join(said.out.split(" ")).replace("   ", "  ")
    assert "1 rows of" in said.out
    assert "write the new address into database.url" in said.out
    assert postgres_url not in said.out
    back = sqlite_url.replace("causeway.db", "back.db")
    data = causeway("migrate-db", postgres_url, back, "--json").data
    assert data["ok"] is True
    assert data["rows"] == 1
    assert data["to"] == back
    assert "@" not in data["from"]
    requests = next(table for table in data["tables"] if table["table"] == "requests")
    assert (requests["rows"], requests["counter"], len(requests["digest"])) == (1, 1, 64)
    assert "is a store that is in use (requests is not empty)" in causeway("migrate-db", sqlite_url, back, code=1).err


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("mysql://me:secret@db/x", "is no database address"),
        ("env:NOT_SET_ANYWHERE", "the environment variable NOT_SET_ANYWHERE is not set"),
        ("file:/no/such/secret", "cannot be read"),
    ],
)
def test_an_address_that_is_none_is_told_without_being_shown(causeway: Causeway, address: str, words: str) -> None:
    said = causeway("migrate-db", address, "sqlite:///new.db", code=2)
    assert words in said.err.replace("\n", " ")
    assert "FROM" in said.err
    assert "secret@" not in said.err
