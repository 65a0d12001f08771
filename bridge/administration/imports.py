"""Imports: how far each is, holding one up, and the records that could not be taken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from bridge.errors import Declined
from bridge.store.audit import noted
from bridge.store.files import Files, FileState
from bridge.store.imports import Imports, ImportState
from bridge.store.ledger import TO_MATRIX, Ledger
from bridge.work.history import WHERE
from bridge.work.release import Release
from portals.history.progress import ChannelProgress, FileProgress, Progress

if TYPE_CHECKING:
    from bridge.administration.acting import Actor
    from bridge.administration.store import Store
    from bridge.store.database import Database
    from bridge.store.imports import Import
    from bridge.store.ledger import ParkedRow
    from portals.ids import TeamId

_PAGE = 500


# --- how far


async def find(store: Store, number: int | None) -> Import:
    """Return the import of this number, or the newest; raises Declined."""
    if number is not None:
        found = await store.imports.find(number) if 0 < number < 2**63 else None
    else:
        found = next(iter(await store.imports.newest(1)), None)
    if found is None:
        which = (
            "no import yet: `causeway import PATH` begins one"
            if number is None
            else f"no import {number}: causeway import status shows all"
        )
        raise Declined("not_found", f"there is {which}")
    return found


async def progress_of(database: Database, known: Import) -> Progress:
    """Return how far an import is, in whichever process it works."""
    imports = Imports(database)
    counts = await Ledger(database).open_counts()
    waiting = {queue: rows for direction, queue, rows, _ in counts if direction == TO_MATRIX}
    channels = tuple(
        ChannelProgress(
            one.channel,
            one.name,
            one.state,
            one.records,
            one.taken,
            one.admitted,
            min(waiting.get(one.queue, 0), one.admitted),
            one.reason,
        )
        for one in await imports.channels(known.id)
    )
    return Progress(
        known.id,
        known.state,
        known.source,
        channels,
        await imports.count_quarantined(known.id),
        files=await _files(database, known.team),
    )


async def _files(database: Database, team: TeamId) -> FileProgress:
    tally = await Files(database).counts(team)
    here, waiting, absent = (tally[state] for state in (FileState.HERE, FileState.WAITING, FileState.ABSENT))
    return FileProgress(here.files, waiting.files, absent.files, here.seen, waiting.told)


# --- holding up


async def pause(store: Store, known: Import, actor: Actor) -> None:
    """Admit no more of an import; what was admitted is still shown. Raises Declined for one that is done."""
    await _set(store, known, ImportState.PAUSED, "pause import", actor)


async def resume(store: Store, known: Import, actor: Actor) -> None:
    """Let an import go on; one whose process has ended goes on when its command is given again."""
    await _set(store, known, ImportState.RUNNING, "resume import", actor)


async def _set(store: Store, known: Import, state: ImportState, act: str, actor: Actor) -> None:
    if known.state is ImportState.DONE:
        raise Declined("done", f"import {known.id} is done")
    await store.imports.set_state(known.id, state, noted(str(actor), act, f"import {known.id}", known.source))


# --- quarantine


@dataclass(frozen=True, slots=True)
class Kept:
    """One record in quarantine: its name (`q7`, `p31`), its place in the archive, why it is there, and itself."""

    name: str
    channel: str
    where: str
    reason: str
    record: Any  # Any: foreign JSON

    def as_json(self) -> dict[str, Any]:
        return {"id": self.name, "channel": self.channel, "where": self.where, "reason": self.reason}


async def quarantine(database: Database) -> list[Kept]:
    """Return all that is in quarantine, what could not be read first."""
    found: list[Kept] = []
    after = 0
    while page := await Imports(database).quarantined(after, _PAGE):
        after = page[-1].id
        found += [Kept(f"q{one.id}", one.channel, one.place, one.reason, orjson.loads(one.raw)) for one in page]
    after = 0
    while rows := await Ledger(database).parked(after, _PAGE):
        after = rows[-1].seq
        found += [kept for kept in map(_parked, rows) if kept is not None]
    return found


def _parked(row: ParkedRow) -> Kept | None:
    """Return a parked row that came from a history."""
    try:
        payload = orjson.loads(row.raw)
    except orjson.JSONDecodeError:
        return None
    event = payload.get("event", {}) if isinstance(payload, dict) else {}
    record = event.get("message") if isinstance(event.get("message"), dict) else event
    where = record.pop(WHERE, "") if isinstance(record, dict) else ""
    channel = row.queue.partition("/")[2]
    return Kept(f"p{row.seq}", channel, where, row.reason, record) if where else None


def named(there: list[Kept], name: str) -> Kept:
    """Return the record of this name; raises Declined."""
    found = next((one for one in there if one.name == name), None)
    if found is None:
        raise Declined("not_found", f"{name} is not in quarantine: causeway import quarantine list shows what is")
    return found


async def release(store: Store, wanted: list[Kept], actor: Actor) -> dict[str, str]:
    """Try records again; returns of each why it stays, or nothing."""
    again = Release(store.database, store.names)
    outcomes: dict[str, str] = {}
    for one in wanted:
        await store.database.commit(noted(str(actor), "retry", f"quarantine {one.name}", one.where))
        outcomes[one.name] = await again.again(one.name)
    return outcomes
