"""Which channels an export has, and in which folders their days lie.

A channel is known by its id. Its folder bears its name, or its id; names may have been changed by whoever packed the
export again, may stand for two channels, or for none. Where it is not certain whose messages lie in a folder, they go
to the channel that fewer people may see.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from bridge.exports.names import joined, spellings
from portals.history.export import (
    CHANNEL_FILES,
    ExportedChannel,
    channel_of,
    channel_told_by,
    is_channel_id,
    unlisted_channel,
)
from portals.history.shared_folder import PRIVACY, owner_of
from portals.ids import ChannelId

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bridge.exports.folder import Folder
    from bridge.exports.layout import Root
    from bridge.exports.limits import Problems
    from portals.events import Json
_ABOUT_A_FILE = "FC:"


class Files(Protocol):
    """What finding channels needs to read."""

    def listed(self, path: str) -> Iterator[tuple[str, object]]:
        """Yield the values of a list, each with its place; what cannot be read becomes a problem."""

    def peek(self, folder: Folder) -> Sequence[Json]:
        """Return some records of a folder."""

    def every(self, folder: Folder) -> Iterator[Json]:
        """Yield all records of a folder."""


@dataclass(slots=True)
class Found:
    """A channel and the folders of its days."""

    channel: ExportedChannel
    root: str
    """The folder of the workspace that lists it."""
    folders: list[str] = field(default_factory=list)


def found_channels(roots: Sequence[Root], files: Files, problems: Problems) -> list[Found]:
    """Return the channels of an export, in the order in which they are listed."""
    found: dict[ChannelId, Found] = {}
    free: dict[str, Folder] = {}
    for root in roots:
        here = _listed(root, files, found, problems)
        free |= _claim(root, here, files, problems)
    for folder in free.values():
        if folder.days:
            _place(folder, found, files, problems)
    return [
        replace(one, channel=replace(one.channel, folder=one.folders[0] if one.folders else ""))
        for one in found.values()
    ]


def _listed(root: Root, files: Files, found: dict[ChannelId, Found], problems: Problems) -> list[Found]:
    """Read the lists of a workspace; returns the channels in them."""
    here: dict[ChannelId, Found] = {}
    if not any(name in root.files for name in CHANNEL_FILES):
        problems.add(root.path or ".", "has no channels.json: names, topics and members of its channels are not known")
    for name, kind in CHANNEL_FILES.items():
        if name not in root.files:
            continue
        for where, entry in files.listed(joined(root.path, name)):
            channel, wrong = channel_of(entry, kind, where)
            problems.extend(wrong)
            if channel is None:
                continue
            known = found.get(channel.id)
            if known is None:
                known = found[channel.id] = Found(channel, root.path)
            elif channel.id in here:
                problems.add(where, f"{channel.id} is listed before already: only its first entry is used")
            if PRIVACY[channel.kind] > PRIVACY[known.channel.kind]:
                problems.add(
                    where, f"{channel.id} is listed as {known.channel.kind} too: it is taken as {channel.kind}"
                )
                known.channel = replace(known.channel, kind=channel.kind)
            here[channel.id] = known
    return list(here.values())


def _claim(root: Root, here: Iterable[Found], files: Files, problems: Problems) -> dict[str, Folder]:
    """Give the folders of a workspace to the channels that it lists; returns the folders that nobody claims."""
    free = {folder.path: folder for folder in root.folders}
    names: dict[str, Folder] = {}
    for folder in root.folders:
        names[_normal(_last(folder.path))] = folder
    for folder in root.folders:
        for spelling in spellings(_last(folder.path)):
            names.setdefault(spelling, folder)
    claims: dict[str, list[Found]] = {}
    for one in here:
        for name in dict.fromkeys((one.channel.id, _normal(one.channel.name))):
            if name in names:
                claims.setdefault(names[name].path, []).append(one)
    for path, claimants in claims.items():
        owner = _owner(free.pop(path), claimants, files, problems)
        owner.folders.append(path)
    return free


def _owner(folder: Folder, claimants: Sequence[Found], files: Files, problems: Problems) -> Found:
    by_id = next((one for one in claimants if one.channel.id == _last(folder.path)), None)
    different = {one.channel.id: one for one in claimants}
    if by_id is not None or len(different) == 1 or not folder.days:
        return by_id or claimants[0]
    channel = owner_of([one.channel for one in different.values()], files.every(folder))
    others = ", ".join(f"{one.channel.id} ({one.channel.kind})" for one in claimants if one.channel.id != channel.id)
    what = f"{others} has this name too, and the export does not tell whose messages lie here"
    problems.add(folder.path, f"{what}: by what they tell, all are given to {channel.id} ({channel.kind})")
    return different[channel.id]


def _place(folder: Folder, found: dict[ChannelId, Found], files: Files, problems: Problems) -> None:
    """Find the channel of a folder that nobody claimed: listed elsewhere, told by the folder or by its records."""
    name = _last(folder.path)
    elsewhere = [one for one in found.values() if not one.folders and _normal(one.channel.name) in spellings(name)]
    told = ChannelId(name) if is_channel_id(name) else channel_told_by(files.peek(folder))
    if told is None and len(elsewhere) == 1:
        told = elsewhere[0].channel.id
    if told is None:
        why = "no list has a channel of this name, and its messages do not tell its id"
        if name.startswith(_ABOUT_A_FILE):
            why = "what was said beside a canvas or another file, which Slack exports without a channel"
        problems.add(folder.path, f"{why}: the messages of {folder.days} day files are left out")
        return
    if told not in found:
        problems.add(folder.path, f"no list has this channel: it is taken as {told}, and its members are not known")
        found[told] = Found(unlisted_channel(told, folder.path, name), folder.path.rpartition("/")[0])
    found[told].folders.append(folder.path)


def _last(path: str) -> str:
    return path.rpartition("/")[2]


def _normal(name: str) -> str:
    return unicodedata.normalize("NFC", name)
