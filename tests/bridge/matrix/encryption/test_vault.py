"""Secrets lie in the store sealed, each as what it is, and another key opens none of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.errors import Fatal
from bridge.matrix.encryption.vault import Vault
from bridge.store.keys import Keys
from bridge.store.opening import open_database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bridge.store.database import Database


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    found = await open_database(database_url)
    yield found
    await found.close()


def test_what_is_sealed_opens_with_the_same_key_as_the_same_thing_only() -> None:
    vault = Vault("a key")
    sealed = vault.seal("a secret", "a file")
    assert "a secret" not in sealed
    assert vault.seal("a secret", "a file") != sealed
    assert Vault("a key").open(sealed, "a file") == "a secret"
    for other, about in ((vault, "another file"), (Vault("another key"), "a file")):
        with pytest.raises(Fatal, match=r"encryption\.key"):
            other.open(sealed, about)


def test_the_two_derived_keys_differ() -> None:
    assert len(Vault("a key").pickle_key) == 32
    assert Vault("a key").pickle_key == Vault("a key").pickle_key != Vault("b key").pickle_key


async def test_a_store_remembers_which_key_it_was_sealed_with(database: Database) -> None:
    keys = Keys(database)
    await Vault("a key").check(keys)
    await Vault("a key").check(keys)
    with pytest.raises(Fatal, match="causeway encryption reset"):
        await Vault("another key").check(keys)
    await keys.reset()
    await Vault("another key").check(keys)
