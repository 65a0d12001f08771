"""Files of encrypted rooms, while they stream: AES-256 in counter mode, and a hash over what is encrypted.

Source: client-server API, "Sending encrypted attachments". Nothing is ever whole in memory, so a file that turns out
not to be what its message says is found out at its end: the last chunk is not given out before the hash is checked.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

from bridge.errors import Refused
from bridge.matrix.encryption.signing import from_base64, unpadded

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    Json = Mapping[str, Any]  # Any: a foreign JSON object, checked field by field

_CODE = "encrypted_file"


class Sealing:
    """Encrypts one file; once its bytes have passed, `file` describes it for its event."""

    def __init__(self) -> None:
        self._key = os.urandom(32)
        self._start = os.urandom(8) + bytes(8)  # the counter begins at 0, so that it cannot overflow
        self._digest = hashlib.sha256()

    async def sealed(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Yield the chunks encrypted; they have the same lengths."""
        encryptor = Cipher(AES(self._key), CTR(self._start)).encryptor()
        async for chunk in chunks:
            found = encryptor.update(chunk)
            self._digest.update(found)
            yield found

    def file(self, mxc: str) -> dict[str, Any]:
        """Return the `file` object of an event that shows this file."""
        return {
            "url": mxc,
            "v": "v2",
            "key": {
                "kty": "oct",
                "alg": "A256CTR",
                "ext": True,
                "key_ops": ["encrypt", "decrypt"],
                "k": urlsafe_b64encode(self._key).decode().rstrip("="),
            },
            "iv": unpadded(self._start),
            "hashes": {"sha256": unpadded(self._digest.digest())},
        }


async def opened(chunks: AsyncIterator[bytes], file: Json) -> AsyncIterator[bytes]:
    """Yield the chunks of a file decrypted, the last only when the hash is right; raises Refused.

    `file` is the object of the event that shows it.
    """
    key, start, wanted = _keys_of(file)
    decryptor = Cipher(AES(key), CTR(start)).decryptor()
    digest = hashlib.sha256()
    held = b""
    async for chunk in chunks:
        digest.update(chunk)
        if held:
            yield held
        held = decryptor.update(chunk)
    if not hmac.compare_digest(digest.digest(), wanted):
        raise Refused(_CODE, "the file is not the one that its message describes: it was changed on the homeserver")
    if held:
        yield held


def _keys_of(file: Json) -> tuple[bytes, bytes, bytes]:
    try:
        if file["v"] != "v2" or file["key"]["alg"] != "A256CTR":
            raise Refused(_CODE, "the file is encrypted in a way that the bridge does not know")
        found = (from_base64(file["key"]["k"]), from_base64(file["iv"]), from_base64(file["hashes"]["sha256"]))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Refused(_CODE, "the message does not say how to decrypt its file") from error
    if tuple(map(len, found)) != (32, 16, 32):
        raise Refused(_CODE, "the message does not say how to decrypt its file")
    return found
