"""A poll of Matrix is a question with numbered answers in Slack, and one count at its end."""

from __future__ import annotations

from typing import Any

from portals.actions import PostMessage, RecordLink, UpdateMessage
from portals.events import Ballot, Ignored, Poll, RunningPoll
from portals.facts import Facts, Origin
from portals.ids import MatrixUserId
from portals.relay.to_slack import decide, needs
from tests.portals.relay.scene import ADA, FACTS, PORTAL, facts, from_ada, said_in_matrix

LUNCH = Poll("Lunch?", (("a", "Pizza"), ("b", "Soup"), ("c", "Nothing")), 2)
START = {
    "org.matrix.msc3381.poll.start": {
        "question": {"org.matrix.msc1767.text": "Lunch?"},
        "answers": [{"id": name, "org.matrix.msc1767.text": words} for name, words in LUNCH.answers],
        "max_selections": 2,
    }
}
BOB, EVE = MatrixUserId("@bob:x"), MatrixUserId("@eve:x")


def running(*ballots: tuple[str, int, tuple[str, ...]], poll: Poll = LUNCH) -> RunningPoll:
    cast = tuple(Ballot(MatrixUserId(voter), at, chosen) for voter, at, chosen in ballots)
    return RunningPoll(poll, ADA, cast, frozenset([BOB]))


def end(sender: str = ADA) -> Any:
    relation = {"rel_type": "m.reference", "event_id": "$poll"}
    content = {"m.relates_to": relation, "org.matrix.msc1767.text": "Ended"}
    return said_in_matrix(content, "org.matrix.msc3381.poll.end", sender=sender, origin_server_ts=1000)


def posted(event: Any, known: Facts = FACTS) -> Any:
    decision = decide(event, PORTAL, known)
    if isinstance(decision, tuple):
        assert len(decision) == 1
        return decision[0]
    assert isinstance(decision, Ignored)
    return decision.reason


def test_a_poll_begins_as_its_question_with_numbered_answers() -> None:
    action = posted(said_in_matrix(START, "org.matrix.msc3381.poll.start"))
    assert isinstance(action, PostMessage)
    assert action.username == "Ada Lovelace"
    lines = action.text.splitlines()
    assert lines[:4] == [":bar_chart: *Lunch?*", "1. Pizza", "2. Soup", "3. Nothing"]
    assert "up to 2 answers" in lines[4]
    once = {"m.poll": {"question": {"m.text": "Ok?"}, "answers": [{"m.id": "y", "m.text": "Yes"}]}}
    assert "one answer" in posted(said_in_matrix(once, "m.poll.start")).text


def test_an_edited_question_is_edited() -> None:
    relation = {"rel_type": "m.replace", "event_id": "$a"}
    event = said_in_matrix({"m.new_content": START, "m.relates_to": relation}, "m.poll.start")
    assert isinstance(posted(event, facts(from_ada("1.0", "$a"))), UpdateMessage)


def test_the_end_tells_the_last_valid_vote_of_everybody() -> None:
    known = facts(
        from_ada("1.0", "$poll", thread_ts="0.5"),
        poll=running(
            ("@a:x", 10, ("a",)),
            ("@a:x", 20, ("b", "b", "unheard-of", "c", "a")),  # changed; twice the same; one too many
            ("@b:x", 30, ("a",)),
            ("@c:x", 5, ("b",)),
            ("@d:x", 1001, ("a",)),  # too late
            ("@e:x", 40, ()),  # taken back
        ),
    )
    action = posted(end(), known)
    assert isinstance(action, PostMessage)
    assert action.thread_ts == "0.5"
    assert action.record == RecordLink(Origin.MATRIX, ADA, event_id="$new", thread_ts="0.5")
    assert action.text.splitlines() == [
        ":bar_chart: The poll has ended: *Lunch?*",
        "1. Pizza – 1 vote",
        "2. *Soup* – 2 votes",
        "3. Nothing – 1 vote",
        "_3 people voted._",
    ]


def test_a_poll_that_nobody_answered_says_so() -> None:
    text = posted(end(), facts(from_ada("1.0", "$poll"), poll=running())).text
    assert text.splitlines()[1:] == [
        "1. Pizza – no votes",
        "2. Soup – no votes",
        "3. Nothing – no votes",
        "_Nobody voted._",
    ]
    one = posted(end(BOB), facts(from_ada("1.0", "$poll"), poll=running(("@a:x", 1, ("a",))))).text
    assert "_1 person voted._" in one


def test_only_the_author_or_a_moderator_closes_a_poll_that_slack_has() -> None:
    there = from_ada("1.0", "$poll")
    assert "may not close" in posted(end(EVE), facts(there, poll=running()))
    assert "not in Slack" in posted(end(), facts(poll=running()))
    assert "not in Slack" in posted(end(), facts(there))
    assert "already" in posted(end(), facts(there, from_ada("2.0", "$new"), poll=running()))
    wanted = needs(end())
    assert (wanted.poll, set(wanted.targets), set(wanted.events)) == ("$poll", {"$poll"}, {"$poll", "$new"})
