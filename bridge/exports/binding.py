"""The folder of an export, made of what was read: the files that Slack's own exports have, by the same names.

Promises: day by day, so that memory does not depend on how much there is; killed at any moment, it is done again with
the same result. Until all is there, a file in it says that it is not whole, and whoever reads exports refuses it.

    channels.json  groups.json  mpims.json  dms.json    channels by their kinds, with members and pins
    users.json     emoji.json                           people; custom emoji, each with its address
    <channel>/2026-11-24.json                           the messages of a day, oldest first
    causeway.json                                       which workspace this is, when it was read, what could not be

A channel's folder bears its name; of two that would lie in the same one, and where the name makes no folder, its id.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson

from bridge.exports.api_note import NOTE, UNFINISHED, WORDS
from bridge.exports.slack_days import by_day
from portals.history.export import CHANNEL_FILES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from bridge.exports.readings import Roll
    from bridge.exports.secret_folder import SecretFolder
    from bridge.exports.shelf import Bound, Shelf
    from bridge.slack.wire import Fields
    from portals.ids import ChannelId

_UNFIT: Final = frozenset('/\\:*?"<>|')
_LONGEST: Final = 200
"""Bytes of a folder's name; file systems take 255."""
_TO_READ: Final = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
_OF_THE_VIEWER: Final = frozenset({"is_member", "num_members", "priority", "unread_count", "last_read", "latest"})
"""What a channel's listing says about who asked, or says of the moment only."""


class Binding:
    """Writes what a shelf and a roll hold into a folder."""

    def __init__(self, folder: SecretFolder, shelf: Shelf, roll: Roll) -> None:
        self._folder = folder
        self._shelf = shelf
        self._roll = roll

    def arrange(self) -> list[Bound]:
        """Give every channel its folder, clear those away that belong to none any more, and return the channels."""
        self._folder.write(UNFINISHED, [WORDS.encode()])
        channels = self._shelf.bound()
        wanted = folder_names(channels)
        moved = {channel.id: wanted[channel.id] for channel in channels if channel.folder != wanted[channel.id]}
        left = {channel.folder for channel in channels if channel.id in moved and channel.folder}
        for folder in sorted(left):
            self._folder.remove(folder)
        self._shelf.move(moved)
        return self._shelf.bound()

    def write_days(self, channel: Bound) -> Iterator[str]:
        """Write a channel's days, and yield each when it is written."""
        names = set()
        for name, messages in by_day(self._shelf.messages(channel.id)):
            self._folder.write(f"{channel.folder}/{name}", _listed(body for _, body in messages))
            names.add(name)
            yield name
        self._folder.keep_only(channel.folder, names)
        self._shelf.end_days(channel.id)

    def write_lists(self, about: Mapping[str, Any]) -> None:
        """Write what is beside the channels; `about` says whose export it is."""
        self._folder.write("users.json", _listed(self._roll.people()))
        self._folder.write("emoji.json", [orjson.dumps(self._roll.kept("emoji") or {}, option=_TO_READ)])
        problems = [{"where": problem.where, "what": problem.what} for problem in self._roll.problems()]
        self._folder.write(NOTE, [orjson.dumps({**about, "problems": problems}, option=_TO_READ)])
        channels = self._shelf.bound()
        for name, kind in CHANNEL_FILES.items():
            of_kind = (self._entry(channel.id) for channel in channels if channel.kind == kind)
            self._folder.write(name, _listed(of_kind))
        self._folder.settle()
        self._folder.drop(UNFINISHED)

    def _entry(self, channel: ChannelId) -> Fields:
        listing, members, pins = self._shelf.about(channel)
        entry = {name: value for name, value in listing.items() if name not in _OF_THE_VIEWER}
        if members is not None:
            entry["members"] = members
        if pins:
            entry["pins"] = pins
        return entry


def folder_names(channels: Sequence[Bound]) -> dict[ChannelId, str]:
    """Return a folder for each channel; no two are the same, nor to a file system that knows no upper case."""
    found: dict[ChannelId, str] = {}
    taken = {channel.id.casefold() for channel in channels}
    for channel in sorted(channels, key=lambda channel: (channel.kind != "public", channel.id)):
        name = channel.name if _makes_a_folder(channel.name) and channel.kind != "dm" else ""
        if not name or name.casefold() in taken:
            name = channel.id
        taken.add(name.casefold())
        found[channel.id] = name
    return found


def _makes_a_folder(name: str) -> bool:
    return (
        bool(name)
        and name.isprintable()
        and _UNFIT.isdisjoint(name)
        and not name.startswith((".", " "))
        and not name.endswith((".", " ", ".json"))
        and len(name.encode()) <= _LONGEST
    )


def _listed(values: Iterable[object]) -> Iterator[bytes]:
    """Return a JSON list with a value to a line, piece by piece."""
    before = b"[\n"
    for value in values:
        yield before + orjson.dumps(value)
        before = b",\n"
    yield b"[]\n" if before == b"[\n" else b"\n]\n"
