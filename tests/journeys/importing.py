"""An import beside a stage's bridge: the importer on a connection of its own, as the command line has it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from bridge.configured import names_from
from bridge.exports.export import open_export
from bridge.store.directory import Directory
from bridge.store.imports import Imports
from bridge.store.ledger import Ledger
from bridge.store.links import Links
from bridge.store.opening import open_database
from bridge.work.importer import Importer, Wanted
from portals.history.selection import Selection
from portals.ids import NO_TS, TeamId, Ts, is_ts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from bridge.store.database import Database
    from bridge.store.imports import Import
    from config.settings import Settings
    from portals.history.export import ExportedChannel

EVERYTHING = Selection()
ONLY_WHAT_IS_ASKED_FOR = {"portals": {"automatic": {"include": []}}}


async def bring(settings: Settings, path: Path, selection: Selection = EVERYTHING, **more: Any) -> Import:
    """Import an export and return when all of it is shown; `more` goes to the importer in place of the usual."""
    async with importer_of(settings, **more) as (importer, _):
        with open_export(path) as export:
            return await importer.run(export, wanted_of(export, path, selection))


@asynccontextmanager
async def importer_of(settings: Settings, **more: Any) -> AsyncIterator[tuple[Importer, Database]]:
    """Make an importer on the store of these settings."""
    database = more.pop("database", None) or await open_database(settings.database.url.reveal())
    try:
        usual: dict[str, Any] = {
            "names": names_from(settings),
            "ledger": Ledger(database),
            "directory": Directory(database, names_from(settings)),
            "links": Links(database),
            "imports": Imports(database),
            "fetch": _nothing_to_fetch,
            "allows": _allowed,
            "settled": _settled,
            "member_limit": settings.rooms.member_limit,
            "at_once": 16,
        }
        yield Importer(**{**usual, **more}), database
    finally:
        await database.close()


def wanted_of(export: Any, path: Path, selection: Selection) -> Wanted:
    """Return what an import of all that is selected wants; counted by hand, for the plan is tested elsewhere."""
    records: dict[str, int] = {}
    newest = NO_TS
    for channel in export.channels:
        for day in export.days(channel):
            records[channel.id] = records.get(channel.id, 0) + len(day.records)
            newest = max([newest, *(Ts(one["ts"]) for one in day.records if is_ts(str(one.get("ts"))))])
    team = next(iter(export.team_ids()), TeamId("T0"))
    return Wanted(str(path), selection, repr(selection), team, newest, records, {})


async def _nothing_to_fetch(_team: TeamId, _records: Sequence[dict[str, Any]]) -> None:
    """Leave the files to the lanes."""


async def _allowed(_channel: ExportedChannel) -> str:
    return ""


async def _settled(_portal: object) -> None:
    """Nobody is linked here."""
