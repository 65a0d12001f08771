"""Whoever guesses must wait, and the audit log says so without being filled."""

from __future__ import annotations

from bridge.administration.guesses import BURST, EVERY, Guesses
from bridge.store.audit import Audit
from bridge.store.opening import open_database


async def test_an_address_waits_after_its_wrong_ones_and_only_it(sqlite_url: str) -> None:
    now = [0.0]
    database = await open_database(sqlite_url)
    guesses = Guesses(database, lambda: now[0])
    for _ in range(BURST):
        assert guesses.wait("192.0.2.1") == 0
        await guesses.wrong("API", "192.0.2.1", "token", "unknown_token")
    assert guesses.wait("192.0.2.1") == guesses.wait("::ffff:192.0.2.1") == EVERY
    assert guesses.wait("192.0.2.2") == guesses.wait(None) == 0
    now[0] = EVERY
    assert guesses.wait("192.0.2.1") == 0
    await guesses.wrong("API", "192.0.2.1", "token", "unknown_token")
    assert guesses.wait("192.0.2.1") == EVERY
    noted = [one.detail for one in await Audit(database).entries()]
    assert noted == ["unknown_token", "too_many"]
    now[0] = (BURST + 1) * EVERY
    await guesses.wrong("API", "192.0.2.1", "token", "unknown_token")
    assert [one.detail for one in await Audit(database).entries()][2:] == ["unknown_token"]
    await database.close()


async def test_many_addresses_fill_neither_memory_nor_the_log(sqlite_url: str) -> None:
    database = await open_database(sqlite_url)
    guesses = Guesses(database, lambda: 0.0)
    for number in range(1_100):
        await guesses.wrong("API", f"2001:db8:{number:x}::1", "token", "unknown_token")
    assert len(guesses._addresses) == 1_000
    assert len(await Audit(database).entries()) == 50
    for _ in range(BURST):
        await guesses.wrong("API", f"2001:db8::{_}", "token", "unknown_token")
    assert guesses.wait("2001:db8::ffff") == EVERY  # the same network
    await database.close()
