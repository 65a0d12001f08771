"""ClamAV's own daemon judges what crosses: the real one, with a database of signatures that these tests write.

It is Debian's package `clamav-daemon` (other systems have it too); without it these tests say so and are skipped.
"""

from __future__ import annotations

import asyncio
import shutil
from typing import TYPE_CHECKING

import pytest

from bridge.work.scanning import HARMFUL, Clamd, Customs, Kept, ScannerFailed
from portals.crossing.policy import OPEN
from tests.sandbox.child import Child

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

CLAMD = shutil.which("clamd") or shutil.which("clamd", path="/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin")
WORDS = b"these words are harmful here"
MOST = 1_000_000

pytestmark = pytest.mark.skipif(CLAMD is None, reason="NO CLAMD: install clamav-daemon, which need not run")


@pytest.fixture
async def daemon(tmp_path: Path) -> AsyncIterator[Child]:
    """A clamd that knows one signature and takes a million bytes of a file."""
    (tmp_path / "signatures").mkdir()
    (tmp_path / "signatures" / "own.ndb").write_text(f"Causeway.Words:0:*:{WORDS.hex()}\n")
    (tmp_path / "clamd.conf").write_text(
        f"LocalSocket {tmp_path}/socket\nDatabaseDirectory {tmp_path}/signatures\n"
        f"Foreground yes\nStreamMaxLength {MOST}\nAllowAllMatchScan no\n"
    )
    child = Child([CLAMD or "", "--config-file", tmp_path / "clamd.conf"], log=tmp_path / "clamd.log")
    child.start()
    await child.until(lambda: (tmp_path / "socket").exists())
    yield child
    await child.stopped()


async def passed(scanner: Clamd, *chunks: bytes) -> bytes:
    async def file() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    async with Customs(scanner, 10 * MOST).passing(file(), "text/plain", OPEN) as crossing:
        return b"".join([chunk async for chunk in crossing])


async def test_it_lets_pass_what_it_knows_no_harm_of_and_nothing_else(daemon: Child, tmp_path: Path) -> None:
    scanner = Clamd(f"{tmp_path}/socket", 30)
    assert await passed(scanner, b"any", b"thing") == b"anything"
    with pytest.raises(Kept, match=HARMFUL):
        await passed(scanner, b"so " + WORDS[:9], WORDS[9:] + b", it seems")
    with pytest.raises(ScannerFailed, match="INSTREAM size limit exceeded"):
        await passed(scanner, b"x" * (MOST + 1), b"y" * MOST)
    assert await passed(scanner, b"and again") == b"and again"


async def test_what_crosses_while_it_is_gone_is_kept_back(daemon: Child, tmp_path: Path) -> None:
    scanner = Clamd(f"{tmp_path}/socket", 30)
    await asyncio.to_thread(daemon.kill)
    with pytest.raises(ScannerFailed, match="clamd gave no verdict"):
        await passed(scanner, b"anything")
