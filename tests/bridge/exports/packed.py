"""Small exports for the tests of reading: named files, packed as somebody might."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any

import orjson

from bridge.exports.export import open_export
from bridge.exports.limits import LIMITS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from bridge.exports.export import Day, Export
    from bridge.exports.limits import Limits

USERS = [{"id": "U0ANN", "team_id": "T01", "name": "ann", "profile": {}}]


def entry(channel: str, name: str = "", **more: Any) -> dict[str, Any]:  # Any: foreign JSON
    """An entry of a list of channels."""
    return {"id": channel, **({"name": name} if name else {}), **more}


def said(*times: str, **more: Any) -> list[dict[str, Any]]:  # Any: foreign JSON
    """Messages of these times."""
    return [{"type": "message", "user": "U0ANN", "text": "hi", "ts": ts, **more} for ts in times]


def content(value: object) -> bytes:
    """A file's bytes: as they are, or a value as JSON."""
    return value if isinstance(value, bytes) else orjson.dumps(value)


def zipped(target: Path, files: Mapping[str, object], method: int = zipfile.ZIP_DEFLATED) -> Path:
    """A zip of these files, in this order; a path that ends in / is a folder."""
    with zipfile.ZipFile(target, "w", method) as archive:
        for path, value in files.items():
            archive.writestr(path, b"" if path.endswith("/") else content(value))
    return target


def unpacked(target: Path, files: Mapping[str, object]) -> Path:
    """A folder of these files."""
    for path, value in files.items():
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        (target / path).write_bytes(content(value))
    return target


def an_export(**files: object) -> dict[str, object]:
    """The files of a small good export, and more."""
    good: dict[str, object] = {
        "channels.json": [entry("C0GENERAL", "general", members=["U0ANN"])],
        "users.json": USERS,
        "general/2024-05-01.json": said("1714550400.000100"),
        "general/2024-05-02.json": said("1714636800.000100", "1714636800.000200"),
    }
    return good | files


def days_of(export: Export, channel: str) -> list[Day]:
    """All days of a channel, by its id."""
    (found,) = (one for one in export.channels if one.id == channel)
    return list(export.days(found))


def times_in(path: Path, limits: Limits = LIMITS) -> dict[str, list[object]]:
    """The times of all records of an export, by channel."""
    with open_export(path, limits) as export:
        return {one.id: times_of(export.days(one)) for one in export.channels}


def times_of(days: Iterable[Day]) -> list[object]:
    """The times of the records of days, in their order."""
    return [record.get("ts") for day in days for record in day.records]


def problems_in(path: Path, limits: Limits = LIMITS) -> dict[str, str]:
    """What is wrong with an export, by place, after all of it was read."""
    with open_export(path, limits) as export:
        for channel in export.channels:
            for _ in export.days(channel):
                pass
        list(export.users())
        return {problem.where: problem.what for problem in export.problems}
