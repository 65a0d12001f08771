"""What an export says of itself that was read through the Web API: whose it is, when, and what could not be read.

Slack's own exports have no such file. A folder in which the other file lies is not written to its end: not all that was
read is in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from portals.history.export import Problem
from portals.reading.values import mapping, objects, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

NOTE: Final = "causeway.json"
UNFINISHED: Final = "UNFINISHED"
"""The file's name; what it holds says to people what to do."""

WORDS: Final = (
    "Causeway is not done with this folder: it is read through Slack's Web API."
    " Run the same `causeway import --api` again, which goes on where it was.\n"
)


def problems_told(document: object) -> Iterator[Problem]:
    """Yield the problems that the note of an export tells."""
    for problem in objects(mapping(document).get("problems")):
        if what := text_of(problem.get("what")):
            yield Problem(text_of(problem.get("where")), what)
