"""Files that came late: whoever waits until they are shown knows of those that somebody else is telling of."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bridge.store.directory import Directory
from bridge.store.files import Files, KnownFile
from bridge.store.ledger import LOOK, TO_MATRIX, Ledger
from bridge.store.links import Links, record
from bridge.store.opening import open_database
from bridge.work.late_files import LateFiles
from portals.actions import RecordLink
from portals.ids import ChannelId, TeamId
from tests.bridge.work.file_world import NAMES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.store.database import Database, Row, Statement
    from bridge.store.ledger import Arrival

TEAM = TeamId("T1")
FILE = KnownFile(TEAM, "F1", "https://files.slack.test/F1", "sheet.png", "image/png")


class Slow(Ledger):
    """A ledger whose answer to an admission comes some time after its commit."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.is_stored, self.may_answer = asyncio.Event(), asyncio.Event()

    def admit(self, arrivals: Sequence[Arrival], beside: Sequence[Statement] = ()) -> asyncio.Future[list[list[Row]]]:
        return asyncio.ensure_future(self._answer(super().admit(arrivals, beside)))

    async def _answer(self, stored: asyncio.Future[list[list[Row]]]) -> list[list[Row]]:
        results = await stored
        self.is_stored.set()
        await self.may_answer.wait()
        return results


async def test_who_finds_nothing_to_tell_waits_for_what_another_told(sqlite_url: str) -> None:
    database = await open_database(sqlite_url)
    files, ledger = Files(database), Slow(database)
    portal = await Directory(database, NAMES).add_portal(TEAM, ChannelId("C1"), name="general")
    await database.commit(*record(portal.id, RecordLink("slack", "@slack_t1_u1:hs.test", "F1", "1.1"), "$notice"))
    await files.give_up(FILE)
    await files.arrived(FILE)
    late = LateFiles(files, Links(database), ledger)

    async def told_and_shown() -> None:
        await late.tell()
        await late.shown()

    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        group.create_task(late.tell())
        await ledger.is_stored.wait()
        assert await ledger.requests() == [(LOOK, "T1/C1")], "the lane is asked in the same commit"
        second = group.create_task(told_and_shown())
        await asyncio.wait([second], timeout=0.1)
        ledger.may_answer.set()
        await asyncio.wait([second], timeout=0.1)
        assert not second.done(), "it is not shown yet"
        (row,) = await ledger.next_rows(TO_MATRIX, "T1/C1", 9)
        await ledger.keep(ledger.settling(row, ""))
    await database.close()
