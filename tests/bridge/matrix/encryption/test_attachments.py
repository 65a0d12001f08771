"""Files of encrypted rooms: what is encrypted can be decrypted by others, and what was changed is found out."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from nio.crypto.attachments import decrypt_attachment, encrypt_attachment

from bridge.errors import Refused
from bridge.matrix.encryption.attachments import Sealing, opened

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

DATA = os.urandom(200_001)


async def pieces(data: bytes, size: int = 65_536) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def whole(chunks: AsyncIterator[bytes]) -> bytes:
    return b"".join([chunk async for chunk in chunks])


async def sealed(data: bytes) -> tuple[bytes, dict[str, Any]]:
    sealing = Sealing()
    found = await whole(sealing.sealed(pieces(data)))
    return found, sealing.file("mxc://hs.test/a")


async def test_what_we_encrypt_others_decrypt() -> None:
    found, file = await sealed(DATA)
    assert len(found) == len(DATA)
    assert decrypt_attachment(found, file["key"]["k"], file["hashes"]["sha256"], file["iv"]) == DATA
    assert file["url"] == "mxc://hs.test/a"


async def test_what_others_encrypt_we_decrypt() -> None:
    found, file = encrypt_attachment(DATA)
    assert await whole(opened(pieces(found, 1000), file)) == DATA


async def test_no_two_files_have_one_key() -> None:
    assert (await sealed(b"a"))[1]["key"]["k"] != (await sealed(b"a"))[1]["key"]["k"]


@pytest.mark.parametrize("change", [lambda data: data[:-1] + b"x", lambda data: data[:-1], lambda data: data + b"x"])
async def test_a_file_that_was_changed_never_comes_whole(change: Any) -> None:
    found, file = await sealed(DATA)
    came: list[bytes] = []

    async def receive() -> None:
        async for chunk in opened(pieces(change(found)), file):
            came.append(chunk)  # noqa: PERF401  what came before the failure counts

    with pytest.raises(Refused, match="changed"):
        await receive()
    assert sum(map(len, came)) < len(DATA)


@pytest.mark.parametrize(
    "file",
    [
        {},
        {"v": "v1"},
        {"v": "v2", "key": {"alg": "A256CTR", "k": "AAAA"}, "iv": "AAAA", "hashes": {"sha256": "AAAA"}},
        {"v": "v2", "key": {"alg": "A256CTR", "k": 3}, "iv": "AAAA", "hashes": {"sha256": "AAAA"}},
        {"v": "v2", "key": "A256CTR"},
        {"v": "v2", "key": {"alg": "A256CTR", "k": "ä"}, "iv": "", "hashes": {}},
    ],
)
async def test_a_file_that_nobody_can_decrypt_is_refused(file: dict[str, Any]) -> None:
    with pytest.raises(Refused, match=r"encrypt|decrypt"):
        await whole(opened(pieces(b"some"), file))
