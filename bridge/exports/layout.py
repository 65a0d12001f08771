"""Where in an archive an export lies, and which of its folders are workspaces and which are channels.

A standard or full export is one workspace. An Enterprise Grid export is the organisation, with a workspace in each
folder below `teams`. Whoever packed an export again may have put a folder around it, or several.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.errors import BadExport
from bridge.exports.names import is_almost_a_day, joined
from portals.history.export import CHANNEL_FILES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bridge.exports.folder import Folder
    from bridge.exports.limits import Problems

USER_FILES = ("users.json", "org_users.json")
_KNOWN = frozenset({*CHANNEL_FILES, *USER_FILES})
_TEAMS = "teams"
_NO_EXPORT = (
    "it holds no export of Slack: there is neither channels.json nor users.json in it, nor a folder with days "
    "(2024-05-01.json); name the zip that Slack made, or the folder that it was unpacked into"
)


@dataclass(frozen=True, slots=True)
class Root:
    """An organisation or a workspace in an export: its folder, the files in it, and the folders of its channels."""

    path: str
    files: tuple[str, ...]
    folders: tuple[Folder, ...]


def roots_of(folders: Iterable[Folder], problems: Problems) -> list[Root]:
    """Return the organisation or workspace, then the workspaces below it; raises BadExport where there is none."""
    every = {folder.path: folder for folder in folders}
    below: dict[str, list[Folder]] = {}
    for folder in every.values():
        if folder.path:
            below.setdefault(folder.path.rpartition("/")[0], []).append(folder)
    top = _top(every, below)
    teams = _teams(joined(top, _TEAMS), every, below)
    roots = [_root(path, every, below) for path in [top, *teams]]
    _tell_what_is_left(every.values(), roots, problems)
    return roots


def _top(every: Mapping[str, Folder], below: Mapping[str, list[Folder]]) -> str:
    """Return the folder in which the export lies: the outermost one that looks like it."""
    path = ""
    while True:
        inside = below.get(path, [])
        is_grid = any(_is_root(folder) for folder in below.get(joined(path, _TEAMS), []))
        if _is_root(every[path]) or is_grid:
            return path
        if any(folder.days for folder in inside):
            return path
        exports = sorted(folder.path for folder in inside if _is_root(folder) or below.get(folder.path))
        if len(exports) > 1:
            raise BadExport(f"it holds several folders that may be exports: name one of {', '.join(exports[:10])}")
        zips = [name for name in every[path].files if name.endswith(".zip")]
        if zips:
            raise BadExport(f"it holds no export but another zip: unpack it and name {joined(path, zips[0])}")
        if len(inside) != 1:
            raise BadExport(_NO_EXPORT)
        path = inside[0].path


def _is_root(folder: Folder) -> bool:
    return not _KNOWN.isdisjoint(folder.files)


def _teams(path: str, every: Mapping[str, Folder], below: Mapping[str, list[Folder]]) -> list[str]:
    """Return the workspaces below `teams`, unless that is a channel of this name."""
    inside = below.get(path, [])
    if path not in every or (every[path].days and not any(map(_is_root, inside))):
        return []
    return sorted(folder.path for folder in inside)


def _root(path: str, every: Mapping[str, Folder], below: Mapping[str, list[Folder]]) -> Root:
    inside = [folder for folder in below.get(path, []) if folder.days or folder.files]
    return Root(path, every[path].files, tuple(sorted(inside, key=lambda folder: folder.path)))


def _tell_what_is_left(folders: Iterable[Folder], roots: list[Root], problems: Problems) -> None:
    """Tell of everything that looks like messages and lies where none are looked for."""
    channels = {folder.path for root in roots for folder in root.folders}
    tops = {root.path for root in roots}
    for folder in folders:
        if folder.days and folder.path not in channels:
            where = "beside the lists of channels" if folder.path in tops else "where no channel's folder can be"
            problems.add(folder.path or ".", f"{folder.days} files that look like days lie {where}: they are not read")
        for name in folder.files:
            if folder.path in channels and is_almost_a_day(name):
                problems.add(joined(folder.path, name), "is named almost like a day: it is not read")
            elif folder.path in tops | {roots[0].path} and name.endswith(".zip"):
                problems.add(joined(folder.path, name), "is a zip in the export: unpack it and import it by itself")
