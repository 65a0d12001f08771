"""The making of a report: every channel that is meant is read back from the homeserver and compared with its source."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import TYPE_CHECKING, Protocol

from bridge.administration.store import Store
from bridge.configured import client_from, names_from, rules_from
from bridge.errors import Declined
from bridge.exports.export import open_export
from bridge.proof.prove import prove
from bridge.proof.report import Report, SourceNote
from bridge.proof.source import ExportSource
from bridge.proof.tasks import Planning, Stores
from bridge.store.audit import Audit
from bridge.store.channel_ids import ChannelIds
from bridge.store.files import Files
from bridge.store.grants import Grants
from bridge.store.held import HeldMessages
from bridge.store.opening import open_database
from bridge.store.words import Words
from portals.history.selection import AnyOf, from_told, meant

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bridge.store.database import Database
    from config.settings import Settings
    from portals.facts import Portal
    from portals.history.selection import Selection

NOTHING_IMPORTED = "nothing_imported"


class Progress(Protocol):
    """Shows how far the proof of one channel is: told what is being done, and how much of it is."""

    def __call__(self, doing: str, count: int) -> None: ...

    def end(self) -> None:
        """Show that no longer."""


class Unseen:
    """Shows nothing."""

    def __init__(self, what: str) -> None: ...

    def __call__(self, doing: str, count: int) -> None: ...

    def end(self) -> None: ...


async def make_report(
    settings: Settings,
    exports: Sequence[Path],
    selection: Selection,
    checksums: bool,
    *,
    as_of: int = 0,
    shown: Callable[[str], Progress] = Unseen,
) -> Report:
    """Read rooms back and compare them with these exports, or else with those that were imported.

    What imports of them were to leave out is not missed, unless the `selection` asks for it. `as_of` (ms) says how far
    the exports know, where that is no import's. Raises Declined where there is nothing to compare.
    """
    async with AsyncExitStack() as stack:
        database, stores, portals = await _opened(stack, settings)
        sources = []
        remembered = await _imported(stores)
        for path in exports or remembered:
            export = stack.enter_context(await asyncio.to_thread(open_export, path))
            taken = remembered.get(path.resolve(), AnyOf())
            sources.append(ExportSource(path, export, meant(taken, selection, export.channels)))
        if not sources:
            raise Declined(NOTHING_IMPORTED, "nothing was imported yet, so name what to compare with: --export PATH")
        matrix = await stack.enter_async_context(client_from(settings, database, aside=True))
        planning = Planning(
            matrix=matrix,
            stores=stores,
            names=names_from(settings),
            rules=rules_from(settings),
            member_limit=settings.rooms.member_limit,
            sources=sources,
            selection=selection,
            checksums=checksums,
            system=settings.imports.system_messages,
        )
        found = await planning.undertaking(portals)
        _refuse_nothing(selection, len(found.tasks), [one.channel.name for one in found.left_out])
        proofs = []
        for number, planned in enumerate(found.tasks, 1):
            task = replace(planned, until=as_of) if as_of else planned
            progress = shown(f"{number}/{len(found.tasks)} {task.channel.name}")
            proofs.append(await prove(matrix, task, progress))
            progress.end()
        return Report(
            at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            versions=_versions(await matrix.versions()),
            homeserver=settings.homeserver.domain,
            sources=[
                SourceNote(one.name, await asyncio.to_thread(one.fingerprint), tuple(one.problems)) for one in sources
            ],
            proofs=proofs,
            left_out=found.left_out,
        )


async def _opened(stack: AsyncExitStack, settings: Settings) -> tuple[Database, Stores, list[Portal]]:
    database = await open_database(settings.database.url.reveal())
    stack.push_async_callback(database.close)
    store = Store.on(database, names_from(settings))
    stores = Stores(
        store.directory,
        store.ledger,
        store.imports,
        store.people,
        Files(database),
        Words(database),
        Audit(database),
        ChannelIds(database),
        Grants(database),
        HeldMessages(database),
    )
    return database, stores, await store.portals()


async def _imported(stores: Stores) -> dict[Path, AnyOf]:
    """Return the archives that were imported, the earliest first, with what was taken of each."""
    found: dict[Path, AnyOf] = {}
    for one in reversed(await stores.imports.newest(1000)):
        before = found.pop(Path(one.source), AnyOf(()))
        found[Path(one.source)] = AnyOf((*before.selections, from_told(one.told.get("selection"))))
    return found


def _refuse_nothing(selection: Selection, tasks: int, left_out: Sequence[str]) -> None:
    if tasks:
        return
    if left_out and not selection.is_everything():
        raise Declined("no_room", f"{left_out[0]} has no room: nothing mirrors it, and no import took it")
    if not left_out:
        raise Declined("no_channel", "no channel of the source is meant: check --channel and --kind")


def _versions(spoken: Sequence[str]) -> dict[str, str]:
    return {
        "Causeway": version("causeway"),
        "Python": python_version(),
        "the homeserver speaks Matrix": max((one for one in spoken if one.startswith("v")), key=_parts, default="?"),
    }


def _parts(spoken: str) -> tuple[int, ...]:
    return tuple(int(part) for part in spoken.removeprefix("v").split(".") if part.isdigit())
