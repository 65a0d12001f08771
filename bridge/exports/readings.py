"""The readings of a workspace in their file: their numbers, the people and lists that they found, their problems."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bridge.errors import Fatal
from bridge.exports.spool_file import packed, unpacked
from portals.history.export import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bridge.exports.spool_file import SpoolFile
    from bridge.slack.wire import Fields


@dataclass(frozen=True, slots=True)
class Reading:
    """One pass over a workspace: its number, when it began (whole seconds), whether it was interrupted before."""

    number: int
    begun: int
    resumed: bool


def begin(file: SpoolFile, team: str, since: str, until: str, now: int) -> Reading:
    """Go on with the reading that was interrupted, or begin the next one.

    Raises Fatal where the file is about another workspace, or about another span of time.
    """
    folder = file.path.parent
    last = file.maybe("SELECT number, team, since, until, begun, ended FROM reading ORDER BY number DESC LIMIT 1")
    if last is not None:
        number, kept_team, kept_since, kept_until, begun, ended = last
        if kept_team != team:
            raise Fatal(f"{folder} holds the history of the workspace {kept_team}, not of {team}: name another folder")
        if (kept_since, kept_until) != (since, until):
            raise Fatal(
                f"{folder} holds the history {_span(kept_since, kept_until)}: read that again, where nothing is"
                " fetched twice that did not change, or name another folder"
            )
        if not ended:
            return Reading(number, begun, resumed=True)
    number = last[0] + 1 if last else 1
    file.do("INSERT INTO reading VALUES (?, ?, ?, ?, ?, 0)", number, team, since, until, now)
    return Reading(number, now, resumed=False)


def _span(since: str, until: str) -> str:
    spans = [f"since {_date(since)}"] if since else ["from its beginning"]
    return " ".join([*spans, f"until {_date(until)}"] if until else spans)


def _date(ts: str) -> str:
    return datetime.fromtimestamp(int(ts.partition(".")[0]), UTC).isoformat()


class Roll:
    """What one reading keeps besides channels."""

    def __init__(self, file: SpoolFile, reading: Reading) -> None:
        self._file = file
        self._number = reading.number
        self._asked_in_vain: list[Problem] = []

    def end(self) -> None:
        """Note that the reading is over and its export written."""
        self._file.do("UPDATE reading SET ended = 1 WHERE number = ?", self._number)

    def has(self, name: str) -> bool:
        """Tell whether this reading has a list (of people, of channels) whole."""
        return self._file.maybe("SELECT 1 FROM list WHERE name = ? AND reading = ?", name, self._number) is not None

    def keep(self, name: str, body: object = None) -> None:
        """Note that a list is whole, and keep it here unless it is kept piece by piece."""
        self._file.do("REPLACE INTO list VALUES (?, ?, ?)", name, self._number, packed(body))

    def kept(self, name: str) -> Any:  # Any: Slack's own JSON
        """Return a list of this reading or an earlier one, None where there is none."""
        found = self._file.maybe("SELECT body FROM list WHERE name = ?", name)
        return unpacked(found[0]) if found else None

    def keep_people(self, people: Iterable[tuple[str, Fields | None]]) -> None:
        """Keep people by their ids; None for one whom Slack does not show."""
        with self._file.unit():
            for user, body in people:
                self._file.do("REPLACE INTO person VALUES (?, ?)", user, packed(body))

    def strangers(self) -> list[str]:
        """Return who wrote something and is not kept."""
        return [row[0] for row in self._file.rows("SELECT id FROM author EXCEPT SELECT id FROM person ORDER BY id")]

    def people(self) -> Iterator[Fields]:
        """Return the people, one at a time."""
        for _, kept in self._file.stream("SELECT id, body FROM person WHERE id > ? ORDER BY id LIMIT ?"):
            if (body := unpacked(kept)) is not None:
                yield body

    def tell(self, problem: Problem) -> None:
        """Keep a problem, once."""
        self._file.do("INSERT OR IGNORE INTO problem VALUES (?, ?, ?)", self._number, problem.where, problem.what)

    def tell_of_the_wish(self, problem: Problem) -> None:
        """Keep a problem with what was asked for this time; who goes on with the reading may ask for something else."""
        self._asked_in_vain.append(problem)

    def forget(self, place: str) -> None:
        """Drop the problems of a place that is read after all."""
        self._file.do("DELETE FROM problem WHERE reading = ? AND place = ?", self._number, place)

    def problems(self) -> tuple[Problem, ...]:
        """Return the problems of this reading by their places."""
        found = "SELECT place, what FROM problem WHERE reading = ? ORDER BY place, what"
        return (*self._asked_in_vain, *(Problem(*row) for row in self._file.rows(found, self._number)))
