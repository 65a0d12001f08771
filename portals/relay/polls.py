"""Polls of Matrix as Slack shows them: the question with its numbered answers, and the count when it is closed.

Single votes do not cross: Slack has nothing to show them by. What counts is each voter's last vote before the end.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from portals.text.document import BOLD, ITALIC, Document, Emoji, List, Paragraph, Text

if TYPE_CHECKING:
    from portals.events import MatrixPollEnd, Poll, RunningPoll
    from portals.ids import MatrixUserId

_CHART = Emoji("bar_chart", "📊")


def question(poll: Poll) -> Document:
    """Return the words of a poll that begins."""
    most = "one answer" if poll.most == 1 else f"up to {poll.most} answers"
    return Document(
        (
            Paragraph((_CHART, Text(" "), Text(poll.question, BOLD))),
            List(True, tuple((Paragraph((Text(words),)),) for _, words in poll.answers)),
            Paragraph((Text(f"A poll: votes are cast in Matrix, for {most}.", ITALIC),)),
        )
    )


def may_close(end: MatrixPollEnd, poll: RunningPoll) -> bool:
    """Tell whether an end counts: it is its author's or a moderator's."""
    return end.sender == poll.author or end.sender in poll.moderators


def result(end: MatrixPollEnd, running: RunningPoll) -> Document:
    """Return the count of a poll that was closed: each answer with its votes, the first of them in bold."""
    votes, voters = _count(end, running)
    best = max(votes.values(), default=0)
    items = []
    for name, words in running.poll.answers:
        said = Text(words, BOLD if best and votes[name] == best else 0)
        items.append((Paragraph((said, Text(f" – {_votes(votes[name])}"))),))
    people = "nobody voted" if not voters else f"{voters} {'person' if voters == 1 else 'people'} voted"
    return Document(
        (
            Paragraph((_CHART, Text(" The poll has ended: "), Text(running.poll.question, BOLD))),
            List(True, tuple(items)),
            Paragraph((Text(f"{people.capitalize()}.", ITALIC),)),
        )
    )


def _count(end: MatrixPollEnd, running: RunningPoll) -> tuple[Counter[str], int]:
    known = {name for name, _ in running.poll.answers}
    last: dict[MatrixUserId, tuple[str, ...]] = {}
    for ballot in sorted(running.ballots, key=lambda one: one.at):
        if ballot.at <= end.at:
            last[ballot.voter] = ballot.chosen
    votes: Counter[str] = Counter()
    voters = 0
    for chosen in last.values():
        valid = list(dict.fromkeys(one for one in chosen if one in known))[: running.poll.most]
        votes.update(valid)
        voters += bool(valid)
    return votes, voters


def _votes(count: int) -> str:
    return "no votes" if not count else "1 vote" if count == 1 else f"{count} votes"
