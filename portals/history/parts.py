"""One message in the source against what a room shows of it, part by part: who, what, and which file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from portals.history.evidence import Difference
from portals.ids import Ts, ts_to_ms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from portals.history.evidence import Expected, ExpectedPart, Shown, ShownPart

NOT_GIVEN = "Slack does not give them any more, or they were left behind: a notice stands in their place"
HIDDEN = "the source does not give them any more, and the room has them from before"
_EVEN = "the words without formatting"
_WITHIN = 3000
"""Milliseconds by which the mark of an edit may differ from the whole second that Slack tells."""


@dataclass(frozen=True, slots=True)
class Matched:
    """Each expected part with the event that shows it (None where none does), and the events that nobody expects."""

    pairs: tuple[tuple[ExpectedPart, ShownPart | None], ...]
    surplus: tuple[ShownPart, ...]

    @property
    def names(self) -> frozenset[str]:
        """The names of the parts that are expected."""
        return frozenset(wanted.part for wanted, _ in self.pairs)

    @property
    def first(self) -> ShownPart | None:
        """The event that shows the first part which is there."""
        return next((part for _, part in self.pairs if part is not None), None)


def matched(source: Expected, room: Shown) -> Matched:
    """Return which event shows which part; of several that claim the same, the one that is as it should be."""
    open_parts = list(room.parts)
    pairs: list[tuple[ExpectedPart, ShownPart | None]] = []
    for wanted in source.parts:
        forms = {form for form, _, _ in wanted.forms}
        claims = [part for part in open_parts if part.part == wanted.part]
        best = max(claims, key=lambda part: (part.author == source.author, part.form in forms), default=None)
        if best is not None:
            open_parts.remove(best)
        pairs.append((wanted, best))
    return Matched(tuple(pairs), tuple(open_parts))


def text_differences(source: Expected, wanted: ExpectedPart, part: ShownPart | None) -> Iterator[Difference]:
    """Yield what is wrong with the event that shows a piece of the text, or its copy in the channel."""
    if part is None:
        yield Difference("messages", "content", source.ts, source.place, "", wanted.words, "")
        return
    yield from _author(source, part)
    if calls_a_channel_otherwise(wanted, part):
        return
    fitting = [form for form in wanted.forms if form[0] == part.form]
    if not fitting:
        yield Difference("messages", "content", source.ts, source.place, part.event_id, wanted.words, part.words)
    elif all(plain != part.plain for _, plain, _ in fitting):
        found = f"{_EVEN}: {part.words}"
        yield Difference("messages", "content", source.ts, source.place, part.event_id, wanted.words, found)


def _texts(found: Matched) -> Iterator[ShownPart]:
    return (part for wanted, part in found.pairs if part is not None and wanted.file is None)


def lacks_mark(source: Expected, found: Matched) -> bool:
    """Tell whether the text of an edited message is shown without the mark of an edit."""
    texts = list(_texts(found))
    return bool(source.edited and texts) and not any(part.edited for part in texts)


def mark_differences(
    source: Expected, found: Matched, is_newer: Callable[[int], bool], *, may_lack_it: bool
) -> Iterator[Difference]:
    """Yield where the mark of an edit is missing, is of another time, or is on what was never edited.

    Slack tells whole seconds of an edit and sends word of it a moment later; what an app changes in its own message it
    need not call one.
    """
    if lacks_mark(source, found):
        first = found.first
        if not may_lack_it and first is not None:
            words = f"edited at {source.edited}"
            yield Difference("messages", "edit", source.ts, source.place, first.event_id, words, "no mark of an edit")
        return
    marks = [part for part in _texts(found) if part.edited and not is_newer(part.edited)]
    last = max(marks, key=lambda part: part.edited, default=None)
    if last is None or source.name:
        return
    if source.edited and abs(last.edited - ts_to_ms(Ts(source.edited))) <= _WITHIN:
        return
    words = f"edited at {source.edited}" if source.edited else "never edited"
    shown = f"edited at {last.edited // 1000}"
    yield Difference("messages", "edit", source.ts, source.place, last.event_id, words, shown)


def calls_a_channel_otherwise(wanted: ExpectedPart, part: ShownPart) -> bool:
    """Tell whether a part says what it should, but for the name of a channel that was renamed since."""
    is_as_expected = any((part.form, part.plain) == (form, plain) for form, plain, _ in wanted.forms)
    return not is_as_expected and bool(part.nameless) and part.nameless in wanted.nameless


def _author(source: Expected, part: ShownPart) -> Iterator[Difference]:
    if part.author != source.author:
        found = part.author or part.sender
        yield Difference("messages", "author", source.ts, source.place, part.event_id, source.author, found)
    elif source.name not in part.name:
        yield Difference("messages", "name", source.ts, source.place, part.event_id, source.name, part.name)


def file_differences(source: Expected, wanted: ExpectedPart, part: ShownPart | None) -> Iterator[Difference]:
    """Yield what is wrong with the event that shows a file, as far as its words tell."""
    file = wanted.file
    assert file is not None
    if part is None:
        yield Difference("files", "missing", source.ts, source.place, "", f"{file.id} {wanted.words}")
        return
    if part.author != source.author:
        found = part.author or part.sender
        yield Difference("files", "author", source.ts, source.place, part.event_id, source.author, found)
    if file.untold or explained_absence(wanted, part):
        return
    if file.has_bytes and part.file is not None:
        expected = (file.name, file.mimetype, file.size)
        shown = (part.file.name, part.file.mimetype, part.file.size)
        if expected != shown:
            yield Difference("files", "file", source.ts, source.place, part.event_id, _told(*expected), _told(*shown))
    elif file.has_bytes or all(form != part.form for form, _, _ in wanted.forms):
        yield Difference("files", "file", source.ts, source.place, part.event_id, wanted.words, part.words)


def explained_absence(wanted: ExpectedPart, part: ShownPart | None) -> str:
    """Return why an event that shows no file, or another thing than the source has, is as it should be; or nothing."""
    file = wanted.file
    if file is None or part is None:
        return ""
    if part.file is None and part.notice and (file.untold or (file.has_bytes and _begins(part, file.absence))):
        return NOT_GIVEN
    return HIDDEN if part.file is not None and not file.has_bytes and not file.untold else ""


def _begins(part: ShownPart, absence: str) -> bool:
    return part.words[: len(absence)] == absence[: len(part.words.removesuffix("…"))]


def _told(name: str, mimetype: str, size: int) -> str:
    return f"{name}, {mimetype}, {size} bytes"
