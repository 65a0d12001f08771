"""A room that is believed to be clear: for how long, and what tells that it still is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bridge.errors import Refused
from bridge.matrix.encryption.door import Encryption, Options
from bridge.matrix.wire import Wire
from bridge.store.opening import open_database
from portals.actions import STAMP
from portals.ids import MatrixUserId, RoomId

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.bridge.matrix.stub_homeserver import StubHomeserver

ROOM, BOT, ADA = RoomId("!r:hs.test"), MatrixUserId("@bot:hs.test"), MatrixUserId("@ada:hs.test")


class Door:
    """The door, its clock, and how often the homeserver was asked about the room."""

    def __init__(self, wire: Wire, database: Any, stub: StubHomeserver) -> None:
        self.now = 0.0
        self.stub = stub
        options = Options(key=None, bot=BOT, is_ours=lambda user: user == BOT, acts_as=lambda _: False)
        self.encryption = Encryption(wire, database, options, clock=lambda: self.now)

    async def send(self, stamp: str, at: float) -> int:
        """Have something leave at a time; returns how often the homeserver was asked about the room by then."""
        self.now = at
        self.stub.replies.clear()
        self.stub.reply(404, errcode="M_NOT_FOUND", error="no such state")
        kind, _ = await self.encryption.outgoing(ROOM, BOT, "m.room.message", {STAMP: stamp})
        assert kind == "m.room.message"
        return len(self.stub.asked)

    def comes(self, stamp: str, at: float, sender: str = BOT, type: str = "m.room.message", **fields: Any) -> None:
        self.now = at
        event = {"room_id": ROOM, "type": type, "sender": sender, "content": {STAMP: stamp}, **fields}
        self.encryption.observe([event])


@pytest.fixture
async def door(stub: StubHomeserver, sqlite_url: str) -> AsyncIterator[Door]:
    database, wire = await open_database(sqlite_url), Wire(stub.url, "token", connections=1, timeout=5)
    yield Door(wire, database, stub)
    await wire.close()
    await database.close()


async def test_a_busy_room_is_asked_about_once_for_what_comes_back_tells_that_it_is_clear(door: Door) -> None:
    assert await door.send("a", 0) == 1
    assert await door.send("b", 0.8) == 1
    door.comes("b", 1.0)
    assert await door.send("c", 1.7) == 1
    door.comes("c", 1.9)
    assert await door.send("d", 2.6) == 1
    assert await door.send("e", 2.8) == 2  # a second after the last that came back had left


async def test_what_a_stranger_stamps_tells_nothing(door: Door) -> None:
    await door.send("a", 0)
    await door.send("b", 0.8)
    door.comes("b", 0.9, sender=ADA)
    assert await door.send("c", 1.1) == 2


async def test_what_leaves_a_second_time_tells_nothing_by_its_return(door: Door) -> None:
    await door.send("a", 0)
    await door.send("b", 0.5)
    door.encryption.lose_track(ROOM)
    await door.send("b", 0.8)
    door.comes("b", 0.9)
    assert await door.send("c", 1.1) == 2


async def test_a_room_that_became_encrypted_stays_so_whatever_comes_back_of_before(door: Door) -> None:
    await door.send("a", 0)
    await door.send("b", 0.1)
    door.comes("", 0.2, sender=ADA, type="m.room.encryption", state_key="")
    door.comes("b", 0.3)
    door.stub.replies.clear()
    door.stub.reply(algorithm="m.megolm.v1.aes-sha2")
    with pytest.raises(Refused):
        await door.encryption.outgoing(ROOM, BOT, "m.room.message", {STAMP: "c"})
