"""Polls of MSC3381, by their stable and their unstable names: the question, the votes, and who may close one.

Nothing raises; what cannot be read is None or does not count. Texts are those of extensible events (MSC1767): a list of
representations, of which the plain one is taken, or one text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portals.events import Ballot, Poll, RunningPoll
from portals.ids import MatrixUserId
from portals.reading.values import mapping, number, objects, text_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portals.events import Json

STARTS = ("m.poll.start", "org.matrix.msc3381.poll.start")
ENDS = ("m.poll.end", "org.matrix.msc3381.poll.end")
_RESPONSES = ("m.poll.response", "org.matrix.msc3381.poll.response")
_MOST_ANSWERS = 20
"""More than these do not exist, says the proposal."""


def poll_of(content: Json) -> Poll | None:
    """Return the poll that the content of its start describes; None without a question or an answer."""
    started = next((mapping(content.get(name)) for name in ("m.poll", *STARTS) if content.get(name)), {})
    question = _words(mapping(started.get("question")))
    answers: dict[str, str] = {}
    for answer in objects(started.get("answers"))[:_MOST_ANSWERS]:
        name, words = text_of(answer.get("m.id")) or text_of(answer.get("id")), _words(answer)
        if name and words:
            answers.setdefault(name, words)
    if not question or not answers:
        return None
    return Poll(question, tuple(answers.items()), max(number(started.get("max_selections")), 1))


def running_poll(start: Json, related: Sequence[Json], power_levels: Json) -> RunningPoll | None:
    """Return a poll by the event that started it and all that refer to it, newest first as homeservers list them.

    None where the start is no poll any more.
    """
    said = mapping(start.get("content"))
    edit = mapping(mapping(mapping(start.get("unsigned")).get("m.relations")).get("m.replace"))
    poll = poll_of(mapping(mapping(edit.get("content")).get("m.new_content"))) or poll_of(said)
    if poll is None:
        return None
    ballots = [ballot for event in reversed(related) if (ballot := _ballot(event)) is not None]
    return RunningPoll(poll, MatrixUserId(text_of(start.get("sender"))), tuple(ballots), _moderators(power_levels))


def _ballot(event: Json) -> Ballot | None:
    content = mapping(event.get("content"))
    voter = text_of(event.get("sender"))
    if event.get("type") not in _RESPONSES or not voter:
        return None
    chosen = content.get("m.selections")
    if chosen is None:
        chosen = next((mapping(content.get(name)).get("answers") for name in _RESPONSES if name in content), None)
    if not isinstance(chosen, list):
        return None
    at = number(event.get("origin_server_ts"))
    return Ballot(MatrixUserId(voter), at, tuple(one for one in chosen if isinstance(one, str)))


def _moderators(power_levels: Json) -> frozenset[MatrixUserId]:
    """Return who may redact what others wrote, and so close their polls."""
    needed = power_levels.get("redact")
    least = needed if isinstance(needed, int) else 50
    levels = mapping(power_levels.get("users"))
    return frozenset(MatrixUserId(user) for user, level in levels.items() if isinstance(level, int) and level >= least)


def _words(holder: Json) -> str:
    """Return the plain words of a text of extensible events, on one line."""
    for name in ("m.text", "org.matrix.msc1767.text"):
        said = holder.get(name)
        if isinstance(said, str) and said.strip():
            return " ".join(said.split())
        for one in objects(said):
            words = text_of(one.get("body")) if one.get("mimetype") in (None, "text/plain") else ""
            if words.strip():
                return " ".join(words.split())
    return " ".join(text_of(holder.get("body")).split())
