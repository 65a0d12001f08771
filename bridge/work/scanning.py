"""Files are looked at before they cross: by their first bytes, and by the scanner that the configuration names.

    bytes from one side ──▶ spool (a file without a name, bounded) ──▶ type ──▶ scanner ──▶ bytes to the other side

Nothing crosses before the verdict. A file that is looked at is never whole in memory: beyond a megabyte it lies on
disk, in the directory for temporary files. Without a scanner, and under a policy that does not look into files, bytes
stream through as ever. A scanner that is slow, dead or confused is no verdict: the file is withheld and can be tried
again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import struct
import tempfile
from contextlib import asynccontextmanager
from enum import Enum
from typing import IO, TYPE_CHECKING, Protocol

import filetype  # type: ignore[import-untyped]  # it comes without types; one function of it is used

from bridge.errors import Later, Refused
from portals.crossing.contents import HEAD, of_content

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from config.scanner import Scanner as Settings
    from portals.crossing.judge import Withheld
    from portals.crossing.policy import Policy

log = logging.getLogger(__name__)

WITHHELD = "withheld"
"""The code of a refusal because a policy or the scanner does not let a file cross."""
FAILED = "scanner_failed"
"""The code of a refusal because the scanner had no verdict: it can be tried again."""
HARMFUL = "a scanner found it harmful"
SCANNER = "scanner"
"""The rule's name in the audit log."""

_IN_MEMORY = 1024 * 1024
_CHUNK = 64 * 1024
_LONGEST = 4096


class Kept(Refused):
    """A file may not cross; `rule` is the name of what says so."""

    def __init__(self, rule: str, words: str) -> None:
        super().__init__(WITHHELD, words)
        self.rule = rule


class ScannerFailed(Later):
    """The scanner gave no verdict."""


class Verdict(Enum):
    """What a scanner says of a file."""

    CLEAN = "clean"
    HARMFUL = "harmful"


class Scanner(Protocol):
    """Looks at a file; raises ScannerFailed where it has no verdict."""

    async def scan(self, file: IO[bytes]) -> Verdict:
        """Return the verdict on a file, which is read from its beginning."""
        ...


class Customs:
    """Lets files through that may cross; `most` bytes is the largest file that is spooled."""

    def __init__(self, scanner: Scanner | None, most: int, *, fails_open: bool = False) -> None:
        self._scanner = scanner
        self._most = most
        self._fails_open = fails_open

    @asynccontextmanager
    async def passing(
        self, chunks: AsyncIterator[bytes], mimetype: str, policy: Policy, *, scans: bool = True
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Yield the bytes of a file that may cross; raises Kept where it may not, ScannerFailed without a verdict."""
        scanner = self._scanner if scans else None
        if scanner is None and not policy.looks_into_files and policy.max_file_size is None:
            yield chunks
            return
        with tempfile.SpooledTemporaryFile(_IN_MEMORY) as spool:
            size, head = 0, b""
            async for chunk in chunks:
                size += len(chunk)
                if size > self._most:
                    raise Kept("file_size", "it is larger than the files that may cross")
                head += chunk[: HEAD - len(head)]
                await _written(spool, chunk)
            withheld = of_content(head, size, mimetype, recognised(head), policy)
            if withheld is not None:
                raise Kept(withheld.rule, withheld.words)
            if scanner is not None:
                await self._scanned(scanner, spool)
            yield _read(spool)

    async def _scanned(self, scanner: Scanner, spool: IO[bytes]) -> None:
        try:
            verdict = await scanner.scan(spool)
        except ScannerFailed as failed:
            if not self._fails_open:
                raise
            log.warning("a file crosses without a verdict, as is configured: %s", failed)
            return
        if verdict is Verdict.HARMFUL:
            raise Kept(SCANNER, HARMFUL)


def kept_by(head: bytes, size: int, mimetype: str, policy: Policy) -> Withheld | None:
    """Return why a file of these first bytes may not cross."""
    return of_content(head, size, mimetype, recognised(head), policy)


def recognised(head: bytes) -> str:
    """Return the content type that a file's first bytes tell, or nothing."""
    return str(filetype.guess_mime(head) or "") if head else ""


def scanner_from(settings: Settings, secrets: Sequence[str] = ()) -> Scanner | None:
    """Return the scanner of the configuration, None where none is named; a command is told none of the secrets."""
    seconds = settings.timeout.total_seconds()
    if settings.clamd:
        return Clamd(settings.clamd, seconds)
    return Command(settings.command, seconds, secrets) if settings.command else None


class Clamd:
    """ClamAV's daemon, by the command INSTREAM of its protocol (https://docs.clamav.net/manual/Usage/Scanning.html)."""

    def __init__(self, place: str, seconds: float) -> None:
        self._place = place
        self._seconds = seconds

    async def scan(self, file: IO[bytes]) -> Verdict:
        """Return the verdict of clamd; a file beyond its StreamMaxLength has none."""
        try:
            async with asyncio.timeout(self._seconds):
                answer = await self._asked(file)
        except (OSError, TimeoutError) as error:
            raise ScannerFailed(f"clamd gave no verdict: {error or 'it took too long'}") from error
        if answer == "stream: OK":
            return Verdict.CLEAN
        if answer.startswith("stream: ") and answer.endswith(" FOUND"):
            log.warning("clamd found a file harmful: %s", answer.removeprefix("stream: ").removesuffix(" FOUND"))
            return Verdict.HARMFUL
        raise ScannerFailed(f"clamd gave no verdict: {answer[:200] or 'it closed the connection'}")

    async def _asked(self, file: IO[bytes]) -> str:
        """Return the answer, which comes before the end of a file that is too long for clamd: it then hangs up.

        Streams of asyncio forget what came before a connection broke, so the socket is used as it is.
        """
        loop = asyncio.get_running_loop()
        answer = b""
        with await asyncio.to_thread(self._connected) as link:
            with contextlib.suppress(ConnectionError):
                await loop.sock_sendall(link, b"zINSTREAM\0")
                async for chunk in _read(file):
                    await loop.sock_sendall(link, struct.pack("!L", len(chunk)) + chunk)
                await loop.sock_sendall(link, struct.pack("!L", 0))
            while not answer.endswith(b"\0") and len(answer) < _LONGEST and (more := await loop.sock_recv(link, 4096)):
                answer += more
        return answer.rstrip(b"\0\n").decode(errors="replace")

    def _connected(self) -> socket.socket:
        if self._place.startswith("/"):
            link = socket.socket(socket.AF_UNIX)
            link.settimeout(self._seconds)
            try:
                link.connect(self._place)
            except BaseException:
                link.close()
                raise
        else:
            host, _, port = self._place.rpartition(":")
            link = socket.create_connection((host.strip("[]"), int(port)), timeout=self._seconds)
        link.setblocking(False)
        return link


class Command:
    """A command that reads the file on its standard input: 0 is clean, 1 is harmful, everything else no verdict.

    What it finds in its environment is the bridge's, without variables that hold one of the `secrets`.
    """

    def __init__(self, words: tuple[str, ...], seconds: float, secrets: Sequence[str] = ()) -> None:
        self._words = words
        self._environ = {
            name: value for name, value in os.environ.items() if not any(secret in value for secret in secrets)
        }
        self._seconds = seconds

    async def scan(self, file: IO[bytes]) -> Verdict:
        """Return the command's verdict; one that takes too long is ended."""
        quiet = asyncio.subprocess.DEVNULL
        try:
            process = await asyncio.create_subprocess_exec(
                *self._words, stdin=asyncio.subprocess.PIPE, stdout=quiet, stderr=quiet, env=self._environ
            )
        except OSError as error:
            raise ScannerFailed(f"the scanner could not be started: {error}") from error
        try:
            async with asyncio.timeout(self._seconds):
                code = await self._fed(process, file)
        except TimeoutError as error:
            raise ScannerFailed("the scanner took too long") from error
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if code not in (0, 1):
            raise ScannerFailed(f"the scanner ended with {code}")
        return Verdict.HARMFUL if code else Verdict.CLEAN

    async def _fed(self, process: asyncio.subprocess.Process, file: IO[bytes]) -> int:
        assert process.stdin is not None
        with contextlib.suppress(ConnectionError):  # a command may know enough before the end
            async for chunk in _read(file):
                process.stdin.write(chunk)
                await process.stdin.drain()
        process.stdin.close()
        return await process.wait()


async def _written(spool: IO[bytes], chunk: bytes) -> None:
    await asyncio.to_thread(spool.write, chunk)


async def _read(file: IO[bytes]) -> AsyncIterator[bytes]:
    await asyncio.to_thread(file.seek, 0)
    while chunk := await asyncio.to_thread(file.read, _CHUNK):
        yield chunk
