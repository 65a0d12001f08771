"""Files of history are fetched early: before the turn of their messages, several at once, each once.

    importer ── expecting ──▶ store: promised ──▶ feed ──▶ workers ──▶ store: here, or absent with its reason
                                                   ▲          │
                                                   └─ aside ◀─┘ later: the others go on meanwhile

What is to be fetched is in the store alone, so that a killed import goes on where it was; only tokens are not, for they
open every file of a workspace: an import that goes on reads them anew. While the other side is away everything waits;
a file that does not come although others do waits alone, and is given up in the end. Lanes that meet a promised file
wait for it (`bridge.work.transfers`).
"""

from __future__ import annotations

import asyncio
import heapq
import logging
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bridge.errors import Later, Refused, StoreUnavailable
from bridge.slack.files import Broken
from bridge.store.files import KnownFile
from bridge.work.scanning import WITHHELD
from bridge.work.transfers import ABSENT
from portals.reading.file_tokens import split
from portals.relay.files import told
from portals.retry import TROUBLED, pause

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bridge.store.files import Files
    from bridge.store.ledger import Unit
    from bridge.work.late_files import LateFiles
    from bridge.work.transfers import Transfers
    from portals.events import SlackFile
    from portals.facts import Rules
    from portals.ids import TeamId

log = logging.getLogger(__name__)

_LEVELS = {False: logging.INFO, True: logging.WARNING}
"""The first failure is everyday life."""
_PAGE = 100
_MOST_ASIDE = 100
"""With so many files aside something is wrong with all of them, and no more are tried."""
_LOOK = 2.0
"""Seconds between two looks for files that were promised elsewhere: an admin may have asked for some again."""
_TOKEN_COMES = 600.0
"""Seconds for which a file of an earlier run waits for the token that it was named with."""
_RENEWED = 30.0
_FETCHING_MS = 120_000


@dataclass(frozen=True, slots=True)
class Progress:
    """What one run has done so far: files that came and that were given up, and bytes that passed.

    `aside` are files that are tried again later, `trouble` says what an admin can do, if anything holds all up.
    """

    here: int
    absent: int
    passed: int
    seconds: float
    aside: int
    trouble: str

    @property
    def rate(self) -> float:
        """Bytes a second."""
        return self.passed / self.seconds if self.seconds > 0 else 0.0


class Fetcher:
    """Brings over the files that an import promised; one for all workspaces of a store.

    `clock` tells the time in seconds.
    """

    def __init__(
        self,
        *,
        files: Files,
        transfers: Transfers,
        late: LateFiles,
        rules: Rules,
        at_once: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._files = files
        self._transfers = transfers
        self._late = late
        self._rules = rules
        self._at_once = at_once
        self._clock = clock
        self._tokens: dict[TeamId, tuple[str, ...]] = {}
        self._teams: set[TeamId] = set()
        self._queue: asyncio.Queue[KnownFile] = asyncio.Queue(maxsize=1)
        self._open: set[tuple[TeamId, str]] = set()
        """Files that are queued, under way or aside."""
        self._aside: list[tuple[float, int, KnownFile]] = []
        self._failing: dict[tuple[TeamId, str], int] = {}
        """How many files had come when one failed first."""
        self._joined = asyncio.Event()
        self._woken = asyncio.Event()
        self._changed = asyncio.Event()
        self._failures = 0
        self._away_until = 0.0
        self._here = self._absent = self._passed = 0
        self._began = time.monotonic()
        self._trouble = ""
        self._is_told = False
        """Whether all that is to come was promised."""

    # --- what the importer asks for

    def leaving(self, team: TeamId, files: Iterable[SlackFile], reason: str) -> Unit:
        """Return what notes that the files of a message are not to be fetched, and why; a retry fetches them yet."""
        unit: Unit = ()
        for file in files:
            url, thumbnail = split(file.url)[0], split(file.thumbnail.url if file.thumbnail is not None else "")[0]
            known = KnownFile(team, file.id, url, file.name, file.mimetype, file.size, thumbnail)
            if file.refusal or file.must_ask or told(file, self._rules) is None:
                unit += self._files.missing(replace(known, reason=file.refusal or reason))
        return unit

    def expecting(self, team: TeamId, files: Iterable[SlackFile]) -> Unit:
        """Return what promises the files of a message; it is committed before, or with, what admits the message.

        Addresses may carry the token of an export: it is kept in memory, and what is stored has none. What crosses as
        a link, a text or a notice is not fetched; what Slack itself says that it withholds is noted with its reason.
        """
        unit = tuple(statement for file in files for statement in self._expecting(team, file))
        if unit:
            self._teams.add(team)
            unit += self._files.fetching([team], self._soon())
        return unit

    def _expecting(self, team: TeamId, file: SlackFile) -> Unit:
        thumbnail = file.thumbnail.url if file.thumbnail is not None else ""
        (url, token), (thumbnail, other) = split(file.url), split(thumbnail)
        for found in (token, other):
            self._trust(team, found)
        known = KnownFile(
            team,
            file.id,
            url,
            file.name,
            file.mimetype,
            file.size,
            thumbnail,
            tokened=bool(token),
            promised=True,
        )
        if file.refusal and not file.must_ask:
            return self._files.missing(replace(known, reason=file.refusal))
        is_wanted = told(file, self._rules) is None or (file.must_ask and not url)
        return self._files.expecting(known) if is_wanted else ()

    def hurry(self) -> None:
        """Have what was promised just now begin at once."""
        self._woken.set()

    async def settled(self) -> None:
        """Return when nothing promised waits any more, and what came late is shown; raises StoreUnavailable.

        To be asked once all is promised: what lacks its token by then is not waited for.
        """
        self._is_told = True
        while True:
            self._changed.clear()
            if not await self._files.promised(0, 1):
                await self._late.tell()
                await self._late.shown()
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK):
                    await self._changed.wait()

    @property
    def progress(self) -> Progress:
        """What this run has done so far."""
        return Progress(self._here, self._absent, self._passed, self._seconds, len(self._aside), self._trouble)

    @property
    def _seconds(self) -> float:
        return time.monotonic() - self._began

    async def run(self) -> None:
        """Fetch until cancelled, first what an earlier run left waiting; raises Fatal when the service cannot go on."""
        self._began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._feed(), name="files to fetch")
            group.create_task(self._say_so(), name="files are being fetched")
            for number in range(self._at_once):
                group.create_task(self._work(), name=f"file fetcher {number}")

    # --- which file is next

    async def _feed(self) -> None:
        page: deque[KnownFile] = deque()
        after = 0
        while True:
            self._woken.clear()
            file = self._due()
            if file is None and not page and len(self._aside) < _MOST_ASIDE:
                found = await self._promised(after)
                after = found[-1].n if found else 0
                page.extend(one for one in found if (one.team, one.id) not in self._open)
                if found and not page:
                    continue
            if file is None and page:
                file = page.popleft()
            if file is not None:
                self._open.add((file.team, file.id))
                if file.team not in self._teams:
                    self._teams.add(file.team)
                    self._joined.set()
                await self._queue.put(file)
            else:
                await self._rest()

    def _due(self) -> KnownFile | None:
        if self._aside and self._aside[0][0] <= asyncio.get_running_loop().time():
            return heapq.heappop(self._aside)[2]
        return None

    async def _promised(self, after: int) -> list[KnownFile]:
        try:
            return await self._files.promised(after, _PAGE)
        except StoreUnavailable as error:
            log.warning("files to fetch could not be read: %s", error)
            return []

    async def _rest(self) -> None:
        """Tell of late files, and wait until a file is promised here or elsewhere, or one that is aside is due."""
        try:
            await self._late.tell()
        except StoreUnavailable as error:
            log.warning("that files came late could not be told: %s", error)
        due = self._aside[0][0] - asyncio.get_running_loop().time() if self._aside else _LOOK
        with suppress(TimeoutError):
            async with asyncio.timeout(min(max(due, 0.0), _LOOK)):
                await self._woken.wait()

    # --- one file

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            file = await self._queue.get()
            await asyncio.sleep(max(self._away_until - loop.time(), 0.0))
            await self._bring(file)

    async def _bring(self, file: KnownFile) -> None:
        key = (file.team, file.id)
        blamed = self._failing.get(key, self._here) < self._here
        tokens = self._tokens.get(file.team, ())
        if file.tokened and not tokens and not self._is_told and self._seconds < _TOKEN_COMES:
            await self._await_token(file)
            return
        try:
            await self._transfers.bring(file, tokens=tokens, blamed=blamed, moved=self._moved)
        except Broken as broken:
            self._failing.setdefault(key, self._here)
            wait = self._put_aside(replace(file, tries=file.tries + 1), pause(file.tries + 1, broken.retry_after))
            log.info("%s: the file %s is tried again in %.1f s: %s", *key, wait, broken)
        except Later as later:
            self._failing.setdefault(key, self._here)
            now = asyncio.get_running_loop().time()
            self._failures += now >= self._away_until  # what failed at the same time failed once
            wait = self._put_aside(file, pause(self._failures, later.retry_after))
            self._away_until = now + wait
            log.log(_LEVELS[self._failures > 1], "files wait for %.1f s: %s", wait, later)
        except Refused as refused:
            if refused.code in (ABSENT, WITHHELD):
                self._absent += 1
                self._close(file)
                return
            self._trouble = str(refused)
            self._put_aside(file, TROUBLED)
            log.error("%s: the file %s is tried again in %.0f s: %s", *key, TROUBLED, refused)
        else:
            self._here += 1
            self._failures = 0
            self._trouble = ""
            self._close(file)

    async def _await_token(self, file: KnownFile) -> None:
        """Look again later whether a token is known, or that the file needs none."""
        try:
            file = await self._files.find(file.team, file.id) or file
        except StoreUnavailable as error:
            log.warning("the file %s could not be looked up: %s", file.id, error)
        self._put_aside(file, _LOOK)

    def _moved(self, size: int) -> None:
        self._passed += size

    def _put_aside(self, file: KnownFile, wait: float) -> float:
        """Have a file tried again after so many seconds, which are returned."""
        heapq.heappush(self._aside, (asyncio.get_running_loop().time() + wait, file.n, file))
        self._woken.set()
        return wait

    def _close(self, file: KnownFile) -> None:
        self._open.discard((file.team, file.id))
        self._failing.pop((file.team, file.id), None)
        self._changed.set()

    # --- what others must know

    async def _say_so(self) -> None:
        """Say again and again that this import is at what it promised."""
        while True:
            self._joined.clear()
            if self._teams:
                try:
                    await self._files.keep(self._files.fetching(self._teams, self._soon()))
                except StoreUnavailable as error:
                    log.warning("that files are being fetched could not be noted: %s", error)
            with suppress(TimeoutError):
                async with asyncio.timeout(_RENEWED):
                    await self._joined.wait()

    def _soon(self) -> int:
        return int(self._clock() * 1000) + _FETCHING_MS

    def _trust(self, team: TeamId, token: str) -> None:
        if token:
            self._tokens[team] = tuple(dict.fromkeys([token, *self._tokens.get(team, ())]))
