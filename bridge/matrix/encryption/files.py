"""Files that we encrypt on their way to the homeserver; their keys are stored before anybody is told of them.

The homeserver learns neither name nor kind of such a file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from bridge.matrix.encryption.attachments import Sealing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bridge.matrix.encryption.vault import Vault
    from bridge.matrix.media import Media, Mxc
    from bridge.store.keys import Keys

_TYPE = "application/octet-stream"


class SealedFiles:
    """Uploads encrypted files, and tells how those are shown that it uploaded."""

    def __init__(self, media: Media, keys: Keys, vault: Vault) -> None:
        self._media = media
        self._keys = keys
        self._vault = vault

    async def upload(self, chunks: AsyncIterator[bytes], size: int | None = None) -> Mxc:
        """Upload a file encrypted and return its address; raises what `Media.upload` raises."""
        sealing = Sealing()
        mxc = await self._media.upload(sealing.sealed(chunks), _TYPE, "", size)
        text = orjson.dumps(sealing.file(mxc)).decode()
        await self._keys.keep(self._keys.put_file(mxc, self._vault.seal(text, f"file {mxc}")))
        return mxc

    async def shown(self, mxc: str) -> dict[str, Any] | None:
        """Return the `file` object of an event that shows a file, None for one that is not encrypted."""
        sealed = await self._keys.file(mxc)
        found: dict[str, Any] | None = orjson.loads(self._vault.open(sealed, f"file {mxc}")) if sealed else None
        return found
