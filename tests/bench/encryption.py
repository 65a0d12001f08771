"""What encryption costs: messages into clear and encrypted rooms with 2, 50 and 500 devices, on one Synapse.

The first message of a session gives its key to every device; with devices of their own, each ghost has such a session,
and once in its life makes its device. Later messages are encrypted and stored before they are sent.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import vodozemac
from mautrix.api import Method, Path

from bridge.matrix.client import MatrixClient
from bridge.matrix.encryption.door import Encryption, Options
from bridge.matrix.encryption.signing import with_signature
from bridge.matrix.wire import Wire
from bridge.store.keys import Keys
from bridge.store.opening import open_database
from portals.ids import ActionKey, MatrixUserId, RoomId
from tests.bench.figures import told
from tests.sandbox.homeserver.synapse import Synapse

if TYPE_CHECKING:
    import pathlib
    from collections.abc import AsyncIterator

    from bridge.store.database import Database
    from tests.bench.figures import Figure

TOKEN, AUDIENCE_TOKEN = "as-token-of-the-bench", "as-token-of-the-audience"
BOT = MatrixUserId("@bench:localhost")
GHOSTS = [MatrixUserId(f"@ghost{number}:localhost") for number in range(4)]
OF_ONE = 10
"""Devices of one person."""


def registration(name: str, token: str, users: str) -> dict[str, Any]:
    """Return a registration whose users may have devices without logging in."""
    return {
        "id": name,
        "url": None,
        "as_token": token,
        "hs_token": f"hs-{token}",
        "sender_localpart": f"{name}-service",
        "namespaces": {"users": [{"exclusive": True, "regex": users}], "aliases": [], "rooms": []},
        "rate_limited": False,
        "io.element.msc4190": True,
    }


async def measure(directory: pathlib.Path, quick: bool) -> AsyncIterator[Figure]:
    """Yield the cost of a message, by kind of room and number of devices."""
    registrations = [
        registration("bench", TOKEN, "@(bench|ghost.*):localhost"),
        registration("audience", AUDIENCE_TOKEN, "@audience.*:localhost"),
    ]
    messages = 20 if quick else 60
    async with Synapse(directory / "synapse", registrations=registrations) as homeserver:
        async with MatrixClient(homeserver.url, TOKEN, BOT, bot_is_sender=False) as client:
            for user in (BOT, *GHOSTS):
                await client.register(user)
            clear = await _clear(client, messages)
        yield told("A message into a clear room", f"{clear:.1f} ms")
        for devices in (2, 50, 500):
            people = await _people(homeserver.url, devices)
            for ghosts in ("bridge", "own"):
                name = f"{ghosts}-{devices}"
                first, later = await _sealed(homeserver.url, directory / f"{name}.db", people, ghosts, messages)
                who = "the bot's device" if ghosts == "bridge" else "ghosts' own devices"
                apart = (first - clear) / devices
                yield told(
                    f"… into an encrypted one with {devices} devices, by {who}: a session's first",
                    f"{first:.0f} ms, {apart:.1f} ms for each device",
                )
                yield told("    and each later one", f"{later:.1f} ms, {later / clear:.2f} of a clear one")


async def _clear(client: MatrixClient, messages: int) -> float:
    room = await client.rooms.create_room({"preset": "public_chat"})
    for ghost in GHOSTS:
        await client.rooms.join(room, ghost)
    began = time.perf_counter()
    await _say(client, room, messages, "clear")
    return (time.perf_counter() - began) * 1000 / messages


async def _sealed(
    url: str, store: pathlib.Path, people: list[MatrixUserId], ghosts: str, messages: int
) -> tuple[float, float]:
    """Return the ms of a session's first message, on average, and of each later one."""
    async with AsyncExitStack() as stack:
        database = await open_database(f"sqlite:///{store}")
        stack.push_async_callback(database.close)
        client = await stack.enter_async_context(
            MatrixClient(url, TOKEN, BOT, door=partial(_door, database, ghosts), bot_is_sender=False)
        )
        reading = asyncio.create_task(client.read_keys(_nothing))
        stack.push_async_callback(_cancelled, reading)
        state = {"type": "m.room.encryption", "content": {"algorithm": "m.megolm.v1.aes-sha2"}}
        room = await client.rooms.create_room({"preset": "public_chat", "initial_state": [state]})
        for ghost in GHOSTS:
            await client.rooms.join(room, ghost)
        async with MatrixClient(url, AUDIENCE_TOKEN, BOT) as audience:
            for person in people:
                await audience.rooms.join(room, person)
        await _say(client, room, 1, "warm", [BOT])  # asks about all devices, and has the bot's own
        speakers = GHOSTS if ghosts == "own" else [BOT]
        if ghosts == "bridge":
            await _begun_anew(database)
        began = time.perf_counter()
        await _say(client, room, len(speakers), "first", speakers)
        first = (time.perf_counter() - began) * 1000 / len(speakers)
        began = time.perf_counter()
        await _say(client, room, messages, "later")
        return first, (time.perf_counter() - began) * 1000 / messages


async def _begun_anew(database: Database) -> None:
    """Have the next message begin a session, whose key everybody is to be given."""
    keys = Keys(database)
    for row in await database.fetch("SELECT owner, room FROM outbound_sessions"):
        await keys.keep(keys.no_outbound(MatrixUserId(row[0]), row[1]))


async def _say(
    client: MatrixClient, room: RoomId, messages: int, name: str, speakers: list[MatrixUserId] = GHOSTS
) -> None:
    for number in range(messages):
        content = {"msgtype": "m.text", "body": f"number {number} of the measurement"}
        key = ActionKey(f"{name}-{room}-{number}")
        await client.send(room, speakers[number % len(speakers)], "m.room.message", content, key)


def _door(database: Database, ghosts: str, wire: Wire) -> Encryption:
    ours = frozenset((BOT, *GHOSTS))
    return Encryption(wire, database, Options("k" * 32, BOT, ours.__contains__, lambda _: False, ghosts))


async def _people(url: str, devices: int) -> list[MatrixUserId]:
    """Make people with so many devices in all, which have published keys."""
    wire = Wire(url, AUDIENCE_TOKEN, connections=8, timeout=60)
    try:
        each = min(OF_ONE, devices)
        made = [MatrixUserId(f"@audience{devices}x{number}:localhost") for number in range(devices // each)]
        for user in made:
            content = {"type": "m.login.application_service", "username": user[1:].partition(":")[0]}
            await wire.call(Method.POST, Path.v3.register, {**content, "inhibit_login": True})
            for number in range(each):
                await _device(wire, user, f"D{number}")
    finally:
        await wire.close()
    return made


async def _device(wire: Wire, user: MatrixUserId, device: str) -> None:
    await wire.call(Method.PUT, Path.v3.devices[device], {}, user=user)
    account = vodozemac.Account()
    account.generate_one_time_keys(50)

    def signed(value: dict[str, Any]) -> dict[str, Any]:
        return with_signature(value, user, device, lambda data: account.sign(data).to_base64())

    keys = {
        "user_id": user,
        "device_id": device,
        "algorithms": ["m.olm.v1.curve25519-aes-sha2", "m.megolm.v1.aes-sha2"],
        "keys": {
            f"curve25519:{device}": account.curve25519_key.to_base64(),
            f"ed25519:{device}": account.ed25519_key.to_base64(),
        },
    }
    once = {
        f"signed_curve25519:{name}": signed({"key": key.to_base64()}) for name, key in account.one_time_keys.items()
    }
    content = {"device_keys": signed(keys), "one_time_keys": once}
    await wire.call(Method.POST, Path.v3.keys.upload, content, user=user, query={"device_id": device})


async def _nothing(_: object) -> None:
    """No row waits for a key."""


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
