"""An export: its channels, its people, and its messages day by day.

Nothing here stops for a bad file or a bad record: each becomes a `Problem` with its place, and the rest goes on. Only
one day is in memory at a time, and of a long one only a part. All of it blocks: run it in a thread.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from itertools import groupby, islice
from typing import TYPE_CHECKING, Any, Self

from bridge.errors import BadExport
from bridge.exports.api_note import NOTE, UNFINISHED, problems_told
from bridge.exports.archive import open_archive
from bridge.exports.channels import found_channels
from bridge.exports.layout import USER_FILES, roots_of
from bridge.exports.limits import LIMITS, Problems, Unreadable
from bridge.exports.lists import document, parts_of
from bridge.exports.names import joined
from portals.history.export import CHANNEL_FILES, Problem, moment, records_of
from portals.ids import TeamId, is_slack_id, is_ts
from portals.reading.values import mapping, objects, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from bridge.exports.archive import Archive
    from bridge.exports.folder import Folder
    from bridge.exports.layout import Root
    from bridge.exports.limits import Limits
    from portals.history.export import ExportedChannel
    from portals.ids import ChannelId

_EMOJI = "emoji.json"
_READ = frozenset({*CHANNEL_FILES, *USER_FILES, _EMOJI, NOTE})
_PEEKED_DAYS = 3
_PEEKED_FOLDERS = 20
_NAMELESS = (
    "it has messages, but no list tells whose: put channels.json back (and groups.json, mpims.json and dms.json, where "
    "Slack gave you these)"
)


@dataclass(frozen=True, slots=True)
class Day:
    """The records of a day file, or of a part of a long one, oldest first, and what is wrong with the rest of it."""

    path: str
    records: list[dict[str, Any]]  # Any: foreign JSON; its door is `portals.reading`
    problems: list[Problem]


class Export:
    """An opened export. `channels` are all that it lists, and those that only have messages."""

    def __init__(self, archive: Archive, problems: Problems, limits: Limits) -> None:
        """Read the lists of channels; raises BadExport where the archive holds no export."""
        self._archive = archive
        self._limits = limits
        self._problems = problems
        self._every = {folder.path: folder for folder in archive.folders()}
        if UNFINISHED in self._every[""].files:
            raise BadExport("not all of it is written: run the same `causeway import --api` again, which goes on")
        self._roots = roots_of(self._every.values(), problems)
        self._read_notes()
        if not any(name in root.files for root in self._roots for name in USER_FILES):
            problems.add(".", "has no users.json: of its people only their ids are known, and what their messages tell")
        found = found_channels(self._roots, self, problems)
        self._teams: Counter[TeamId] = Counter()
        teams = {root.path: self._team(root) for root in self._roots}
        self._folders: dict[ChannelId, list[str]] = {one.channel.id: one.folders for one in found}
        if not found and any(folder.days for root in self._roots for folder in root.folders):
            raise BadExport(_NAMELESS)
        self.channels: tuple[ExportedChannel, ...] = tuple(
            replace(one.channel, team=one.channel.team or teams.get(one.root, TeamId(""))) for one in found
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._archive.close()

    @property
    def problems(self) -> list[Problem]:
        """What was found wrong so far, each thing once; the last one counts those that are too many to be kept."""
        found = list(self._problems)
        if self._problems.left_out:
            found.append(Problem(".", f"{self._problems.left_out:,} more problems, which are not listed"))
        return found

    def measure(self, channel: ExportedChannel) -> tuple[int, int]:
        """Return how many day files a channel has, and how many bytes they take."""
        folders = [self._every[path] for path in self._folders[channel.id]]
        return sum(folder.days for folder in folders), sum(folder.size for folder in folders)

    def unread(self) -> Iterator[tuple[str, int]]:
        """Yield the path and bytes of the files beside the lists which this program makes no use of."""
        for root in self._roots:
            for name in root.files:
                if name.endswith(".json") and name not in _READ:
                    path = joined(root.path, name)
                    yield path, self._size(path)

    # --- messages

    def days(self, channel: ExportedChannel) -> Iterator[Day]:
        """Yield the days of a channel, oldest first; what is wrong is also among the problems of the export."""
        newest = ""
        for paths in self._paths(channel):
            for day in self._together(paths):
                times = [ts for ts in (text_of(record.get("ts")) for record in _ends(day.records)) if is_ts(ts)]
                if times and newest and moment(times[0]) < moment(newest):
                    day.problems.append(
                        Problem(day.path, f"begins with {times[0]}, older than {newest} before it: out of order")
                    )
                if times and (not newest or moment(times[-1]) > moment(newest)):
                    newest = times[-1]
                self._problems.extend(day.problems)
                yield day

    def _paths(self, channel: ExportedChannel) -> Iterator[list[str]]:
        """Yield the paths of a channel's day files in order, those of one date together."""
        named: list[tuple[str, str]] = []
        for folder in self._folders[channel.id]:
            try:
                named += [(name, folder) for name in self._archive.days(folder)]
            except Unreadable as error:
                self._problems.add(folder, error.what)
        for _, same in groupby(sorted(named), key=lambda one: one[0]):
            yield [joined(folder, name) for name, folder in same]

    def _together(self, paths: Sequence[str]) -> Iterator[Day]:
        if len(paths) == 1 or sum(map(self._size, paths)) > self._limits.at_once:
            for path in paths:
                yield from self._day(path)
            return
        days = [day for path in paths for day in self._day(path)]
        records, _ = records_of([record for day in days for record in day.records], paths[0])
        yield Day(" + ".join(paths), records, [problem for day in days for problem in day.problems])

    def _size(self, path: str) -> int:
        try:
            return self._archive.size(path)
        except Unreadable:
            return 0  # reading it will say why

    def _day(self, path: str) -> Iterator[Day]:
        try:
            for part in parts_of(self._archive.read(path), self._archive.size(path), self._limits):
                records, problems = records_of(part.values, path, part.first)
                yield Day(path, records, [*(Problem(path, note) for note in part.notes), *problems])
        except Unreadable as error:
            yield Day(path, [], [Problem(path, error.what)])

    # --- people, emoji and teams

    def users(self) -> Iterator[dict[str, Any]]:  # Any: foreign JSON
        """Yield the people that are listed, each once."""
        seen: set[str] = set()
        for root in self._roots:
            for where, user in self._users(root):
                user_id = text_of(mapping(user).get("id"))
                if not isinstance(user, dict) or not is_slack_id(user_id):
                    self._problems.add(where, "a person without an id: they are left out")
                elif user_id not in seen:
                    seen.add(user_id)
                    yield user

    def emoji(self) -> dict[str, str]:
        """Return the custom emoji, where the export has a list of them: the name of each, and its address or alias."""
        found: dict[str, str] = {}
        for root in self._roots:
            if _EMOJI in root.files:
                path = joined(root.path, _EMOJI)
                try:
                    listed, _ = document(b"".join(self._archive.read(path)))
                except Unreadable as error:
                    self._problems.add(path, error.what)
                    continue
                named = mapping(mapping(listed).get("emoji")) or mapping(listed)
                found |= {name: url for name, url in named.items() if isinstance(url, str)}
                found |= {text_of(one.get("name")): text_of(one.get("url")) for one in objects(listed)}
        found.pop("", None)
        return found

    def team_ids(self) -> tuple[TeamId, ...]:
        """Return the workspaces that people and some of the messages belong to, the most frequent first."""
        counted = self._teams
        if not counted:
            with_days = (folder for root in self._roots for folder in root.folders if folder.days)
            counted = self._teams_in(islice(with_days, _PEEKED_FOLDERS))
        return tuple(team for team, _ in counted.most_common())

    def _users(self, root: Root) -> Iterator[tuple[str, object]]:
        for name in USER_FILES:
            if name in root.files:
                yield from self.listed(joined(root.path, name))

    def _read_notes(self) -> None:
        """Take over the problems that reading through the Web API met."""
        for root in self._roots:
            if NOTE in root.files:
                path = joined(root.path, NOTE)
                try:
                    self._problems.extend(problems_told(document(b"".join(self._archive.read(path)))[0]))
                except Unreadable as error:
                    self._problems.add(path, error.what)

    def _team(self, root: Root) -> TeamId:
        """Return the workspace that most of a root's people belong to, else that most of its messages come from."""
        counted = Counter(_team_ids(mapping(user).get("team_id") for _, user in self._users(root)))
        self._teams += counted
        if root.path == self._roots[0].path and len(self._roots) > 1:
            return TeamId("")  # an organisation
        if not counted:
            counted = self._teams_in(islice((folder for folder in root.folders if folder.days), _PEEKED_FOLDERS))
        return counted.most_common(1)[0][0] if counted else TeamId("")

    def _teams_in(self, folders: Iterable[Folder]) -> Counter[TeamId]:
        return Counter(_team_ids(record.get("team") for folder in folders for record in self.peek(folder)))

    # --- what finding the channels needs

    def listed(self, path: str) -> Iterator[tuple[str, object]]:
        """Yield the values of a list, each with its place; what cannot be read becomes a problem."""
        try:
            for part in parts_of(self._archive.read(path), self._archive.size(path), self._limits):
                self._problems.extend(Problem(path, note) for note in part.notes)
                for index, value in enumerate(part.values, part.first):
                    yield f"{path}[{index}]", value
        except Unreadable as error:
            self._problems.add(path, error.what)

    def peek(self, folder: Folder) -> list[Mapping[str, Any]]:  # Any: foreign JSON
        """Return the records of a folder's first days."""
        first = (next(self._day(path), None) for path in self._in(folder)[:_PEEKED_DAYS])
        return [record for day in first if day for record in day.records]

    def every(self, folder: Folder) -> Iterator[Mapping[str, Any]]:  # Any: foreign JSON
        """Yield the records of a folder; what is wrong with them is told when its messages are read."""
        return (record for path in self._in(folder) for day in self._day(path) for record in day.records)

    def _in(self, folder: Folder) -> list[str]:
        try:
            return [joined(folder.path, name) for name in self._archive.days(folder.path)]
        except Unreadable:
            return []  # reading the folder for its messages says why


def open_export(path: Path, limits: Limits = LIMITS) -> Export:
    """Open an export in a zip or a folder; raises BadExport where it cannot be used, with what to do."""
    problems = Problems()
    archive = open_archive(path, problems, limits)
    try:
        return Export(archive, problems, limits)
    except BadExport as error:
        archive.close()
        raise BadExport(f"{path} cannot be used: {error}") from None
    except BaseException:
        archive.close()
        raise


def _ends(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [records[0], records[-1]] if records else []


def _team_ids(found: Iterable[object]) -> Iterator[TeamId]:
    return (TeamId(team) for team in found if isinstance(team, str) and is_slack_id(team))
