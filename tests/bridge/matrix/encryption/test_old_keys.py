"""Sessions end by time, and the keys of those that are over are given up for good."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import orjson
import pytest
import vodozemac

from bridge.administration.rotation import Key, rotate
from bridge.matrix.encryption.audience import Audience
from bridge.matrix.encryption.identity import Identity
from bridge.matrix.encryption.inbound import Inbounds, Undecryptable
from bridge.matrix.encryption.outbound import MEGOLM, Outbounds
from bridge.matrix.encryption.turns import Turns
from bridge.matrix.encryption.vault import Vault
from bridge.store.database import Statement
from bridge.store.keys import Inbound, Keys
from bridge.store.old_keys import OldKeys
from bridge.store.opening import open_database
from portals.ids import MatrixUserId, RoomId

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bridge.store.database import Database

DAY = 24 * 3600 * 1000
ROOM, ADA, BOT = RoomId("!r:hs.test"), MatrixUserId("@ada:hs.test"), MatrixUserId("@bot:hs.test")
NOBODY = Audience(frozenset(), ())
OWN = Identity(BOT, "CW", "bot's curve25519", "bot's ed25519", {})
VAULT = Vault("k")


class Nobody:
    """Neither has devices to write to nor such that write."""

    async def device(self, *_: object) -> None:
        """Know no device."""


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = await open_database(database_url)
    yield opened
    await opened.close()


async def test_a_session_ends_after_the_room_s_time_however_little_was_said_in_it(sqlite_url: str) -> None:
    opened, now = await open_database(sqlite_url), [1_000_000]
    outbounds = Outbounds(Keys(opened), VAULT, Nobody(), Turns(), now_ms=lambda: now[0])  # type: ignore[arg-type]  # has nobody to write to

    async def session(rules: tuple[int, int] = (DAY, 100)) -> str:
        sealed = await outbounds.encrypt(OWN, ROOM, NOBODY, rules, "m.room.message", {"body": "hello"})
        return str(sealed["session_id"])

    try:
        first = await session()
        now[0] += DAY - 1
        assert await session() == first
        now[0] += 1
        second = await session()
        assert second != first
        now[0] -= 2 * DAY
        assert await session() != second, "a clock that was set back makes no session last for ever"
    finally:
        await opened.close()


async def test_a_key_that_opened_nothing_for_long_is_given_up_and_comes_never_back(database: Database) -> None:
    keys, old = Keys(database), OldKeys(database)
    theirs, quiet = vodozemac.GroupSession(), vodozemac.GroupSession()
    inbounds = Inbounds(keys, VAULT, Nobody(), BOT, lambda user: user == BOT, all_devices=True)  # type: ignore[arg-type]  # knows no device
    plain = orjson.dumps({"type": "m.room.message", "content": {"body": "hello"}, "room_id": ROOM})
    content = {"algorithm": MEGOLM, "session_id": theirs.session_id, "ciphertext": ""}
    key = vodozemac.InboundGroupSession(theirs.session_key).pickle(VAULT.pickle_key)
    ended = Inbound(ROOM, theirs.session_id, ADA, "curve", "ed", 0, key)
    lasting = replace(ended, session_id=quiet.session_id, room="!slow:hs.test")
    content["ciphertext"] = theirs.encrypt(plain).to_base64()
    event = {"type": "m.room.encrypted", "room_id": ROOM, "sender": ADA, "event_id": "$1", "content": content}
    await keys.keep(
        [*keys.put_inbound(ended), *keys.put_inbound(lasting), *keys.put_room("!slow:hs.test", 99 * DAY, 1)]
    )
    assert (await inbounds.opened(event))["content"] == {"body": "hello"}
    assert await old.give_up(0, 30 * DAY) == 0
    await database.commit(Statement("UPDATE inbound_sessions SET used_at = 0"))
    now = 1000 * DAY
    assert await old.give_up(now, 30 * DAY) == 0, "what nobody noted counts from now"
    await keys.read_first(ROOM, theirs.session_id, 0, "$1")
    assert await old.give_up(now + 20 * DAY, 30 * DAY) == 0
    await database.commit(Statement("UPDATE inbound_sessions SET used_at = $1", (now,)))
    assert await old.give_up(now + 31 * DAY, 30 * DAY) == 1
    await keys.keep(keys.put_inbound(ended))
    with pytest.raises(Undecryptable, match="was given up") as refused:
        await inbounds.opened({**event, "event_id": "$2"})
    assert refused.value.session is None, "nobody is asked for it"
    rows = await database.fetch("SELECT room FROM inbound_sessions WHERE session <> ''")
    assert [tuple(row) for row in rows] == [("!slow:hs.test",)]
    assert await database.fetch("SELECT 1 FROM read_indices") == []
    assert await rotate(database, Key.ENCRYPTION, "k", "another", "a test") == 1, "what is given up needs no new seal"
