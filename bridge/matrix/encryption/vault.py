"""What is secret is sealed before it is stored, with keys that are derived from the one in the configuration.

Sealed texts are bound to what they are: one that was moved to another row does not open. Olm and Megolm objects are
sealed by vodozemac itself (`pickle_key`); all else by ChaCha20-Poly1305.
"""

from __future__ import annotations

import os
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bridge.errors import Fatal

if TYPE_CHECKING:
    from bridge.store.keys import Keys

_NONCE = 12
_CHECKED = "causeway"
WRONG_KEY = (
    "encryption.key is not the one that the keys in the database were sealed with. Configure that key again; if it is "
    "lost, `causeway encryption reset` begins anew with a new device, and old encrypted messages stay unreadable"
)


class Vault:
    """Seals and opens; `secret` is the configured key, of any length."""

    def __init__(self, secret: str) -> None:
        self._seal = ChaCha20Poly1305(_derived(secret, b"seal"))
        self.pickle_key = _derived(secret, b"pickle")
        """What vodozemac's objects are sealed with."""

    def seal(self, text: str, about: str) -> str:
        """Return the sealed text; `about` says what it is, and is needed to open it."""
        nonce = os.urandom(_NONCE)
        return b64encode(nonce + self._seal.encrypt(nonce, text.encode(), about.encode())).decode()

    def open(self, sealed: str, about: str) -> str:
        """Return what was sealed; raises Fatal where it was sealed with another key, or as something else."""
        found = b64decode(sealed)
        try:
            return self._seal.decrypt(found[:_NONCE], found[_NONCE:], about.encode()).decode()
        except InvalidTag as error:
            raise Fatal(WRONG_KEY) from error

    async def check(self, keys: Keys) -> None:
        """Raise Fatal where the store was sealed with another key; a new store remembers this one."""
        self.open(await keys.check_text(self.seal(_CHECKED, "check")), "check")


def _derived(secret: str, purpose: bytes) -> bytes:
    return HKDF(SHA256(), length=32, salt=None, info=b"causeway encryption " + purpose).derive(secret.encode())
