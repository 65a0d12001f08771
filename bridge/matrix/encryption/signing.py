"""Signed JSON, and the keys by which a user vouches for their devices (client-server API, "Cross-signing")."""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
import vodozemac
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Json = Mapping[str, Any]  # Any: a foreign JSON object, checked field by field

_UNSIGNED = ("signatures", "unsigned")


def canonical(value: Json) -> bytes:
    """Return what is signed of an object: keys in order, no blanks, without signatures and what is unsigned."""
    return orjson.dumps({name: value[name] for name in value if name not in _UNSIGNED}, option=orjson.OPT_SORT_KEYS)


def unpadded(data: bytes) -> str:
    """Return base64 as Matrix writes it."""
    return b64encode(data).decode().rstrip("=")


def from_base64(text: str) -> bytes:
    """Read base64 with or without padding, of either alphabet; raises ValueError for what is none."""
    return b64decode(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4), validate=True)


def with_signature(value: Json, user: str, key_id: str, sign: Callable[[bytes], str]) -> dict[str, Any]:
    """Return the object with one more signature."""
    theirs = dict(value.get("signatures") or {})
    theirs[user] = {**theirs.get(user, {}), f"ed25519:{key_id}": sign(canonical(value))}
    return {**value, "signatures": theirs}


def is_signed(value: Json, user: str, key_id: str, key: str) -> bool:
    """Tell whether the object bears a good signature of this key."""
    try:
        signature = value["signatures"][user][f"ed25519:{key_id}"]
        vodozemac.Ed25519PublicKey.from_base64(key).verify_signature(
            canonical(value), vodozemac.Ed25519Signature.from_base64(signature)
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return False
    return True


@dataclass(frozen=True, slots=True)
class CrossSigning:
    """A user's master key and the key that signs their devices, as 32 secret bytes each."""

    master: bytes
    self_signing: bytes

    @classmethod
    def made(cls) -> CrossSigning:
        """Return new keys."""
        return cls(*(Ed25519PrivateKey.generate().private_bytes_raw() for _ in range(2)))

    @classmethod
    def read(cls, text: str) -> CrossSigning:
        """Return the keys that `written` wrote."""
        master, self_signing = text.split(" ")
        return cls(from_base64(master), from_base64(self_signing))

    def written(self) -> str:
        """Return both keys as a text, to be sealed."""
        return f"{unpadded(self.master)} {unpadded(self.self_signing)}"

    def upload(self, user: str) -> dict[str, Any]:
        """Return the body of `POST /keys/device_signing/upload`."""
        master = _key(user, "master", self.master)
        ours = _key(user, "self_signing", self.self_signing)
        return {
            "master_key": master,
            "self_signing_key": with_signature(ours, user, public(self.master), signer(self.master)),
        }

    def signed(self, device_keys: Json, user: str) -> dict[str, Any]:
        """Return the keys of a device, vouched for."""
        return with_signature(device_keys, user, public(self.self_signing), signer(self.self_signing))


def public(secret: bytes) -> str:
    """Return the public half of a key."""
    return unpadded(Ed25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw())


def signer(secret: bytes) -> Callable[[bytes], str]:
    """Return what signs with a key."""
    return lambda data: unpadded(Ed25519PrivateKey.from_private_bytes(secret).sign(data))


def _key(user: str, usage: str, secret: bytes) -> dict[str, Any]:
    name = public(secret)
    return {"user_id": user, "usage": [usage], "keys": {f"ed25519:{name}": name}}
