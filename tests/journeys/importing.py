"""An import beside a stage's bridge: the importer on a connection of its own, as the command line has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bridge.exports.export import open_export
from bridge.importing import importer_on
from bridge.store.opening import open_database
from bridge.work.importer import Wanted
from portals.history.selection import Selection
from portals.ids import NO_TS, TeamId, Ts, is_ts

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.exports.export import Export
    from bridge.store.imports import Import
    from config.settings import Settings

EVERYTHING = Selection()
ONLY_WHAT_IS_ASKED_FOR: dict[str, Any] = {"portals": {"automatic": {"include": []}}}


async def bring(settings: Settings, path: Path, selection: Selection = EVERYTHING, **more: Any) -> Import:
    """Import an export and return when all of it is shown; `more` goes to the importer in place of the usual."""
    database = more.pop("database", None) or await open_database(settings.database.url.reveal())
    try:
        with open_export(path) as export:
            wanted = wanted_of(export, path, selection)
            async with importer_on(settings, database, export, wanted.team, **more) as importer:
                return await importer.run(export, wanted)
    finally:
        await database.close()


def wanted_of(export: Export, path: Path, selection: Selection) -> Wanted:
    """Return what an import of all that is selected wants; counted by hand, for the plan is tested elsewhere."""
    records: dict[str, int] = {}
    newest = NO_TS
    for channel in export.channels:
        for day in export.days(channel):
            records[channel.id] = records.get(channel.id, 0) + len(day.records)
            newest = max([newest, *(Ts(one["ts"]) for one in day.records if is_ts(str(one.get("ts"))))])
    team = next(iter(export.team_ids()), TeamId("T0"))
    return Wanted(str(path), selection, repr(selection), team, newest, records, {})
