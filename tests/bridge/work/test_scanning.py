"""What passes the customs and what does not: types, sizes, and scanners that are quick, slow, dead or confused."""

from __future__ import annotations

import asyncio
import struct
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from bridge.work.scanning import HARMFUL, Clamd, Command, Customs, Kept, ScannerFailed, scanner_from
from config.scanner import Scanner as Settings
from portals.crossing.policy import OPEN, Globs, Policy
from tests.sandbox.slack.pictures import png

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from bridge.work.scanning import Scanner

EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
PICTURES = Policy("strict", file_types=Globs(("image/*", "text/plain")))


async def chunks_of(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), 100_000):
        yield data[start : start + 100_000]


async def passed(customs: Customs, data: bytes, mimetype: str = "text/plain", policy: Policy = OPEN) -> bytes:
    async with customs.passing(chunks_of(data), mimetype, policy) as chunks:
        return b"".join([chunk async for chunk in chunks])


@asynccontextmanager
async def clamd(path: Path, answer: Callable[[bytes], bytes]) -> AsyncIterator[Scanner]:
    """Serve a socket that speaks INSTREAM and answers as told."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readexactly(10) == b"zINSTREAM\0"
        found = b""
        while length := struct.unpack("!L", await reader.readexactly(4))[0]:
            found += await reader.readexactly(length)
        writer.write(answer(found))
        await writer.drain()
        writer.close()

    async with await asyncio.start_unix_server(serve, str(path / "clamd")):
        yield Clamd(str(path / "clamd"), 10)


async def test_clean_files_pass_whole_and_harmful_ones_do_not(tmp_path: Path) -> None:
    def verdict(found: bytes) -> bytes:
        return b"stream: Eicar-Test-Signature FOUND\0" if EICAR in found else b"stream: OK\0"

    async with clamd(tmp_path, verdict) as scanner:
        customs = Customs(scanner, 10**8)
        large = bytes(range(256)) * 12_000
        assert await passed(customs, large) == large
        with pytest.raises(Kept, match=HARMFUL) as kept:
            await passed(customs, large + EICAR)
        assert kept.value.rule == "scanner"


@pytest.mark.parametrize("answer", [b"INSTREAM size limit exceeded. ERROR\0", b"", b"stream: OKAY\0", b"\xff\xfe"])
async def test_a_scanner_that_gives_no_verdict_lets_nothing_through(tmp_path: Path, answer: bytes) -> None:
    async with clamd(tmp_path, lambda _: answer) as scanner:
        with pytest.raises(ScannerFailed, match="no verdict"):
            await passed(Customs(scanner, 10**8), b"hello")
        assert await passed(Customs(scanner, 10**8, fails_open=True), b"hello") == b"hello"


async def test_a_scanner_that_is_not_there_lets_nothing_through(tmp_path: Path) -> None:
    for scanner in (
        Clamd(str(tmp_path / "none"), 5),
        Clamd("127.0.0.1:1", 5),
        Command((str(tmp_path / "none"),), 5),
    ):
        with pytest.raises(ScannerFailed):
            await passed(Customs(scanner, 10**8), b"hello")


async def test_a_scanner_that_never_answers_is_not_waited_for(tmp_path: Path) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_unix_server(silent, str(tmp_path / "clamd")):
        for scanner in (Clamd(str(tmp_path / "clamd"), 0.05), Command(("sleep", "60"), 0.05)):
            with pytest.raises(ScannerFailed):
                await passed(Customs(scanner, 10**8), b"hello")


@pytest.mark.parametrize(("code", "outcome"), [(0, None), (1, Kept), (2, ScannerFailed)])
async def test_a_command_says_by_its_end_what_a_file_is(code: int, outcome: type[Exception] | None) -> None:
    program = f"import sys; data = sys.stdin.buffer.read(); sys.exit({code} if data == b'hello' else 9)"
    customs = Customs(Command((sys.executable, "-c", program), 30), 10**8)
    if outcome is None:
        assert await passed(customs, b"hello") == b"hello"
    else:
        with pytest.raises(outcome):
            await passed(customs, b"hello")


async def test_a_command_may_end_before_it_has_read_all() -> None:
    customs = Customs(Command((sys.executable, "-c", "raise SystemExit(1)"), 30), 10**8)
    with pytest.raises(Kept):
        await passed(customs, b"x" * 5_000_000)


async def test_a_command_finds_no_secret_of_ours_in_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOT_TOKEN", "xoxb-1-secret")
    monkeypatch.setenv("ADDRESS", "postgres://bridge:pass-word@db/bridge")
    monkeypatch.setenv("SCANNER_OPTION", "kept")
    there = "not os.environ.keys() & {'BOT_TOKEN', 'ADDRESS'} and 'SCANNER_OPTION' in os.environ"
    program = f"import os; raise SystemExit({there})"
    settings = Settings(command=(sys.executable, "-c", program))
    with pytest.raises(Kept):  # it ends with 1: nothing is there but what it needs
        await passed(Customs(scanner_from(settings, ("xoxb-1-secret", "pass-word")), 10**8), b"hello")


@pytest.mark.parametrize(
    ("data", "claimed", "is_let_through"),
    [
        (png(9, 9, (1, 2, 3)), "image/png", True),
        (b"plain words", "text/plain", True),
        ("ümläut".encode() * 2000, "text/plain", True),
        (b"%PDF-1.7 pretending", "image/png", False),
        (b"MZ" + bytes(300), "image/png", False),
        (bytes(range(200)), "image/png", False),
        (b"PK\x03\x04" + bytes(100), "text/plain", False),
        (b"<svg/>", "image/svg+xml", True),
    ],
)
async def test_a_file_is_what_its_first_bytes_say(data: bytes, claimed: str, is_let_through: bool) -> None:
    customs = Customs(None, 10**8)
    if is_let_through:
        assert await passed(customs, data, claimed, PICTURES) == data
    else:
        with pytest.raises(Kept, match="of a type"):
            await passed(customs, data, claimed, PICTURES)


async def test_a_file_is_as_large_as_it_comes_whatever_was_said() -> None:
    with pytest.raises(Kept, match="larger than the 1 KiB"):
        await passed(Customs(None, 10**8), b"x" * 1025, policy=Policy("strict", max_file_size=1024))
    with pytest.raises(Kept, match="larger"):
        await passed(Customs(None, 100), b"x" * 101, policy=Policy("strict", max_file_size=1024))


async def test_without_a_scanner_and_rules_bytes_stream_through_unseen() -> None:
    async with Customs(None, 1).passing(chunks_of(b"x" * 500_000), "a/b", OPEN) as chunks:
        assert sum([len(chunk) async for chunk in chunks]) == 500_000


def test_the_configuration_names_one_scanner_or_none() -> None:
    assert scanner_from(Settings()) is None
    assert isinstance(scanner_from(Settings(clamd="/run/clamd")), Clamd)
    assert isinstance(scanner_from(Settings(command=("clamdscan", "-"))), Command)
    with pytest.raises(ValueError, match="is set besides clamd"):
        Settings(clamd="/run/clamd", command=("clamdscan", "-"))
