"""The sessions that our messages are encrypted with, and who has their keys.

    audience ─ is a new session due? ─ whoever lacks its key gets it ─ encrypt ─ commit ─ (the client sends)

A session ends after the room's time or number of messages, when somebody left who has its key, and when a device that
has it is gone. Who comes gets the key from where the session is then. A place of the ratchet is stored before what it
made leaves this module, so it is never used twice.
"""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import orjson
import vodozemac

from bridge.errors import Refused
from bridge.matrix.encryption.identity import ALGORITHMS
from bridge.store.keys import Inbound, Outbound
from bridge.store.recent import Recent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bridge.matrix.encryption.audience import Audience
    from bridge.matrix.encryption.identity import Identity
    from bridge.matrix.encryption.letters import Letters
    from bridge.matrix.encryption.turns import Turns
    from bridge.matrix.encryption.vault import Vault
    from bridge.store.keys import Keys, TheirDevice
    from portals.ids import RoomId

log = logging.getLogger(__name__)

MEGOLM = ALGORITHMS[1]
_AGAIN = 300.0
"""Seconds until a device that could not be given a key is tried again."""
_KNOWN = 4096


class Outbounds:
    """Encrypts what our devices say in rooms."""

    def __init__(
        self,
        keys: Keys,
        vault: Vault,
        letters: Letters,
        turns: Turns,
        *,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._keys = keys
        self._vault = vault
        self._letters = letters
        self._turns = turns
        self._now_ms = now_ms
        self._clock = clock
        self._told: Recent[str, tuple[str, Audience, float]] = Recent(_KNOWN)
        """By owner and room: the session that this audience has the key of, and until when that is as good as it gets.

        It only spares a look into the store.
        """

    async def encrypt(
        self,
        own: Identity,
        room: RoomId,
        audience: Audience,
        rules: tuple[int, int],
        type: str,
        content: Mapping[str, Any],
    ) -> dict[str, Any]:
        """Return the content of an `m.room.encrypted` event that everybody in the audience can read.

        `rules` are the ms and the messages after which a session ends.
        """
        relation = content.get("m.relates_to")
        plain = {
            "type": type,
            "content": {name: value for name, value in content.items() if name != "m.relates_to"},
            "room_id": room,
        }
        try:
            written = orjson.dumps(plain)
        except TypeError as error:
            raise Refused("M_BAD_JSON", f"the content cannot be written as JSON: {error}") from error
        async with self._turns.of(f"room {own.user} {room}"):
            while True:
                found, session = await self._current(own, room, audience, rules)
                ciphertext = session.encrypt(written).to_base64()
                pickled = session.pickle(self._vault.pickle_key)
                if await self._keys.advance(own.user, room, replace(found, session=pickled, sent=found.sent + 1)):
                    break
        sealed: dict[str, Any] = {
            "algorithm": MEGOLM,
            "ciphertext": ciphertext,
            "session_id": found.session_id,
            "sender_key": own.curve25519,
            "device_id": own.device,
        }
        if relation is not None:
            sealed["m.relates_to"] = relation
        return sealed

    async def _current(
        self, own: Identity, room: RoomId, audience: Audience, rules: tuple[int, int]
    ) -> tuple[Outbound, vodozemac.GroupSession]:
        """Return the session to speak in, whose key everybody has who can have it."""
        found = await self._keys.outbound(own.user, room)
        before = found.session_id if found is not None else ""
        if found is not None and (found.sent >= rules[1] or not 0 <= self._now_ms() - found.made_at < rules[0]):
            found = None
        name = f"{own.user} {room}"
        told = self._told.get(name)
        is_told = found is not None and told is not None and told[0] == found.session_id and told[1] is audience
        if found is not None and told is not None and is_told and self._clock() < told[2]:
            return found, self._opened(found)
        shares = await self._keys.shares(own.user, room) if found is not None else frozenset()
        wanted = {(one.user, one.device, one.curve25519): one for one in audience.devices}
        if shares - wanted.keys():
            log.info("%s: %s begins a new session, since not everybody is there any more", room, own.user)
            found = None
        if found is None:
            found = await self._begun(own, room, before)
            shares = await self._keys.shares(own.user, room)
        session = self._opened(found)
        lacking = [device for key, device in wanted.items() if key not in shares]
        given = await self._give(own, room, found.session_id, session, lacking)
        patience = _AGAIN if given < len(lacking) else float("inf")
        self._told.put(name, (found.session_id, audience, self._clock() + patience))
        return found, session

    def _opened(self, found: Outbound) -> vodozemac.GroupSession:
        return vodozemac.GroupSession.from_pickle(found.session, self._vault.pickle_key)

    async def _begun(self, own: Identity, room: RoomId, before: str) -> Outbound:
        """Begin a session in place of another, and remember it for reading what we ourselves said."""
        session = vodozemac.GroupSession()
        pickled = session.pickle(self._vault.pickle_key)
        ours = vodozemac.InboundGroupSession(session.session_key).pickle(self._vault.pickle_key)
        found = Outbound(session.session_id, pickled, self._now_ms(), 0)
        reading = Inbound(room, session.session_id, own.user, own.curve25519, own.ed25519, 0, ours)
        if await self._keys.begin(own.user, found, before, reading):
            return found
        other = await self._keys.outbound(own.user, room)
        assert other is not None, "another process has begun one"
        return other

    async def _give(
        self,
        own: Identity,
        room: RoomId,
        session_id: str,
        session: vodozemac.GroupSession,
        devices: Sequence[TheirDevice],
    ) -> int:
        """Give the key of a session to devices; returns how many have it."""
        if not devices:
            return 0
        content = {
            "algorithm": MEGOLM,
            "room_id": room,
            "session_id": session_id,
            "session_key": session.session_key.to_base64(),
        }
        reached = await self._letters.send(own, devices, "m.room_key", content)
        await self._keys.keep(self._keys.put_shares(own.user, room, session_id, reached))
        if len(reached) < len(devices):
            missed = sorted({device.user for device in devices} - {device.user for device in reached})
            log.warning(
                "%s: %d of %d devices have no key that a session could be begun with%s",
                room,
                len(devices) - len(reached),
                len(devices),
                f", those of {', '.join(missed)}" if missed else "",
            )
        return len(reached)

    async def give_again(self, own: Identity, room: RoomId, session_id: str, device: TheirDevice) -> bool:
        """Give the key of the present session to a device that was given it before, and says that it lacks it."""
        async with self._turns.of(f"room {own.user} {room}"):
            found = await self._keys.outbound(own.user, room)
            if found is None or found.session_id != session_id:
                return False
            if (device.user, device.device, device.curve25519) not in await self._keys.shares(own.user, room):
                return False
            return bool(await self._give(own, room, session_id, self._opened(found), [device]))
