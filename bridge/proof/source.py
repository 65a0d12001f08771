"""What a room is compared with: a history that somebody else keeps, not the bridge."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Protocol

from portals.history.selection import AnyOf

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from bridge.exports.export import Export
    from portals.history.export import ExportedChannel, Problem
    from portals.ids import TeamId

_CHUNK = 1024 * 1024


class Source(Protocol):
    """A history: an export of Slack's, or whatever reads like one. All of it blocks."""

    @property
    def name(self) -> str:
        """What an auditor finds it by."""

    def fingerprint(self) -> str:
        """Return the SHA-256 of the whole source where it is one file, else nothing."""

    @property
    def selection(self) -> AnyOf:
        """What of it was meant to come across."""

    @property
    def channels(self) -> Sequence[ExportedChannel]:
        """The channels that it holds."""

    @property
    def problems(self) -> Sequence[Problem]:
        """What of it could not be read, so far."""

    def team(self) -> TeamId | None:
        """Return the workspace of which it is, where it says so."""

    def users(self) -> Iterator[dict[str, Any]]:  # Any: foreign JSON
        """Yield Slack's user objects."""

    def emoji(self) -> dict[str, str]:
        """Return the addresses or aliases of the workspace's own emoji, where it tells them."""

    def records(self, channel: ExportedChannel) -> Iterator[tuple[str, dict[str, Any]]]:  # Any: foreign JSON
        """Yield the place and the JSON of every message of a channel."""


class ExportSource:
    """An export on disk, of which all was meant to come across unless its imports say otherwise."""

    def __init__(self, path: Path, export: Export, selection: AnyOf = AnyOf()) -> None:  # noqa: B008  frozen
        self._export = export
        self._path = path
        self.selection = selection

    @property
    def name(self) -> str:
        return self._path.name

    def fingerprint(self) -> str:
        if not self._path.is_file():
            return ""
        with self._path.open("rb") as file:
            found = hashlib.sha256()
            while chunk := file.read(_CHUNK):
                found.update(chunk)
        return found.hexdigest()

    @property
    def channels(self) -> Sequence[ExportedChannel]:
        return self._export.channels

    @property
    def problems(self) -> Sequence[Problem]:
        return self._export.problems

    def team(self) -> TeamId | None:
        return next(iter(self._export.team_ids()), None)

    def users(self) -> Iterator[dict[str, Any]]:  # Any: foreign JSON
        yield from self._export.users()

    def emoji(self) -> dict[str, str]:
        return self._export.emoji()

    def records(self, channel: ExportedChannel) -> Iterator[tuple[str, dict[str, Any]]]:  # Any: foreign JSON
        for day in self._export.days(channel):
            for index, record in enumerate(day.records):
                yield f"{day.path}[{index}]", record
