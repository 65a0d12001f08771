"""The database: whether it opens, can be written, and has a layout that this program knows. It changes nothing."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from bridge.cli.checks.finding import Finding, Findings, failed
from bridge.errors import BridgeError
from bridge.store.database import Statement
from bridge.store.opening import is_half_moved, migrations

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.store.database import Database
    from config.settings import Settings

PROBE = (Statement("CREATE TABLE causeway_check (probe BIGINT)"), Statement("DROP TABLE causeway_check"))


async def check_store(settings: Settings) -> Findings:
    """Open the database as the bridge would, short of changing its layout."""
    path = settings.database.sqlite_path
    if path is not None and not path.exists():
        yield _new_file(path)
        return
    try:
        database = await _open(settings)
    except BridgeError as error:
        yield failed("database", error, "check database.url")
        return
    try:
        yield Finding("database", "ok", f"{settings.database.shown} opens")
        try:
            await database.commit(*PROBE)
        except BridgeError as error:
            yield failed("database", error, "give the database's user the right to create tables, and room on the disk")
            return
        yield Finding("database", "ok", "can be written")
        yield await _layout(database)
    finally:
        await database.close()


def _new_file(path: Path) -> Finding:
    directory = next((above for above in path.parents if above.exists()), path.parent)
    if not os.access(directory, os.W_OK | os.X_OK):
        return Finding("database", "fail", f"{directory} cannot be written", f"let this user write in {directory}")
    return Finding("database", "ok", f"{path} will be made at the first start")


async def _open(settings: Settings) -> Database:
    from bridge.store.postgres import PostgresDatabase
    from bridge.store.sqlite import SqliteDatabase

    path = settings.database.sqlite_path
    if path is not None:
        return SqliteDatabase(str(path))
    return await PostgresDatabase.connect(settings.database.url.reveal())


async def _layout(database: Database) -> Finding:
    try:
        rows = await database.fetch("SELECT COALESCE(MAX(version), 0) FROM schema_version")
    except BridgeError:  # there is no such table before the first start
        return Finding("database", "ok", "is empty: the first start fills it")
    version, known = int(rows[0][0]), migrations()[-1][0]
    if version > known:
        remedy = "install the newer Causeway again, or restore the backup made before the upgrade"
        return Finding("database", "fail", f"has layout {version}, this program knows only {known}", remedy)
    if version < known:
        return Finding("database", "ok", f"has layout {version}; the next start brings it to {known}")
    if await is_half_moved(database):
        remedy = "wait for `causeway migrate-db`, or give it again with --replace"
        return Finding("database", "fail", "a store is being moved into it, or that was interrupted", remedy)
    return Finding("database", "ok", f"has layout {version}, the current one")
