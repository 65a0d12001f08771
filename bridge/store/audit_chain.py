"""The chain over the audit log: whoever changes, takes out or slips in an entry afterwards breaks it.

Each entry gets a seal, SHA-256 over the seal before it and the entry itself, a moment after it is written: entries of
several processes are chained in the order in which they are found, which is that of the seals, not of their numbers.
Nor can anybody take off its end unnoticed, once a seal of it was noted elsewhere: `verify` takes such a one.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

import orjson

from bridge.errors import Refused, StoreUnavailable
from bridge.store.audit import Entry
from bridge.store.database import Statement

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bridge.store.database import Database

log = logging.getLogger(__name__)

BEGINNING = "0" * 64
"""What the first entry is sealed with."""
UNSEALED = """
SELECT id, at, actor, act, subject, detail FROM audit
WHERE NOT EXISTS (SELECT 1 FROM audit_seals WHERE audit_seals.entry = audit.id) ORDER BY id LIMIT $1
"""
LAST_SEAL = "SELECT seal FROM audit_seals ORDER BY n DESC LIMIT 1"
ADD_SEAL = "INSERT INTO audit_seals (entry, previous, seal) VALUES ($1, $2, $3)"
CHAIN = """
SELECT audit_seals.n, audit_seals.entry, audit_seals.previous, audit_seals.seal, audit.at, audit.actor, audit.act,
  audit.subject, audit.detail
FROM audit_seals LEFT JOIN audit ON audit.id = audit_seals.entry
WHERE audit_seals.n > $1 ORDER BY audit_seals.n LIMIT $2
"""
_PAGE = 500
_EVERY = 5.0


@dataclass(frozen=True, slots=True)
class Sealed:
    """A link of the chain; `entry` is None for one whose entry is gone."""

    n: int
    number: int
    previous: str
    seal: str
    entry: Entry | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a chain is worth: how many good entries it holds, where it is broken (or nothing), and its last seal."""

    entries: int
    flaw: str
    seal: str


class AuditChain:
    """Seals, tells and verifies."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def seal(self) -> int:
        """Seal what is not yet; returns how many entries that were. Another process may do so at the same time."""
        sealed = 0
        while rows := await self._database.fetch(UNSEALED, _PAGE):
            previous = await self._last()
            unit = []
            for row in rows:
                entry = Entry(*row)
                seal = seal_of(previous, entry)
                unit.append(Statement(ADD_SEAL, (entry.id, previous, seal)))
                previous = seal
            try:
                await self._database.commit(*unit)
            except Refused:
                log.debug("the audit log was sealed by another process meanwhile")
                continue
            sealed += len(unit)
        return sealed

    async def _last(self) -> str:
        rows = await self._database.fetch(LAST_SEAL)
        return str(rows[0][0]) if rows else BEGINNING

    async def links(self) -> AsyncIterator[Sealed]:
        """Yield the chain from its beginning."""
        after = 0
        while rows := await self._database.fetch(CHAIN, after, _PAGE):
            for n, number, previous, seal, at, *told in rows:
                entry = None if at is None else Entry(int(number), int(at), *told)
                yield Sealed(int(n), int(number), str(previous), str(seal), entry)
            after = int(rows[-1][0])

    async def verify(self, noted: str = "") -> Verdict:
        """Judge the chain; with a seal that was noted elsewhere, whether the chain still holds that, too."""
        previous, entries, is_held = BEGINNING, 0, not noted or noted == BEGINNING
        async for link in self.links():
            if link.entry is None:
                return Verdict(entries, f"entry {link.number} is gone", previous)
            if link.previous != previous or seal_of(previous, link.entry) != link.seal:
                return Verdict(
                    entries, f"entry {link.number} is not as it was written, or others were taken out", previous
                )
            previous, entries = link.seal, entries + 1
            is_held = is_held or link.seal == noted
        return Verdict(
            entries, "" if is_held else "the seal that was noted is not in it: its end was taken off", previous
        )

    async def keep_sealed(self) -> None:
        """Seal what comes, for as long as the bridge runs."""
        while True:
            try:
                await self.seal()
            except StoreUnavailable as error:
                log.debug("the audit log is not sealed for now: %s", error)
            await asyncio.sleep(_EVERY)


def seal_of(previous: str, entry: Entry) -> str:
    """Return an entry's seal: SHA-256, in hexadecimal, of the seal before it, a line break, and the entry as JSON.

    The JSON has its keys in alphabetical order, no blanks, and nothing escaped that JSON lets stand.
    """
    told = orjson.dumps(asdict(entry), option=orjson.OPT_SORT_KEYS)
    return sha256(previous.encode() + b"\n" + told).hexdigest()
