"""The homeserver's side of encryption: one method a request (client-server API, "End-to-end encryption").

Each acts as one device of one of our users: `device_id` masquerades as it, by the stable name and by the one that older
homeservers know. All of it may be repeated freely.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from mautrix.api import Method, Path

from bridge.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bridge.matrix.wire import Json, Wire
    from portals.ids import MatrixUserId

_PATIENCE_MS = 10_000
"""How long our homeserver is to wait for others when it asks them for keys."""
_ONLY_FOR_THE_DEVICE = orjson.dumps(
    {
        "room": {"rooms": [], "account_data": {"types": []}},
        "presence": {"types": []},
        "account_data": {"types": []},
    }
).decode()
SIGNED = "signed_curve25519"
NO_DEVICE = frozenset({"M_UNKNOWN_DEVICE", "ORG.MATRIX.MSC4326.M_UNKNOWN_DEVICE", "M_EXCLUSIVE"})
"""With what Synapse, new and old, refuses a request as a device that it does not know: somebody removed it there."""


class KeyServer:
    """Asks the homeserver, through the wire of the client."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def create_device(self, user: MatrixUserId, device: str, name: str) -> None:
        """Have the device exist: by MSC4190, or by logging in where the homeserver does not know that."""
        path = Path.v3.devices[device]
        try:
            await self._wire.call(Method.PUT, path, {"display_name": name}, user=user)
        except Refused as refused:
            if refused.code not in ("M_NOT_FOUND", "M_UNRECOGNIZED"):
                raise
            content = {
                "type": "m.login.application_service",
                "identifier": {"type": "m.id.user", "user": user},
                "device_id": device,
                "initial_device_display_name": name,
            }
            await self._wire.call(Method.POST, Path.v3.login, content)

    async def knows(self, user: MatrixUserId, device: str) -> bool:
        """Tell whether one of our users has this device."""
        try:
            await self._wire.call(Method.GET, Path.v3.devices[device], user=user)
        except Refused as refused:
            if refused.code == "M_NOT_FOUND":
                return False
            raise
        return True

    async def remove_others(self, user: MatrixUserId, device: str) -> None:
        """Remove what devices one of our users has besides this one: they are of a store that is lost."""
        answer = await self._wire.call(Method.GET, Path.v3.devices, user=user)
        found = answer.get("devices")
        for one in found if isinstance(found, list) else ():
            other = one.get("device_id") if isinstance(one, dict) else None
            if isinstance(other, str) and other != device:
                await self._wire.call(Method.DELETE, Path.v3.devices[other], {}, user=user)

    async def upload_keys(self, user: MatrixUserId, device: str, content: Json) -> dict[str, int]:
        """Publish keys of a device; returns how many one-time keys of each kind the homeserver has."""
        answer = await self._post(Path.v3.keys.upload, content, user, device)
        return counts_of(answer.get("one_time_key_counts"))

    async def upload_cross_signing(self, user: MatrixUserId, device: str, content: Json) -> None:
        """Publish a user's cross-signing keys; a homeserver with MSC4190 asks a service for no password."""
        await self._post(Path.v3.keys.device_signing.upload, content, user, device)

    async def upload_signature(self, user: MatrixUserId, device: str, signed: Json) -> None:
        """Publish the signature that vouches for a device."""
        answer = await self._post(Path.v3.keys.signatures.upload, {user: {device: signed}}, user, device)
        if answer.get("failures"):
            raise Refused("M_INVALID_SIGNATURE", f"the homeserver does not take the signature of {user}'s device")

    async def query(self, user: MatrixUserId, device: str, users: Iterable[str]) -> Json:
        """Return what is known of the devices and cross-signing keys of users."""
        content = {"device_keys": {one: [] for one in users}, "timeout": _PATIENCE_MS}
        return await self._post(Path.v3.keys.query, content, user, device)

    async def claim(self, user: MatrixUserId, device: str, wanted: Mapping[str, Iterable[str]]) -> Json:
        """Take a one-time key of each device, by user; returns the keys by user and device."""
        content = {
            "one_time_keys": {one: dict.fromkeys(devices, SIGNED) for one, devices in wanted.items()},
            "timeout": _PATIENCE_MS,
        }
        answer = await self._post(Path.v3.keys.claim, content, user, device)
        found = answer.get("one_time_keys")
        return found if isinstance(found, dict) else {}

    async def send(
        self, user: MatrixUserId, device: str, type: str, transaction: str, messages: Mapping[str, Mapping[str, Json]]
    ) -> None:
        """Send to devices, by user and device."""
        path = Path.v3.sendToDevice[type][transaction]
        await self._wire.call(
            Method.PUT, path, {"messages": messages}, user=user, query=_as_device(device), repeatable=True
        )

    async def sync(self, user: MatrixUserId, device: str, since: str, timeout_ms: int) -> Json:
        """Wait for what comes for a device; returns it with the next token."""
        query = {"filter": _ONLY_FOR_THE_DEVICE, "timeout": str(timeout_ms), "set_presence": "offline"}
        if since:
            query["since"] = since
        return await self._wire.call(
            Method.GET, Path.v3.sync, user=user, query=query | _as_device(device), wants="next_batch"
        )

    async def members(self, room: str, reader: MatrixUserId | None) -> Json:
        """Return the membership events of a room, of all but those who left; `reader` is whose eyes to use."""
        query = {"not_membership": "leave"}
        path = Path.v3.rooms[room].members
        return await self._wire.call(Method.GET, path, user=reader, query=query, wants="chunk", kind=list)

    async def encryption_of(self, room: str, reader: MatrixUserId | None) -> Json | None:
        """Return the content of a room's `m.room.encryption`, or None for a clear room."""
        path = Path.v3.rooms[room].state["m.room.encryption"][""]
        try:
            return await self._wire.call(Method.GET, path, user=reader)
        except Refused as refused:
            if refused.code == "M_NOT_FOUND":
                return None
            raise

    async def _post(self, path: Any, content: Json, user: MatrixUserId, device: str) -> Json:
        # Any: mautrix's path builder answers every name
        return await self._wire.call(Method.POST, path, content, user=user, query=_as_device(device))


def counts_of(found: object) -> dict[str, int]:
    """Read counts of one-time keys by their kind."""
    pairs = found.items() if isinstance(found, dict) else ()
    return {str(name): number for name, number in pairs if isinstance(number, int)}


def _as_device(device: str) -> dict[str, str]:
    return {"device_id": device, "org.matrix.msc3202.device_id": device}
