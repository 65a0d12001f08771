"""Slack's files in the store: each once, whichever message of whichever channel shows it, and what became of it.

    waiting ──▶ here      brought over: its address, the size that was seen and its SHA-256 are known
       ▲  └───▶ absent    Slack has it no more, or does not give it: why; it is not asked for again
       └──retry───┘         once it is here after all, it is *late*: a notice may be shown in its place

A file that waits is *promised* where an import is to bring it; others leave it alone for as long as the import says
that it is at it. What is here stays here. No address in the store holds a token.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from bridge.store.database import Statement, any_of
from portals.ids import TeamId

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bridge.store.database import Database, Row
    from bridge.store.ledger import Unit

_FILE = """
SELECT n, team, id, url, thumbnail, tokened, name, mimetype, told, seen, sha256, mxc, state, reason, tries, promised
FROM files
"""
FILE = f"{_FILE} WHERE team = $1 AND id = $2"
PROMISED = f"{_FILE} WHERE state = 'waiting' AND promised = 1 AND n > $1 ORDER BY n LIMIT $2"
GIVEN_UP = f"{_FILE} WHERE state = 'absent' AND n > $1 ORDER BY n LIMIT $2"
LATE = f"{_FILE} WHERE state = 'here' AND noticed = 1 AND n > 0 ORDER BY n LIMIT $1"
TOLD = "UPDATE files SET noticed = 0 WHERE team = $1 AND id = $2"
_ADD = """
INSERT INTO files
  (team, id, url, thumbnail, tokened, name, mimetype, told, seen, sha256, mxc, state, reason, tries, promised)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
ON CONFLICT (team, id) DO
"""
EXPECT = f"""{_ADD} UPDATE SET url = excluded.url, thumbnail = excluded.thumbnail, tokened = excluded.tokened,
  name = excluded.name, mimetype = excluded.mimetype, told = excluded.told, promised = excluded.promised,
  state = 'waiting', noticed = CASE WHEN files.state = 'absent' THEN 1 ELSE files.noticed END,
  tries = CASE WHEN files.state = 'waiting' THEN files.tries ELSE 0 END,
  reason = CASE WHEN files.state = 'waiting' THEN files.reason ELSE '' END
WHERE files.state = 'waiting' OR (files.state = 'absent' AND files.url = '' AND excluded.url <> '')
"""
"""What was absent for want of an address is expected again as soon as there is one."""
ADD_ABSENT = f"{_ADD} NOTHING"
ARRIVED = f"""{_ADD} UPDATE SET url = excluded.url, name = excluded.name, mimetype = excluded.mimetype,
  told = excluded.told, seen = excluded.seen, sha256 = excluded.sha256, mxc = excluded.mxc, state = 'here', reason = '',
  noticed = CASE WHEN files.state = 'absent' THEN 1 ELSE files.noticed END
WHERE files.state <> 'here' RETURNING mxc
"""
GIVE_UP = f"""{_ADD} UPDATE SET url = excluded.url, state = 'absent', reason = excluded.reason
WHERE files.state <> 'here'
"""
TRIED = f"""{_ADD} UPDATE SET state = 'waiting', tries = files.tries + 1, reason = excluded.reason
WHERE files.state <> 'here' RETURNING tries
"""
FETCHING = """
INSERT INTO fetching (team, until) VALUES ($1, $2) ON CONFLICT (team) DO UPDATE SET until = excluded.until
"""
FETCHING_UNTIL = "SELECT until FROM fetching WHERE team = $1"
RETRY = """
UPDATE files SET state = 'waiting', reason = '', tries = 0, promised = 1, noticed = 1, tokened = 1
WHERE state = 'absent' AND team = $1 AND id = $2 RETURNING id
"""
"""As one that is tokened, it waits for what the import that takes it up knows of it."""
COUNTS = "SELECT state, COUNT(*), SUM(told), SUM(seen) FROM files WHERE team = $1 GROUP BY state"


class FileState(StrEnum):
    """What became of a file so far."""

    WAITING = "waiting"
    HERE = "here"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A file of Slack: what Slack told of it, and what became of it.

    `told` is the size that Slack told and `seen` the one that came, both in bytes; `sha256` is in hexadecimal digits
    and empty where it was never computed. One without a `url` must be asked for first. `n` orders files by when they
    were first met; 0 is one not stored yet.
    """

    team: TeamId
    id: str
    url: str
    name: str
    mimetype: str
    told: int = 0
    thumbnail: str = ""
    tokened: bool = False
    state: FileState = FileState.WAITING
    seen: int = 0
    sha256: str = ""
    mxc: str = ""
    reason: str = ""
    tries: int = 0
    promised: bool = False
    n: int = 0


@dataclass(frozen=True, slots=True)
class Tally:
    """How many files are in a state, and how many bytes they have: as Slack told, and as they came."""

    files: int = 0
    told: int = 0
    seen: int = 0


class Files:
    """All files of all workspaces."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, team: TeamId, file_id: str) -> KnownFile | None:
        """Return a file that was met before."""
        rows = await self._database.fetch(FILE, team, file_id)
        return _file(rows[0]) if rows else None

    async def find_all(self, team: TeamId, ids: Sequence[str]) -> dict[str, KnownFile]:
        """Return those files that were met before."""
        if not ids:
            return {}
        found = await self._database.fetch(f"{_FILE} WHERE team = $1 AND id IN {any_of(2, len(ids))}", team, *ids)
        return {file.id: file for file in map(_file, found)}

    async def promised(self, after: int, limit: int) -> list[KnownFile]:
        """Return files that an import promised and that still wait, in the order in which they were first met."""
        return [_file(row) for row in await self._database.fetch(PROMISED, after, limit)]

    async def absent(self, after: int, limit: int) -> list[KnownFile]:
        """Return files that could not be had, in the order in which they were first met."""
        return [_file(row) for row in await self._database.fetch(GIVEN_UP, after, limit)]

    async def late(self, limit: int) -> list[KnownFile]:
        """Return files that are here after they had been given up, of which nobody was told yet."""
        return [_file(row) for row in await self._database.fetch(LATE, limit)]

    def told(self, file: KnownFile) -> Unit:
        """Return what remembers that those who show a notice in the place of a late file were told."""
        return (Statement(TOLD, (file.team, file.id)),)

    async def counts(self, team: TeamId) -> dict[FileState, Tally]:
        """Return how many files of a workspace are in each state."""
        found = {FileState(row[0]): Tally(*map(int, row[1:])) for row in await self._database.fetch(COUNTS, team)}
        return {state: found.get(state, Tally()) for state in FileState}

    def expecting(self, file: KnownFile) -> Unit:
        """Return what remembers that an import is to bring a file; one that is here or was given up stays so."""
        return (Statement(EXPECT, _values(file)),)

    def missing(self, file: KnownFile) -> Unit:
        """Return what remembers that Slack itself says that it does not give a file, unless more is known of it."""
        return (Statement(ADD_ABSENT, _values(replace(file, state=FileState.ABSENT))),)

    async def keep(self, unit: Unit) -> None:
        """Commit a unit."""
        await self._database.commit(*unit)

    async def arrived(self, file: KnownFile) -> str:
        """Remember that a file is here; returns its address, which is that of the copy that was here first."""
        [rows] = await self._database.commit(Statement(ARRIVED, _values(replace(file, state=FileState.HERE))))
        if rows:
            return str(rows[0][0])
        first = await self.find(file.team, file.id)
        return first.mxc if first is not None else file.mxc

    async def give_up(self, file: KnownFile) -> None:
        """Remember that a file cannot be had, and why; one that is here stays here."""
        await self._database.commit(Statement(GIVE_UP, _values(replace(file, state=FileState.ABSENT))))

    async def tried(self, file: KnownFile) -> int:
        """Count a try that failed for the reason that the file names; returns how many failed."""
        [rows] = await self._database.commit(Statement(TRIED, _values(replace(file, tries=1))))
        return int(rows[0][0]) if rows else 0

    def fetching(self, teams: Iterable[TeamId], until_ms: int) -> Unit:
        """Return what remembers that until then an import is at what was promised of these workspaces."""
        return tuple(Statement(FETCHING, (team, until_ms)) for team in teams)

    async def fetching_until(self, team: TeamId) -> int:
        """Return the time in ms until which an import is at what was promised of a workspace; 0 for none ever."""
        rows = await self._database.fetch(FETCHING_UNTIL, team)
        return int(rows[0][0]) if rows else 0

    async def retry(self, files: Sequence[tuple[TeamId, str]]) -> list[str]:
        """Have files that could not be had be tried again; returns the ids of those that will be."""
        if not files:
            return []
        results = await self._database.commit(*(Statement(RETRY, file) for file in files))
        return [str(row[0]) for rows in results for row in rows]


def _values(file: KnownFile) -> tuple[str | int, ...]:
    return (
        file.team,
        file.id,
        file.url,
        file.thumbnail,
        int(file.tokened),
        file.name,
        file.mimetype,
        file.told,
        file.seen,
        file.sha256,
        file.mxc,
        file.state,
        file.reason,
        file.tries,
        int(file.promised),
    )


def _file(row: Row) -> KnownFile:
    (
        n,
        team,
        file_id,
        url,
        thumbnail,
        tokened,
        name,
        mimetype,
        told,
        seen,
        sha256,
        mxc,
        state,
        reason,
        tries,
        promised,
    ) = row
    return KnownFile(
        team=TeamId(team),
        id=file_id,
        url=url,
        name=name,
        mimetype=mimetype,
        told=told,
        thumbnail=thumbnail,
        tokened=bool(tokened),
        state=FileState(state),
        seen=seen,
        sha256=sha256,
        mxc=mxc,
        reason=reason,
        tries=tries,
        promised=bool(promised),
        n=n,
    )
