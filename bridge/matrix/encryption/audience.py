"""Who is in an encrypted room, and which devices they have: to whom a message can be read out.

Members are asked for when a membership changed, devices when the homeserver said that they did; in between, both are
known. A device counts when it signed its own keys; whether its owner vouches for it is known as well.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bridge.errors import Later
from bridge.matrix.encryption.signing import is_signed
from bridge.store.keys import TheirDevice
from bridge.store.recent import Recent
from portals.ids import MatrixUserId, RoomId

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from bridge.matrix.encryption.identity import Identities
    from bridge.matrix.encryption.key_server import KeyServer
    from bridge.matrix.encryption.turns import Turns
    from bridge.store.database import Statement
    from bridge.store.keys import Keys

    Json = Mapping[str, Any]  # Any: a foreign JSON object, checked field by field

log = logging.getLogger(__name__)

_READING = frozenset({"join", "invite"})
_ROOMS = 512
_ASKED_AT_ONCE = 200
_CATCH_UP = 20.0
"""Seconds that a message waits, at a start, until it is known what changed while the bridge was down."""


@dataclass(frozen=True, slots=True)
class Audience:
    """The people of a room other than ours, and their devices."""

    members: frozenset[MatrixUserId]
    devices: tuple[TheirDevice, ...]


class Audiences:
    """Knows the audience of every room; `is_ours` tells our own users, `all_devices` whether unsigned ones count.

    `aside` is another process than the bridge's, which hears of no change and so asks about everybody.
    """

    def __init__(
        self,
        *,
        keys: Keys,
        server: KeyServer,
        identities: Identities,
        turns: Turns,
        bot: MatrixUserId,
        is_ours: Callable[[str], bool],
        all_devices: bool,
        aside: bool,
    ) -> None:
        self._keys = keys
        self._server = server
        self._identities = identities
        self._turns = turns
        self._bot = bot
        self._is_ours = is_ours
        self._all_devices = all_devices
        self._aside = aside
        self._known: Recent[RoomId, Audience] = Recent(_ROOMS)
        self._members: Recent[RoomId, frozenset[MatrixUserId]] = Recent(_ROOMS)
        self.is_current = asyncio.Event()
        """Set once it is known which devices changed while the bridge was down."""
        if aside:
            self.is_current.set()

    async def of(self, room: RoomId, reader: MatrixUserId | None) -> Audience:
        """Return the audience of a room; `reader` is one of ours who is in it."""
        known = self._known.get(room)
        if known is not None:
            return known
        try:
            async with asyncio.timeout(_CATCH_UP):
                await self.is_current.wait()
        except TimeoutError:
            raise Later("the homeserver does not tell yet whose devices have changed") from None
        writes = self._known.writes
        members = await self._members_of(room, reader)
        await self._ask_about(members)
        devices = await self._keys.devices(sorted(members))
        if not self._all_devices:
            devices = [one for one in devices if one.signed]
        found = Audience(members, tuple(devices))
        self._known.keep(room, found, writes)
        return found

    def membership_changed(self, room: RoomId) -> None:
        """Have the members of a room asked for anew."""
        self._members.forget(room)
        self._known.forget(room)

    def devices_changed(self) -> None:
        """Have it asked anew which devices there are; who is to be asked about is in the store."""
        self._known.clear()

    async def _members_of(self, room: RoomId, reader: MatrixUserId | None) -> frozenset[MatrixUserId]:
        known = self._members.get(room)
        if known is not None:
            return known
        writes = self._members.writes
        answer = await self._server.members(room, reader)
        found = frozenset(
            MatrixUserId(event["state_key"])
            for event in answer["chunk"]
            if isinstance(event, dict)
            and _part(event, "content").get("membership") in _READING
            and isinstance(event.get("state_key"), str)
            and not self._is_ours(event["state_key"])
        )
        self._members.keep(room, found, writes)
        return found

    async def device(self, user: MatrixUserId, curve25519: str) -> TheirDevice | None:
        """Return the device of a user that has this key, asking for it where it is not known."""
        found = await self._keys.device_of_key(user, curve25519)
        if found is None:
            await self._keys.keep(self._keys.stale([user]))
            await self._ask_about([user])
            found = await self._keys.device_of_key(user, curve25519)
        return found

    async def _ask_about(self, users: Iterable[MatrixUserId]) -> None:
        """Ask about the devices of those of whom it is not known that nothing changed."""
        async with self._turns.of("devices"):
            wanted = sorted(users)
            known = await self._keys.tracked(wanted)
            wanted = [user for user in wanted if self._aside or known.get(user, (True, ""))[0]]
            if not wanted:
                return
            own = await self._identities.of(self._bot)
            for start in range(0, len(wanted), _ASKED_AT_ONCE):
                part = wanted[start : start + _ASKED_AT_ONCE]
                await self._take_up(part, await self._server.query(own.user, own.device, part))

    async def _take_up(self, users: Sequence[MatrixUserId], answer: Json) -> None:
        """Remember what an answer tells; a server that did not answer leaves its users to be asked about again."""
        unit: list[Statement] = []
        before = {(one.user, one.device): one.ed25519 for one in await self._keys.devices(users)}
        for user in users:
            found = _part(answer, "device_keys").get(user)
            if not isinstance(found, dict):
                if user.partition(":")[2] in _part(answer, "failures"):
                    continue
                found = {}
            master, vouching = self._vouching(user, answer)
            devices = [one for device, keys in found.items() if (one := _device(user, device, keys, vouching))]
            for one in devices:
                if before.get((user, one.device), one.ed25519) != one.ed25519:
                    log.warning("%s: the device %s has other keys than before, and is left out", user, one.device)
            devices = [one for one in devices if before.get((user, one.device), one.ed25519) == one.ed25519]
            unit += self._keys.put_devices(user, master, devices)
        await self._keys.keep(unit)

    def _vouching(self, user: MatrixUserId, answer: Json) -> tuple[str, str]:
        """Return a user's master key, and the key that signs their devices where the master key vouches for that."""
        master = _only_key(_part(_part(answer, "master_keys"), user), user, "master")
        own = _part(_part(answer, "self_signing_keys"), user)
        vouching = _only_key(own, user, "self_signing")
        return master, vouching if master and vouching and is_signed(own, user, master, master) else ""


def _device(user: MatrixUserId, device: str, keys: object, vouching: str) -> TheirDevice | None:
    """Return a device whose keys are its own; anything else is no device."""
    if not isinstance(keys, dict) or keys.get("user_id") != user or keys.get("device_id") != device:
        return None
    mine = _part(keys, "keys")
    curve25519, ed25519 = mine.get(f"curve25519:{device}"), mine.get(f"ed25519:{device}")
    if not isinstance(curve25519, str) or not isinstance(ed25519, str):
        return None
    if not is_signed(keys, user, device, ed25519):
        log.warning("%s: the device %s did not sign its keys, and gets none of ours", user, device)
        return None
    signed = bool(vouching) and is_signed(keys, user, vouching, vouching)
    return TheirDevice(user, device, curve25519, ed25519, signed)


def _only_key(keys: Json, user: str, usage: str) -> str:
    """Return the one key of a cross-signing key's object, or nothing where that is not sound."""
    held = _part(keys, "keys")
    if keys.get("user_id") != user or usage not in (keys.get("usage") or ()) or len(held) != 1:
        return ""
    [(name, key)] = held.items()
    return key if isinstance(key, str) and name == f"ed25519:{key}" else ""


def _part(whole: Json, name: str) -> Json:
    found = whole.get(name)
    return found if isinstance(found, dict) else {}
