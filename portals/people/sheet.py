"""People as a sheet (CSV) that an admin fills in with any spreadsheet, and how it is read back.

A cell that a spreadsheet would take for a formula is written behind an apostrophe, which a reading takes off again:
that goes for every Matrix id, for they begin with `@`. Whatever a spreadsheet made of the separator, of the byte order
mark or of blank lines is understood; what is not clear is told with its line, and then nothing is read at all.
"""

from __future__ import annotations

import csv
import io
import unicodedata
from typing import TYPE_CHECKING

from portals.ids import MatrixUserId, SlackUserId
from portals.people.links import How, Problem, Wanted, flaw_of, is_person

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from portals.ids import GhostNames

COLUMNS = ("slack_id", "name", "email", "matrix_id", "how")
_FORMULA = ("=", "+", "-", "@", "|", "%")
_SEPARATORS = ",;\t"


def written(rows: Iterable[Sequence[str]]) -> str:
    """Return the sheet with these rows, each as long as COLUMNS."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([_guarded(cell) for cell in row] for row in rows)
    return stream.getvalue()


def _guarded(cell: str) -> str:
    """Return a cell on one line, with no character in it that is not to be seen, and no formula."""
    cell = " ".join("".join(char if char.isprintable() else " " for char in cell).split())
    seen = unicodedata.normalize("NFKC", cell[:1])  # some spreadsheets take a wide sign for the narrow one
    return f"'{cell}" if seen.startswith(("'", *_FORMULA)) else cell


def _bare(cell: str) -> str:
    cell = cell.strip()
    return cell[1:] if cell.startswith("'") else cell


def read(
    text: str, people: Collection[SlackUserId], names: GhostNames
) -> tuple[tuple[Wanted, ...], tuple[Problem, ...]]:
    """Return the links that a sheet wants, or what is wrong with it.

    `people` are those whom the workspace is known to have. A row without a Matrix id wants nothing.
    """
    text = text.removeprefix("\ufeff")
    heading = text.lstrip().partition("\n")[0]
    separator = max(_SEPARATORS, key=heading.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    wanted: list[Wanted] = []
    problems: list[Problem] = []
    places: dict[str, int] = {}
    try:
        for cells in reader:
            row = [_bare(cell) for cell in cells]
            if not any(row):
                continue
            if not places:
                places = {name.lower().replace(" ", "_"): place for place, name in enumerate(row)}
                missing = [name for name in ("slack_id", "matrix_id") if name not in places]
                if missing:
                    words = f"there is no column {' or '.join(missing)}: the first line names the columns"
                    return (), (Problem(words, reader.line_num),)
                continue
            user, account = (row[places[name]] if places[name] < len(row) else "" for name in ("slack_id", "matrix_id"))
            flaw = _flaw(user, account, people, names)
            if flaw:
                problems.append(Problem(flaw, reader.line_num))
            elif account:
                wanted.append(Wanted(SlackUserId(user), MatrixUserId(account), How.CSV, reader.line_num))
    except csv.Error as error:
        problems.append(Problem(f"it is no CSV: {error}", reader.line_num))
    if not places and not problems:
        problems.append(Problem("the sheet is empty: its first line names the columns", 1))
    return (() if problems else tuple(wanted)), tuple(problems)


def _flaw(user: str, account: str, people: Collection[SlackUserId], names: GhostNames) -> str:
    if not is_person(user):
        return f"{user!r} is not the id of a Slack person, such as U0123456789" if user else "there is no slack_id"
    if not account:
        return ""
    return flaw_of(account, names) if user in people else f"{user} is not known in this workspace"
